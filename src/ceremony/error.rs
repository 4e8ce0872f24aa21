use crate::governance::DocumentError;
use crate::types::{Code, Coded};

/// What a ceremony does not take, and from whom: officers are named by their cards. Never holds a secret.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CeremonyError {
    /// A card is no card.
    #[error("not an officer's card: {0}")]
    Card(String),
    /// A name that cannot be printed.
    #[error("a name is 1 to 128 bytes without control or invisible characters, and no space at its ends")]
    Name,
    /// A plan is none.
    #[error("not the plan of a ceremony: {0}")]
    Plan(String),
    /// The same key, name, or index twice, too few entities, a threshold that no committee has.
    #[error("the plan makes no committee: {0}")]
    Shape(String),
    /// A file is no message.
    #[error("not a message of a ceremony: {0}")]
    Message(&'static str),
    /// Of another plan: an earlier attempt, another network, another committee.
    #[error("a message of another ceremony")]
    OtherCeremony,
    /// Signed by a key that takes no part in this round.
    #[error("a message of somebody who takes no part in this round of the ceremony")]
    Stranger,
    /// The signature fails: altered on the way, or forged.
    #[error("the signature of {0}'s message does not verify: it was altered on the way, or {0} did not write it")]
    Signature(String),
    /// Two different first messages, both signed.
    #[error("{0} signed two different messages of one round: run the ceremony again without {0}")]
    Equivocation(String),
    /// Says that it saw what nobody signed.
    #[error("{0} claims to have seen a message that its author did not sign: run the ceremony again without {0}")]
    FalseEcho(String),
    /// Commitments.
    #[error("{0}'s commitments are missing or malformed: run the ceremony again without {0}")]
    Commitments(String),
    /// Proof of knowledge, or another share than its own.
    #[error("{0} does not prove that it knows what it deals: run the ceremony again without {0}")]
    Proof(String),
    /// A number.
    #[error("{0} dealt a share that does not fit its commitments: run the ceremony again without {0}")]
    Share(String),
    /// Somebody accuses somebody.
    #[error(
        "{accuser} names {accused} as a cheater ({code}): one of the two is. Run the ceremony again, without whom you find it was"
    )]
    Accused {
        /// Who signed the accusation.
        accuser: String,
        /// Of whom.
        accused: String,
        /// The code of what.
        code: Code,
    },
    /// Signed another result.
    #[error("{0} signed another committee than the commitments give: run the ceremony again without {0}")]
    OtherCommittee(String),
    /// The file of a committee is none.
    #[error("not the file of a committee: {0}")]
    File(String),
    /// The committee in it breaks a rule of committees.
    #[error(transparent)]
    Committee(#[from] DocumentError),
    /// Not all have signed.
    #[error("the committee lacks signatures: {0}")]
    Unsigned(String),
    /// Not the successor of the committee before.
    #[error("the committee does not follow the one before: {0}")]
    Successor(&'static str),
}

impl Coded for CeremonyError {
    fn code(&self) -> Code {
        match self {
            Self::Card(_) | Self::Name => Code(7013),
            Self::Plan(_) => Code(7014),
            Self::Shape(_) => Code(7015),
            Self::Message(_) => Code(7016),
            Self::OtherCeremony => Code(7017),
            Self::Stranger => Code(7018),
            Self::Signature(_) => Code(7019),
            Self::Equivocation(_) => Code(7020),
            Self::FalseEcho(_) => Code(7021),
            Self::Commitments(_) => Code(7022),
            Self::Proof(_) => Code(7023),
            Self::Share(_) => Code(7024),
            Self::Accused { .. } => Code(7025),
            Self::OtherCommittee(_) => Code(7026),
            Self::File(_) => Code(7027),
            Self::Committee(error) => error.code(),
            Self::Unsigned(_) => Code(7028),
            Self::Successor(_) => Code(7029),
        }
    }
}
