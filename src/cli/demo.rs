use std::path::PathBuf;

use super::Failure;

/// `celosia demo`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Members of the network.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(2..=20))]
    pub members: u8,
    /// Keep keys, configurations and data in this folder.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Leave the network up until Ctrl-C.
    #[arg(long)]
    pub stay: bool,
    /// Put a GoQuorum node (`geth`) on each member and deploy a private contract.
    #[arg(long, value_name = "PATH")]
    pub geth: Option<PathBuf>,
}

pub(super) fn run(_args: Args) -> Result<(), Failure> {
    Err(Failure::plain(2, "`celosia demo` is not in this build"))
}
