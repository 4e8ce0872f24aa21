//! Rows and keys, byte by byte. Integers are big-endian.

use std::sync::Arc;

use bytes::Bytes;
use rocksdb::{BoundColumnFamily, DB, WriteOptions};

use super::{FORMAT, TOMBSTONE, reading};
use crate::crypto::nacl::Nonce;
use crate::shred::{LeafRef, SealedHead};
use crate::store::{Kind, Record, StoreError, Tombstone};
use crate::types::PayloadId;

pub(super) const FORMAT_KEY: &[u8] = b"format";
pub(super) const TOTALS_KEY: &[u8] = b"totals";
const DAY_MILLIS: u64 = 24 * 60 * 60 * 1000;

/// What the index says of a record: `day (4) ‖ time (8) ‖ nonce (24) ‖ sealed head`.
pub(super) struct Index {
    pub(super) day: u32,
    pub(super) time: u64,
    pub(super) nonce: Nonce,
    pub(super) head: SealedHead,
}

impl Index {
    pub(super) fn of(record: &Record) -> Self {
        let day = u32::try_from(record.time / DAY_MILLIS).unwrap_or(u32::MAX);
        Self { day, time: record.time, nonce: record.nonce, head: record.head.clone() }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        [&self.day.to_be_bytes()[..], &self.time.to_be_bytes(), &self.nonce, self.head.as_bytes()].concat()
    }

    pub(super) fn decode(row: &[u8]) -> Result<Self, StoreError> {
        let broken = || StoreError::Corrupt("an index row".into());
        let (day, rest) = row.split_first_chunk::<4>().ok_or_else(broken)?;
        let (time, rest) = rest.split_first_chunk::<8>().ok_or_else(broken)?;
        let (nonce, head) = rest.split_first_chunk::<24>().ok_or_else(broken)?;
        let head = SealedHead::from_bytes(Bytes::copy_from_slice(head)).ok_or_else(broken)?;
        Ok(Self { day: u32::from_be_bytes(*day), time: u64::from_be_bytes(*time), nonce: *nonce, head })
    }
}

/// `kind (1) ‖ id (64)`.
pub(super) fn index_key(kind: Kind, id: &PayloadId) -> [u8; 65] {
    let mut key = [kind as u8; 65];
    key[1..].copy_from_slice(id.as_bytes());
    key
}

pub(super) fn parse_index_key(key: &[u8]) -> Option<(u8, PayloadId)> {
    let (kind, id) = key.split_first()?;
    Some((*kind, PayloadId::try_from(id).ok()?))
}

/// `day (4) ‖ kind (1) ‖ id (64)`: a day's payloads lie together and can be dropped together.
pub(super) fn payload_key(day: u32, kind: Kind, id: &PayloadId) -> [u8; 69] {
    let mut key = [0; 69];
    key[..4].copy_from_slice(&day.to_be_bytes());
    key[4..].copy_from_slice(&index_key(kind, id));
    key
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

fn decode_tombstone(row: &[u8]) -> Result<Tombstone, StoreError> {
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

pub(super) fn tombstone(db: &DB, id: &PayloadId) -> Result<Option<Tombstone>, StoreError> {
    let row = db.get_pinned_cf(&family(db, TOMBSTONE)?, id.as_bytes()).map_err(reading)?;
    row.map(|row| decode_tombstone(&row)).transpose()
}

pub(super) fn family<'a>(db: &'a DB, name: &str) -> Result<Arc<BoundColumnFamily<'a>>, StoreError> {
    db.cf_handle(name).ok_or_else(|| StoreError::Corrupt(format!("column family {name} is missing")))
}

pub(super) fn synced() -> WriteOptions {
    let mut options = WriteOptions::default();
    options.set_sync(true);
    options
}

pub(super) fn write_format(db: &DB, format: u32) -> Result<(), StoreError> {
    debug_assert_eq!(format, FORMAT);
    db.put_opt(FORMAT_KEY, format.to_be_bytes(), &synced()).map_err(reading)
}

/// Counts of rows, written with the rows: `payloads (8) ‖ raws (8) ‖ tombstones (8)`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Totals {
    pub(super) payloads: u64,
    pub(super) raws: u64,
    pub(super) tombstones: u64,
}

impl Totals {
    pub(super) fn load(db: &DB) -> Result<Self, StoreError> {
        let Some(row) = db.get_pinned(TOTALS_KEY).map_err(reading)? else { return Ok(Self::default()) };
        let words: &[[u8; 8]] = row.as_chunks::<8>().0;
        match words {
            [payloads, raws, tombstones] => Ok(Self {
                payloads: u64::from_be_bytes(*payloads),
                raws: u64::from_be_bytes(*raws),
                tombstones: u64::from_be_bytes(*tombstones),
            }),
            _ => Err(StoreError::Corrupt("the totals row".into())),
        }
    }

    pub(super) fn encode(self) -> [u8; 24] {
        let mut row = [0; 24];
        row[..8].copy_from_slice(&self.payloads.to_be_bytes());
        row[8..16].copy_from_slice(&self.raws.to_be_bytes());
        row[16..].copy_from_slice(&self.tombstones.to_be_bytes());
        row
    }

    pub(super) fn of(&mut self, kind: Kind) -> &mut u64 {
        match kind {
            Kind::Payload => &mut self.payloads,
            Kind::Raw => &mut self.raws,
        }
    }
}
