//! Where bytes of removed or overwritten rows may still lie. It is a row of the store, written with the removal, so that a purge knows
//! after a restart, too, what it must rewrite.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rocksdb::{DB, WriteBatch};

use super::{FAMILIES, PAYLOAD, reading, rows};
use crate::store::StoreError;

pub(super) const TOUCHED_KEY: &[u8] = b"touched";
/// Prefixes that are remembered of a family; with more, days of it or all of it are rewritten.
const LIMIT: usize = 32;
/// `day (4)` of a ciphertext's key.
const DAY: usize = 4;

/// Of each family, prefixes of the keys whose older values must leave the files. The empty prefix: all of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Touched {
    /// Something was removed, not only overwritten.
    pub(super) removed: bool,
    families: BTreeMap<u8, BTreeSet<Vec<u8>>>,
}

impl Touched {
    /// What is not known: every family.
    pub(super) fn everything() -> Self {
        let mut touched = Self { removed: true, ..Self::default() };
        for name in FAMILIES {
            touched.add(name, b"");
        }
        touched
    }

    /// Remembers a key or prefix of a family.
    pub(super) fn add(&mut self, name: &str, prefix: &[u8]) {
        let Some(family) = FAMILIES.iter().position(|known| *known == name).and_then(|at| u8::try_from(at).ok()) else { return };
        let prefixes = self.families.entry(family).or_default();
        if prefixes.iter().any(|known| prefix.starts_with(known)) {
            return;
        }
        prefixes.retain(|known| !known.starts_with(prefix));
        prefixes.insert(prefix.to_vec());
        if prefixes.len() > LIMIT && name == PAYLOAD {
            *prefixes = prefixes.iter().map(|prefix| prefix[..prefix.len().min(DAY)].to_vec()).collect();
        }
        if prefixes.len() > LIMIT {
            *prefixes = BTreeSet::from([Vec::new()]);
        }
    }

    /// Adds all that another remembers.
    pub(super) fn join(&mut self, other: &Self) {
        self.removed |= other.removed;
        for (name, prefix) in other.prefixes() {
            self.add(name, prefix);
        }
    }

    /// Families with their prefixes.
    pub(super) fn prefixes(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        self.families
            .iter()
            .filter_map(|(family, prefixes)| Some((*FAMILIES.get(usize::from(*family))?, prefixes)))
            .flat_map(|(name, prefixes)| prefixes.iter().map(move |prefix| (name, prefix.as_slice())))
    }

    /// Prefixes of one family, in their order.
    pub(super) fn of(&self, name: &str) -> Vec<&[u8]> {
        self.prefixes().filter(|(family, _)| *family == name).map(|(_, prefix)| prefix).collect()
    }

    /// `removed (1) ‖ prefixes × (family (1) ‖ length (1) ‖ prefix)`; of a longer prefix, its first 255 bytes.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut row = vec![u8::from(self.removed)];
        for (family, prefixes) in &self.families {
            for prefix in prefixes {
                let prefix = &prefix[..prefix.len().min(255)];
                row.extend([*family, u8::try_from(prefix.len()).unwrap_or(u8::MAX)]);
                row.extend_from_slice(prefix);
            }
        }
        row
    }

    /// Reads a row; `None` if it is none.
    pub(super) fn decode(row: &[u8]) -> Option<Self> {
        let (removed, mut rest) = row.split_first()?;
        let mut touched = Self { removed: *removed != 0, ..Self::default() };
        while let Some((head, after)) = rest.split_first_chunk::<2>() {
            let (prefix, after) = after.split_at_checked(usize::from(head[1]))?;
            touched.add(FAMILIES.get(usize::from(head[0]))?, prefix);
            rest = after;
        }
        rest.is_empty().then_some(touched)
    }
}

/// What was touched since the last purge, and what a purge works on.
#[derive(Debug, Default)]
pub(super) struct Marks(Mutex<Pair>);

#[derive(Debug, Default)]
struct Pair {
    since: Touched,
    purging: Touched,
}

impl Marks {
    /// Reads what is marked in a store. One that was just made has nothing; in one without the row, anything may lie anywhere.
    pub(super) fn load(db: &DB, new: bool) -> Result<Self, StoreError> {
        let row = db.get(TOUCHED_KEY).map_err(reading)?;
        let since = match row.as_deref().map(Touched::decode) {
            None if new => Touched::default(),
            Some(Some(touched)) => touched,
            None | Some(None) => Touched::everything(),
        };
        db.put_opt(TOUCHED_KEY, since.encode(), &rows::synced()).map_err(reading)?;
        Ok(Self(Mutex::new(Pair { since, purging: Touched::default() })))
    }

    /// Writes a batch with the marks of what it removes.
    pub(super) fn write(&self, db: &DB, mut batch: WriteBatch, added: &Touched) -> Result<(), rocksdb::Error> {
        // Held until it is written: a purge that begins now either sees the marks or rewrites none of these rows' files.
        let mut pair = self.pair();
        let mut grown = pair.since.clone();
        grown.join(added);
        if grown != pair.since {
            batch.put(TOUCHED_KEY, pair.together(&grown).encode());
            pair.since = grown;
        }
        db.write_opt(batch, &rows::synced())
    }

    /// What a purge must rewrite: since the last that ended well.
    pub(super) fn begin(&self) -> Touched {
        let mut pair = self.pair();
        let since = std::mem::take(&mut pair.since);
        pair.purging.join(&since);
        pair.purging.clone()
    }

    /// It did.
    pub(super) fn end(&self, db: &DB) -> Result<(), rocksdb::Error> {
        let mut pair = self.pair();
        db.put_opt(TOUCHED_KEY, pair.since.encode(), &rows::synced())?;
        pair.purging = Touched::default();
        Ok(())
    }

    /// Writes the row again: the log and META's memtable then hold something.
    pub(super) fn repeat(&self, db: &DB) -> Result<(), rocksdb::Error> {
        let pair = self.pair();
        db.put_opt(TOUCHED_KEY, pair.together(&pair.since).encode(), &rows::synced())
    }

    /// Whether something was removed since the last purge.
    pub(super) fn removed(&self) -> bool {
        let pair = self.pair();
        pair.since.removed || pair.purging.removed
    }

    fn pair(&self) -> MutexGuard<'_, Pair> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pair {
    fn together(&self, since: &Touched) -> Touched {
        let mut all = since.clone();
        all.join(&self.purging);
        all
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{INDEX, JOURNAL};
    use super::*;

    proptest! {
        #[test]
        fn any_row_is_refused_or_means_the_same_again(row in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Some(touched) = Touched::decode(&row) {
                prop_assert_eq!(Touched::decode(&touched.encode()), Some(touched));
            }
        }
    }

    #[test]
    fn many_keys_become_days_and_then_everything() {
        let mut touched = Touched::default();
        for number in 0..100_u64 {
            touched.add(PAYLOAD, &[&7_u32.to_be_bytes()[..], &number.to_be_bytes()].concat());
            touched.add(JOURNAL, &number.to_be_bytes());
        }
        touched.add(INDEX, b"one");
        assert_eq!(touched.of(PAYLOAD), [&7_u32.to_be_bytes()[..]]);
        assert_eq!((touched.of(JOURNAL), touched.of(INDEX)), (vec![&b""[..]], vec![&b"one"[..]]));
        (0..100_u32).for_each(|day| touched.add(PAYLOAD, &[&day.to_be_bytes()[..], &[0; 8]].concat()));
        assert_eq!(touched.of(PAYLOAD), [b""]);
        assert_eq!(Touched::decode(&touched.encode()), Some(touched));
    }
}
