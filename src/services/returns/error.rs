use crate::disclosure::GrantId;
use crate::types::{Code, Coded, MemberId, PayloadId};

/// Why what comes back is not taken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReturnError {
    /// Nothing shows that the member is party to it.
    #[error("{0} does not come back: nothing shows that this member sent or received it")]
    NotParty(PayloadId),
    /// The recovery was not begun since the start.
    #[error("the recovery under grant {0} was not begun, or this node started since: begin it again")]
    NotBegun(GrantId),
    /// Not of the docket.
    #[error("{0} does not come back: it is not on the list that was approved")]
    NotListed(PayloadId),
    /// No second person.
    #[error("no second person approved the recovery under grant {0}: celosia acts request recover --argument grant={0}")]
    NotPermitted(GrantId),
    /// A request that is another's.
    #[error("the request is not this node's: it is signed with another key than the directory names for it")]
    NotOurs,
    /// Members that were not asked for the erasures that this node forgot.
    #[error("{} did not answer for erasures that this node may have forgotten: try again, or go on despite it", names(.0))]
    Silent(Vec<MemberId>),
    /// What came does not hold.
    #[error("{0} does not come back: {1}")]
    Unsound(PayloadId, &'static str),
    /// Keys between which nothing can be rewrapped.
    #[error("the old key must be one that the directory names or named for this member, the new one another, of this node")]
    Keys,
    /// Not in the form of the thing.
    #[error("what came is no {0}")]
    Form(&'static str),
    /// A member whose pages have no end.
    #[error("{0} gives pages that do not go on: it is not asked any more")]
    NoProgress(MemberId),
    /// A member that takes too long, or gives too much.
    #[error("{member} is not asked any more in this run: {what}")]
    Endless {
        /// Who.
        member: MemberId,
        /// What there was too much of.
        what: &'static str,
    },
    /// A header that is older than the policy that it names.
    #[error("it is dated before policy version {policy}, which it names")]
    DatedBefore {
        /// The policy.
        policy: u64,
    },
    /// What its sender took back here.
    #[error("{0} took it back when it was sent: it is not a payload of the ledger")]
    TakenBack(MemberId),
    /// A header of today under a key of before.
    #[error("it is dated now, and signed with a key that {0} replaced")]
    SignedBefore(MemberId),
}

fn names(members: &[MemberId]) -> String {
    members.iter().map(MemberId::as_str).collect::<Vec<_>>().join(", ")
}

impl Coded for ReturnError {
    fn code(&self) -> Code {
        match self {
            Self::NotParty(_) => Code(7342),
            Self::NotBegun(_) => Code(7343),
            Self::NotListed(_) => Code(7344),
            Self::NotPermitted(_) => Code(7345),
            Self::Silent(_) => Code(7346),
            Self::NotOurs => Code(7347),
            Self::Unsound(..) => Code(7348),
            Self::Form(_) => Code(7349),
            Self::Keys => Code(7350),
            Self::NoProgress(_) => Code(7351),
            Self::Endless { .. } => Code(7352),
            Self::DatedBefore { .. } => Code(7353),
            Self::TakenBack(_) => Code(7355),
            Self::SignedBefore(_) => Code(7354),
        }
    }
}
