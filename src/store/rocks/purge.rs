//! Bytes of removed and overwritten rows leave the files (`docs/store-format.md`).
//!
//! A deletion is a mark. RocksDB drops the value when a compaction meets both, and its ordinary manual compaction never rewrites the last
//! level, where values settle. So: memtables go to files (and the log with them), each range that was touched is rewritten down to the
//! last level by force, and then it is *checked* that no file of before is left.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use rocksdb::{BottommostLevelCompaction, Cache, CompactOptions, DB, LiveFile, WriteBatch};

use super::rows::{self, Totals};
use super::touched::{Marks, Touched};
use super::tuning::BLOCK_CACHE;
use super::{FAMILIES, META, PAYLOAD, reading};
use crate::store::{Purged, StoreError};

/// Times that the touched ranges are rewritten: a compaction of its own may have been under way.
const ROUNDS: usize = 3;
/// How long files may be held by readers that began before.
const PATIENCE: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(10);
/// Room that is left over on the disk beside what is rewritten.
const MARGIN: u64 = 16 << 20;
/// Days that are looked at one by one.
const MOST_DAYS: u32 = 20_000;
/// More than any key goes on after a prefix.
const END: [u8; 96] = [0xff; 96];

/// Purges one store, one purge at a time.
pub(super) struct Purger {
    /// Weak: a purge that nobody waits for must not keep the folder locked.
    db: Weak<DB>,
    folder: PathBuf,
    cache: Cache,
    marks: Arc<Marks>,
    turn: Mutex<()>,
    closing: AtomicBool,
}

impl Purger {
    pub(super) fn new(db: &Arc<DB>, folder: &Path, cache: Cache, marks: Arc<Marks>) -> Self {
        let (db, folder) = (Arc::downgrade(db), folder.to_owned());
        Self { db, folder, cache, marks, turn: Mutex::new(()), closing: AtomicBool::new(false) }
    }

    /// Whether something was removed since the last purge.
    pub(super) fn is_due(&self) -> bool {
        self.marks.removed()
    }

    /// No purge begins from now on. True if one is under way.
    pub(super) fn close(&self) -> bool {
        self.closing.store(true, Ordering::Relaxed);
        matches!(self.turn.try_lock(), Err(std::sync::TryLockError::WouldBlock))
    }

    /// Waits for the purge that is under way.
    pub(super) fn wait(&self) {
        drop(self.turn.lock());
    }

