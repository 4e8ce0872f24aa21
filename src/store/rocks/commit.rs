//! The single writer: what waits is decided, written as one batch and fsynced once; then everybody is answered.

mod bury;
mod silence;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use rocksdb::{BoundColumnFamily, DB, WriteBatch};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::rows::{self, Index, TOTALS_KEY, Totals, family};
use super::touched::{Marks, Touched};
use super::{BESIDE, FAMILIES, GROUP, INDEX, JOURNAL, PAYLOAD, TABLE, TRACE, journal};
use crate::enclave::stack;
use crate::shred::SealedHead;
use crate::store::{Event, Inserted, JournalRow, Kind, Record, StoreError, Tombstone, Write};
use crate::types::{GroupId, PayloadId};

/// Bytes of one batch, roughly: a large one would hold everybody up and stay in memory twice.
const BATCH_BYTES: usize = 4 << 20;
/// Bytes that are worth a flush when nothing else is to do.
const FLUSH_BYTES: usize = 1 << 20;
/// A pause this long is one.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) struct Request {
    /// In a block of its own, which is wiped when it is freed: places of a channel keep what went through them.
    pub(super) op: Box<Op>,
    pub(super) reply: oneshot::Sender<Result<Reply, StoreError>>,
}

pub(super) enum Op {
    Insert(Kind, PayloadId, Record, Option<Event>, Vec<Write>),
    ReplaceHead(Kind, PayloadId, SealedHead, SealedHead),
    Forget(Kind, PayloadId, SealedHead),
    Bury(PayloadId, Tombstone, Option<Event>),
    Note(Event),
    PutBeside(PayloadId, Bytes, Option<Event>),
    PutGroup(GroupId, Bytes),
    Write(Vec<Write>, Vec<Event>),
    /// Overwrites what earlier requests left on this thread's stack.
    Sweep,
    Close,
}

#[derive(Clone, Copy)]
pub(super) enum Reply {
    Inserted(Inserted),
    Noted(u64),
    Done(bool),
}

/// Batches written, and the writes in them.
#[derive(Default)]
pub(super) struct Committed {
    commits: AtomicU64,
    writes: AtomicU64,
}

impl Committed {
    pub(super) fn read(&self) -> (u64, u64) {
        (self.commits.load(Ordering::Relaxed), self.writes.load(Ordering::Relaxed))
    }

    fn add(&self, writes: usize) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.writes.fetch_add(writes as u64, Ordering::Relaxed);
    }
}

pub(super) struct Committer {
    db: Arc<DB>,
    totals: Totals,
    committed: Arc<Committed>,
    marks: Arc<Marks>,
    /// Bytes written since the last flush.
    unflushed: usize,
    /// Waits for requests, with a timeout where there is something to flush. Made in its own thread: none may be dropped in an async one.
    waiter: Option<Runtime>,
}

impl Committer {
    pub(super) fn new(db: Arc<DB>, totals: Totals, committed: Arc<Committed>, marks: Arc<Marks>) -> Self {
        Self { db, totals, committed, marks, unflushed: 0, waiter: None }
    }

    /// Commits until the store is closed or dropped.
    pub(super) fn run(mut self, mut waiting: mpsc::Receiver<Request>) {
        self.waiter = Builder::new_current_thread().enable_time().build().ok();
        while let Some(first) = self.next(&mut waiting) {
            let mut bytes = first.op.size();
            let mut requests = vec![first];
            while bytes < BATCH_BYTES {
                let Ok(next) = waiting.try_recv() else { break };
                bytes += next.op.size();
                requests.push(next);
            }
            if requests.iter().any(|request| matches!(*request.op, Op::Sweep)) {
                stack::sweep();
            }
            let closing = requests.iter().any(|request| matches!(*request.op, Op::Close));
            self.commit(requests, bytes, closing);
            if closing {
                return;
            }
        }
    }

    /// The next request. A pause after much was written is used to move it from memory and log to files: both become small again.
    fn next(&mut self, waiting: &mut mpsc::Receiver<Request>) -> Option<Request> {
        if self.unflushed >= FLUSH_BYTES
            && let Some(waiter) = &self.waiter
        {
            match waiter.block_on(async { timeout(PAUSE, waiting.recv()).await }) {
                Ok(next) => return next,
                Err(_) => {
                    self.unflushed = 0;
                    if let Err(error) = self.flush() {
                        tracing::warn!(%error, "the store cannot be flushed; what was acknowledged is in its log");
                    }
                }
            }
        }
        waiting.blocking_recv()
    }

