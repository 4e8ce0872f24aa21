//! Removing records: their rows, what events said of them, and the tombstone that stays.

use super::{Draft, Index};
use crate::store::rocks::{BESIDE, INDEX, JOURNAL, PAYLOAD, TABLE, TOMBSTONE, journal, rows};
use crate::store::{Event, JournalRow, Kind, StoreError, Table, Tombstone};
use crate::types::PayloadId;

impl Draft<'_> {
    /// The rows that remain of what events said of a payload: their commitments, so that every proof still verifies.
    pub(super) fn silenced(&self, id: &PayloadId) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let mut rows = Vec::new();
        for index in journal::trace(self.db, id)? {
            let row = journal::raw(self.db, index)?;
            rows.extend(row.and_then(|row| Some((index, JournalRow::erased(&row)?))));
        }
        let waiting = self.noted.iter().filter(|(about, ..)| about == id);
        rows.extend(waiting.filter_map(|(_, index, event)| Some((*index, JournalRow::erased(&JournalRow::encode(event))?))));
        Ok(rows)
    }

    pub(super) fn bury(&mut self, id: PayloadId, tombstone: &Tombstone, event: Option<Event>) -> Result<(), StoreError> {
        let (tombstones, buried) = (rows::family(self.db, TOMBSTONE)?, self.is_buried(&id)?);
        let ((journal, _), silenced) = (self.journal_families()?, self.silenced(&id)?);
        let rows = [(Kind::Payload, self.row(Kind::Payload, &id)?), (Kind::Raw, self.row(Kind::Raw, &id)?)];
        let mut removed = Vec::new();
        for (kind, index) in rows {
            if let Some(index) = index {
                removed.push(index.head.leaf());
                self.remove(kind, id, &index)?;
            }
        }
        if !buried {
            let mut tombstone = tombstone.clone();
            tombstone.leaves.extend(removed);
            tombstone.leaves.sort_unstable();
            tombstone.leaves.dedup();
            self.batch.put_cf(&tombstones, id.as_bytes(), rows::encode_tombstone(&tombstone));
            self.buried.insert(id);
            self.totals.tombstones += 1;
            event.map(|event| self.note(event)).transpose()?;
        }
        for (index, row) in silenced {
            self.touched.add(JOURNAL, &index.to_be_bytes());
            self.touched.removed = true;
            self.batch.put_cf(&journal, index.to_be_bytes(), row);
        }
        Ok(())
    }

    /// Here the rows are only marked as deleted. Their bytes leave the files with a purge; what they say went with the leaf.
    pub(super) fn remove(&mut self, kind: Kind, id: PayloadId, index: &Index) -> Result<(), StoreError> {
        let (indexes, payloads) = (rows::family(self.db, INDEX)?, rows::family(self.db, PAYLOAD)?);
        self.batch.delete_cf(&indexes, rows::index_key(kind, &id));
        self.batch.delete_cf(&payloads, index.payload_key());
        self.touched.add(INDEX, &rows::index_key(kind, &id));
        self.touched.add(PAYLOAD, &index.payload_key());
        self.touched.removed = true;
        if kind == Kind::Payload {
            self.touched.add(BESIDE, id.as_bytes());
            self.touched.add(TABLE, &Table::Tag.place(id.as_bytes()));
            self.batch.delete_cf(&rows::family(self.db, BESIDE)?, id.as_bytes());
            self.batch.delete_cf(&rows::family(self.db, TABLE)?, Table::Tag.place(id.as_bytes()));
        }
        self.index.insert((kind, id), None);
        *self.totals.of(kind) = self.totals.of(kind).saturating_sub(1);
        Ok(())
    }
}
