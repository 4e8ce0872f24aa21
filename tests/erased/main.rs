//! Erasure as others see it: the real binary, its files, its logs, its memory.

#![allow(missing_docs, unreachable_pub, dead_code, clippy::unwrap_used, reason = "tests")]

mod documents;
mod governed;
mod live;
mod scan;
mod support;

#[path = "../governed/charter.rs"]
mod charter;
#[path = "../governed/member.rs"]
mod member;
#[path = "../governed/net.rs"]
mod net;

#[path = "../support/http.rs"]
mod http;
#[path = "../support/keys.rs"]
mod keys;
#[path = "../support/ports.rs"]
mod ports;
