use crate::supervision::{MAX_TEXT, StopNumber, StopScope};
use crate::types::{Code, Coded, MemberId};

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
        }
    }
}
