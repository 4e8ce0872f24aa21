use super::{ConfigSource, Failure};

/// `celosia enclave`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The same configuration as the node's, or one with `[enclave]` and `[[keys]]` alone.
    #[command(flatten)]
    pub source: ConfigSource,
}

pub(super) fn run(_args: Args) -> Result<(), Failure> {
    Err(Failure::plain(2, "`celosia enclave` is not in this build"))
}
