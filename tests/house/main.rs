//! Tests of the house itself: floors, sizes, what the documents claim.

#![allow(missing_docs, clippy::unwrap_used)]

mod commands;
mod evidence;
mod examples;
mod floors;
mod scan;
mod shape;
