//! Removing records: their rows, what events said of them, and the tombstone that stays.

use super::{Draft, Index};
use crate::store::rocks::{BESIDE, INDEX, PAYLOAD, TABLE, TOMBSTONE, rows};
use crate::store::{Event, Kind, StoreError, Table, Tombstone};
use crate::types::PayloadId;

impl Draft<'_> {
    pub(super) fn bury(&mut self, id: PayloadId, tombstone: &Tombstone, event: Option<Event>) -> Result<(), StoreError> {
        let (tombstones, buried) = (rows::family(self.db, TOMBSTONE)?, self.is_buried(&id)?);
        let (_, silenced) = (self.journal_families()?, self.silenced(&id)?);
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
        self.silence(silenced)
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
