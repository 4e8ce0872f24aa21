//! The embedded store: RocksDB, tuned for ciphertext and a small footprint (`docs/store-format.md`).

mod audit;
mod commit;
#[cfg(test)]
mod faults;
mod journal;
#[cfg(test)]
mod leftovers;
mod purge;
mod rows;
#[cfg(test)]
mod tests;
mod touched;
mod tuning;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use async_trait::async_trait;
use bytes::Bytes;
use rocksdb::{DB, Direction, IteratorMode, ReadOptions};
use tokio::sync::{mpsc, oneshot};

use self::commit::{Committed, Committer, Op, Reply, Request};
use self::purge::Purger;
use self::rows::{Index, Totals};
use self::touched::Marks;
use super::{Event, Inserted, JournalRow, Kind, Lookup, Purged, Record, Stats, Store, StoreError, Table, Tombstone, Write};
use crate::shred::SealedHead;
use crate::types::{GroupId, PayloadId};

pub(super) use audit::{Finding, Order};

/// Format of the rows; written once, refused if newer.
const FORMAT: u32 = 3;

const META: &str = "default";
const INDEX: &str = "index";
const PAYLOAD: &str = "payload";
const TOMBSTONE: &str = "tombstone";
const GROUP: &str = "group";
const JOURNAL: &str = "journal";
const TRACE: &str = "trace";
const BESIDE: &str = "beside";
const TABLE: &str = "table";
const FAMILIES: [&str; 9] = [META, INDEX, PAYLOAD, TOMBSTONE, GROUP, JOURNAL, TRACE, BESIDE, TABLE];

/// Ciphertext of one page of a scan: large payloads make short pages.
const PAGE_BYTES: usize = 8 << 20;
/// Writes that may wait; beyond it callers wait too.
const QUEUE: usize = 4096;

/// A store in a folder of its own.
pub struct RocksStore {
    db: Arc<DB>,
    folder: PathBuf,
    requests: mpsc::Sender<Request>,
    committer: Mutex<Option<JoinHandle<()>>>,
    committed: Arc<Committed>,
    /// None in a store that is only looked at.
    purger: Option<Arc<Purger>>,
}

impl RocksStore {
    /// Opens the store of a folder, or makes it. One process at a time.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(|error| StoreError::Io(format!("{}: {error}", folder.display())))?;
        let cache = tuning::cache();
        let db = DB::open_cf_descriptors(&tuning::database(), folder, tuning::families(&cache));
        let db = Arc::new(db.map_err(|error| opening(folder, &error))?);
        // Formats 1 and 2 lack the families of the journal and of tables; they were just made.
        let found = format_of(&db)?;
        let marks = Arc::new(Marks::load(&db, found.is_none())?);
        if found.is_none_or(|found| found < FORMAT) {
            db.put_opt(rows::FORMAT_KEY, FORMAT.to_be_bytes(), &rows::synced()).map_err(reading)?;
        }
        let committed = Arc::<Committed>::default();
        let writer = Committer::new(Arc::clone(&db), Totals::load(&db)?, Arc::clone(&committed), Arc::clone(&marks));
        let (requests, waiting) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new().name("store-commit".into()).spawn(move || writer.run(waiting));
        let thread = thread.map_err(|error| StoreError::Io(format!("no thread for the committer: {error}")))?;
        let purger = Some(Arc::new(Purger::new(&db, folder, cache, marks)));
        Ok(Self { db, folder: folder.to_owned(), requests, committer: Mutex::new(Some(thread)), committed, purger })
    }

    /// Opens a store that is there, and changes nothing: writes are refused with [`StoreError::Unavailable`].
    pub fn open_read_only(folder: &Path) -> Result<Self, StoreError> {
        let mut options = tuning::database();
        options.create_if_missing(false);
        options.create_missing_column_families(false);
        let there = DB::list_cf(&options, folder).map_err(|error| opening(folder, &error))?;
        let families =
            tuning::families(&tuning::cache()).into_iter().filter(|family| there.iter().any(|name| name == family.name()));
        let db = DB::open_cf_descriptors_read_only(&options, folder, families, false);
        let db = Arc::new(db.map_err(|error| opening(folder, &error))?);
        format_of(&db)?.ok_or_else(|| StoreError::Corrupt("the format row is missing".into()))?;
        let (requests, _) = mpsc::channel(1);
        let committer = Mutex::new(None);
        Ok(Self { db, folder: folder.to_owned(), requests, committer, committed: Arc::default(), purger: None })
    }

    async fn commit(&self, op: Op) -> Result<Reply, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request { op: Box::new(op), reply }).await.map_err(|_| StoreError::Unavailable)?;
        answer.await.map_err(|_| StoreError::Unavailable)?
    }

    fn index(&self, kind: Kind, id: &PayloadId) -> Result<Lookup<Index>, StoreError> {
        if let Some(index) = rows::index(&self.db, kind, id)? {
            return Ok(Lookup::Found(index));
        }
        Ok(rows::tombstone(&self.db, id)?.map_or(Lookup::Absent, Lookup::Erased))
    }

    /// Salts and records of the events about a payload that its erasure will silence.
    pub fn erasable_events(&self, id: &PayloadId) -> Result<Vec<([u8; 32], Bytes)>, StoreError> {
        let rows = journal::trace(&self.db, id)?.into_iter().map(|index| journal::raw(&self.db, index));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        Ok(rows.into_iter().flatten().filter_map(|row| JournalRow::erasable(&row)).collect())
    }

    fn record(&self, index: Index) -> Result<Option<Record>, StoreError> {
        let ciphertext = rows::ciphertext(&self.db, &index)?;
        Ok(ciphertext.map(|bytes| Record { time: index.time, nonce: index.nonce, head: index.head, ciphertext: bytes.into() }))
    }
}

