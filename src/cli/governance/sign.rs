use std::io::{self, BufRead as _, Write as _};
use std::path::{Path, PathBuf};

use super::record::Record;
use super::{GovernanceError, changes, files, key, show};
use crate::cli::Failure;
use crate::crypto::sign::VerifyKey;
use crate::directory::CharterFolder;
use crate::governance::{Document, Governor};

/// `celosia governance sign`. The signature is added to the file itself, beside those that are there.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The proposal.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The governor's key file.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// File whose first line is its password; asked if absent.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Folder of the documents in force; needed for every version but the first.
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let (mut note, document) = files::read(&args.file)?;
    let folder = context(args, &document)?;
    let old = folder.as_ref().and_then(|folder| before(folder, &document)).unwrap_or_default();
    say!("{} is {}, of network {}:", args.file.display(), show::name(&document), document.head().network);
    say_part!("{}", changes::between(&old, note.text()));
    say!("hash {}", document.hash());
    if !args.yes && !is_agreed()? {
        return Err(GovernanceError::Declined.into());
    }
    // Before the password: a damaged record needs none.
    let mut record = Record::beside(&args.key)?;
    let signer = key::load(&args.key, args.password_file.as_deref())?;
    let governor = governor(&document, folder.as_ref(), &signer.verify_key());
    let name = governor.ok_or_else(|| GovernanceError::NotGovernor(args.key.clone()))?.name().to_owned();
    record.claim(document.head(), document.hash())?;
    note.sign(&name, &signer);
    files::rewrite(&args.file, &note.to_string())?;
    say!("signed by {name}; {} signature lines now", note.signatures().len());
    Ok(())
}

/// The folder that the document builds on; it must fit there.
fn context(args: &Args, document: &Document) -> Result<Option<CharterFolder>, GovernanceError> {
    if document.head().version == 1 && args.folder.is_none() {
        return Ok(None);
    }
    let Some(folder) = &args.folder else {
        return Err(GovernanceError::Edit(
            "give the documents in force with --folder FOLDER: the proposal is checked against them".into(),
        ));
    };
    let folder = files::open(folder)?;
    // One that is in force already may get one more signature.
    let is_in_force = folder.charter().hash_of(document.head().version) == Some(&document.hash());
    match folder.charter().fits(document, files::now()) {
        Err(reason) if !is_in_force => Err(GovernanceError::refused(&args.file)(reason)),
        _ => Ok(Some(folder)),
    }
}

/// The text of the same kind that the document replaces.
fn before(folder: &CharterFolder, document: &Document) -> Option<String> {
    let version = document.head().version;
    let old = folder.history().iter().rev().find(|kept| kept.kind == document.kind() && kept.version < version)?;
    Some(read_text(&old.file))
}

fn read_text(file: &Path) -> String {
    files::read(file).map(|(note, _)| note.text().to_owned()).unwrap_or_default()
}

/// Whose key it is: a governor of the proposal, or of the policy in force.
fn governor<'a>(document: &'a Document, folder: Option<&'a CharterFolder>, key: &VerifyKey) -> Option<&'a Governor> {
    let own: &[Governor] = if let Document::Policy(policy) = document { &policy.governors } else { &[] };
    let force = folder.map_or(&[][..], |folder| &folder.charter().policy().governors);
    own.iter().chain(force).find(|governor| governor.key() == key)
}

fn is_agreed() -> Result<bool, Failure> {
    let failed = |error: io::Error| Failure::plain(2, format!("no answer can be read: {error}"));
    let mut out = io::stdout();
    write!(out, "Sign it? Type yes: ").and_then(|()| out.flush()).map_err(failed)?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(failed)?;
    Ok(line.trim() == "yes")
}
