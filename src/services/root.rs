//! The root of the key trees: how it is, and its rotation, on demand and by the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;

use super::happening::{Happening, Kind};
use super::records::now;
use super::send::to_its_end;
use super::{Error, Node};
use crate::shred::{RootStatus, Rotation};
use crate::types::Coded as _;

/// After a rotation that failed, and while the enclave does not answer.
const AGAIN: Duration = Duration::from_mins(1);
/// Longest sleep of the schedule: a clock that is set, or a rotation that somebody asked for, is noticed.
const LOOK: Duration = Duration::from_mins(1);

/// When the root is rotated.
#[derive(Debug, Default)]
pub(crate) struct Rotations {
    every: Duration,
    /// Milliseconds since the Unix epoch; 0 while it is not known.
    next: AtomicU64,
}

impl Node {
    /// The same node with a root that is rotated every so often; zero: only when somebody asks.
    #[must_use]
    pub fn with_root_rotation(mut self, every: Duration) -> Self {
        self.rotations = Rotations { every, ..Rotations::default() };
        self
    }

    /// The root, its trees, and its last rotation.
    pub async fn root_status(&self) -> Result<RootStatus, Error> {
        Ok(self.enclave.root().await?)
    }

    /// When the root is rotated next, milliseconds since the Unix epoch; `None` if nobody knows: only on demand, or not looked yet.
    pub fn next_rotation(&self) -> Option<u64> {
        Some(self.rotations.next.load(Ordering::Relaxed)).filter(|next| *next > 0)
    }

    /// Rotates the root and destroys the older generations; journalled with the word that there is for it. It goes on to its end even if
    /// the caller does not wait.
    pub async fn rotate_root(self: &Arc<Self>, actor: &str, role: &str) -> Result<Rotation, Error> {
        let (node, actor, role) = (Arc::clone(self), actor.to_owned(), role.to_owned());
        to_its_end(async move { node.rotate_root_now(&actor, &role).await }).await
    }

    async fn rotate_root_now(&self, actor: &str, role: &str) -> Result<Rotation, Error> {
        match self.enclave.rotate_root().await {
            Ok(done) => {
                tracing::info!(from = done.from, to = done.to, trees = done.trees, "the root was rotated");
                let details = json!({
                    "from": done.from,
                    "to": done.to,
                    "started-at": done.started_at,
                    "trees": done.trees,
                    "destroyed": done.destroyed,
                });
                self.note(
                    Happening::now(Kind::RootRotated).actor(actor, role).version(u64::from(done.to)).details(details).event(),
                )
                .await;
                self.plan_rotation(&done);
                Ok(done)
            }
            Err(error) => {
                let code = error.code();
                tracing::error!(%code, %error, "the root was not rotated");
                let text = error.to_string();
                self.note(Happening::now(Kind::Refused).actor(actor, role).code(code).text(&text).event()).await;
                Err(error.into())
            }
        }
    }

    fn plan_rotation(&self, done: &Rotation) {
        if !self.rotations.every.is_zero() {
            self.rotations.next.store(done.finished_at.saturating_add(millis(self.rotations.every)), Ordering::Relaxed);
        }
    }

    /// Rotates by the clock, until it is dropped.
    pub async fn keep_root_young(self: Arc<Self>) {
        if self.rotations.every.is_zero() {
            return;
        }
        loop {
            let pause = match self.root_status().await {
                Ok(status) => self.rotate_if_due(&status).await,
                Err(error) => {
                    tracing::warn!(code = %error.code(), %error, "the root cannot be looked at");
                    AGAIN
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// How long until the next look.
    async fn rotate_if_due(self: &Arc<Self>, status: &RootStatus) -> Duration {
        let due = status.since.saturating_add(millis(self.rotations.every));
        self.rotations.next.store(due, Ordering::Relaxed);
        let left = due.saturating_sub(now());
        if left > 0 {
            return Duration::from_millis(left).min(LOOK);
        }
        match self.rotate_root("celosia", "schedule").await {
            Ok(_) => Duration::from_millis(millis(self.rotations.every)).min(LOOK),
            Err(_) => AGAIN,
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
