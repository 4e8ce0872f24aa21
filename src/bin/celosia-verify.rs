//! The stand-alone verifier: `celosia verify` without the server. It reads files and nothing else.
//!
//! It is compiled out of floor 0 and the command line's page of it, not linked to the library: RocksDB comes along with that, whoever uses it.
#![allow(dead_code, unreachable_pub, unused_imports, reason = "the library uses more of these modules")]

#[path = ".."]
mod floor {
    pub mod crypto;
    pub mod translog;
    pub mod types;
}

#[path = "../cli"]
mod cli {
    pub mod verify;
}

use floor::{crypto, translog, types};

fn main() -> std::process::ExitCode {
    cli::verify::main(std::env::args_os())
}
