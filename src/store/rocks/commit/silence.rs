//! What falls silent in the journal when a payload or document is erased.

use super::Draft;
use crate::store::rocks::{JOURNAL, journal};
use crate::store::{Event, JournalRow, StoreError};
use crate::types::PayloadId;

/// Indexes of journal rows, and what remains of them.
pub(super) type Silenced = Vec<(u64, Vec<u8>)>;

impl Draft<'_> {
    /// The rows that remain of what events said of a payload: their commitments, so that every proof still verifies.
    pub(super) fn silenced(&self, id: &PayloadId) -> Result<Silenced, StoreError> {
        let mut rows = Vec::new();
        for index in journal::trace(self.db, id)? {
            let row = journal::raw(self.db, index)?;
            rows.extend(row.and_then(|row| Some((index, JournalRow::erased(&row)?))));
        }
        let waiting = self.noted.iter().filter(|(about, ..)| about == id);
        rows.extend(waiting.filter_map(|(_, index, event)| Some((*index, JournalRow::erased(&JournalRow::encode(event))?))));
        Ok(rows)
    }

    /// An erasure that outlasts what it is about silences what others said of it.
    pub(super) fn silenced_by(&self, events: &[Event]) -> Result<Silenced, StoreError> {
        let ended = events.iter().filter(|event| event.lasting).filter_map(|event| event.about);
        let silenced = ended.map(|id| self.silenced(&id)).collect::<Result<Vec<_>, _>>()?;
        Ok(silenced.concat())
    }

    /// Writes them over what was said.
    pub(super) fn silence(&mut self, rows: Silenced) -> Result<(), StoreError> {
        let (journal, _) = self.journal_families()?;
        for (index, row) in rows {
            self.touched.add(JOURNAL, &index.to_be_bytes());
            self.touched.removed = true;
            self.batch.put_cf(&journal, index.to_be_bytes(), row);
        }
        Ok(())
    }
}
