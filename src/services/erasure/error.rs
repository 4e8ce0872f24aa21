use crate::erasure::{CaseId, Forbidden};
use crate::types::{Code, Coded, MemberId};

/// Why an erasure is not begun, decided or carried out.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ErasureError {
    /// No case of this name here.
    #[error("there is no case {0} here")]
    Unknown(CaseId),
    /// The case is past that.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    /// A scope that nothing here falls under.
    #[error("nothing here falls under that scope: check it with --dry-run")]
    Nothing,
    /// A refusal or an extension without a reason, or with one that cannot be printed.
    #[error("the text must say why, in one line of at most 500 characters")]
    Text,
    /// An order that is not for this node, or not from the caller.
    #[error("the order is not taken: {0}")]
    Order(&'static str),
    /// An answer that does not verify.
    #[error("the answer of {0} to an order does not verify")]
    Answer(MemberId),
    /// Members that have not answered after a restore.
    #[error("this node was put back, and does not serve before these have told it what was erased since: {}", names(.0))]
    Replay(Vec<MemberId>),
    /// Items that are blocked here, or half erased: nobody can read who else has them.
    #[error(
        "{0} of these items are blocked here or being erased, and nobody can read who else has them: release them first (celosia hold)"
    )]
    Blocked(u64),
    /// An order that names more items which are not here than a member may have guarded.
    #[error(
        "the order names items that are not here, and of those this node keeps no more than {0} for each member ([erasure] max-guards)"
    )]
    Guards(u64),
    /// An extension after the month.
    #[error("the time for the answer is over: an extension has to be told within it (GDPR art. 12(3))")]
    Late,
    /// A date that is over already.
    #[error("the date lies in the past: a refusal needs the day on which it is looked at again")]
    Past,
}

fn names(members: &[MemberId]) -> String {
    members.iter().map(MemberId::as_str).collect::<Vec<_>>().join(", ")
}

impl Coded for ErasureError {
    fn code(&self) -> Code {
        match self {
            Self::Unknown(_) => Code(3361),
            Self::Forbidden(error) => error.code(),
            Self::Nothing => Code(3363),
            Self::Text => Code(3364),
            Self::Order(_) => Code(3365),
            Self::Answer(_) => Code(3366),
            Self::Past => Code(3367),
            Self::Replay(_) => Code(3368),
            Self::Blocked(_) => Code(3369),
            Self::Late => Code(3379),
            Self::Guards(_) => Code(3393),
        }
    }
}