/// Finishes what waits, so that the folder is free when this returns.
impl Drop for RocksStore {
    fn drop(&mut self) {
        let (nobody, _) = mpsc::channel(1);
        drop(std::mem::replace(&mut self.requests, nobody));
        if let Some(thread) = self.committer.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            // It ends when the last request is answered; a panic in it has been printed.
            let _ = thread.join();
        }
        if let Some(purger) = &self.purger
            && purger.close()
        {
            self.db.cancel_all_background_work(false);
            purger.wait();
        }
    }
}

#[async_trait]
impl Store for RocksStore {
    async fn get(&self, kind: Kind, id: &PayloadId) -> Result<Lookup<Record>, StoreError> {
        let mut before = None;
        loop {
            let index = match self.index(kind, id)? {
                Lookup::Found(index) => index,
                Lookup::Absent => return Ok(Lookup::Absent),
                Lookup::Erased(tombstone) => return Ok(Lookup::Erased(tombstone)),
            };
            let number = index.number;
            if let Some(record) = self.record(index)? {
                return Ok(Lookup::Found(record));
            }
            // Removed between the two reads, and perhaps inserted again: ask again. The same row twice: its ciphertext is lost.
            if before.replace(number) == Some(number) {
                return Err(StoreError::Corrupt(format!("payload {id} has no ciphertext")));
            }
        }
    }

    async fn head(&self, kind: Kind, id: &PayloadId) -> Result<Lookup<SealedHead>, StoreError> {
        Ok(match self.index(kind, id)? {
            Lookup::Found(index) => Lookup::Found(index.head),
            Lookup::Absent => Lookup::Absent,
            Lookup::Erased(tombstone) => Lookup::Erased(tombstone),
        })
    }

    async fn dated_head(&self, kind: Kind, id: &PayloadId) -> Result<Option<(u64, SealedHead)>, StoreError> {
        Ok(rows::index(&self.db, kind, id)?.map(|index| (index.time, index.head)))
    }

    async fn insert_with(
        &self,
        kind: Kind,
        id: PayloadId,
        record: Record,
        event: Option<Event>,
        rows: Vec<Write>,
    ) -> Result<Inserted, StoreError> {
        match self.commit(Op::Insert(kind, id, record, event, rows)).await? {
            Reply::Inserted(inserted) => Ok(inserted),
            Reply::Done(_) | Reply::Noted(_) => Err(StoreError::Unavailable),
        }
    }

