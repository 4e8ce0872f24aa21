use crate::disclosure::{GrantId, Refused};
use crate::types::{Code, Coded};

/// Why a node does not do something for a disclosure.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DisclosureError {
    /// No grant of this name here.
    #[error("there is no grant {0} here")]
    Unknown(GrantId),
    /// The name is taken.
    #[error("there is a request {0} here already: make a new one")]
    Exists(GrantId),
    /// A scope that reaches nothing here.
    #[error("nothing here falls under that scope")]
    Nothing,
    /// A scope that reaches too much.
    #[error("more than {0} payloads fall under that scope: ask for them in parts")]
    TooMany(usize),
    /// A document that does not hold.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The record of the view is not in the log yet.
    #[error("the record of the view is not in the log yet: ask again in a second")]
    NotYet,
    /// Too few officers gave their shares.
    #[error("{have} of {need} officers gave their shares")]
    Shares {
        /// Officers that did.
        have: usize,
        /// Officers that must.
        need: usize,
    },
    /// A verdict or revocation that was made at another time than now.
    #[error("it was signed more than ten minutes from now: sign it anew, and check the clocks")]
    Stale,
    /// What an auditor takes with is used once.
    #[error("this taking, or a later one, was used already: sign a new one")]
    Used,
    /// A notice of another time.
    #[error("a notice is dated at most ten minutes ahead, and is at most 400 days old")]
    NoticeTime,
    /// More notices than one member may bring on a day.
    #[error("this member told of more disclosures today than there is room for: tell the rest tomorrow")]
    Flood,
}

impl Coded for DisclosureError {
    fn code(&self) -> Code {
        match self {
            Self::Unknown(_) => Code(7140),
            Self::Exists(_) => Code(7141),
            Self::Nothing => Code(7142),
            Self::TooMany(_) => Code(7143),
            Self::Refused(refused) => refused.code(),
            Self::NotYet => Code(7144),
            Self::Shares { .. } => Code(7145),
            Self::Stale => Code(7146),
            Self::Used => Code(7147),
            Self::NoticeTime => Code(7148),
            Self::Flood => Code(7149),
        }
    }
}
