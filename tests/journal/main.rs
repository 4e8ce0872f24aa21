//! The journal against a second implementation, and as a process that is killed: real logs on a real disk, verified by `celosia verify`,
//! by the stand-alone `celosia-verify` and by a Go program on the packages `sumdb/note` and `sumdb/tlog`.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "tests")]

#[path = "../support/go.rs"]
mod go;
mod killed;
mod made;
mod tampered;
mod words;
