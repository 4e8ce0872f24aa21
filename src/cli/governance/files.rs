//! Documents in files: signed notes, and proposals that nobody signed yet.

use std::fs::{self, File, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::GovernanceError;
use crate::directory::CharterFolder;
use crate::governance::{Document, DocumentError};
use crate::translog::note::{MAX_NOTE, Note};

/// What the first signature line follows.
const SIGNATURES: &str = "\n\n\u{2014} ";

/// Reads a document with the signatures that it bears, none for a fresh proposal.
pub(super) fn read(path: &Path) -> Result<(Note, Document), GovernanceError> {
    let text = read_text(path)?;
    let note = if text.contains(SIGNATURES) { Note::parse(&text) } else { Note::new(text) };
    let note = note.map_err(DocumentError::from).map_err(GovernanceError::document(path))?;
    let document = Document::of_note(&note).map_err(GovernanceError::document(path))?;
    Ok((note, document))
}

/// Reads a text of people, no longer than a document.
pub(super) fn read_text(path: &Path) -> Result<String, GovernanceError> {
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_NOTE as u64 + 1).read_to_string(&mut text));
    read.map_err(GovernanceError::io(path))?;
    Ok(text)
}

/// The text of a note in a file: with no signature it is the text alone.
pub(super) fn to_text(note: &Note) -> String {
    if note.signatures().is_empty() { note.text().to_owned() } else { note.to_string() }
}

/// Writes a new file, whole or not at all. An existing one is not overwritten.
pub(super) fn write_new(path: &Path, mode: u32, text: &str) -> Result<(), GovernanceError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || {
        let mode = Permissions::from_mode(mode);
        let mut file = tempfile::Builder::new().prefix(".celosia-").permissions(mode).tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(GovernanceError::io(path))
}

/// Writes a file in the place of an old one, whole or not at all.
pub(super) fn rewrite(path: &Path, text: &str) -> Result<(), GovernanceError> {
    let mode = fs::metadata(path).map_or(0o644, |data| data.permissions().mode());
    super::super::keygen::replace(path, text).map_err(GovernanceError::io(path))?;
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(GovernanceError::io(path))
}

/// Opens a folder of documents, every one checked.
pub(super) fn open(folder: &Path) -> Result<CharterFolder, GovernanceError> {
    Ok(CharterFolder::open(folder, None, Timestamp::now())?)
}

/// Now, in whole seconds.
pub(super) fn now() -> Timestamp {
    let now = Timestamp::now();
    now - SignedDuration::new(0, now.subsec_nanosecond())
}
