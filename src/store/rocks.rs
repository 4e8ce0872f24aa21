//! The embedded store: RocksDB, tuned for ciphertext and a small footprint (`docs/store-format.md`).

mod commit;
mod rows;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamilyDescriptor, DB, DBCompressionType, Direction, IteratorMode, Options, ReadOptions,
};
use tokio::sync::{mpsc, oneshot};

use self::commit::{Committed, Committer, Op, Reply, Request};
use self::rows::{Index, Totals};
use super::{Inserted, Kind, Lookup, Record, Stats, Store, StoreError, Tombstone};
use crate::shred::SealedHead;
use crate::types::{GroupId, PayloadId};

/// Format of the rows; written once, refused if newer.
const FORMAT: u32 = 1;

const META: &str = "default";
const INDEX: &str = "index";
const PAYLOAD: &str = "payload";
const TOMBSTONE: &str = "tombstone";
const GROUP: &str = "group";

/// Writes that may wait; beyond it callers wait too.
const QUEUE: usize = 4096;
const MIB: usize = 1 << 20;
/// All memtables together.
const WRITE_BUFFER: usize = 12 * MIB;
/// Blocks read from files.
const BLOCK_CACHE: usize = 6 * MIB;
const OPEN_FILES: i32 = 256;

/// A store in a folder of its own.
pub struct RocksStore {
    db: Arc<DB>,
    folder: PathBuf,
    requests: mpsc::Sender<Request>,
    committer: Mutex<Option<std::thread::JoinHandle<()>>>,
    committed: Arc<Committed>,
}

impl RocksStore {
    /// Opens the store of a folder, or makes it. One process at a time.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        std::fs::create_dir_all(folder).map_err(|error| StoreError::Io(format!("{}: {error}", folder.display())))?;
        let cache = Cache::new_lru_cache(BLOCK_CACHE);
        let db = DB::open_cf_descriptors(&options(), folder, families(&cache)).map_err(|error| opening(folder, &error))?;
        let db = Arc::new(db);
        check_format(&db)?;
        let totals = Totals::load(&db)?;
        let (requests, waiting) = mpsc::channel(QUEUE);
        let committed = Arc::<Committed>::default();
        let committer = Committer::new(Arc::clone(&db), totals, Arc::clone(&committed));
        let thread = std::thread::Builder::new().name("store-commit".into()).spawn(move || committer.run(waiting));
        let thread = thread.map_err(|error| StoreError::Io(format!("no thread for the committer: {error}")))?;
        Ok(Self { db, folder: folder.to_owned(), requests, committer: Mutex::new(Some(thread)), committed })
    }

    async fn commit(&self, op: Op) -> Result<Reply, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request { op, reply }).await.map_err(|_| StoreError::Unavailable)?;
        answer.await.map_err(|_| StoreError::Unavailable)?
    }

    fn index(&self, kind: Kind, id: &PayloadId) -> Result<Lookup<Index>, StoreError> {
        let row = self.db.get_pinned_cf(&rows::family(&self.db, INDEX)?, rows::index_key(kind, id)).map_err(reading)?;
        if let Some(row) = row {
            return Ok(Lookup::Found(Index::decode(&row)?));
        }
        Ok(match rows::tombstone(&self.db, id)? {
            Some(tombstone) => Lookup::Erased(tombstone),
            None => Lookup::Absent,
        })
    }

    fn record(&self, kind: Kind, id: &PayloadId, index: Index) -> Result<Option<Record>, StoreError> {
        let family = rows::family(&self.db, PAYLOAD)?;
        let ciphertext = self.db.get_cf(&family, rows::payload_key(index.day, kind, id)).map_err(reading)?;
        Ok(ciphertext.map(|ciphertext| Record {
            time: index.time,
            nonce: index.nonce,
            head: index.head,
            ciphertext: Bytes::from(ciphertext),
        }))
    }
}

#[async_trait]
impl Store for RocksStore {
    async fn get(&self, kind: Kind, id: &PayloadId) -> Result<Lookup<Record>, StoreError> {
        match self.index(kind, id)? {
            Lookup::Found(index) => match self.record(kind, id, index)? {
                Some(record) => Ok(Lookup::Found(record)),
                // Erased or withdrawn between the two reads, or a row is lost.
                None => match self.index(kind, id)? {
                    Lookup::Found(_) => Err(StoreError::Corrupt(format!("payload {id} has no ciphertext"))),
                    Lookup::Absent => Ok(Lookup::Absent),
                    Lookup::Erased(tombstone) => Ok(Lookup::Erased(tombstone)),
                },
            },
            Lookup::Absent => Ok(Lookup::Absent),
            Lookup::Erased(tombstone) => Ok(Lookup::Erased(tombstone)),
        }
    }

    async fn head(&self, kind: Kind, id: &PayloadId) -> Result<Lookup<SealedHead>, StoreError> {
        Ok(match self.index(kind, id)? {
            Lookup::Found(index) => Lookup::Found(index.head),
            Lookup::Absent => Lookup::Absent,
            Lookup::Erased(tombstone) => Lookup::Erased(tombstone),
        })
    }

    async fn insert(&self, kind: Kind, id: PayloadId, record: Record) -> Result<Inserted, StoreError> {
        match self.commit(Op::Insert(kind, id, record)).await? {
            Reply::Inserted(inserted) => Ok(inserted),
            _ => Err(StoreError::Unavailable),
        }
    }

