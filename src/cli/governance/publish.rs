use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::{GovernanceError, files, show};
use crate::cli::Failure;
use crate::cli::admin::{Door, Node, Said, target};
use crate::cli::http::block_on;
use crate::directory::CharterFolder;
use crate::governance::{Accepted, Document};
use crate::net::client::Target;
use crate::translog::note::Note;

/// `celosia governance publish`. Anybody may: what counts are the signatures.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Signed documents, in their order.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The node to give them to, as `--admin` names it. Nodes spread what they accept.
    #[arg(long, value_name = "ADDRESS", conflicts_with_all = ["config", "into"], value_parser = target)]
    to: Option<Target>,
    #[command(flatten)]
    node: Node,
    /// Folder of documents on this machine; a first policy begins it.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["admin", "config"])]
    into: Option<PathBuf>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let door = match (&args.into, &args.to) {
        (Some(_), _) => None,
        (None, Some(target)) => Some(args.node.door(target.clone(), Vec::new())?),
        (None, None) => Some(args.node.admin()?),
    };
    for file in &args.files {
        let (note, document) = files::read(file)?;
        let told = match (&door, &args.into) {
            (Some(door), _) => post(door, &note)?,
            (None, Some(folder)) => keep(folder, file, &note, &document)?,
            (None, None) => return Err(Failure::plain(crate::cli::USAGE, "give --to ADMIN_URL or --into FOLDER")),
        };
        say!("{}: {}: {told}", file.display(), show::name(&document));
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

fn post(door: &Door, note: &Note) -> Result<String, Failure> {
    let answer = block_on(async { door.post_note("/governance/documents", files::to_text(note)).await })?;
    if !answer.status.is_success() {
        return Err(refused(door, &answer).into());
    }
    let json = answer.json()?;
    let is_new = json.get("outcome").and_then(serde_json::Value::as_str) == Some("new");
    let place = door.place();
    let version = json.get("version").and_then(serde_json::Value::as_u64).unwrap_or_default();
    Ok(format!("{place} is on version {version}{}", if is_new { ", it took this one" } else { ", it had this one" }))
}

/// The node's own code and words, if it gives them.
pub(super) fn refused(door: &Door, answer: &Said) -> GovernanceError {
    let json: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let word = |field: &str| json.get(field).and_then(serde_json::Value::as_str).map(str::to_owned);
    GovernanceError::Answer {
        place: door.place().to_string(),
        code: word("code").unwrap_or_else(|| answer.status.to_string()),
        message: word("message").unwrap_or_else(|| answer.text()),
    }
}
