use async_trait::async_trait;
use bytes::Bytes;

use super::withdraw::WithdrawToken;
use crate::types::{Address, Code, Codec, Coded, PayloadId, PeerUrl, VersionSet};

/// What a peer said of itself in the headers of an exchange.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Capabilities {
    /// API versions of its `tesseraSupportedApiVersions` headers.
    pub versions: VersionSet,
    /// It is a Celosia (header `celosia-version`), so it can be asked to withdraw.
    pub celosia: bool,
}

/// A delivery that the peer has durably.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Delivered {
    /// How to take it back for a short while, if it was new there and the peer is a Celosia.
    pub withdraw: Option<WithdrawToken>,
}

/// What a resend asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ResendScope {
    /// Everything that a key takes part in.
    All,
    /// One payload.
    Individual(PayloadId),
}

/// Why an exchange with a peer failed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerError {
    /// No connection, or no answer within the budget.
    #[error("Connection error while communicating with {0}")]
    Offline(PeerUrl),
    /// An answer that is not a success.
    #[error("{url} answered {status}: {message}")]
    Refused {
        /// Which peer.
        url: PeerUrl,
        /// HTTP status.
        status: u16,
        /// The start of its body, printable characters only.
        message: String,
    },
    /// A member of the same directory that does not take it, and says why, with its code.
    #[error("{url} refuses it: {text}")]
    Declined {
        /// Which peer.
        url: PeerUrl,
        /// The HTTP status that stands for it.
        status: u16,
        /// Why, printable characters only.
        text: String,
    },
    /// Its clock is another day than ours.
    #[error("the clock of {url} is {days} days from ours: one of the two is wrong, set it (NTP)")]
    ClockApart {
        /// Which peer.
        url: PeerUrl,
        /// How far.
        days: u32,
    },
    /// An answer that does not decode.
    #[error("{0} gave an answer that is not of the protocol")]
    Malformed(PeerUrl),
}

impl PeerError {
    /// For logs: without the peer's own words, which may name a recipient's key.
    pub fn without_words(&self) -> String {
        match self {
            Self::Refused { url, status, .. } | Self::Declined { url, status, .. } => format!("{url} answered {status}"),
            other => other.to_string(),
        }
    }
}

impl Coded for PeerError {
    fn code(&self) -> Code {
        match self {
            Self::Offline(_) => Code(3001),
            Self::Refused { .. } => Code(3002),
            Self::Malformed(_) => Code(3003),
            Self::ClockApart { .. } => Code(3004),
            Self::Declined { .. } => Code(3005),
        }
    }
}

/// The way to other members. Every call is bounded by the transport's own budget.
#[async_trait]
pub trait Peers: Send + Sync {
    /// `POST /push`. With [`Codec::Legacy`] the version header does not list 5.0, so that header and body agree.
    async fn push(&self, to: &PeerUrl, codec: Codec, payload: Bytes) -> Result<Delivered, PeerError>;

    /// `POST /withdraw` (Celosia only): takes back a delivery that was never referred to.
    async fn withdraw(&self, to: &PeerUrl, id: &PayloadId, token: WithdrawToken) -> Result<(), PeerError>;

    /// `POST /partyinfo` with our own party info.
    async fn party_info(&self, to: &PeerUrl, body: Bytes) -> Result<Capabilities, PeerError>;

    /// `POST /partyinfo/validate`: the answer's body.
    async fn validate(&self, to: &PeerUrl, payload: Bytes) -> Result<Bytes, PeerError>;

    /// `POST /resend`: the body of an individual answer, empty for all.
    async fn resend(&self, to: &PeerUrl, key: &Address, scope: ResendScope) -> Result<Bytes, PeerError>;

    /// `POST /resendBatch`: how many payloads the peer has pushed to us.
    async fn resend_batch(&self, to: &PeerUrl, key: &Address) -> Result<u64, PeerError>;

    /// `POST /pushBatch`: payloads in the legacy codec.
    async fn push_batch(&self, to: &PeerUrl, payloads: Vec<Bytes>) -> Result<(), PeerError>;

    /// `POST /pushPrivacyGroup`.
    async fn push_group(&self, to: &PeerUrl, group: Bytes) -> Result<(), PeerError>;
}
