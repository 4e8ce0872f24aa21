//! The admin surface with people: the real binary, a real issuer of tokens, real certificates.

#![allow(missing_docs, unreachable_pub, dead_code, clippy::unwrap_used, reason = "tests")]

mod acts;
mod certificates;
mod issuer;
mod limits;
mod node;
mod people;
mod surfaces;
mod tokens;

#[path = "../support/http.rs"]
mod http;
#[path = "../support/ports.rs"]
mod ports;