    async fn replace_head(&self, kind: Kind, id: PayloadId, old: SealedHead, new: SealedHead) -> Result<bool, StoreError> {
        Ok(matches!(self.commit(Op::ReplaceHead(kind, id, old, new)).await?, Reply::Done(true)))
    }

    async fn forget(&self, kind: Kind, id: PayloadId, head: SealedHead) -> Result<bool, StoreError> {
        Ok(matches!(self.commit(Op::Forget(kind, id, head)).await?, Reply::Done(true)))
    }

    async fn bury_noted(&self, id: PayloadId, tombstone: Tombstone, event: Option<Event>) -> Result<(), StoreError> {
        self.commit(Op::Bury(id, tombstone, event)).await.map(drop)
    }

    async fn scan(&self, kind: Kind, after: Option<PayloadId>, limit: usize) -> Result<Vec<(PayloadId, Record)>, StoreError> {
        let family = rows::family(&self.db, INDEX)?;
        let start = after.map_or_else(|| vec![kind as u8], |id| rows::index_key(kind, &id).to_vec());
        let mut once = ReadOptions::default();
        once.fill_cache(false);
        let (mut found, mut bytes) = (Vec::new(), 0);
        for row in self.db.iterator_cf_opt(&family, once, IteratorMode::From(&start, Direction::Forward)) {
            let (key, value) = row.map_err(reading)?;
            let (kind_found, id) = rows::parse_index_key(&key).ok_or_else(|| StoreError::Corrupt("an index key".into()))?;
            if kind_found != kind || found.len() == limit || bytes > PAGE_BYTES {
                break;
            }
            if Some(id) == after {
                continue;
            }
            let index = Index::decode(&value)?;
            // Removed since the scan began: passed over. Lost: an error from `get`.
            let record = match self.record(index)? {
                Some(record) => Some(record),
                None => match self.get(kind, &id).await? {
                    Lookup::Found(record) => Some(record),
                    Lookup::Absent | Lookup::Erased(_) => None,
                },
            };
            bytes += record.as_ref().map_or(0, |record| record.ciphertext.len());
            found.extend(record.map(|record| (id, record)));
        }
        Ok(found)
    }

    async fn heads(
        &self,
        kind: Kind,
        after: Option<PayloadId>,
        limit: usize,
    ) -> Result<Vec<(PayloadId, u64, SealedHead)>, StoreError> {
        rows::heads(&self.db, kind, after, limit)
    }

    async fn put_group(&self, id: GroupId, data: Bytes) -> Result<(), StoreError> {
        self.commit(Op::PutGroup(id, data)).await.map(drop)
    }

    async fn group(&self, id: &GroupId) -> Result<Option<Bytes>, StoreError> {
        let row = self.db.get_cf(&rows::family(&self.db, GROUP)?, &id.0).map_err(reading)?;
        Ok(row.map(Bytes::from))
    }

    async fn groups(&self) -> Result<Vec<(GroupId, Bytes)>, StoreError> {
        let rows = self.db.iterator_cf(&rows::family(&self.db, GROUP)?, IteratorMode::Start);
        rows.map(|row| row.map(|(key, value)| (GroupId(key.to_vec()), Bytes::from(value.to_vec()))).map_err(reading)).collect()
    }

    async fn note(&self, event: Event) -> Result<u64, StoreError> {
        match self.commit(Op::Note(event)).await? {
            Reply::Noted(index) => Ok(index),
            Reply::Done(_) | Reply::Inserted(_) => Err(StoreError::Unavailable),
        }
    }

    async fn journal(&self, from: u64, limit: usize) -> Result<Vec<JournalRow>, StoreError> {
        journal::rows(&self.db, from, limit)
    }

    async fn journal_size(&self) -> Result<u64, StoreError> {
        Ok(Totals::load(&self.db)?.events)
    }

    async fn trace(&self, id: &PayloadId) -> Result<Vec<u64>, StoreError> {
        journal::trace(&self.db, id)
    }

    async fn put_beside(&self, id: PayloadId, sealed: Bytes, event: Option<Event>) -> Result<bool, StoreError> {
        Ok(matches!(self.commit(Op::PutBeside(id, sealed, event)).await?, Reply::Done(true)))
    }

