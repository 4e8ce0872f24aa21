use std::path::{Path, PathBuf};

use super::{GovernanceError, changes, files};
use crate::cli::Failure;

/// `celosia governance diff`: `+` comes, `-` goes, `~` changes.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// A document, or a folder: then its newest document of the other's kind.
    #[arg(value_name = "A")]
    old: PathBuf,
    /// A document, or a folder.
    #[arg(value_name = "B")]
    new: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let (old, new) = match (args.old.is_dir(), args.new.is_dir()) {
        (false, false) => (files::read(&args.old)?, files::read(&args.new)?),
        (true, false) => {
            let new = files::read(&args.new)?;
            (of_folder(&args.old, new.1.kind())?, new)
        }
        (false, true) => {
            let old = files::read(&args.old)?;
            let new = of_folder(&args.new, old.1.kind())?;
            (old, new)
        }
        (true, true) => {
            let kinds = ["policy", "directory"];
            for kind in kinds {
                if let (Ok(old), Ok(new)) = (of_folder(&args.old, kind), of_folder(&args.new, kind)) {
                    say_part!("{}", changes::between(old.0.text(), new.0.text()));
                }
            }
            return Ok(());
        }
    };
    say_part!("{}", changes::between(old.0.text(), new.0.text()));
    Ok(())
}

/// The newest document of a kind.
fn of_folder(path: &Path, kind: &str) -> Result<(crate::translog::note::Note, crate::governance::Document), GovernanceError> {
    let folder = files::open(path)?;
    let newest = folder.history().iter().rev().find(|kept| kept.kind == kind);
    let newest = newest.ok_or_else(|| GovernanceError::Edit(format!("{} has no {kind} yet", path.display())))?;
    files::read(&newest.file)
}
