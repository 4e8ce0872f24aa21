//! The rows of the journal: `index (8)` → [`JournalRow`], and `id (64) ‖ index (8)` → nothing, which finds the events of a payload.

use rocksdb::{DB, Direction, IteratorMode};

use super::{JOURNAL, TRACE, reading, rows};
use crate::store::{JournalRow, StoreError};
use crate::types::PayloadId;

/// Most rows of one page.
const PAGE: usize = 10_000;

pub(super) fn trace_key(id: &PayloadId, index: u64) -> [u8; 72] {
    let mut key = [0; 72];
    key[..64].copy_from_slice(id.as_bytes());
    key[64..].copy_from_slice(&index.to_be_bytes());
    key
}

/// Rows from an index on, without a gap.
pub(super) fn rows(db: &DB, from: u64, limit: usize) -> Result<Vec<JournalRow>, StoreError> {
    let family = rows::family(db, JOURNAL)?;
    let start = from.to_be_bytes();
    let mut found = Vec::new();
    for (row, expected) in
        db.iterator_cf(&family, IteratorMode::From(&start, Direction::Forward)).take(limit.min(PAGE)).zip(from..)
    {
        let (key, value) = row.map_err(reading)?;
        if *key != expected.to_be_bytes() {
            return Err(StoreError::Corrupt(format!("row {expected} of the journal is missing")));
        }
        found.push(JournalRow::decode(&value).ok_or_else(|| StoreError::Corrupt(format!("row {expected} of the journal")))?);
    }
    Ok(found)
}

/// One row as it lies.
pub(super) fn raw(db: &DB, index: u64) -> Result<Option<Vec<u8>>, StoreError> {
    db.get_cf(&rows::family(db, JOURNAL)?, index.to_be_bytes()).map_err(reading)
}

/// Indexes of the events about a payload.
pub(super) fn trace(db: &DB, id: &PayloadId) -> Result<Vec<u64>, StoreError> {
    let family = rows::family(db, TRACE)?;
    let mut found = Vec::new();
    let mode = IteratorMode::From(id.as_bytes(), Direction::Forward);
    for row in db.iterator_cf_opt(&family, rows::within(id.as_bytes()), mode) {
        let (key, _) = row.map_err(reading)?;
        let index = key.strip_prefix(id.as_bytes()).unwrap_or_default();
        let index = index.try_into().map_err(|_| StoreError::Corrupt("a key of the journal's index".into()))?;
        found.push(u64::from_be_bytes(index));
    }
    Ok(found)
}
