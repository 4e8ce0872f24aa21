//! Officers with a folder each make a committee's key with the real program, hand it over, refresh it, lose one another, and are attacked.
#![allow(missing_docs, unreachable_pub, dead_code, clippy::unwrap_used, reason = "tests")]

mod attacked;
#[path = "../governance/ground.rs"]
mod ground;
mod life;
mod officers;
mod token;
