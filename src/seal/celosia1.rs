//! The suite `celosia-1`, pure: payloads between two Celosias (`docs/celosia-1.md`).
//!
//! A payload is sealed once under a fresh data key ([`content`]). For each recipient member the data key goes, with the signed header
//! and the proofs that it was addressed, into a box between two epoch keys ([`pair`], [`parcel`]).

/// The ciphertext.
pub mod content;
mod copied;
/// The secret between two epoch keys.
pub mod pair;
/// The box.
pub mod parcel;
mod sent;
mod taken;

pub use content::Content;
pub use copied::{NO_KEY, take_copy};
pub use pair::Pair;
pub use parcel::Parcel;
pub use sent::{Sealing, Statement};
pub use taken::{Expected, Taken, take};

use crate::types::{Code, Coded};

#[cfg(test)]
mod tests;

/// Why a delivery is not taken, or not made. Each check has its own answer; none holds anything of the payload.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// The header's root of the audience is not what a proof leads to, or there is no proof.
    #[error("the delivery does not prove that its sender addressed this node")]
    Audience,
    /// The box does not open.
    #[error("the box of the delivery does not open: it was altered, or made for another payload")]
    Box,
    /// The header's capsule is not the one of this data key, this sigma and this header.
    #[error("the escrow capsule is not the one of this payload: its committee could not open it")]
    Capsule,
    /// A capsule for a key that the policy does not have.
    #[error("the escrow capsule is made for a key that no committee of the policy has")]
    CapsuleEpoch,
    /// Bytes that are no capsule.
    #[error("the escrow capsule is malformed")]
    CapsuleForm,
    /// The ciphertext does not open under the key that it commits to.
    #[error("the ciphertext does not verify")]
    Ciphertext,
    /// The ciphertext commits to another data key.
    #[error("the ciphertext was made under another data key than the box holds")]
    Commitment,
    /// A day that the header or an epoch key cannot have.
    #[error("the header is of another day than its time or its epoch key: check the clocks of both nodes")]
    Day,
    /// An epoch key of another day, network or member.
    #[error("the peer's epoch key is not of today: ask the peer for its new one, and check the clocks of both nodes")]
    EpochDay,
    /// A public key with which no secret can be shared.
    #[error("the peer's epoch key is not a usable X25519 public key")]
    EpochKey,
    /// The header is no header, or what lies in the box is no parcel.
    #[error("the header in the delivery is malformed")]
    Header,
    /// The header is of another payload.
    #[error("the header is of another payload")]
    Id,
    /// The header is of another network.
    #[error("the header is of another network")]
    Network,
    /// A record that is not of this suite.
    #[error("the record was not made by the suite celosia-1")]
    NotNative,
    /// Somebody whom the payload is not addressed to.
    #[error("the payload is not addressed to that member")]
    NotAddressed,
    /// The padding is not what padding is.
    #[error("the padding of the payload is malformed")]
    Padding,
    /// Flag and companions of the privacy rules do not belong together.
    #[error("the privacy rules contradict each other, or name the same transaction twice")]
    Rules,
    /// Whoever delivers is neither the sender nor a recipient that returns our own.
    #[error("the member that delivers the payload is not the one that signed it")]
    Sender,
    /// A capsule without its sigma, or the other way round.
    #[error("the box holds no sigma for the escrow capsule, or one without a capsule")]
    Sigma,
    /// The sender's signature on the header does not verify.
    #[error("the sender's signature on the header does not verify")]
    Signature,
    /// A suite that this version does not know.
    #[error("the payload was made by a suite that this version does not know")]
    Suite,
    /// More recipients than an audience holds, or a capsule that is too long.
    #[error("the payload has more recipients than the suite takes (65,536)")]
    TooMany,
}

impl Coded for Refused {
    fn code(&self) -> Code {
        match self {
            Self::EpochDay => Code(5011),
            Self::EpochKey => Code(5012),
            Self::Box => Code(5013),
            Self::Header => Code(5014),
            Self::Suite => Code(5015),
            Self::Network => Code(5016),
            Self::Id => Code(5017),
            Self::Day => Code(5018),
            Self::Signature => Code(5019),
            Self::Sender => Code(5020),
            Self::Audience => Code(5021),
            Self::Commitment => Code(5022),
            Self::Ciphertext => Code(5023),
            Self::Padding => Code(5024),
            Self::NotAddressed => Code(5025),
            Self::NotNative => Code(5026),
            Self::TooMany => Code(5027),
            Self::Rules => Code(5028),
            Self::CapsuleForm => Code(5029),
            Self::CapsuleEpoch => Code(5030),
            Self::Sigma => Code(5031),
            Self::Capsule => Code(5032),
        }
    }
}
