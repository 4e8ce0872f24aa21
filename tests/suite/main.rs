//! The suite celosia-1 against its vectors, against a second implementation in Go, and against what its security claims.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "tests")]

mod case;
mod document;
mod foreign;
#[path = "../support/go.rs"]
mod go;
mod privacy;
mod secrecy;
mod threshold;
mod vectors;
mod week;
