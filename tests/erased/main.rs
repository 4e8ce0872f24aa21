//! Erasure as others see it: the real binary, its files, its logs, its memory.

#![allow(missing_docs, unreachable_pub, dead_code, clippy::unwrap_used, reason = "tests")]

mod live;
mod scan;
mod support;

#[path = "../support/http.rs"]
mod http;
#[path = "../support/ports.rs"]
mod ports;
