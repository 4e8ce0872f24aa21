use bytes::Bytes;

use crate::shred::SealedHead;
use crate::types::Address;

/// What opens an envelope of a blocked record.
#[derive(Clone, Debug)]
pub struct HoldRelease {
    /// The envelope.
    pub envelope: SealedHead,
    /// What it was sealed for ([`crate::erasure::HoldLabel::encode`]).
    pub label: Vec<u8>,
    /// The one-time key that the answer is for.
    pub one_time: Address,
    /// The committee's ephemeral key.
    pub from: Address,
    /// The committee's share, sealed.
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
