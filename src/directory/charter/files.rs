use std::fs::{self, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::FolderError;
use crate::governance::DocumentError;
use crate::translog::note::{MAX_NOTE, Note, NoteError};

/// A file with the version that its name tells.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) version: u64,
    pub(super) file: PathBuf,
}

/// Where version 1 lies.
pub(super) fn first(folder: &Path) -> PathBuf {
    place(folder, 1, "policy")
}

/// Where a document lies.
pub(super) fn place(folder: &Path, version: u64, kind: &str) -> PathBuf {
    folder.join(format!("{version:06}-{kind}.note"))
}

/// The documents of a folder by version. Files of other endings are no documents: what a stopped write leaves behind is one.
pub(super) fn list(folder: &Path) -> Result<Vec<Named>, FolderError> {
    let failed = |error| FolderError::io(folder, error);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let file = entry.map_err(failed)?.path();
        if file.extension().is_none_or(|ending| ending != "note") {
            continue;
        }
        let stem = file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let version = stem.split('-').next().and_then(|digits| digits.parse().ok());
        match version {
            Some(version) => found.push(Named { version, file }),
            None => return Err(FolderError::Misnamed(file)),
        }
    }
    found.sort_by(|a, b| (a.version, &a.file).cmp(&(b.version, &b.file)));
    match found.windows(2).find(|pair| pair[0].version == pair[1].version) {
        Some(pair) => Err(FolderError::Misnamed(pair[1].file.clone())),
        None => Ok(found),
    }
}

/// Reads one note.
pub(super) fn read(file: &Path) -> Result<Note, FolderError> {
    let mut text = String::new();
    let read = File::open(file).and_then(|open| open.take(MAX_NOTE as u64 + 1).read_to_string(&mut text));
    let no_note = |error: NoteError| FolderError::Edited { file: file.to_owned(), reason: DocumentError::from(error).into() };
    match read {
        Ok(_) => Note::parse(&text).map_err(no_note),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(no_note(NoteError::Control)),
        Err(error) => Err(FolderError::io(file, error)),
    }
}

/// Writes a document to a place that is free. The same text there already is no fault: a write whose folder was not synced in time.
pub(super) fn write_new(folder: &Path, file: &Path, note: &Note) -> Result<(), FolderError> {
    let prepared = prepare(folder, note).map_err(|error| FolderError::io(file, error))?;
    match prepared.persist_noclobber(file) {
        Ok(_) => sync(folder),
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists && read(file)?.text() == note.text() => sync(folder),
        Err(failed) => Err(FolderError::io(file, failed.error)),
    }
}

/// Gives a document more signatures. Its text stays.
pub(super) fn rewrite(folder: &Path, file: &Path, note: &Note) -> Result<(), FolderError> {
    if read(file)?.text() != note.text() {
        return Err(FolderError::io(file, io::ErrorKind::AlreadyExists.into()));
    }
    let prepared = prepare(folder, note).map_err(|error| FolderError::io(file, error))?;
    prepared.persist(file).map_err(|failed| FolderError::io(file, failed.error))?;
    sync(folder)
}

/// The note in a file of the folder that is not in its place yet, durable.
fn prepare(folder: &Path, note: &Note) -> io::Result<NamedTempFile> {
    let mode = Permissions::from_mode(0o644);
    let mut file = tempfile::Builder::new().prefix(".celosia-document-").permissions(mode).tempfile_in(folder)?;
    file.write_all(note.to_string().as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn sync(folder: &Path) -> Result<(), FolderError> {
    File::open(folder).and_then(|open| open.sync_all()).map_err(|error| FolderError::io(folder, error))
}
