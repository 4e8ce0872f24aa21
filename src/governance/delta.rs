use std::collections::BTreeMap;

use jiff::Timestamp;

use super::document::hash;
use super::{Directory, Document, DocumentHash, Head, Member, Signed};
use crate::translog::note::{MAX_NOTE, Note, NoteSignature};
use crate::types::{Code, Coded};

mod codec;

/// Most signatures that a delta carries.
const MAX_SIGNATURES: usize = 128;

/// What changed from one directory to a later one: entries, head, signatures. Applied to the old one it gives the new one to the byte, so that
/// its signatures verify; nothing in it is believed before that. Entries are never removed, so it needs no removals.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delta {
    base: DocumentHash,
    target: DocumentHash,
    version: u64,
    previous: Option<DocumentHash>,
    policy: Option<u64>,
    issued: Timestamp,
    members: Vec<Member>,
    signatures: Vec<NoteSignature>,
}

/// Why a delta is not used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DeltaError {
    /// Not a delta.
    #[error("not a directory delta: {0}")]
    Malformed(&'static str),
    /// It changes another directory.
    #[error("the delta changes the directory {base}, and {ours} is known here: ask for the whole directory")]
    Base {
        /// What it changes.
        base: DocumentHash,
        /// What is known.
        ours: DocumentHash,
    },
    /// The result is not what it says.
    #[error("the delta does not give the directory that it names: ask another peer, or for the whole directory")]
    Target,
}

impl Coded for DeltaError {
    fn code(&self) -> Code {
        match self {
            Self::Malformed(_) => Code(6040),
            Self::Base { .. } => Code(6041),
            Self::Target => Code(6042),
        }
    }
}

impl Delta {
    /// What turns `old` into `new`.
    pub fn between(old: &Signed<Directory>, new: &Signed<Directory>) -> Self {
        let is_changed = |member: &&Member| old.content.member(&member.id) != Some(member);
        let Head { version, previous, policy, issued, .. } = new.content.head;
        Self {
            base: old.hash,
            target: new.hash,
            version,
            previous,
            policy,
            issued,
            members: new.content.members.iter().filter(is_changed).cloned().collect(),
            signatures: new.note.signatures().to_vec(),
        }
    }

    /// Hash of the directory that it changes.
    pub const fn base(&self) -> DocumentHash {
        self.base
    }

    /// Version of the directory that it gives.
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The new directory with its signatures, to be given to [`super::Charter::accept`].
    pub fn apply(&self, old: &Signed<Directory>) -> Result<Note, DeltaError> {
        Ok(self.applied(old)?.1)
    }

    /// The new directory, read and as a note. Its rules are not checked.
    pub(super) fn applied(&self, old: &Signed<Directory>) -> Result<(Document, Note), DeltaError> {
        if old.hash != self.base {
            return Err(DeltaError::Base { base: self.base, ours: old.hash });
        }
        Self::together(old, &[self])
    }

    /// What a chain of changes makes of a directory. Those in between are not printed.
    pub(super) fn apply_all(old: &Signed<Directory>, chain: &[&Self]) -> Result<Note, DeltaError> {
        if chain.is_empty() { Ok(old.note.clone()) } else { Ok(Self::together(old, chain)?.1) }
    }

    fn together(old: &Signed<Directory>, chain: &[&Self]) -> Result<(Document, Note), DeltaError> {
        let mut members: BTreeMap<_, _> = old.content.members.iter().map(|member| (&member.id, member)).collect();
        for delta in chain {
            members.extend(delta.members.iter().map(|member| (&member.id, member)));
        }
        let Self { version, previous, policy, issued, target, signatures, .. } = chain.last().ok_or(DeltaError::Target)?;
        let (version, previous, policy, issued) = (*version, *previous, *policy, *issued);
        let head = Head { network: old.content.head.network, version, previous, policy, issued };
        let mut directory = Directory { head, members: members.into_values().cloned().collect() };
        directory.normalise();
        let document = Document::Directory(directory);
        let mut note = document.to_note().map_err(|_| DeltaError::Target)?;
        if hash(note.text()) != *target {
            return Err(DeltaError::Target);
        }
        for line in signatures {
            note.add(line.clone());
        }
        Ok((document, note))
    }

    /// Compact CBOR.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads what [`Self::encode`] writes. Total and bounded.
    pub fn decode(bytes: &[u8]) -> Result<Self, DeltaError> {
        if bytes.len() > MAX_NOTE {
            return Err(DeltaError::Malformed("too long"));
        }
        codec::decode(bytes)
    }
}

#[cfg(test)]
mod tests;