    /// Blocks for as long as files are rewritten; writes and reads go on.
    pub(super) fn run(&self) -> Result<Purged, StoreError> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.go_on()?;
        let db = self.db.upgrade().ok_or(StoreError::Unavailable)?;
        let (started, before) = (Instant::now(), disk_bytes(&self.folder));
        let logs = self.logs();
        let mut touched = self.marks.begin();
        // The totals are overwritten with every batch.
        touched.add(META, b"");
        let before_days = names(&must_go(&db.live_files().map_err(reading)?, &touched));
        let days = drop_days(&db, &touched)?;
        self.marks.repeat(&db).map_err(reading)?;
        for name in FAMILIES {
            db.flush_cf(&rows::family(&db, name)?).map_err(reading)?;
        }
        let families = self.rewrite(&db, &touched, before_days)?;
        self.evict();
        self.wait_until_gone(&logs)?;
        self.marks.end(&db).map_err(reading)?;
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(Purged { bytes_before: before, bytes_after: disk_bytes(&self.folder), families, days, millis })
    }

    /// Rewrites what was touched; `gone` went already and may still be read. Number of families.
    fn rewrite(&self, db: &DB, touched: &Touched, gone: BTreeSet<String>) -> Result<u64, StoreError> {
        let old: Vec<LiveFile> = must_go(&db.live_files().map_err(reading)?, touched);
        self.has_room(&old)?;
        let mut families = 0;
        for name in FAMILIES {
            let ranges = ranges(&touched.of(name), old.iter().filter(|file| file.column_family_name == name));
            families += u64::from(!ranges.is_empty());
            self.compact(db, name, &ranges)?;
        }
        let names: BTreeSet<String> = names(&old).into_iter().chain(gone).collect();
        for round in 0.. {
            let live = db.live_files().map_err(reading)?;
            let left: Vec<_> = live.into_iter().filter(|file| names.contains(name(file))).collect();
            if left.is_empty() {
                break;
            }
            if round == ROUNDS {
                // RocksDB's function has no result: what went wrong is seen here alone, by what is left.
                return Err(StoreError::NotPurged(format!("{} files were not rewritten", left.len())));
            }
            for file in left {
                self.compact(db, &file.column_family_name, &[(file.start_key, file.end_key)])?;
            }
        }
        self.wait_until_gone(&names)?;
        Ok(families)
    }

    fn compact(&self, db: &DB, name: &str, ranges: &[Range]) -> Result<(), StoreError> {
        let family = rows::family(db, name)?;
        let mut options = CompactOptions::default();
        // Threat: by default values that settled in the last level stay there, deleted, for ever.
        options.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
        // Beside the automatic ones, which would otherwise stop, and in the end writes with them.
        options.set_exclusive_manual_compaction(false);
        for (start, end) in ranges {
            self.go_on()?;
            db.compact_range_cf_opt(&family, start.as_deref(), end.as_deref(), &options);
        }
        Ok(())
    }

    /// Threat: a compaction that fills the disk makes RocksDB refuse every further write.
    fn has_room(&self, files: &[LiveFile]) -> Result<(), StoreError> {
        let of = |name: &str| files.iter().filter(|file| file.column_family_name == name).map(|file| file.size as u64).sum();
        let needed = FAMILIES.iter().map(|name| of(name)).max().unwrap_or(0u64) + MARGIN;
        let free = rustix::fs::statvfs(&self.folder).map_err(|error| StoreError::Io(error.to_string()))?;
        let free = free.f_bavail.saturating_mul(free.f_frsize);
        if free < needed { Err(StoreError::NoRoom { needed, free }) } else { Ok(()) }
    }

    /// Threat: blocks of files that are gone stay in the cache, and in a core image, until others push them out.
    fn evict(&self) {
        let mut cache = self.cache.clone();
        cache.set_capacity(0);
        cache.set_capacity(BLOCK_CACHE);
    }

    /// Files of these names are unlinked by background threads, and not before the last reader has let go.
    ///
    /// Threat: a log that is kept, recycled or moved to an archive, a file that waits as trash. The options rule them out
    /// (see the store's tuning); this is the proof for the folder at hand.
    fn wait_until_gone(&self, names: &BTreeSet<String>) -> Result<(), StoreError> {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = names.iter().find(|name| self.folder.join(name).metadata().is_ok_and(|meta| meta.len() > 0));
            let trash = entries(&self.folder)
                .find(|name| Path::new(name).extension().is_some_and(|ending| ending == "trash") || name == "archive");
            let Some(left) = left.cloned().or(trash) else { return Ok(()) };
            if Instant::now() > until {
                return Err(StoreError::NotPurged(format!("{left} is still there: something reads it")));
            }
            std::thread::sleep(STEP);
            self.go_on()?;
        }
    }

    fn logs(&self) -> BTreeSet<String> {
        entries(&self.folder).filter(|name| Path::new(name).extension().is_some_and(|ending| ending == "log")).collect()
    }

    fn go_on(&self) -> Result<(), StoreError> {
        if self.closing.load(Ordering::Relaxed) { Err(StoreError::Unavailable) } else { Ok(()) }
    }
}

/// First and last key; `None`: without end.
type Range = (Option<Vec<u8>>, Option<Vec<u8>>);

/// Files in which a touched row may lie.
fn must_go(live: &[LiveFile], touched: &Touched) -> Vec<LiveFile> {
    let covers = |file: &&LiveFile| touched.of(&file.column_family_name).iter().any(|prefix| covers(file, prefix));
    live.iter().filter(covers).cloned().collect()
}

