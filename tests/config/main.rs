//! Configurations as operators write them, through the shipped binary: taken, refused by name, converted, and the commands around them.

#![allow(missing_docs, clippy::unwrap_used)]

mod bench_of_files;
mod commands;
mod examples;
mod field;
mod wrong_tessera;
mod wrong_toml;