    async fn replace_head(&self, kind: Kind, id: PayloadId, old: SealedHead, new: SealedHead) -> Result<bool, StoreError> {
        Ok(matches!(self.commit(Op::ReplaceHead(kind, id, old, new)).await?, Reply::Done(true)))
    }

    async fn forget(&self, kind: Kind, id: PayloadId, head: SealedHead) -> Result<bool, StoreError> {
        Ok(matches!(self.commit(Op::Forget(kind, id, head)).await?, Reply::Done(true)))
    }

    async fn bury(&self, id: PayloadId, tombstone: Tombstone) -> Result<(), StoreError> {
        self.commit(Op::Bury(id, tombstone)).await.map(drop)
    }

    async fn scan(&self, kind: Kind, after: Option<PayloadId>, limit: usize) -> Result<Vec<(PayloadId, Record)>, StoreError> {
        let family = rows::family(&self.db, INDEX)?;
        let start = after.map_or_else(|| vec![kind as u8], |id| rows::index_key(kind, &id).to_vec());
        let mut reading_options = ReadOptions::default();
        reading_options.fill_cache(false);
        let rows = self.db.iterator_cf_opt(&family, reading_options, IteratorMode::From(&start, Direction::Forward));
        let mut found = Vec::new();
        for row in rows {
            let (key, value) = row.map_err(reading)?;
            let Some((kind_found, id)) = rows::parse_index_key(&key) else {
                return Err(StoreError::Corrupt("an index key".into()));
            };
            if kind_found != kind as u8 || found.len() == limit {
                break;
            }
            if Some(id) == after {
                continue;
            }
            if let Some(record) = self.record(kind, &id, Index::decode(&value)?)? {
                found.push((id, record));
            }
        }
        Ok(found)
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

    async fn stats(&self) -> Result<Stats, StoreError> {
        let totals = Totals::load(&self.db)?;
        let disk_bytes = std::fs::read_dir(&self.folder)
            .map(|entries| entries.flatten().filter_map(|entry| entry.metadata().ok()).map(|meta| meta.len()).sum())
            .unwrap_or_default();
        let (commits, writes) = self.committed.read();
        Ok(Stats { payloads: totals.payloads, raws: totals.raws, tombstones: totals.tombstones, disk_bytes, commits, writes })
    }

    async fn close(&self) -> Result<(), StoreError> {
        self.commit(Op::Close).await?;
        let thread = self.committer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It ended with the answer above.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
        Ok(())
    }
}

fn options() -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_db_write_buffer_size(WRITE_BUFFER);
    options.set_max_total_wal_size(2 * WRITE_BUFFER as u64);
    options.set_max_background_jobs(2);
    options.set_max_open_files(OPEN_FILES);
    options.set_keep_log_file_num(2);
    options.set_max_log_file_size(MIB);
    options.set_max_manifest_file_size(4 * MIB);
    // One writer thread: the pipeline and its locks bring nothing.
    options.set_enable_pipelined_write(false);
    options.set_allow_concurrent_memtable_write(false);
    // A torn last record is what a crash leaves; whatever was acknowledged lies before it.
    options.set_wal_recovery_mode(rocksdb::DBRecoveryMode::TolerateCorruptedTailRecords);
    options
}

fn families(cache: &Cache) -> Vec<ColumnFamilyDescriptor> {
    let family = |name: &str, write_buffer: usize, block: usize| {
        let mut blocks = BlockBasedOptions::default();
        blocks.set_block_cache(cache);
        blocks.set_block_size(block);
        blocks.set_bloom_filter(10.0, false);
        blocks.set_cache_index_and_filter_blocks(true);
        blocks.set_pin_l0_filter_and_index_blocks_in_cache(true);
        blocks.set_format_version(5);
        let mut options = Options::default();
        options.set_block_based_table_factory(&blocks);
        // Payloads are ciphertext: nothing to gain, and sizes would tell of contents.
        options.set_compression_type(DBCompressionType::None);
        options.set_write_buffer_size(write_buffer);
        options.set_max_write_buffer_number(3);
        options.set_level_compaction_dynamic_level_bytes(true);
        ColumnFamilyDescriptor::new(name, options)
    };
    vec![
        family(META, MIB, 4096),
        family(INDEX, 4 * MIB, 4096),
        family(PAYLOAD, 8 * MIB, 16 * 1024),
        family(TOMBSTONE, MIB, 4096),
        family(GROUP, MIB, 4096),
    ]
}

fn check_format(db: &DB) -> Result<(), StoreError> {
    match db.get(rows::FORMAT_KEY).map_err(reading)? {
        None => rows::write_format(db, FORMAT),
        Some(row) => {
            let found = row.as_slice().try_into().map(u32::from_be_bytes);
            let found = found.map_err(|_| StoreError::Corrupt("the format row".into()))?;
            if found > FORMAT { Err(StoreError::Version { found, known: FORMAT }) } else { Ok(()) }
        }
    }
}

fn opening(folder: &Path, error: &rocksdb::Error) -> StoreError {
    let text = format!("{}: {error}", folder.display());
    match error.kind() {
        _ if text.contains("lock") => StoreError::Locked(text),
        rocksdb::ErrorKind::Corruption => StoreError::Corrupt(text),
        _ => StoreError::Io(text),
    }
}

fn reading(error: rocksdb::Error) -> StoreError {
    match error.kind() {
        rocksdb::ErrorKind::Corruption => StoreError::Corrupt(error.to_string()),
        _ => StoreError::Io(error.to_string()),
    }
}
