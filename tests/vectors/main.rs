//! Bytes that others made, and bytes that nobody should make: codecs and boxes against recordings of Tessera, vectors of the
//! specification, a second NaCl, every truncation, random payloads, and the corpus of the fuzzers.
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
