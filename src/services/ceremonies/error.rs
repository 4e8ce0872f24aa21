use crate::ceremony::{CeremonyError, CeremonyId};
use crate::types::{Code, Coded, MemberId};

/// Why a node does not relay something. Officers are not named: it goes to the log.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RelayError {
    /// What came is nothing that is relayed.
    #[error("what came for a ceremony is not taken: {0}")]
    Form(&'static str),
    /// No such ceremony here: never opened, not here yet, or over.
    #[error("there is no ceremony {0} here")]
    Unknown(CeremonyId),
    /// Opened by somebody who does not take part, or not by that member.
    #[error("{0} is no active member, or did not sign that it opens this ceremony")]
    Opener(MemberId),
    /// A plan, or a message, that is none, or not of this ceremony; with the reason's code.
    #[error("it is refused as officers refuse it ({0})")]
    Refused(Code),
    /// No place for another ceremony of a member.
    #[error("{0} has as many ceremonies here as a member may have within 30 days: open it at another member's node")]
    Full(MemberId),
    /// Longer than anything that an officer of such a ceremony has to say.
    #[error("a message of this ceremony has at most {0} bytes")]
    Long(usize),
    /// A third thing in one round.
    #[error("its author has said two different things in this round: a third is not kept, two show enough")]
    Third,
    /// The policy is past it.
    #[error("the policy in force has a later committee, or one with another key")]
    Past,
    /// Not complete, or somebody cheated: for the one who asks, whom it tells who.
    #[error(transparent)]
    Ceremony(#[from] CeremonyError),
}

impl Coded for RelayError {
    fn code(&self) -> Code {
        match self {
            Self::Form(_) => Code(7090),
            Self::Unknown(_) => Code(7091),
            Self::Opener(_) => Code(7092),
            Self::Refused(_) => Code(7093),
            Self::Full(_) => Code(7094),
            Self::Long(_) => Code(7095),
            Self::Third => Code(7096),
            Self::Past => Code(7097),
            Self::Ceremony(error) => error.code(),
        }
    }
}
