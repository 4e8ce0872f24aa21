//! Signed events for applications: what happened to payloads here, in the order of the journal, at least once. `docs/events.md`.
//!
//! Two ways: a stream that the application reads (Server-Sent Events), and calls to a URL of its choice (webhooks). Both begin at a cursor,
//! so nothing is lost over a restart of either side; both carry the same signature, that of Standard Webhooks.

mod signed;
mod stream;
pub mod webhook;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::crypto::sign::{Signature, VerifyKey};
use crate::net::Shutdown;
use crate::services;
use crate::types::ItemId;

pub(crate) use stream::routes;

/// What applications are told of. Everything else in the journal is not for them.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// Blocked: kept, and unreadable until it is decided.
    Blocked,
    /// A payload was erased here.
    Erased,
    /// A disclosure was granted.
    Granted,
    /// A payload came from another member.
    Received,
    /// A payload was sealed here and sent.
    Stored,
    /// A payload was looked at under a grant.
    Viewed,
    /// A rule was violated, and the payload refused.
    Violated,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Blocked, Self::Erased, Self::Granted, Self::Received, Self::Stored, Self::Viewed, Self::Violated];

    /// Its name in streams, webhooks and configurations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Erased => "erased",
            Self::Granted => "granted",
            Self::Received => "received",
            Self::Stored => "stored",
            Self::Viewed => "viewed",
            Self::Violated => "violated",
        }
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One entry of the journal.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EventItem {
    /// Its index in the log, from 0.
    pub index: u64,
    /// When it was written, milliseconds since the Unix epoch.
    pub time_ms: u64,
    /// What it tells applications; `None`: nothing, it only moves the cursor.
    pub kind: Option<EventKind>,
    /// Which payload or document it is about.
    pub about: Option<ItemId>,
    /// The record as the journal holds it, byte for byte (JSON), and the salt of its commitment (32 bytes); `None` once its content was erased.
    pub content: Option<(String, [u8; 32])>,
    /// What stands in the log: HMAC-SHA-256(salt, record).
    pub commitment: [u8; 32],
}

/// Where events come from: the journal.
#[async_trait]
pub trait Events: Send + Sync + 'static {
    /// At most `limit` entries with an index of at least `cursor`, in order, without a gap. Empty: there is none yet.
    async fn since(&self, cursor: u64, limit: usize) -> Result<Vec<EventItem>, services::Error>;

    /// The index that the next entry will have.
    async fn end(&self) -> Result<u64, services::Error>;

    /// Resolves when there is an entry with an index of at least `cursor`; at once if there is one already.
    async fn wait(&self, cursor: u64);
}

/// Who signs events: the node's key.
#[async_trait]
pub trait Sign: Send + Sync + 'static {
    /// The public half, as in the directory.
    fn key(&self) -> VerifyKey;

    /// Ed25519 (RFC 8032) of a message.
    async fn sign(&self, message: &[u8]) -> Result<Signature, services::Error>;
}

/// Streams of events at once; each holds one connection.
const MOST_STREAMS: usize = 64;

/// The events of a node, and what its streams share.
pub struct Feed {
    events: Arc<dyn Events>,
    sign: Arc<dyn Sign>,
    shutdown: Shutdown,
    places: Arc<Semaphore>,
}

impl Feed {
    /// The events of this journal, signed with this key. Streams end when the shutdown begins.
    pub fn new(events: Arc<dyn Events>, sign: Arc<dyn Sign>, shutdown: Shutdown) -> Arc<Self> {
        Arc::new(Self { events, sign, shutdown, places: Arc::new(Semaphore::new(MOST_STREAMS)) })
    }
}

#[cfg(test)]
mod tests;
