use std::path::PathBuf;

use jiff::Timestamp;

use super::files;
use crate::cli::Failure;
use crate::directory::Kept;

/// `celosia governance history`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Folder of documents.
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// What was in force then: `2026-01-31T12:00:00Z`.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// With `--at`: print the texts too.
    #[arg(long, requires = "at")]
    text: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let folder = files::open(&args.folder)?;
    let Some(at) = args.at else {
        folder.history().iter().for_each(|kept| say!("{}", line(kept)));
        return Ok(());
    };
    let (policy, directory) = folder.at(at);
    for (kind, kept) in [("policy", policy), ("directory", directory)] {
        match kept {
            None => say!("no {kind} was in force at {at}"),
            Some(kept) => {
                say!("{}", line(kept));
                if args.text {
                    say_part!("\n{}\n", files::to_text(&files::read(&kept.file)?.0));
                }
            }
        }
    }
    Ok(())
}

fn line(kept: &Kept) -> String {
    let Kept { version, kind, issued, hash, signers, .. } = kept;
    format!("{version:>6}  {kind:9}  {issued}  {hash}  signed by {}", signers.join(", "))
}
