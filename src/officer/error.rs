use std::io;
use std::path::{Path, PathBuf};

use crate::ceremony::{CeremonyError, CeremonyId};
use crate::enclave::keyfile::KeyFileError;
use crate::shred::ShredError;
use crate::types::{Code, Coded};

/// What goes wrong with an officer's folder. Never holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OfficerError {
    /// A file.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what this folder wrote.
    #[error("{}: not of this officer, or damaged: restore it from your copy", .0.display())]
    Damaged(PathBuf),
    /// No password.
    #[error("the password is empty: an officer's key is kept locked")]
    NoPassword,
    /// Another process.
    #[error("{}: another command works in this folder", .0.display())]
    Busy(PathBuf),
    /// The folder does not know what its owner said.
    #[error(
        "round {0} of this ceremony has a message of yours that this folder did not write: the folder was restored from an older copy, or is used in two places. Let the officers begin a new ceremony"
    )]
    Forgotten(u8),
    /// The share is of an earlier generation.
    #[error(
        "this folder's share of {committee} is of generation {generation}, the committee's is {current}: the folder was restored from an older copy, or missed the ceremony. It answers nothing with the old share; take part in a handover to get a new one"
    )]
    OldShare {
        /// Purpose and epoch.
        committee: String,
        /// Of the share.
        generation: u64,
        /// Of the committee.
        current: u64,
    },
    /// No share.
    #[error("this folder has no share of {0}")]
    NoShare(String),
    /// The share's public half is another.
    #[error("this folder's share of {0} is not the one that the committee names")]
    OtherShare(String),
    /// A newer committee is known.
    #[error("this folder knows generation {known} of the committee, and generation {given} is not later")]
    NotNewest {
        /// In the folder.
        known: u64,
        /// What was given.
        given: u64,
    },
    /// A request of a hold that no enclave made.
    #[error(
        "a capsule in the request is not of its committee and label, or its key is of low order: no enclave made it, or somebody changed it"
    )]
    Request,
    /// Another ceremony made a committee in this place.
    #[error("this folder has {0} of another ceremony already: a new key is a new epoch, new shares are a later generation")]
    Taken(String),
    /// A node, or somebody, has put another plan in the place of a ceremony's.
    #[error("the plan is not that of ceremony {0}: the node, or whoever wrote into the folder, gives another")]
    OtherPlan(CeremonyId),
    /// No ceremony at a node is this officer's.
    #[error(
        "the node knows no ceremony of this kind in which this officer takes part: it is opened with its plan, and its messages may be on their way"
    )]
    NoneOpen,
    /// More than one is.
    #[error(
        "the node knows several ceremonies in which this officer takes part; name one with --id, after comparing its number: {0}"
    )]
    Several(String),
    /// Documents of before.
    #[error(
        "policy version {policy} in it names generation {shown} of {committee}, and this folder saw generation {known} in force with policy version {seen}: officers and shares of before do not count. Fetch the case again when that node has the network's newest documents; if its operator says that it has, tell the governors"
    )]
    Superseded {
        /// Purpose and epoch.
        committee: String,
        /// Generation that is shown; 0: none.
        shown: u64,
        /// The policy that is shown.
        policy: u64,
        /// Generation that was seen.
        known: u64,
        /// The policy that was seen.
        seen: u64,
    },
    /// Whoever was asked did not say yes.
    #[error("nobody said yes: the ceremony is not begun")]
    Declined,
    /// What others said, and who cheated.
    #[error(transparent)]
    Ceremony(#[from] CeremonyError),
    /// The locked key.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// The root.
    #[error(transparent)]
    Root(#[from] ShredError),
}

impl OfficerError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

impl Coded for OfficerError {
    fn code(&self) -> Code {
        match self {
            Self::Io { .. } => Code(7010),
            Self::Damaged(_) => Code(7011),
            Self::NoPassword => Code(7012),
            Self::Busy(_) => Code(7030),
            Self::Forgotten(_) => Code(7031),
            Self::OldShare { .. } => Code(7032),
            Self::NoShare(_) => Code(7033),
            Self::OtherShare(_) => Code(7034),
            Self::NotNewest { .. } => Code(7035),
            Self::Declined => Code(7036),
            Self::Taken(_) => Code(7037),
            Self::Request => Code(7043),
            Self::OtherPlan(_) => Code(7044),
            Self::NoneOpen => Code(7045),
            Self::Several(_) => Code(7046),
            Self::Superseded { .. } => Code(7050),
            Self::Ceremony(error) => error.code(),
            Self::KeyFile(error) => error.code(),
            Self::Root(error) => error.code(),
        }
    }
}
