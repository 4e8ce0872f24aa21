//! A network is begun, grown, changed and attacked with the real program: governors in folders of their own, files that go from one to the other.
#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "tests")]

mod attacks;
mod commands;
mod documentation;
#[path = "../support/go.rs"]
mod go;
mod ground;
mod kill;
mod lifecycle;
mod node;
mod notes;
mod refused;
