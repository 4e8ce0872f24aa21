use std::path::PathBuf;

use super::Failure;

/// `celosia fsck`.
#[derive(clap::Args, Debug)]
#[group(id = "where", required = true, multiple = false, args = ["data_dir", "config"])]
pub(crate) struct Args {
    /// Configuration of the node, which must be stopped.
    #[arg(long, visible_alias = "configfile", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Its data folder.
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// Exit code 0 if every record verifies, 1 if one does not.
pub(super) fn run(_args: Args) -> Result<u8, Failure> {
    Err(Failure::plain(2, "`celosia fsck` is not in this build"))
}
