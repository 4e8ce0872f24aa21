use std::io;
use std::path::{Path, PathBuf};

use crate::ceremony::CeremonyError;
use crate::cli::Failure;
use crate::directory::FolderError;
use crate::governance::{DocumentError, DocumentHash, Refusal};
use crate::types::{Code, Coded, MemberId};

/// How a verb ends badly.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum GovernanceError {
    /// The node does not take it. Its own words.
    #[error("{place} answers {code}: {message}")]
    Answer { place: String, code: String, message: String },
    /// A committee's file is none, or lacks signatures.
    #[error("{}: {error}", file.display())]
    Committee { file: PathBuf, error: CeremonyError },
    /// Whoever was asked did not say yes.
    #[error("not signed: nobody said yes")]
    Declined,
    /// A file is no document.
    #[error("{}: {error}", file.display())]
    Document { file: PathBuf, error: DocumentError },
    /// A change that cannot be made.
    #[error("{0}")]
    Edit(String),
    /// A folder of documents.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },
    /// A line of an export is none.
    #[error("{}:{line}: not an event of the journal: {reason}", file.display())]
    Journal { file: PathBuf, line: usize, reason: String },
    /// No such member.
    #[error("the directory has no member {0}")]
    NoMember(MemberId),
    /// No such version.
    #[error("{} has no version {version}", folder.display())]
    NoVersion { folder: PathBuf, version: u64 },
    /// A key that governs nothing.
    #[error("{} is no governor's key, neither in the policy in force nor in the proposal", .0.display())]
    NotGovernor(PathBuf),
    /// A password is needed.
    #[error("the password is empty: a governor's key or a node's signing key is kept locked")]
    NoPassword,
    /// The record beside a key is damaged.
    #[error("{}:{line}: not a line of the record of signed documents: without it a second document of a version could be signed; restore it", file.display())]
    Record { file: PathBuf, line: usize },
    /// A document is refused.
    #[error("{}: {reason}", file.display())]
    Refused { file: PathBuf, reason: Refusal },
    /// Another document of the version is signed.
    #[error(
        "this key signed another document of version {version} already ({before}), and this one is {now}: two of one version are a fork. Let the governors agree on the first, or propose the next version"
    )]
    SignedBefore { version: u64, before: DocumentHash, now: DocumentHash },
}

impl GovernanceError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    pub(super) fn document(file: &Path) -> impl FnOnce(DocumentError) -> Self {
        move |error| Self::Document { file: file.to_owned(), error }
    }

    pub(super) fn refused(file: &Path) -> impl FnOnce(Refusal) -> Self {
        move |reason| Self::Refused { file: file.to_owned(), reason }
    }
}

impl Coded for GovernanceError {
    fn code(&self) -> Code {
        match self {
            Self::Committee { error, .. } => error.code(),
            Self::Document { error, .. } => error.code(),
            Self::Folder(error) => error.code(),
            Self::Refused { reason, .. } => reason.code(),
            Self::Io { .. } => Code(6060),
            Self::SignedBefore { .. } => Code(6061),
            Self::NotGovernor(_) => Code(6062),
            Self::Edit(_) => Code(6063),
            Self::NoMember(_) => Code(6064),
            Self::NoVersion { .. } => Code(6065),
            Self::Journal { .. } => Code(6066),
            Self::Answer { .. } => Code(6067),
            Self::Declined => Code(6068),
            Self::Record { .. } => Code(6069),
            Self::NoPassword => Code(6070),
        }
    }
}

impl From<GovernanceError> for Failure {
    fn from(error: GovernanceError) -> Self {
        Self::coded(2, &error)
    }
}
