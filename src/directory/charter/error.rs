use std::io;
use std::path::{Path, PathBuf};

use crate::governance::Refusal;
use crate::types::{Code, Coded, NetworkId};

/// What is wrong with a folder of documents.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// It begins with another version 1.
    #[error("{} is the version 1 of another network: take an empty folder", file.display())]
    Begun {
        /// That file.
        file: PathBuf,
    },
    /// A file that was accepted once and is no longer what it was.
    #[error("{} is not what the governors signed: {reason}. Take the file from another node, or from the governors", file.display())]
    Edited {
        /// Which file.
        file: PathBuf,
        /// Why it is refused.
        reason: Refusal,
    },
    /// No version 1.
    #[error("{} holds no version 1: begin with `celosia governance publish 000001-policy.note --into {}`", .0.display(), .0.display())]
    Empty(PathBuf),
    /// A file or folder cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file whose name is not that of its document.
    #[error("{} is not named after its document: VERSION-policy.note or VERSION-directory.note, six digits or more", .0.display())]
    Misnamed(PathBuf),
    /// Of a network that is not the configured one.
    #[error("{} holds network {theirs}, and this node is of {ours}", folder.display())]
    OtherNetwork {
        /// The folder.
        folder: PathBuf,
        /// The configured network.
        ours: NetworkId,
        /// The folder's.
        theirs: NetworkId,
    },
    /// A document that arrives and is not taken.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl FolderError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

impl Coded for FolderError {
    fn code(&self) -> Code {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Io { .. } => Code(6050),
            Self::Empty(_) => Code(6051),
            Self::Edited { .. } => Code(6052),
            Self::Misnamed(_) => Code(6053),
            Self::OtherNetwork { .. } => Code(6054),
            Self::Begun { .. } => Code(6055),
        }
    }
}