    async fn beside(&self, id: &PayloadId) -> Result<Option<Bytes>, StoreError> {
        let row = self.db.get_cf(&rows::family(&self.db, BESIDE)?, id.as_bytes()).map_err(reading)?;
        Ok(row.map(Bytes::from))
    }

    async fn write(&self, rows: Vec<Write>, events: Vec<Event>) -> Result<(), StoreError> {
        self.commit(Op::Write(rows, events)).await.map(drop)
    }

    async fn row(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        let row = self.db.get_cf(&rows::family(&self.db, TABLE)?, table.place(key)).map_err(reading)?;
        Ok(row.map(Bytes::from))
    }

    async fn rows(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, StoreError> {
        let (family, prefix) = (rows::family(&self.db, TABLE)?, table.place(prefix));
        let after = after.map(|after| table.place(after));
        let start = after.as_ref().map_or(&prefix, |after| after.max(&prefix));
        let mut found = Vec::new();
        for row in self.db.iterator_cf_opt(&family, rows::within(&prefix), IteratorMode::From(start, Direction::Forward)) {
            let (key, value) = row.map_err(reading)?;
            if found.len() == limit {
                break;
            }
            if after.as_deref() != Some(&*key) {
                found.push((Bytes::copy_from_slice(&key[1..]), Bytes::from(value.into_vec())));
            }
        }
        Ok(found)
    }

    async fn purge(&self) -> Result<Purged, StoreError> {
        let purger = self.purger.clone().ok_or(StoreError::Unavailable)?;
        let purged = tokio::task::spawn_blocking(move || purger.run()).await.map_err(|_| StoreError::Unavailable)??;
        self.commit(Op::Sweep).await?;
        Ok(purged)
    }

    fn purge_due(&self) -> bool {
        self.purger.as_ref().is_some_and(|purger| purger.is_due())
    }

    async fn stats(&self) -> Result<Stats, StoreError> {
        let totals = Totals::load(&self.db)?;
        let (commits, writes) = self.committed.read();
        Ok(Stats {
            payloads: totals.payloads,
            raws: totals.raws,
            tombstones: totals.tombstones,
            events: totals.events,
            disk_bytes: purge::disk_bytes(&self.folder),
            commits,
            writes,
        })
    }

    async fn close(&self) -> Result<(), StoreError> {
        let purging = self.purger.as_ref().is_some_and(|purger| purger.close());
        self.commit(Op::Close).await?;
        if purging {
            // All is flushed and nothing more comes: a long compaction need not be waited for.
            self.db.cancel_all_background_work(false);
        }
        let thread = self.committer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It ended with the answer above.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
        Ok(())
    }
}

/// The store's format; `None` in a store just made, an error in one of a newer Celosia.
fn format_of(db: &DB) -> Result<Option<u32>, StoreError> {
    let Some(row) = db.get(rows::FORMAT_KEY).map_err(reading)? else { return Ok(None) };
    let found = row.as_slice().try_into().map(u32::from_be_bytes);
    let found = found.map_err(|_| StoreError::Corrupt("the format row".into()))?;
    if found > FORMAT { Err(StoreError::Version { found, known: FORMAT }) } else { Ok(Some(found)) }
}

fn opening(folder: &Path, error: &rocksdb::Error) -> StoreError {
    let text = format!("{}: {error}", folder.display());
    // RocksDB says it with its file's name alone: another process, or a second store of this one.
    let locked = text.contains("/LOCK:") || text.contains("lock hold by current process");
    match error.kind() {
        rocksdb::ErrorKind::IOError if locked && !text.contains("No space") && !text.contains("Read-only") => {
            StoreError::Locked(text)
        }
        rocksdb::ErrorKind::Corruption => StoreError::Corrupt(text),
        _ => StoreError::Io(text),
    }
}

#[allow(clippy::needless_pass_by_value)] // the shape that `map_err` wants
fn reading(error: rocksdb::Error) -> StoreError {
    match error.kind() {
        rocksdb::ErrorKind::Corruption => StoreError::Corrupt(error.to_string()),
        _ => StoreError::Io(error.to_string()),
    }
}
