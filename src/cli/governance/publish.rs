use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{GovernanceError, files, show};
use crate::cli::Failure;
use crate::cli::http::{Answer, Place, block_on};
use crate::directory::CharterFolder;
use crate::governance::{Accepted, Document};
use crate::translog::note::Note;

/// `celosia governance publish`. Anybody may: what counts are the signatures.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Signed documents, in their order.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Admin surface of a node: `http://host:port` or `unix:/path`. Nodes spread what they accept.
    #[arg(long, value_name = "ADMIN_URL", required_unless_present = "into", conflicts_with = "into")]
    to: Option<Place>,
    /// Folder of documents on this machine; a first policy begins it.
    #[arg(long, value_name = "FOLDER")]
    into: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    for file in &args.files {
        let (note, document) = files::read(file)?;
        let told = match (&args.to, &args.into) {
            (Some(place), _) => post(place, &note)?,
            (None, Some(folder)) => keep(folder, file, &note, &document)?,
            (None, None) => return Err(Failure::plain(crate::cli::USAGE, "give --to ADMIN_URL or --into FOLDER")),
        };
        println!("{}: {}: {told}", file.display(), show::name(&document));
    }
    Ok(())
}

fn keep(folder: &Path, file: &Path, note: &Note, document: &Document) -> Result<String, GovernanceError> {
    if !CharterFolder::exists(folder) && document.head().version == 1 {
        let begun = CharterFolder::begin(folder, note)?;
        return Ok(format!("network {} begins", begun.charter().network()));
    }
    let refused = |error| match error {
        crate::directory::FolderError::Refused(reason) => GovernanceError::refused(file)(reason),
        other => other.into(),
    };
    let accepted = files::open(folder)?.accept(note, Timestamp::now()).map_err(refused)?;
    Ok(match accepted {
        Accepted::Known => "known already".to_owned(),
        Accepted::Merged => "known already, its new signatures were added".to_owned(),
        Accepted::New { ignored } if ignored.is_empty() => "in force".to_owned(),
        Accepted::New { ignored } => format!("in force; signature lines of no governor: {}", ignored.join(", ")),
    })
}

fn post(place: &Place, note: &Note) -> Result<String, Failure> {
    let answer = block_on(async { place.post_text("/governance/documents", files::to_text(note)).await })?;
    if !answer.status.is_success() {
        return Err(refused(place, &answer).into());
    }
    let json = answer.json()?;
    let is_new = json.get("accepted").and_then(serde_json::Value::as_bool).unwrap_or_default();
    let version = json.get("version").and_then(serde_json::Value::as_u64).unwrap_or_default();
    Ok(format!("{place} is on version {version}{}", if is_new { ", it took this one" } else { ", it had this one" }))
}

/// The node's own code and words, if it gives them.
pub(super) fn refused(place: &Place, answer: &Answer) -> GovernanceError {
    let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let word = |field: &str| json.get(field).and_then(serde_json::Value::as_str).map(str::to_owned);
    GovernanceError::Answer {
        place: place.to_string(),
        code: word("code").unwrap_or_else(|| answer.status.to_string()),
        message: word("message").unwrap_or_else(|| answer.text()),
    }
}
