use std::path::PathBuf;

use anyhow::Context as _;

use super::{ceremony, coded};
use crate::ceremony::{CeremonyId, CommitteeFile};
use crate::cli::Failure;
use crate::cli::admin::Node;
use crate::cli::http::block_on;
use crate::officer::OfficerError;

/// `celosia officer collect`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The ceremony's number.
    id: CeremonyId,
    /// Where to write the committee.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    node: Node,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let door = args.node.admin()?;
    let shown = block_on(async { door.get(&format!("/ceremonies/{}/committee", args.id)).await?.json() })?;
    let file = CommitteeFile::parse(shown["committee"].as_str().unwrap_or_default()).map_err(ceremony)?;
    // Threat: a node that hands out a committee of its own making. All its officers have signed it, for this ceremony.
    file.check_own().map_err(ceremony)?;
    if file.ceremony != args.id {
        return Err(coded(OfficerError::OtherPlan(args.id)));
    }
    std::fs::write(&args.out, file.to_toml()).with_context(|| args.out.display().to_string())?;
    let committee = &file.committee;
    say!("{}: {}, generation {}, key {}", args.out.display(), committee.title(), committee.generation, committee.key);
    Ok(())
}