    /// In a frame of its own, so that a sweep reaches what it left.
    #[inline(never)]
    fn commit(&mut self, requests: Vec<Request>, bytes: usize, closing: bool) {
        self.unflushed = self.unflushed.saturating_add(bytes);
        let mut draft = Draft::new(&self.db, self.totals, bytes);
        let mut answers = Vec::with_capacity(requests.len());
        for Request { op, reply } in requests {
            answers.push((reply, draft.decide(*op)));
        }
        let Draft { batch, totals, touched, .. } = draft;
        let mut written = self.write(batch, totals, &touched, answers.len());
        if closing && written.is_ok() {
            written = self.flush();
        }
        for (reply, decided) in answers {
            let answer = match &written {
                Ok(()) => decided,
                Err(error) => Err(StoreError::Io(error.clone())),
            };
            // A caller that went away wants no answer.
            let _ = reply.send(answer);
        }
    }

    /// All of the batch or nothing of it, fsynced.
    fn write(&mut self, mut batch: WriteBatch, totals: Totals, touched: &Touched, requests: usize) -> Result<(), String> {
        if batch.is_empty() {
            return Ok(());
        }
        if totals != self.totals {
            batch.put(TOTALS_KEY, totals.encode());
        }
        self.marks.write(&self.db, batch, touched).map_err(|error| error.to_string())?;
        self.totals = totals;
        self.committed.add(requests);
        Ok(())
    }

    fn flush(&self) -> Result<(), String> {
        FAMILIES.iter().try_for_each(|name| {
            let family = rows::family(&self.db, name).map_err(|error| error.to_string())?;
            self.db.flush_cf(&family).map_err(|error| error.to_string())
        })
    }
}

/// A batch in the making, and rows as they will be once it is written.
struct Draft<'a> {
    db: &'a DB,
    batch: WriteBatch,
    totals: Totals,
    index: BTreeMap<(Kind, PayloadId), Option<Arc<Index>>>,
    buried: BTreeSet<PayloadId>,
    /// Where rows are removed or overwritten.
    touched: Touched,
    /// Events of this batch about a payload.
    noted: Vec<(PayloadId, u64, Event)>,
}

/// Every method reads all that it needs before it writes the first row: one that fails leaves nothing in the batch.
impl<'a> Draft<'a> {
    fn new(db: &'a DB, totals: Totals, bytes: usize) -> Self {
        let batch = WriteBatch::with_capacity_bytes(bytes);
        let (index, buried, touched) = (BTreeMap::new(), BTreeSet::new(), Touched::default());
        Self { db, batch, totals, index, buried, touched, noted: Vec::new() }
    }

    fn decide(&mut self, op: Op) -> Result<Reply, StoreError> {
        match op {
            Op::Insert(kind, id, record, event, rows) => self.insert(kind, id, &record, event, &rows).map(Reply::Inserted),
            Op::ReplaceHead(kind, id, old, new) => self.replace_head(kind, id, &old, new).map(Reply::Done),
            Op::Forget(kind, id, head) => self.forget(kind, id, &head).map(Reply::Done),
            Op::Bury(id, tombstone, event) => self.bury(id, &tombstone, event).map(|()| Reply::Done(true)),
            Op::Note(event) => self.note(event).map(Reply::Noted),
            Op::PutBeside(id, sealed, event) => self.put_beside(&id, &sealed, event).map(Reply::Done),
            Op::PutGroup(id, data) => {
                self.overwrites(GROUP, &id.0)?;
                self.batch.put_cf(&rows::family(self.db, GROUP)?, &id.0, &data);
                Ok(Reply::Done(true))
            }
            Op::Write(rows, events) => self.write(&rows, events).map(|()| Reply::Done(true)),
            Op::Sweep | Op::Close => Ok(Reply::Done(true)),
        }
    }

    fn write(&mut self, rows: &[Write], events: Vec<Event>) -> Result<(), StoreError> {
        let (tables, _) = (rows::family(self.db, TABLE)?, self.journal_families()?);
        for Write { table, key, value } in rows {
            let place = table.place(key);
            if rows::is_there(self.db, TABLE, &place)? {
                self.touched.add(TABLE, &place);
                self.touched.removed |= value.is_none();
            }
        }
        let silenced = self.silenced_by(&events)?;
        self.put_rows(&tables, rows);
        events.into_iter().try_for_each(|event| self.note(event).map(drop))?;
        self.silence(silenced)
    }

    fn put_rows(&mut self, tables: &Arc<BoundColumnFamily<'a>>, rows: &[Write]) {
        for Write { table, key, value } in rows {
            match value {
                Some(value) => self.batch.put_cf(tables, table.place(key), value),
                None => self.batch.delete_cf(tables, table.place(key)),
            }
        }
    }

