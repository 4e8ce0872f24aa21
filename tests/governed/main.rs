//! Networks with a directory and a policy: real processes, from the binary alone.

#![allow(clippy::unwrap_used, dead_code, unreachable_pub, reason = "tests, and helpers that other tests use")]

#[path = "../support/http.rs"]
mod http;
#[path = "../support/keys.rs"]
mod keys;
#[path = "../support/member.rs"]
mod peer;
#[path = "../support/ports.rs"]
mod ports;
#[path = "../support/said.rs"]
mod said;

mod ceremonies;
mod ceremonies_attacked;
mod charter;
mod delivery;
mod documents;
mod documents_attacked;
mod documents_large;
mod documents_wrong;
mod erasure;
mod erasure_addressed;
mod erasure_full;
mod erasure_image;
mod erasure_killed;
mod erasure_late;
mod erasure_lies;
mod erasure_overlap;
mod escrow;
mod given_back;
mod guards;
mod holds;
mod holds_documents;
mod life;
mod member;
mod membership;
mod net;
mod officers;
mod outsider;
mod past;
mod policy;
mod supervision;
mod supervision_catch_up;
mod supervision_copies;
mod supervision_cosign;
mod supervision_first;
mod supervision_late;
mod supervision_places;
mod supervision_tessera;
mod tessera;
