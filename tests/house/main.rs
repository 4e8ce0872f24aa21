//! Tests of the house itself: floors, sizes, what the documents claim.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "tests")]

mod commands;
mod evidence;
mod examples;
mod floors;
mod scan;
mod shape;
