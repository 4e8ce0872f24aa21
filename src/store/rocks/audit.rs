//! All rows, one after the other, as they lie: what `celosia fsck` looks at.

use std::collections::HashSet;

use rocksdb::{IteratorMode, ReadOptions};

use super::rows::{self, Index, Totals};
use super::{GROUP, INDEX, PAYLOAD, RocksStore, TOMBSTONE};
use crate::store::{Kind, Record, Stats, StoreError, Tombstone};
use crate::types::PayloadId;

/// One thing found by a walk.
pub(in crate::store) enum Finding {
    /// A record, index and ciphertext; `buried` if there is a tombstone too.
    Record { kind: Kind, id: PayloadId, record: Record, buried: bool },
    /// A record whose rows do not belong together or cannot be read.
    Damaged { kind: Kind, id: PayloadId, why: String },
    /// Rows that belong to no record, or a stretch of rows that cannot be read.
    Stray(String),
    /// A tombstone.
    Tombstone { id: PayloadId, tombstone: Tombstone },
    /// A privacy group.
    Group,
}

/// Told by whom the findings are given to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::store) enum Order {
    Continue,
    Stop,
}

/// What a key and its row are.
type Judge<'a> = dyn FnMut(&[u8], &[u8]) -> Option<Finding> + 'a;

impl RocksStore {
    /// Shows every row to `see`, damage included. Memory: eight bytes a record. The error is what makes a walk impossible.
    pub(in crate::store) fn walk(&self, mut see: impl FnMut(Finding) -> Order) -> Result<(), StoreError> {
        let mut numbers = HashSet::new();
        self.pass(INDEX, &mut see, &mut |key, row| Some(self.seen_record(key, row, &mut numbers)))?;
        self.pass(TOMBSTONE, &mut see, &mut |key, row| Some(seen_tombstone(key, row)))?;
        self.pass(GROUP, &mut see, &mut |_, _| Some(Finding::Group))?;
        self.pass(PAYLOAD, &mut see, &mut |key, row| {
            let known = rows::parse_payload_key(key).is_some_and(|number| numbers.contains(&number));
            (!known).then(|| Finding::Stray(format!("a ciphertext of {} bytes without an index row", row.len())))
        })
    }

    /// What the store's own counters say, to be compared with what a walk counted.
    pub(in crate::store) fn counters(&self) -> Result<Stats, StoreError> {
        let Totals { payloads, raws, tombstones, .. } = Totals::load(&self.db)?;
        Ok(Stats { payloads, raws, tombstones, ..Stats::default() })
    }

    fn pass(&self, name: &str, see: &mut dyn FnMut(Finding) -> Order, judge: &mut Judge) -> Result<(), StoreError> {
        let mut once = ReadOptions::default();
        once.fill_cache(false);
        for row in self.db.iterator_cf_opt(&rows::family(&self.db, name)?, once, IteratorMode::Start) {
            let finding = match row {
                Ok((key, value)) => judge(&key, &value),
                // An iterator cannot pass a block that does not verify: it ends here.
                Err(error) => Some(Finding::Stray(format!("rows of {name} from here on cannot be read: {error}"))),
            };
            if let Some(finding) = finding
                && see(finding) == Order::Stop
            {
                break;
            }
        }
        Ok(())
    }

    fn seen_record(&self, key: &[u8], row: &[u8], numbers: &mut HashSet<u64>) -> Finding {
        let Some((kind, id)) = rows::parse_index_key(key) else {
            return Finding::Stray("an index row with a key of another form".into());
        };
        match self.whole(&id, row, numbers) {
            Ok((record, buried)) => Finding::Record { kind, id, record, buried },
            Err(why) => Finding::Damaged { kind, id, why },
        }
    }

    /// The record of an index row, and whether there is a tombstone too; or what is wrong with it.
    fn whole(&self, id: &PayloadId, row: &[u8], numbers: &mut HashSet<u64>) -> Result<(Record, bool), String> {
        let text = |error: StoreError| error.to_string();
        let index = Index::decode(row).map_err(text)?;
        if !numbers.insert(index.number) {
            return Err(format!("its ciphertext's number {} belongs to another record", index.number));
        }
        let buried = rows::tombstone(&self.db, id).map_err(text)?.is_some();
        let record = self.record(index).map_err(text)?.ok_or("its ciphertext is missing")?;
        Ok((record, buried))
    }
}

fn seen_tombstone(key: &[u8], row: &[u8]) -> Finding {
    match (PayloadId::try_from(key), rows::decode_tombstone(row)) {
        (Ok(id), Ok(tombstone)) => Finding::Tombstone { id, tombstone },
        _ => Finding::Stray("a tombstone that does not decode".into()),
    }
}

#[cfg(test)]
impl RocksStore {
    /// Takes the ciphertext of one record and the index row of another, as no program of ours does.
    pub(in crate::store) fn damage(&self, kind: Kind, lost: &PayloadId, unindexed: &PayloadId) {
        let index = rows::index(&self.db, kind, lost).expect("read").expect("there");
        self.db.delete_cf(&rows::family(&self.db, PAYLOAD).expect("there"), index.payload_key()).expect("deleted");
        self.db.delete_cf(&rows::family(&self.db, INDEX).expect("there"), rows::index_key(kind, unindexed)).expect("deleted");
    }
}
