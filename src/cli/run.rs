use std::path::PathBuf;

use super::{ConfigSource, Failure, block_on};
use crate::app::{self, RunOptions};
use crate::enclave::allocator::return_memory;

/// `celosia run`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(flatten)]
    source: ConfigSource,
    /// Write this process's id to a file.
    #[arg(long, value_name = "FILE")]
    pidfile: Option<PathBuf>,
    /// Fetch this node's payloads from its peers, then end.
    #[arg(short, long)]
    recover: bool,
    /// Log more: the level `debug`.
    #[arg(long)]
    debug: bool,
}

/// Runs a node until it is told to stop.
pub(super) fn run(args: Args) -> Result<u8, Failure> {
    let mut config = args.source.load()?.config;
    if args.debug {
        "debug".clone_into(&mut config.log.level);
    }
    return_memory();
    let options = RunOptions { pidfile: args.pidfile, recover: args.recover };
    block_on(app::run(config, options))?.map_err(|error| Failure::coded(2, &error))
}