    fn insert(
        &mut self,
        kind: Kind,
        id: PayloadId,
        record: &Record,
        event: Option<Event>,
        rows: &[Write],
    ) -> Result<Inserted, StoreError> {
        if self.is_buried(&id)? {
            return Ok(Inserted::Buried);
        }
        if self.row(kind, &id)?.is_some() {
            return Ok(Inserted::Exists);
        }
        let (payloads, tables, _) = (family(self.db, PAYLOAD)?, family(self.db, TABLE)?, self.journal_families()?);
        let index = Arc::new(Index::of(record, self.totals.next));
        self.put_index(kind, id, Arc::clone(&index))?;
        self.batch.put_cf(&payloads, index.payload_key(), &record.ciphertext);
        self.totals.next += 1;
        *self.totals.of(kind) += 1;
        self.put_rows(&tables, rows);
        event.map(|event| self.note(event)).transpose()?;
        Ok(Inserted::New)
    }

    fn note(&mut self, event: Event) -> Result<u64, StoreError> {
        let (journal, trace) = self.journal_families()?;
        let index = self.totals.events;
        self.totals.events += 1;
        self.batch.put_cf(&journal, index.to_be_bytes(), JournalRow::encode(&event));
        if let Some(id) = event.about {
            self.batch.put_cf(&trace, journal::trace_key(&id, index), []);
            self.noted.push((id, index, event));
        }
        Ok(index)
    }

    fn put_beside(&mut self, id: &PayloadId, sealed: &[u8], event: Option<Event>) -> Result<bool, StoreError> {
        if self.row(Kind::Payload, id)?.is_none() {
            return Ok(false);
        }
        let (beside, _) = (rows::family(self.db, BESIDE)?, self.journal_families()?);
        self.overwrites(BESIDE, id.as_bytes())?;
        self.batch.put_cf(&beside, id.as_bytes(), sealed);
        event.map(|event| self.note(event)).transpose()?;
        Ok(true)
    }

    fn journal_families(&self) -> Result<(Arc<BoundColumnFamily<'a>>, Arc<BoundColumnFamily<'a>>), StoreError> {
        Ok((rows::family(self.db, JOURNAL)?, rows::family(self.db, TRACE)?))
    }

    fn replace_head(&mut self, kind: Kind, id: PayloadId, old: &SealedHead, new: SealedHead) -> Result<bool, StoreError> {
        let Some(index) = self.row(kind, &id)?.filter(|index| index.head == *old) else { return Ok(false) };
        let index = Index { number: index.number, time: index.time, nonce: index.nonce, head: new };
        self.put_index(kind, id, Arc::new(index))?;
        self.touched.add(INDEX, &rows::index_key(kind, &id));
        Ok(true)
    }

    /// A row that is there gets another value: the old one stays in the files until a purge.
    fn overwrites(&mut self, name: &str, key: &[u8]) -> Result<(), StoreError> {
        if rows::is_there(self.db, name, key)? {
            self.touched.add(name, key);
        }
        Ok(())
    }

    fn forget(&mut self, kind: Kind, id: PayloadId, head: &SealedHead) -> Result<bool, StoreError> {
        let Some(index) = self.row(kind, &id)?.filter(|index| index.head == *head) else { return Ok(false) };
        self.remove(kind, id, &index)?;
        Ok(true)
    }

    fn put_index(&mut self, kind: Kind, id: PayloadId, index: Arc<Index>) -> Result<(), StoreError> {
        self.batch.put_cf(&rows::family(self.db, INDEX)?, rows::index_key(kind, &id), index.encode());
        self.index.insert((kind, id), Some(index));
        Ok(())
    }

    fn is_buried(&self, id: &PayloadId) -> Result<bool, StoreError> {
        Ok(self.buried.contains(id) || rows::tombstone(self.db, id)?.is_some())
    }

    fn row(&self, kind: Kind, id: &PayloadId) -> Result<Option<Arc<Index>>, StoreError> {
        if let Some(row) = self.index.get(&(kind, *id)) {
            return Ok(row.clone());
        }
        Ok(rows::index(self.db, kind, id)?.map(Arc::new))
    }
}

impl Op {
    fn size(&self) -> usize {
        match self {
            Self::Insert(_, _, record, _, rows) => record.ciphertext.len() + 512 + 256 * rows.len(),
            Self::Write(rows, events) => {
                let rows: usize = rows.iter().map(|row| row.key.len() + row.value.as_ref().map_or(0, Bytes::len) + 64).sum();
                rows + 512 * events.len()
            }
            _ => 512,
        }
    }
}
