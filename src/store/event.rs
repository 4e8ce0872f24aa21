use bytes::Bytes;

use crate::crypto::hash::hmac_sha256;
use crate::crypto::random;
use crate::types::PayloadId;

/// Something that happened, for the journal. The store gives it its place, in the batch of what it records.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Event {
    /// The payload that it is about. Erasing that payload erases what the event says, unless it lasts; its commitment stays.
    pub about: Option<PayloadId>,
    /// It stays when its payload is erased: the erasure itself.
    pub lasting: bool,
    /// 32 random bytes that hide the record in its commitment.
    pub salt: [u8; 32],
    /// What happened, encoded.
    pub record: Bytes,
}

impl Event {
    /// An event under a fresh salt.
    pub fn new(about: Option<PayloadId>, record: Bytes) -> Self {
        Self { about, lasting: false, salt: random(), record }
    }
}

/// A journal row: its leaf, and what it says unless that was erased.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JournalRow {
    /// The leaf: HMAC-SHA-256(salt, record).
    pub commitment: [u8; 32],
    /// Salt and record.
    pub content: Option<([u8; 32], Bytes)>,
}

const BARE: u8 = 0;
const ERASABLE: u8 = 1;
const LASTING: u8 = 2;

impl JournalRow {
    /// The row of an event: `1 or 2 (1) ‖ salt (32) ‖ record`.
    pub(super) fn encode(event: &Event) -> Vec<u8> {
        [&[if event.lasting { LASTING } else { ERASABLE }][..], &event.salt, &event.record].concat()
    }

    /// Reads a row; `None` if it is none.
    pub(super) fn decode(row: &[u8]) -> Option<Self> {
        let (kind, rest) = row.split_first()?;
        let (first, rest) = rest.split_first_chunk::<32>()?;
        match *kind {
            BARE if rest.is_empty() => Some(Self { commitment: *first, content: None }),
            ERASABLE | LASTING => {
                let commitment = hmac_sha256(first, rest);
                Some(Self { commitment, content: Some((*first, Bytes::copy_from_slice(rest))) })
            }
            _ => None,
        }
    }

    /// Salt and record of a row that does not outlast its payload and is not erased yet.
    pub(super) fn erasable(row: &[u8]) -> Option<([u8; 32], Bytes)> {
        if row.first() != Some(&ERASABLE) {
            return None;
        }
        Self::decode(row)?.content
    }

    /// What remains of an erasable row: `0 (1) ‖ commitment (32)`. `None` for one that lasts, or is bare already.
    pub(super) fn erased(row: &[u8]) -> Option<Vec<u8>> {
        if row.first() != Some(&ERASABLE) {
            return None;
        }
        Self::decode(row).map(|row| [&[BARE][..], &row.commitment].concat())
    }
}
