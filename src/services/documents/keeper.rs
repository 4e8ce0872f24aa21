//! What goes on behind the answers: deliveries until they are made, uploads that nobody finishes, files that nobody names.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use tokio::sync::{Mutex as AsyncMutex, OwnedMutexGuard};

use super::DocumentError;
use super::row::{Row, State};
use super::shelf::Shelf;
use crate::services::records::now;
use crate::services::{Error, Node};
use crate::store::Table;
use crate::types::{Coded as _, DocumentId, MemberId};
use crate::wire::native::Message as _;

/// How often documents with something left to do are looked at, when nobody tells of any.
const LOOK: Duration = Duration::from_secs(2);
/// Documents of one page.
const PAGE: usize = 256;
/// An upload that has not moved for so long is removed, milliseconds.
pub(super) const UPLOAD_LIFE: u64 = 24 * 60 * 60 * 1000;
/// The same for one that comes from a member, which may have been away.
const ARRIVAL_LIFE: u64 = 7 * UPLOAD_LIFE;
/// First and longest pause between attempts to reach a member.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// Attempts to take documents to members. Forgotten at a restart: then all are tried at once.
#[derive(Default)]
pub(super) struct Attempts(Mutex<HashMap<(DocumentId, MemberId), Arc<Attempt>>>);

/// The attempts on one way.
pub(super) struct Attempt {
    turn: Arc<AsyncMutex<()>>,
    /// Failures in a row, and when the next attempt is due.
    due: Mutex<(u32, Instant)>,
}

/// The right to make an attempt: one at a time on a way.
pub(super) struct Turn {
    pub(super) attempt: Arc<Attempt>,
    pub(super) _turn: OwnedMutexGuard<()>,
}

impl Attempt {
    pub(super) fn succeeded(&self) {
        *self.due.lock().unwrap_or_else(PoisonError::into_inner) = (0, Instant::now());
    }

    pub(super) fn failed(&self) {
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        let pause = PAUSE.saturating_mul(1 << due.0.min(12)).min(LONGEST_PAUSE);
        *due = (due.0 + 1, Instant::now() + pause);
    }

    fn is_due(&self) -> bool {
        self.turn.try_lock().is_ok() && self.due.lock().unwrap_or_else(PoisonError::into_inner).1 <= Instant::now()
    }
}

impl Attempts {
    fn of(&self, id: DocumentId, member: &MemberId) -> Arc<Attempt> {
        let fresh = || Arc::new(Attempt { turn: Arc::default(), due: Mutex::new((0, Instant::now())) });
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.entry((id, member.clone())).or_insert_with(fresh))
    }

    /// Waits for the turn.
    pub(super) async fn turn(&self, id: DocumentId, member: &MemberId) -> Turn {
        let attempt = self.of(id, member);
        let turn = Arc::clone(&attempt.turn).lock_owned().await;
        Turn { attempt, _turn: turn }
    }

    /// Everything of a document is due at once.
    pub(super) fn forget(&self, id: &DocumentId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, _), _| of != id);
    }

    fn keep_only(&self, active: &BTreeSet<DocumentId>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|(of, _), _| active.contains(of));
    }
}

impl Node {
    /// Keeps documents moving, until it is dropped. Attempts under way end with the process and begin again with the next one.
    pub async fn keep_documents(self: Arc<Self>) {
        let Ok((_, shelf)) = self.shelf().map(|(governed, shelf)| (governed, Arc::clone(shelf))) else { return };
        if let Err(error) = self.count_documents(&shelf).await {
            tracing::warn!(code = %error.code(), "documents could not be counted");
        }
        loop {
            if let Err(error) = self.look_after_documents(&shelf).await {
                tracing::warn!(code = %error.code(), "documents could not be looked after");
            }
            let _ = tokio::time::timeout(LOOK, shelf.news.notified()).await;
        }
    }

