use super::{ConfigSource, Failure, block_on};
use crate::app;

/// `celosia enclave`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The same configuration as the node's, or one with `[enclave]` and `[[keys]]` alone.
    #[command(flatten)]
    pub source: ConfigSource,
}

/// Serves the enclave until it is told to stop.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.source.load()?.config;
    block_on(app::serve_enclave(config))?.map_err(|error| Failure::coded(2, &error))
}
