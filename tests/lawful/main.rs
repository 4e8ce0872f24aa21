//! Lawful sight: members under a policy with an escrow committee, officers and an auditor with a folder each, all of it the real program.

#![allow(clippy::unwrap_used, dead_code, unreachable_pub, reason = "tests, and helpers that other tests use")]

#[path = "../governed/charter.rs"]
mod charter;
#[path = "../support/http.rs"]
mod http;
#[path = "../admin/issuer.rs"]
mod issuer;
#[path = "../support/keys.rs"]
mod keys;
#[path = "../governed/member.rs"]
mod member;
#[path = "../support/member.rs"]
mod peer;
#[path = "../support/ports.rs"]
mod ports;
#[path = "../support/said.rs"]
mod said;

mod attacks;
mod bulk;
mod copies;
mod court;
mod disclosure;
mod former;
mod life;
mod offline;
mod recover;
mod recover_access;
mod whole_life;
