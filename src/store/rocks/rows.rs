//! Rows and keys, byte by byte (`docs/store-format.md`). Integers are big-endian.

use std::sync::Arc;

use bytes::Bytes;
use rocksdb::{BoundColumnFamily, DB, Direction, IteratorMode, ReadOptions, WriteOptions};

use super::{INDEX, PAYLOAD, TOMBSTONE, reading};
use crate::crypto::nacl::Nonce;
use crate::shred::{LeafRef, SealedHead};
use crate::store::{Kind, Record, StoreError, Tombstone};
use crate::types::PayloadId;

pub(super) const FORMAT_KEY: &[u8] = b"format";
pub(super) const TOTALS_KEY: &[u8] = b"totals";
const DAY_MILLIS: u64 = 24 * 60 * 60 * 1000;

/// What the index says of a record: `number (8) ‖ time (8) ‖ nonce (24) ‖ sealed head`.
pub(super) struct Index {
    /// Names the ciphertext's row; never used twice.
    pub(super) number: u64,
    pub(super) time: u64,
    pub(super) nonce: Nonce,
    pub(super) head: SealedHead,
}

impl Index {
    pub(super) fn of(record: &Record, number: u64) -> Self {
        Self { number, time: record.time, nonce: record.nonce, head: record.head.clone() }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        [&self.number.to_be_bytes()[..], &self.time.to_be_bytes(), &self.nonce, self.head.as_bytes()].concat()
    }

    pub(super) fn decode(row: &[u8]) -> Result<Self, StoreError> {
        let broken = || StoreError::Corrupt("an index row".into());
        let (number, rest) = row.split_first_chunk::<8>().ok_or_else(broken)?;
        let (time, rest) = rest.split_first_chunk::<8>().ok_or_else(broken)?;
        let (nonce, head) = rest.split_first_chunk::<24>().ok_or_else(broken)?;
        let head = SealedHead::from_bytes(Bytes::copy_from_slice(head)).ok_or_else(broken)?;
        Ok(Self { number: u64::from_be_bytes(*number), time: u64::from_be_bytes(*time), nonce: *nonce, head })
    }

    /// `day (4) ‖ number (8)`: a day's ciphertexts lie together and can be dropped together, and they are written in the order of their
    /// keys, so that compaction moves files instead of copying them.
    ///
    /// Threat: RocksDB writes key bounds into its manifest, which outlives the rows. These say how many and when, not whose.
    pub(super) fn payload_key(&self) -> [u8; 12] {
        let day = u32::try_from(self.time / DAY_MILLIS).unwrap_or(u32::MAX);
        let mut key = [0; 12];
        key[..4].copy_from_slice(&day.to_be_bytes());
        key[4..].copy_from_slice(&self.number.to_be_bytes());
        key
    }
}

/// The number in a ciphertext's key.
pub(super) fn parse_payload_key(key: &[u8]) -> Option<u64> {
    let key: &[u8; 12] = key.try_into().ok()?;
    key.last_chunk::<8>().map(|number| u64::from_be_bytes(*number))
}

/// `kind (1) ‖ id (64)`.
pub(super) fn index_key(kind: Kind, id: &PayloadId) -> [u8; 65] {
    let mut key = [kind as u8; 65];
    key[1..].copy_from_slice(id.as_bytes());
    key
}

pub(super) fn parse_index_key(key: &[u8]) -> Option<(Kind, PayloadId)> {
    let (kind, id) = key.split_first()?;
    let kind = [Kind::Payload, Kind::Raw].into_iter().find(|known| *known as u8 == *kind)?;
    Some((kind, PayloadId::try_from(id).ok()?))
}

/// `time (8) ‖ leaves × (tree (4) ‖ leaf (4))`.
pub(super) fn encode_tombstone(tombstone: &Tombstone) -> Vec<u8> {
    let mut row = tombstone.time.to_be_bytes().to_vec();
    for LeafRef { tree, leaf } in &tombstone.leaves {
        row.extend_from_slice(&tree.to_be_bytes());
        row.extend_from_slice(&leaf.to_be_bytes());
    }
    row
}

pub(super) fn decode_tombstone(row: &[u8]) -> Result<Tombstone, StoreError> {
    let broken = || StoreError::Corrupt("a tombstone".into());
    let (time, rest) = row.split_first_chunk::<8>().ok_or_else(broken)?;
    let (leaves, rest) = rest.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(broken());
    }
    let word = |bytes: &[u8]| u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let leaves = leaves.iter().map(|leaf| LeafRef { tree: word(&leaf[..4]), leaf: word(&leaf[4..]) }).collect();
    Ok(Tombstone { time: u64::from_be_bytes(*time), leaves })
}

/// A reader of the keys with a prefix that goes no further.
///
/// Threat: a search for what is not there looks for the next row that is. Behind many that were removed and not yet purged, it walks over all
/// of them, for every item of an erasure again.
pub(super) fn within(prefix: &[u8]) -> ReadOptions {
    let mut options = ReadOptions::default();
    options.set_iterate_range(rocksdb::PrefixRange(prefix));
    options
}

pub(super) fn index(db: &DB, kind: Kind, id: &PayloadId) -> Result<Option<Index>, StoreError> {
    let row = db.get_pinned_cf(&family(db, INDEX)?, index_key(kind, id)).map_err(reading)?;
    row.map(|row| Index::decode(&row)).transpose()
}

