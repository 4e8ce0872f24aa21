use std::path::PathBuf;

use super::{Unlock, ceremony, coded, read};
use crate::ceremony::CommitteeFile;
use crate::cli::Failure;

/// `celosia officer destroy`. Copies of the folder from before are not reached: destroy them by hand.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(flatten)]
    unlock: Unlock,
    /// The complete committee that is in force now: `committee.toml` of its ceremony.
    #[arg(long, value_name = "FILE")]
    committee: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let file = CommitteeFile::parse(&read(&args.committee)?).map_err(ceremony)?;
    let mut folder = args.unlock.open()?;
    let (count, word) = folder.destroy_before(&file).map_err(coded)?;
    let committee = &file.committee;
    say!("{count} share(s) from before generation {} of {} destroyed", committee.generation, committee.title());
    say!("the root under which they lay: {word}");
    eprintln!("copies of this folder from before are not reached: destroy them");
    Ok(())
}
