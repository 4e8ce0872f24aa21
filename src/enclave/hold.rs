use bytes::Bytes;

use crate::crypto::hpke::BoxKey;
use crate::crypto::threshold::GroupKey;
use crate::shred::SealedHead;

pub use crate::seal::hold::HoldLock;

/// What opens an envelope of a blocked record.
#[derive(Clone, Debug)]
pub struct HoldRelease {
    /// The envelope.
    pub envelope: SealedHead,
    /// What it was sealed for ([`crate::erasure::HoldLabel::encode`]).
    pub label: Vec<u8>,
    /// The one-time key that the answer is for.
    pub one_time: BoxKey,
    /// As many officers' answers as open.
    pub shares: Vec<HoldShare>,
}

/// One officer's answer.
#[derive(Clone, Debug)]
pub struct HoldShare {
    /// The public half of the officer's share, as the committee names it.
    pub verifying: GroupKey,
    /// The partial decryption, sealed.
    pub sealed: Bytes,
}

/// A record that was blocked and is readable again.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Its head under a fresh leaf.
    pub head: SealedHead,
    /// What was sealed beside it, by label, sealed beside the new head.
    pub beside: Vec<(String, Bytes)>,
}
