//! What is kept: ciphertexts with their sealed heads, tombstones, privacy groups. No key, no plaintext, no box.
//!
//! One writer thread commits what waits as one batch with one fsync; an answer means fsynced.

#[cfg(test)]
pub(crate) mod contract;
mod event;
pub mod fsck;
pub mod rocks;
mod table;

use async_trait::async_trait;
use bytes::Bytes;

use crate::crypto::nacl::Nonce;
use crate::shred::{LeafRef, SealedHead};
use crate::types::{Code, Coded, GroupId, PayloadId};

pub use event::{Event, JournalRow};
pub use table::{Table, Write};

/// Which of the two lives of an id a record belongs to.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Kind {
    /// Sent or received.
    Payload = 0,
    /// Stored by `/storeraw`, not sent (or also sent: then both exist).
    Raw = 1,
}

/// A kept payload.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    /// When it was stored, milliseconds since the Unix epoch.
    pub time: u64,
    /// Nonce of the ciphertext.
    pub nonce: Nonce,
    /// Data key and metadata, sealed under the payload's leaf.
    pub head: SealedHead,
    /// The ciphertext, whose SHA3-512 is the id.
    pub ciphertext: Bytes,
}

/// What remains of an erased payload, for ever.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tombstone {
    /// When it was erased, milliseconds since the Unix epoch.
    pub time: u64,
    /// Leaves that were punctured for it.
    pub leaves: Vec<LeafRef>,
}

/// The answer to a look-up: absence has a reason.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Lookup<T> {
    /// Never seen here.
    Absent,
    /// Erased here.
    Erased(Tombstone),
    /// Here.
    Found(T),
}

/// What became of an insertion. Decided by the single writer, so two pushes of one id cannot both be new.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Inserted {
    /// The id is erased; nothing was written.
    Buried,
    /// There was a record already; nothing was written.
    Exists,
    /// Written and fsynced.
    New,
}

/// Figures of a store.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Stats {
    /// Records of [`Kind::Payload`].
    pub payloads: u64,
    /// Records of [`Kind::Raw`].
    pub raws: u64,
    /// Tombstones.
    pub tombstones: u64,
    /// Rows of the journal.
    pub events: u64,
    /// Bytes on disk.
    pub disk_bytes: u64,
    /// Batches made durable since the store was opened.
    pub commits: u64,
    /// Requests that they answered: `writes / commits` share one fsync.
    pub writes: u64,
}

/// What a purge did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Purged {
    /// Bytes of the store's files before it.
    pub bytes_before: u64,
    /// And after it; what was written meanwhile counts too.
    pub bytes_after: u64,
    /// Families of rows that were rewritten, or parts of them.
    pub families: u64,
    /// Days of ciphertexts that went as whole files.
    pub days: u64,
    /// How long it took.
    pub millis: u64,
}

/// What a store cannot do, and why.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A row that does not decode or does not verify.
    #[error("the store is damaged: {0}; run `celosia fsck`")]
    Corrupt(String),
    /// The purge did not end: bytes of removed rows may still lie in the files.
    #[error("removed rows may still lie in the store's files: {0}")]
    NotPurged(String),
    /// A purge needs room for what it rewrites.
    #[error("a purge needs {needed} bytes of free disk, there are {free}")]
    NoRoom {
        /// Bytes that it may write before it can remove.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// The disk refuses: full, read-only or broken.
    #[error("the store cannot be written or read: {0}")]
    Io(String),
    /// Another process has the folder.
    #[error("the store is in use by another process: {0}")]
    Locked(String),
    /// The store is shutting down or its queue is full.
    #[error("the store is overloaded or shutting down")]
    Unavailable,
    /// Written by a newer Celosia.
    #[error("the store has format {found}, this Celosia reads up to {known}: use the newer version")]
    Version {
        /// Format in the folder.
        found: u32,
        /// Newest that this program reads.
        known: u32,
    },
}

impl Coded for StoreError {
    fn code(&self) -> Code {
        match self {
            Self::Corrupt(_) => Code(4001),
            Self::Io(_) => Code(4002),
            Self::Locked(_) => Code(4003),
            Self::Unavailable => Code(4004),
            Self::Version { .. } => Code(4005),
            Self::NotPurged(_) => Code(4006),
            Self::NoRoom { .. } => Code(4007),
        }
    }
}

/// A store of payloads. Every write is durable (fsync) when its future resolves with `Ok`.
#[async_trait]
pub trait Store: Send + Sync {
    /// A record with its ciphertext.
    async fn get(&self, kind: Kind, id: &PayloadId) -> Result<Lookup<Record>, StoreError>;

    /// A record's sealed head alone.
    async fn head(&self, kind: Kind, id: &PayloadId) -> Result<Lookup<SealedHead>, StoreError>;

    /// When a record was stored, milliseconds since the Unix epoch, and its sealed head; `None` if it is absent or erased.
    async fn dated_head(&self, kind: Kind, id: &PayloadId) -> Result<Option<(u64, SealedHead)>, StoreError>;

