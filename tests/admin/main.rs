//! The admin surface with people: the real binary, a real issuer of tokens, real certificates.

#![allow(missing_docs, unreachable_pub, dead_code, clippy::unwrap_used, reason = "tests")]

mod acts;
mod cases;
mod certificates;
mod events;
mod issuer;
mod limits;
mod node;
mod people;
mod rights;
mod roots;
mod surfaces;
mod tokens;

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
