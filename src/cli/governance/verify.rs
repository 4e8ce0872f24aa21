use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{GovernanceError, files, show};
use crate::cli::Failure;
use crate::directory::CharterFolder;
use crate::governance::{Accepted, Charter, Refusal};
use crate::types::NetworkId;

/// `celosia governance verify`. Exit code 0 if every rule holds.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// A folder of documents, or one document.
    #[arg(value_name = "FILE|FOLDER")]
    what: PathBuf,
    /// The network's id, as it was told to you on another way.
    #[arg(long, value_name = "ID")]
    network: NetworkId,
    /// For one document after the first: the folder of the documents before it.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    if args.what.is_dir() {
        let folder = CharterFolder::open(&args.what, Some(args.network), Timestamp::now()).map_err(GovernanceError::from)?;
        let charter = folder.charter();
        let (count, version, hash) = (folder.history().len(), charter.version(), charter.newest().1);
        say!("{}: {count} documents up to version {version}, hash {hash}: every signature and rule holds", args.what.display());
    } else {
        say!("{}", document(&args.what, args.network, args.folder.as_deref())?);
    }
    Ok(())
}

fn document(file: &Path, network: NetworkId, folder: Option<&Path>) -> Result<String, GovernanceError> {
    let (note, document) = files::read(file)?;
    let theirs = document.head().network;
    let refused = GovernanceError::refused(file);
    if theirs != network {
        return Err(refused(Refusal::WrongNetwork { ours: network, theirs }));
    }
    let told = match folder {
        None => Charter::begin(&note).map(|_| Accepted::New { ignored: Vec::new() }).map_err(refused)?,
        Some(folder) => {
            let mut charter = CharterFolder::open(folder, Some(network), Timestamp::now())?.charter().clone();
            charter.accept(&note, Timestamp::now()).map_err(refused)?
        }
    };
    let told =
        if matches!(told, Accepted::New { .. }) { "a node on the version before takes it" } else { "it is in that folder" };
    Ok(format!("{}: {}, hash {}: signatures and rules hold; {told}", file.display(), show::name(&document), document.hash()))
}