    /// Counts complete documents, and removes files that no row names: a crash came between the two.
    async fn count_documents(&self, shelf: &Arc<Shelf>) -> Result<(), Error> {
        let (mut known, mut complete, mut after) = (BTreeSet::new(), 0, None::<Vec<u8>>);
        loop {
            let rows = self.store.rows(Table::Document, &[], after.as_deref(), PAGE).await?;
            let Some((last, _)) = rows.last() else { break };
            after = Some(last.to_vec());
            for row in rows.iter().filter_map(|(_, row)| Row::from_bytes(row).ok()) {
                complete += u64::from(row.state == State::Here);
                known.extend(row.file().map(|file| HEXLOWER.encode(&file)));
            }
        }
        shelf.documents.store(complete, Ordering::Relaxed);
        shelf
            .run(move |shelf| {
                shelf.sweep_now(&known);
                Ok(())
            })
            .await
    }

    async fn look_after_documents(self: &Arc<Self>, shelf: &Arc<Shelf>) -> Result<(), Error> {
        let (mut after, mut active, mut pending) = (None, BTreeSet::new(), 0);
        loop {
            let page = self.active_documents(after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(*last);
            for id in page {
                active.insert(id);
                match self.look_after(shelf, id).await {
                    Ok(ways) => pending += ways,
                    Err(Error::Kept(DocumentError::Erased(_) | DocumentError::NotFound(_))) => {
                        // Punctured, and the rest was cut off by a crash.
                        self.erase_document(id).await?;
                    }
                    // It goes on where it was when it is released.
                    Err(Error::Kept(DocumentError::Blocked(_))) => {}
                    Err(error) => tracing::warn!(%id, code = %error.code(), "a document could not be looked after"),
                }
            }
        }
        shelf.attempts.keep_only(&active);
        shelf.pending.store(pending, Ordering::Relaxed);
        Ok(())
    }

    /// One document with something left to do: the number of its ways that are open.
    async fn look_after(self: &Arc<Self>, shelf: &Arc<Shelf>, id: DocumentId) -> Result<u64, Error> {
        let kept = self.kept_document(&id).await?;
        let life = match kept.state {
            State::Uploading => UPLOAD_LIFE,
            State::Arriving => ARRIVAL_LIFE,
            State::Here | State::Erased => {
                let due = kept.card.pending().filter(|way| shelf.attempts.of(id, &way.member).is_due());
                for member in due.map(|way| way.member.clone()) {
                    let node = Arc::clone(self);
                    tokio::spawn(async move { node.deliver_document(id, member).await });
                }
                let open = kept.card.pending().count() as u64;
                if open == 0 {
                    self.unmark_document(shelf, id).await?;
                }
                return Ok(open);
            }
        };
        let file = kept.file;
        let moved = shelf.run(move |shelf| Ok(shelf.moved_now(&file))).await?.max(kept.time);
        if now().saturating_sub(moved) > life {
            tracing::info!(%id, "an upload that nobody finished expires");
            self.abandon_document(id).await?;
        }
        Ok(0)
    }

    /// A document that was marked and has nothing left to do: an erasure was cut off before it destroyed anything.
    async fn unmark_document(&self, shelf: &Arc<Shelf>, id: DocumentId) -> Result<(), Error> {
        let latch = shelf.latch(&id);
        let _row = latch.row.lock().await;
        let kept = self.kept_document(&id).await?;
        self.keep_document(&kept, None).await
    }

    /// When an upload expires if nothing more comes, milliseconds since the Unix epoch.
    pub fn upload_expiry() -> u64 {
        now() + UPLOAD_LIFE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pauses_grow_and_success_ends_them() {
        let attempts = Attempts::default();
        let (id, member) = (DocumentId::new([1; 32]), "bank".parse().expect("a name"));
        let attempt = attempts.of(id, &member);
        assert!(attempt.is_due());
        for _ in 0..40 {
            attempt.failed();
        }
        assert!(!attempt.is_due() && attempt.due.lock().expect("a lock").1 <= Instant::now() + LONGEST_PAUSE);
        attempt.succeeded();
        assert!(attempt.is_due());
        let turn = attempts.turn(id, &member).await;
        assert!(!attempt.is_due(), "one at a time");
        drop(turn);
        attempts.keep_only(&BTreeSet::new());
        assert!(!Arc::ptr_eq(&attempt, &attempts.of(id, &member)));
    }
}
