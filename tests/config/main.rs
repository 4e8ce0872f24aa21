//! Configurations as operators write them, through the shipped binary: taken, refused by name, converted, and the commands around them.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used)]
#![allow(clippy::format_collect, clippy::too_many_lines, reason = "tables of cases are long")]

mod bench_of_files;
mod commands;
mod examples;
mod field;
mod wrong_tessera;
mod wrong_toml;