    /// Keeps a record unless its id is there or erased.
    async fn insert(&self, kind: Kind, id: PayloadId, record: Record) -> Result<Inserted, StoreError> {
        self.insert_noted(kind, id, record, None).await
    }

    /// The same; if the record is new, the event is journalled in the same batch.
    async fn insert_noted(
        &self,
        kind: Kind,
        id: PayloadId,
        record: Record,
        event: Option<Event>,
    ) -> Result<Inserted, StoreError> {
        self.insert_with(kind, id, record, event, Vec::new()).await
    }

    /// The same; if the record is new, these rows of the services' tables are written in the same batch, too.
    async fn insert_with(
        &self,
        kind: Kind,
        id: PayloadId,
        record: Record,
        event: Option<Event>,
        rows: Vec<Write>,
    ) -> Result<Inserted, StoreError>;

    /// Replaces the head of a record if it still is `old`; false if it is not.
    async fn replace_head(&self, kind: Kind, id: PayloadId, old: SealedHead, new: SealedHead) -> Result<bool, StoreError>;

    /// Removes a record without a tombstone (a withdrawn delivery) if its head still is `head`; false if it is not.
    async fn forget(&self, kind: Kind, id: PayloadId, head: SealedHead) -> Result<bool, StoreError>;

    /// Removes every record of the id and leaves the tombstone, in one batch.
    ///
    /// The leaves of the removed records join those of the tombstone: a record may have come since its eraser looked.
    async fn bury(&self, id: PayloadId, tombstone: Tombstone) -> Result<(), StoreError> {
        self.bury_noted(id, tombstone, None).await
    }

    /// The same, journalled in the same batch. What other events say of the id is erased in it; their commitments stay.
    async fn bury_noted(&self, id: PayloadId, tombstone: Tombstone, event: Option<Event>) -> Result<(), StoreError>;

    /// Up to `limit` records with an id after `after`, in the order of ids; fewer where they are large. None: the end.
    async fn scan(&self, kind: Kind, after: Option<PayloadId>, limit: usize) -> Result<Vec<(PayloadId, Record)>, StoreError>;

    /// Up to `limit` records without their ciphertext: id, when it was stored, sealed head; after the id `after`, in the order of ids.
    async fn heads(
        &self,
        kind: Kind,
        after: Option<PayloadId>,
        limit: usize,
    ) -> Result<Vec<(PayloadId, u64, SealedHead)>, StoreError>;

    /// Keeps a privacy group's encoded form; overwrites.
    async fn put_group(&self, id: GroupId, data: Bytes) -> Result<(), StoreError>;

    /// A privacy group's encoded form.
    async fn group(&self, id: &GroupId) -> Result<Option<Bytes>, StoreError>;

    /// All privacy groups.
    async fn groups(&self) -> Result<Vec<(GroupId, Bytes)>, StoreError>;

    /// Journals an event by itself; its index.
    async fn note(&self, event: Event) -> Result<u64, StoreError>;

    /// Rows of the journal from an index on, at most `limit`.
    async fn journal(&self, from: u64, limit: usize) -> Result<Vec<JournalRow>, StoreError>;

    /// Rows of the journal.
    async fn journal_size(&self) -> Result<u64, StoreError>;

    /// Indexes of the events about a payload, oldest first.
    async fn trace(&self, id: &PayloadId) -> Result<Vec<u64>, StoreError>;

    /// Keeps sealed bytes beside a payload, until it is removed, and journals the event with them; overwrites. False if the payload is not
    /// here: then nothing is written.
    async fn put_beside(&self, id: PayloadId, sealed: Bytes, event: Option<Event>) -> Result<bool, StoreError>;

    /// The sealed bytes beside a payload.
    async fn beside(&self, id: &PayloadId) -> Result<Option<Bytes>, StoreError>;

    /// Writes rows of the services' tables and journals events, all in one batch.
    async fn write(&self, rows: Vec<Write>, events: Vec<Event>) -> Result<(), StoreError>;

    /// A row of a table.
    async fn row(&self, table: Table, key: &[u8]) -> Result<Option<Bytes>, StoreError>;

    /// Up to `limit` rows of a table whose keys begin with `prefix`, in the order of keys, after the key `after`.
    async fn rows(
        &self,
        table: Table,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, StoreError>;

    /// Takes the bytes of all rows that were removed or overwritten before the call out of the store's files and caches: of ciphertexts,
    /// heads, silenced journal rows, rows beside and in tables. Reads and writes go on meanwhile; one purge at a time.
    async fn purge(&self) -> Result<Purged, StoreError>;

    /// Whether rows were removed since the last purge that ended.
    fn purge_due(&self) -> bool;

    /// Figures, from indexes, without a scan.
    async fn stats(&self) -> Result<Stats, StoreError>;

    /// Finishes what waits and flushes to files; the store takes no more writes.
    async fn close(&self) -> Result<(), StoreError>;
}