/// A file's name in the folder.
fn name(file: &LiveFile) -> &str {
    file.name.trim_start_matches('/')
}

fn names(files: &[LiveFile]) -> BTreeSet<String> {
    files.iter().map(|file| name(file).to_owned()).collect()
}

fn covers(file: &LiveFile, prefix: &[u8]) -> bool {
    let (Some(start), Some(end)) = (&file.start_key, &file.end_key) else { return true };
    (start.as_slice() <= prefix || start.starts_with(prefix)) && end.as_slice() >= prefix
}

/// Ranges to compact: neighbours that share a file go together, so that it is rewritten once.
fn ranges<'a>(prefixes: &[&[u8]], files: impl Iterator<Item = &'a LiveFile>) -> Vec<Range> {
    let files: Vec<&LiveFile> = files.collect();
    let mut ranges: Vec<(&[u8], &[u8])> = Vec::new();
    for prefix in prefixes.iter().copied() {
        match ranges.last_mut() {
            Some((_, last)) if files.iter().any(|file| covers(file, last) && covers(file, prefix)) => *last = prefix,
            _ => ranges.push((prefix, prefix)),
        }
    }
    let whole = |prefix: &[u8]| prefix.is_empty();
    let bounds = |(first, last): (&[u8], &[u8])| {
        ((!whole(first)).then(|| first.to_vec()), (!whole(last)).then(|| [last, &END[..]].concat()))
    };
    ranges.into_iter().map(bounds).collect()
}

/// Drops the files of days of which nothing is left, instead of reading them once more. Number of days.
///
/// Threat: a file with nothing but deletion marks goes, and values below it in a file that reaches further come back. So the day is marked
/// as a whole, before and after; and only up to the newest number, since numbers are never used twice and a row may be coming.
fn drop_days(db: &DB, touched: &Touched) -> Result<u64, StoreError> {
    let family = rows::family(db, PAYLOAD)?;
    let next = Totals::load(db)?.next;
    let mut dropped = 0;
    for day in days(&db.live_files().map_err(reading)?, touched) {
        let key = |number: u64| [&day.to_be_bytes()[..], &number.to_be_bytes()].concat();
        let mut there = db.raw_iterator_cf(&family);
        there.seek(key(0));
        there.status().map_err(reading)?;
        if next == 0 || there.key().is_some_and(|key| key.starts_with(&day.to_be_bytes())) {
            continue;
        }
        drop(there);
        let mark = || {
            let mut batch = WriteBatch::default();
            batch.delete_range_cf(&family, key(0), key(next));
            db.write_opt(batch, &rows::synced()).map_err(reading)
        };
        mark()?;
        db.delete_file_in_range_cf(&family, key(0), key(next - 1)).map_err(reading)?;
        mark()?;
        dropped += 1;
    }
    Ok(dropped)
}

/// Days that were touched and may have files.
fn days(live: &[LiveFile], touched: &Touched) -> BTreeSet<u32> {
    let day = |key: &[u8]| key.first_chunk::<4>().map(|day| u32::from_be_bytes(*day));
    let mut days = BTreeSet::new();
    for prefix in touched.of(PAYLOAD) {
        if let Some(day) = day(prefix) {
            days.insert(day);
            continue;
        }
        let files = live.iter().filter(|file| file.column_family_name == PAYLOAD);
        for file in files {
            let bound = |key: &Option<Vec<u8>>| key.as_deref().and_then(day);
            if let (Some(first), Some(last)) = (bound(&file.start_key), bound(&file.end_key)) {
                days.extend(first..=last.min(first.saturating_add(MOST_DAYS)));
            }
        }
    }
    days
}

fn entries(folder: &Path) -> impl Iterator<Item = String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned())
}

/// Bytes of all files of the folder.
pub(super) fn disk_bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|meta| meta.len()).sum()
}
