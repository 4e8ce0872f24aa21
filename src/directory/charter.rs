use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::governance::{Accepted, Charter, Document, DocumentHash, Refusal};
use crate::translog::note::Note;
use crate::types::NetworkId;

mod error;
mod files;

pub use error::FolderError;

/// The documents of a charter on disk: `000001-policy.note`, `000002-directory.note`, … one file a version, each a signed note.
///
/// Opening checks the whole chain anew, from version 1, so a file that somebody edited is found. A file is written beside its place, made durable
/// and renamed, and never takes other text: whatever moment the machine stops at, the folder can be read.
#[derive(Debug)]
pub struct CharterFolder {
    path: PathBuf,
    charter: Charter,
    kept: Vec<Kept>,
}

/// One document of the folder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Kept {
    /// Its version.
    pub version: u64,
    /// `policy` or `directory`.
    pub kind: &'static str,
    /// When it was issued.
    pub issued: Timestamp,
    /// Hash of its text.
    pub hash: DocumentHash,
    /// Names on its signature lines; all of them governors'.
    pub signers: Vec<String>,
    /// Its file.
    pub file: PathBuf,
}

impl CharterFolder {
    /// Whether the folder has a first document.
    pub fn exists(path: &Path) -> bool {
        files::first(path).symlink_metadata().is_ok()
    }

    /// Begins a folder with a network's version 1. The same version 1 again is no fault.
    pub fn begin(path: &Path, note: &Note) -> Result<Self, FolderError> {
        let charter = Charter::begin(note).map_err(FolderError::Refused)?;
        std::fs::create_dir_all(path).map_err(|error| FolderError::io(path, error))?;
        let file = files::first(path);
        if file.symlink_metadata().is_ok() {
            let known = files::read(&file)?;
            if known.text() != note.text() {
                return Err(FolderError::Begun { file });
            }
        } else {
            let first = charter.after(0);
            let first = first.first().ok_or_else(|| FolderError::Empty(path.to_owned()))?;
            files::write_new(path, &file, first)?;
        }
        Self::open(path, None, Timestamp::MAX)
    }

    /// Opens a folder and checks every document of it, as if each arrived now. `network`, if known, must be its network.
    pub fn open(path: &Path, network: Option<NetworkId>, now: Timestamp) -> Result<Self, FolderError> {
        let mut found = files::list(path)?.into_iter();
        let first = found.next().filter(|first| first.version == 1).ok_or_else(|| FolderError::Empty(path.to_owned()))?;
        let edited = |file: &Path| {
            let file = file.to_owned();
            move |reason: Refusal| FolderError::Edited { file, reason }
        };
        let note = files::read(&first.file)?;
        let charter = Charter::begin(&note).map_err(edited(&first.file))?;
        if let Some(ours) = network.filter(|ours| *ours != charter.network()) {
            return Err(FolderError::OtherNetwork { folder: path.to_owned(), ours, theirs: charter.network() });
        }
        let mut folder = Self { path: path.to_owned(), charter, kept: Vec::new() };
        folder.keep(first.file)?;
        for named in found {
            let note = files::read(&named.file)?;
            folder.charter.accept(&note, now).map_err(edited(&named.file))?;
            let head = folder.charter.newest().0;
            if head.version != named.version || named.file != files::place(path, head.version, folder.newest_kind()) {
                return Err(FolderError::Misnamed(named.file));
            }
            folder.keep(named.file)?;
        }
        Ok(folder)
    }

    /// What the documents say together.
    pub fn charter(&self) -> &Charter {
        &self.charter
    }

    /// Where they lie.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes a document: checked, then durable, then in force. A refused one changes neither file nor memory.
    pub fn accept(&mut self, note: &Note, now: Timestamp) -> Result<Accepted, FolderError> {
        let mut next = self.charter.clone();
        let accepted = next.accept(note, now).map_err(FolderError::Refused)?;
        match &accepted {
            Accepted::Known => {}
            Accepted::Merged => {
                let version = Document::of_note(note).map_err(Refusal::from)?.head().version;
                if let Some(kept) = self.kept.iter_mut().find(|kept| kept.version == version) {
                    let merged = note_of(&next, version);
                    files::rewrite(&self.path, &kept.file, merged)?;
                    kept.signers = signers(merged);
                }
            }
            Accepted::New { .. } => {
                let (version, is_policy) = (next.version(), next.policy_version() == next.version());
                let file = files::place(&self.path, version, if is_policy { "policy" } else { "directory" });
                files::write_new(&self.path, &file, note_of(&next, version))?;
                self.charter = next;
                return self.keep(file).map(|()| accepted);
            }
        }
        self.charter = next;
        Ok(accepted)
    }

    /// Every document that was kept, the oldest first.
    pub fn history(&self) -> &[Kept] {
        &self.kept
    }

    /// The policy and the directory that were in force at a time: the newest ones issued until then.
    pub fn at(&self, time: Timestamp) -> (Option<&Kept>, Option<&Kept>) {
        let newest = |kind: &str| self.kept.iter().rev().find(|kept| kept.kind == kind && kept.issued <= time);
        (newest("policy"), newest("directory"))
    }

    /// The document of a version, with its signatures.
    pub fn read(&self, version: u64) -> Result<Option<Note>, FolderError> {
        self.kept.iter().find(|kept| kept.version == version).map(|kept| files::read(&kept.file)).transpose()
    }

    fn newest_kind(&self) -> &'static str {
        if self.charter.policy_version() == self.charter.version() { "policy" } else { "directory" }
    }

    /// Remembers the newest document.
    fn keep(&mut self, file: PathBuf) -> Result<(), FolderError> {
        let (head, hash) = self.charter.newest();
        let (version, issued, kind) = (head.version, head.issued, self.newest_kind());
        let signers = signers(note_of(&self.charter, version));
        self.kept.push(Kept { version, kind, issued, hash, signers, file });
        Ok(())
    }
}

/// The note of a version that the charter holds: a policy, else the newest directory.
fn note_of(charter: &Charter, version: u64) -> &Note {
    let directory = || charter.directory().map(|signed| &signed.note);
    let policy = charter.policy_of(version).map(|signed| &signed.note);
    policy.or_else(directory).expect("the charter took this version a moment ago")
}

fn signers(note: &Note) -> Vec<String> {
    note.signatures().iter().map(|line| line.name.clone()).collect()
}

#[cfg(test)]
mod tests;
