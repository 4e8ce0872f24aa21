use crate::erasure::HoldId;
use crate::types::{Code, Coded, ItemId};

/// Why a hold is not placed, exported or released, or why one stands before an erasure.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HoldError {
    /// No hold of this name here.
    #[error("there is no hold {0} here")]
    Unknown(HoldId),
    /// The hold is over, or its items are still being blocked.
    #[error("hold {0} does not stand: it is {1}")]
    NotActive(HoldId, &'static str),
    /// A block on a node that knows no hold committee.
    #[error("nothing can be blocked here: the policy has no hold committee, and [holds] committee names none")]
    NoCommittee,
    /// An erasure that a hold stands before.
    #[error("{item} is held until {}: it is erased when the hold ends", moment(*.until))]
    Held {
        /// What.
        item: ItemId,
        /// Until when, milliseconds since the Unix epoch.
        until: u64,
    },
    /// A ground that the profile does not have.
    #[error("the profile knows no such ground of a hold; it has: {0}")]
    Ground(String),
    /// A reference that is none.
    #[error("the reference must name what the hold rests on, in one line of at most 500 characters")]
    Reference,
    /// An end that has passed.
    #[error("the end of the hold lies in the past")]
    Past,
    /// A scope that nothing here falls under.
    #[error("nothing here falls under that scope")]
    Nothing,
    /// An answer of the committee that does not belong to the hold or does not open its envelopes.
    #[error("the committee's answer is not taken: {0}")]
    Answer(String),
    /// Fewer officers than open have answered.
    #[error("{have} officer(s) have answered, needed are {needed}")]
    TooFewAnswers {
        /// That have.
        have: usize,
        /// That open.
        needed: u64,
    },
    /// A block that is released without the committee.
    #[error("hold {0} is released with the committee's answer: export it, have officers answer it, and give their answers")]
    AnswerNeeded(HoldId),
    /// Data that applications read no more.
    #[error("the law that applies here has narrowed who may read this: {0}")]
    Narrowed(String),
}

fn moment(millis: u64) -> String {
    let stamp = i64::try_from(millis).ok().and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok());
    stamp.map_or_else(|| millis.to_string(), |stamp| stamp.to_string())
}

impl Coded for HoldError {
    fn code(&self) -> Code {
        match self {
            Self::Unknown(_) => Code(3380),
            Self::NotActive(..) => Code(3381),
            Self::NoCommittee => Code(3382),
            Self::Held { .. } => Code(3383),
            Self::Ground(_) => Code(3384),
            Self::Reference => Code(3385),
            Self::Past => Code(3386),
            Self::Nothing => Code(3387),
            Self::Answer(_) => Code(3388),
            Self::AnswerNeeded(_) => Code(3390),
            Self::TooFewAnswers { .. } => Code(7041),
            Self::Narrowed(_) => Code(3392),
        }
    }
}
