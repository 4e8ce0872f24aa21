use std::path::PathBuf;

use super::{Failure, block_on};
use crate::app;
use crate::config::load;

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
pub(super) fn run(args: Args) -> Result<u8, Failure> {
    let config = args.config.as_deref().map(|path| load(path, &[])).transpose()?.map(|loaded| loaded.config);
    let report = block_on(app::fsck(config, args.data_dir))?.map_err(|error| Failure::coded(2, &error))?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report).map_err(|error| Failure::plain(2, error))?);
    } else {
        println!("{} payloads and {} raw payloads verify", report.payloads, report.raws);
        if report.unburied > 0 {
            println!(
                "{} erased records whose rows are still there: unreadable, and removed when they are erased again",
                report.unburied
            );
        }
        for finding in &report.findings {
            println!("bad {} {}: {}", finding.kind, finding.id, finding.what);
        }
    }
    Ok(u8::from(!report.findings.is_empty()))
}
