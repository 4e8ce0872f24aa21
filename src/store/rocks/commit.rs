//! The single writer: what waits is decided, written as one batch and fsynced once; then everybody is answered.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use rocksdb::{DB, WriteBatch};
use tokio::sync::{mpsc, oneshot};

use super::rows::{self, Index, TOTALS_KEY, Totals};
use super::{GROUP, INDEX, PAYLOAD, TOMBSTONE, reading};
use crate::shred::SealedHead;
use crate::store::{Inserted, Kind, Record, StoreError, Tombstone};
use crate::types::{GroupId, PayloadId};

/// Bytes of one batch, roughly: a large one would hold everybody up and stay in memory twice.
const BATCH_BYTES: usize = 4 << 20;

pub(super) struct Request {
    pub(super) op: Op,
    pub(super) reply: oneshot::Sender<Result<Reply, StoreError>>,
}

pub(super) enum Op {
    Insert(Kind, PayloadId, Record),
    ReplaceHead(Kind, PayloadId, SealedHead, SealedHead),
    Forget(Kind, PayloadId, SealedHead),
    Bury(PayloadId, Tombstone),
    PutGroup(GroupId, Bytes),
    Close,
}

#[derive(Clone, Copy)]
pub(super) enum Reply {
    Inserted(Inserted),
    Done(bool),
}

/// Rows as they will be once the batch is written.
#[derive(Default)]
struct Overlay {
    index: BTreeMap<(Kind, PayloadId), Option<(u32, SealedHead)>>,
    buried: BTreeSet<PayloadId>,
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
}

impl Committer {
    pub(super) fn new(db: Arc<DB>, totals: Totals, committed: Arc<Committed>) -> Self {
        Self { db, totals, committed }
    }

    /// Commits until the store is closed or dropped.
    pub(super) fn run(mut self, mut waiting: mpsc::Receiver<Request>) {
        while let Some(first) = waiting.blocking_recv() {
            let mut bytes = first.op.size();
            let mut requests = vec![first];
            while bytes < BATCH_BYTES {
                let Ok(next) = waiting.try_recv() else { break };
                bytes += next.op.size();
                requests.push(next);
            }
            let closing = requests.iter().any(|request| matches!(request.op, Op::Close));
            self.commit(requests);
            if closing {
                return;
            }
        }
    }