/// A page of index rows.
pub(super) fn heads(
    db: &DB,
    kind: Kind,
    after: Option<PayloadId>,
    limit: usize,
) -> Result<Vec<(PayloadId, u64, SealedHead)>, StoreError> {
    let start = after.map_or_else(|| vec![kind as u8], |id| index_key(kind, &id).to_vec());
    let mut found = Vec::new();
    let mut once = ReadOptions::default();
    once.fill_cache(false);
    for row in db.iterator_cf_opt(&family(db, INDEX)?, once, IteratorMode::From(&start, Direction::Forward)) {
        let (key, value) = row.map_err(reading)?;
        let (kind_found, id) = parse_index_key(&key).ok_or_else(|| StoreError::Corrupt("an index key".into()))?;
        if kind_found != kind || found.len() == limit {
            break;
        }
        if Some(id) != after {
            let index = Index::decode(&value)?;
            found.push((id, index.time, index.head));
        }
    }
    Ok(found)
}

pub(super) fn ciphertext(db: &DB, index: &Index) -> Result<Option<Vec<u8>>, StoreError> {
    db.get_cf(&family(db, PAYLOAD)?, index.payload_key()).map_err(reading)
}

pub(super) fn tombstone(db: &DB, id: &PayloadId) -> Result<Option<Tombstone>, StoreError> {
    let row = db.get_pinned_cf(&family(db, TOMBSTONE)?, id.as_bytes()).map_err(reading)?;
    row.map(|row| decode_tombstone(&row)).transpose()
}

pub(super) fn is_there(db: &DB, name: &str, key: &[u8]) -> Result<bool, StoreError> {
    Ok(db.get_pinned_cf(&family(db, name)?, key).map_err(reading)?.is_some())
}

pub(super) fn family<'a>(db: &'a DB, name: &str) -> Result<Arc<BoundColumnFamily<'a>>, StoreError> {
    db.cf_handle(name).ok_or_else(|| StoreError::Corrupt(format!("column family {name} is missing")))
}

pub(super) fn synced() -> WriteOptions {
    let mut options = WriteOptions::default();
    options.set_sync(true);
    options
}

/// Figures, written with the rows that they count: `payloads (8) ‖ raws (8) ‖ tombstones (8) ‖ next number (8) ‖ events (8)`; the last is absent in format 1.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Totals {
    pub(super) payloads: u64,
    pub(super) raws: u64,
    pub(super) tombstones: u64,
    /// Number of the next ciphertext.
    pub(super) next: u64,
    /// Rows of the journal, and so the index of the next.
    pub(super) events: u64,
}

impl Totals {
    pub(super) fn load(db: &DB) -> Result<Self, StoreError> {
        let Some(row) = db.get_pinned(TOTALS_KEY).map_err(reading)? else { return Ok(Self::default()) };
        let (words, []) = row.as_chunks::<8>() else { return Err(Self::broken()) };
        let ([payloads, raws, tombstones, next], rest) = words.split_first_chunk::<4>().ok_or_else(Self::broken)?;
        let word = |bytes: &[u8; 8]| u64::from_be_bytes(*bytes);
        let events = match rest {
            [] => 0,
            [events] => word(events),
            _ => return Err(Self::broken()),
        };
        Ok(Self { payloads: word(payloads), raws: word(raws), tombstones: word(tombstones), next: word(next), events })
    }

    pub(super) fn encode(self) -> [u8; 40] {
        let mut row = [0; 40];
        for (at, word) in [self.payloads, self.raws, self.tombstones, self.next, self.events].into_iter().enumerate() {
            row[8 * at..8 * at + 8].copy_from_slice(&word.to_be_bytes());
        }
        row
    }

    pub(super) fn of(&mut self, kind: Kind) -> &mut u64 {
        match kind {
            Kind::Payload => &mut self.payloads,
            Kind::Raw => &mut self.raws,
        }
    }

    fn broken() -> StoreError {
        StoreError::Corrupt("the totals row".into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn arbitrary_rows_are_refused_or_read_as_they_were_written(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(index) = Index::decode(&bytes) {
                prop_assert_eq!(index.encode(), bytes.clone());
            }
            if let Ok(tombstone) = decode_tombstone(&bytes) {
                prop_assert_eq!(encode_tombstone(&tombstone), bytes.clone());
            }
            prop_assert_eq!(parse_payload_key(&bytes).is_some(), bytes.len() == 12);
        }
    }

    #[test]
    fn keys_sort_by_kind_and_by_day() {
        let id = PayloadId::new([9; 64]);
        assert_eq!(parse_index_key(&index_key(Kind::Raw, &id)), Some((Kind::Raw, id)));
        assert!(index_key(Kind::Payload, &PayloadId::new([255; 64])) < index_key(Kind::Raw, &PayloadId::new([0; 64])));
        let head = SealedHead::new(LeafRef { tree: 1, leaf: 2 }, &[0; 40]);
        let key = |number, time| Index { number, time, nonce: [0; 24], head: head.clone() }.payload_key();
        assert!(key(7, DAY_MILLIS - 1) < key(3, DAY_MILLIS) && key(3, DAY_MILLIS) < key(4, DAY_MILLIS));
        assert_eq!(parse_payload_key(&key(7, 0)), Some(7));
    }
}
