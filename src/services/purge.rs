//! Purging: the bytes of what was erased leave the store's files and this process's memory (E2).

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::records::now;
use super::send::to_its_end;
use super::{Counter, Error, Node};
use crate::enclave::{allocator, stack};
use crate::store::Purged;
use crate::types::Coded as _;

/// What purges did since the start.
#[derive(Debug, Default)]
pub struct Purges {
    running: AtomicUsize,
    reclaimed: AtomicU64,
    last: Mutex<Option<LastPurge>>,
    /// Purges that ended well.
    pub done: Counter,
    /// Purges that did not.
    pub failed: Counter,
}

/// The newest purge that ended well.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LastPurge {
    /// When it ended, milliseconds since the Unix epoch. What was erased before it began is gone from the files.
    pub time: u64,
    /// When it began.
    pub began: u64,
    /// What it did.
    pub purged: Purged,
}

impl Purges {
    /// The newest that ended well since the start.
    pub fn last(&self) -> Option<LastPurge> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether one is under way.
    pub fn is_running(&self) -> bool {
        self.running.load(Ordering::Relaxed) > 0
    }

    /// Bytes that the files of the store became smaller by.
    pub fn reclaimed(&self) -> u64 {
        self.reclaimed.load(Ordering::Relaxed)
    }

    fn end(&self, began: u64, outcome: Option<Purged>) {
        self.running.fetch_sub(1, Ordering::Relaxed);
        let Some(purged) = outcome else { return self.failed.add() };
        self.done.add();
        self.reclaimed.fetch_add(purged.bytes_before.saturating_sub(purged.bytes_after), Ordering::Relaxed);
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(LastPurge { time: now(), began, purged });
    }
}

impl Node {
    /// Takes the bytes of all that was erased before the call out of the store's files and of this process's free memory. Level E2 of an
    /// erasure; it runs to its end, whoever stops waiting.
    pub async fn purge(self: &Arc<Self>) -> Result<Purged, Error> {
        let node = Arc::clone(self);
        to_its_end(async move { node.purge_now().await }).await
    }

    /// What purges did.
    pub fn purges(&self) -> &Purges {
        &self.purges
    }

    /// Purges at most every so often, where something was removed since the last time. Never returns.
    pub async fn purge_regularly(self: Arc<Self>, every: Duration) {
        loop {
            tokio::time::sleep(every).await;
            if self.store.purge_due()
                && let Err(error) = self.purge().await
            {
                tracing::warn!(code = %error.code(), %error, "the store was not purged; tried again in {}s", every.as_secs());
            }
        }
    }

    async fn purge_now(&self) -> Result<Purged, Error> {
        let began = now();
        self.purges.running.fetch_add(1, Ordering::Relaxed);
        let outcome = self.store.purge().await;
        // Threat: what was freed stays readable in a core image, until something else is written there.
        stack::sweep_workers().await;
        allocator::release();
        self.purges.end(began, outcome.as_ref().ok().copied());
        let purged = outcome?;
        let Purged { bytes_before, bytes_after, families, days, millis } = purged;
        tracing::info!(bytes_before, bytes_after, families, days, millis, "store purged");
        Ok(purged)
    }
}
