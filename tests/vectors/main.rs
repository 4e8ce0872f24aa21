//! Bytes that others made, and bytes that nobody should make: codecs and boxes against recordings of Tessera, vectors of the
//! specification, a second NaCl, every truncation, random payloads, the corpus of the fuzzers, and the
//! statistics by which the time of secrets is judged.
#![allow(clippy::unwrap_used, reason = "tests")]

mod cbor_forms;
mod corpus;
mod data;
mod groups;
mod interaction;
mod legacy_forms;
mod nacl;
mod properties;
mod recorded;
mod spec;
mod timing;