    fn commit(&mut self, requests: Vec<Request>) {
        let (mut batch, mut overlay, mut totals) = (WriteBatch::default(), Overlay::default(), self.totals);
        let mut closing = false;
        let mut answers = Vec::with_capacity(requests.len());
        for Request { op, reply } in requests {
            closing |= matches!(op, Op::Close);
            answers.push((reply, self.decide(op, &mut batch, &mut overlay, &mut totals)));
        }
        let mut written = self.write(batch, totals, answers.len());
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

    fn write(&mut self, mut batch: WriteBatch, totals: Totals, requests: usize) -> Result<(), String> {
        if batch.is_empty() {
            return Ok(());
        }
        if totals != self.totals {
            batch.put(TOTALS_KEY, totals.encode());
        }
        self.db.write_opt(batch, &rows::synced()).map_err(|error| error.to_string())?;
        self.totals = totals;
        self.committed.add(requests);
        Ok(())
    }

    fn flush(&self) -> Result<(), String> {
        [super::META, INDEX, PAYLOAD, TOMBSTONE, GROUP].iter().try_for_each(|name| {
            let family = rows::family(&self.db, name).map_err(|error| error.to_string())?;
            self.db.flush_cf(&family).map_err(|error| error.to_string())
        })
    }

    fn decide(&self, op: Op, batch: &mut WriteBatch, overlay: &mut Overlay, totals: &mut Totals) -> Result<Reply, StoreError> {
        match op {
            Op::Insert(kind, id, record) => {
                if overlay.buried.contains(&id) || rows::tombstone(&self.db, &id)?.is_some() {
                    return Ok(Reply::Inserted(Inserted::Buried));
                }
                if self.row(overlay, kind, &id)?.is_some() {
                    return Ok(Reply::Inserted(Inserted::Exists));
                }
                let index = Index::of(&record);
                batch.put_cf(&rows::family(&self.db, INDEX)?, rows::index_key(kind, &id), index.encode());
                batch.put_cf(&rows::family(&self.db, PAYLOAD)?, rows::payload_key(index.day, kind, &id), &record.ciphertext);
                overlay.index.insert((kind, id), Some((index.day, index.head)));
                *totals.of(kind) += 1;
                Ok(Reply::Inserted(Inserted::New))
            }
            Op::ReplaceHead(kind, id, old, new) => {
                let Some(mut index) = self.full_row(overlay, kind, &id, &old)? else { return Ok(Reply::Done(false)) };
                index.head = new.clone();
                batch.put_cf(&rows::family(&self.db, INDEX)?, rows::index_key(kind, &id), index.encode());
                overlay.index.insert((kind, id), Some((index.day, new)));
                Ok(Reply::Done(true))
            }
            Op::Forget(kind, id, head) => match self.row(overlay, kind, &id)? {
                Some((day, found)) if found == head => {
                    self.remove(batch, overlay, kind, id, day)?;
                    *totals.of(kind) = totals.of(kind).saturating_sub(1);
                    Ok(Reply::Done(true))
                }
                _ => Ok(Reply::Done(false)),
            },
            Op::Bury(id, tombstone) => {
                for kind in [Kind::Payload, Kind::Raw] {
                    if let Some((day, _)) = self.row(overlay, kind, &id)? {
                        self.remove(batch, overlay, kind, id, day)?;
                        *totals.of(kind) = totals.of(kind).saturating_sub(1);
                    }
                }
                if overlay.buried.insert(id) && rows::tombstone(&self.db, &id)?.is_none() {
                    totals.tombstones += 1;
                    batch.put_cf(&rows::family(&self.db, TOMBSTONE)?, id.as_bytes(), rows::encode_tombstone(&tombstone));
                }
                Ok(Reply::Done(true))
            }
            Op::PutGroup(id, data) => {
                batch.put_cf(&rows::family(&self.db, GROUP)?, &id.0, &data);
                Ok(Reply::Done(true))
            }
            Op::Close => Ok(Reply::Done(true)),
        }
    }

    fn remove(
        &self,
        batch: &mut WriteBatch,
        overlay: &mut Overlay,
        kind: Kind,
        id: PayloadId,
        day: u32,
    ) -> Result<(), StoreError> {
        batch.delete_cf(&rows::family(&self.db, INDEX)?, rows::index_key(kind, &id));
        batch.delete_cf(&rows::family(&self.db, PAYLOAD)?, rows::payload_key(day, kind, &id));
        overlay.index.insert((kind, id), None);
        Ok(())
    }

    /// Day and head of a row as the batch will leave it.
    fn row(&self, overlay: &Overlay, kind: Kind, id: &PayloadId) -> Result<Option<(u32, SealedHead)>, StoreError> {
        if let Some(row) = overlay.index.get(&(kind, *id)) {
            return Ok(row.clone());
        }
        Ok(self.stored(kind, id)?.map(|index| (index.day, index.head)))
    }

    /// The whole row, if its head is `head` and no earlier request of the batch touched it: that one must be tried again.
    fn full_row(&self, overlay: &Overlay, kind: Kind, id: &PayloadId, head: &SealedHead) -> Result<Option<Index>, StoreError> {
        if overlay.index.contains_key(&(kind, *id)) {
            return Ok(None);
        }
        Ok(self.stored(kind, id)?.filter(|index| index.head == *head))
    }

    fn stored(&self, kind: Kind, id: &PayloadId) -> Result<Option<Index>, StoreError> {
        let row = self.db.get_pinned_cf(&rows::family(&self.db, INDEX)?, rows::index_key(kind, id)).map_err(reading)?;
        row.map(|row| Index::decode(&row)).transpose()
    }
}

impl Op {
    fn size(&self) -> usize {
        match self {
            Self::Insert(_, _, record) => record.ciphertext.len() + 512,
            _ => 512,
        }
    }
}
