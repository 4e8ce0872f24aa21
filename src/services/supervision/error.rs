use crate::supervision::{MAX_TEXT, StopNumber, StopScope};
use crate::types::{Code, Coded, MemberId, PayloadId};

/// Why something is not sent, or an order not taken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SupervisionError {
    /// An order to stop stands before it.
    #[error("new payloads of the scope {scope} are stopped by order {number} of {supervisor}: {text}")]
    Stopped {
        /// The order.
        number: StopNumber,
        /// Whose it is.
        supervisor: MemberId,
        /// What it stops.
        scope: StopScope,
        /// What it says.
        text: String,
    },
    /// An order, or a lift, that does not decode, is of another network, or whose signature does not hold.
    #[error("the order is not taken: {0}")]
    Order(&'static str),
    /// Somebody who is no supervisor, or does not take part.
    #[error("{0} is no active member with the role supervisor")]
    NotASupervisor(MemberId),
    /// A scope that the policy does not give.
    #[error("the policy gives {supervisor} no scope that holds {scope}")]
    NotGiven {
        /// Who asks for it.
        supervisor: MemberId,
        /// What for.
        scope: StopScope,
    },
    /// No order of this number here.
    #[error("there is no order {0} here")]
    Unknown(StopNumber),
    /// Too many orders of one supervisor.
    #[error("{0} has as many orders as a supervisor may have")]
    TooMany(MemberId),
    /// An authority, or a text, that is none.
    #[error("authority and text are one line each, of 1 to {MAX_TEXT} characters")]
    Text,
    /// A supervisor that does not have its copy, or the payload, durably.
    #[error("the supervisor {supervisor} did not take it ({code}): the policy lets nothing of this scope go without it")]
    Absent {
        /// Who.
        supervisor: MemberId,
        /// Why.
        code: Code,
    },
    /// A copy that cannot be made or taken.
    #[error("the copy for a supervisor: {0}")]
    Copy(&'static str),
    /// A copy of what this node does not supervise.
    #[error("the policy names {0} in no scope of this payload")]
    NotSupervised(MemberId),
    /// A header that its member signed beside another one for the same payload.
    #[error("the sender has signed another header for {0} before: this one is kept as evidence, and not taken")]
    SecondHeader(PayloadId),
    /// A raw payload that was sent too often.
    #[error("as many copies of {0} are here as one sender may leave of a raw payload: send it anew")]
    ManyCopies(PayloadId),
    /// A delivery without a co-signature that the policy wants.
    #[error("the policy takes this payload with a supervisor's co-signature alone")]
    NotCosigned,
    /// A supervisor that said no.
    #[error("the supervisor {supervisor} does not let it go: {reason}")]
    CosignRefused {
        /// Who.
        supervisor: MemberId,
        /// Why, as it says.
        reason: String,
    },
    /// A supervisor that has not answered in time.
    #[error("the supervisor {0} has not answered in time: the payload is taken back")]
    CosignLate(MemberId),
    /// A document, which has no place for a co-signature.
    #[error("the policy wants a supervisor's co-signature, and documents carry none: nothing of this class goes as one")]
    CosignDocument,
    /// A delivery without the word of a supervisor that the policy demands.
    #[error("the policy takes this payload with the acknowledgement of its supervisor {0} alone, and none came with it")]
    NotAcknowledged(MemberId),
    /// A word of a supervisor that is of something else, or that it did not sign.
    #[error("the acknowledgement of the supervisor {0} is of another payload or header, or not signed by it")]
    AckOfAnother(MemberId),
    /// A word of a supervisor that is not of now.
    #[error("the acknowledgement of the supervisor {supervisor} is {seconds} s old: it is not of this delivery")]
    AckNotNow {
        /// Who.
        supervisor: MemberId,
        /// How far it is from this node's clock.
        seconds: u64,
    },
    /// A supervisor that says that it does not have what it must have.
    #[error("the supervisor {0} does not say that it has what the policy gives it: {1}")]
    AckOfLess(MemberId, &'static str),
    /// A payload in Tessera's suite, from a member that could show what it told its supervisors.
    #[error(
        "the policy takes this payload with the acknowledgement of its supervisors alone, and it does not say of which header"
    )]
    Unstated,
    /// The header of a payload in Tessera's suite does not hold.
    #[error("the header of a payload in Tessera's suite: {0}")]
    Stated(&'static str),
    /// A supervisor that passed the payload over.
    #[error(
        "the supervisor {0} does not have what this payload builds on, and passed it over: nothing is sent that it cannot take"
    )]
    PassedOver(MemberId),
    /// A payload that its sender takes back from a supervisor, and that a recipient has.
    #[error("{0} is taken back here, and others have it, or may have: it stays")]
    KeptByOthers(PayloadId),
    /// A payload whose supervisor was told that it failed.
    #[error("the supervisor {0} was told that this payload failed, and does not stand by its word any more: send it anew")]
    Revoked(MemberId),
    /// No payload of this id waits here.
    #[error("no payload {0} waits for a co-signature here")]
    NotQueued(PayloadId),
    /// A payload whose question is answered.
    #[error("the question of {0} is answered")]
    Answered(PayloadId),
    /// Too many payloads of one member wait.
    #[error("as many payloads of {0} wait for a co-signature as may")]
    QueueFull(MemberId),
    /// An order that stands no more.
    #[error("order {0} is lifted")]
    Lifted(StopNumber),
}

impl Coded for SupervisionError {
    fn code(&self) -> Code {
        match self {
            Self::Stopped { .. } => Code(7200),
            Self::Order(_) => Code(7201),
            Self::NotASupervisor(_) => Code(7202),
            Self::NotGiven { .. } => Code(7203),
            Self::Unknown(_) => Code(7204),
            Self::TooMany(_) => Code(7205),
            Self::Text => Code(7206),
            Self::Lifted(_) => Code(7207),
            Self::Absent { .. } => Code(7210),
            Self::Copy(_) => Code(7211),
            Self::NotSupervised(_) => Code(7212),
            Self::SecondHeader(_) => Code(7236),
            Self::ManyCopies(_) => Code(7237),
            Self::NotCosigned => Code(7220),
            Self::CosignRefused { .. } => Code(7221),
            Self::CosignLate(_) => Code(7222),
            Self::NotQueued(_) => Code(7223),
            Self::Answered(_) => Code(7224),
            Self::QueueFull(_) => Code(7225),
            Self::CosignDocument => Code(7226),
            Self::NotAcknowledged(_) => Code(7227),
            Self::AckOfAnother(_) => Code(7228),
            Self::AckNotNow { .. } => Code(7229),
            Self::AckOfLess(..) => Code(7230),
            Self::Unstated => Code(7231),
            Self::Stated(_) => Code(7232),
            Self::PassedOver(_) => Code(7233),
            Self::KeptByOthers(_) => Code(7234),
            Self::Revoked(_) => Code(7235),
        }
    }
}
