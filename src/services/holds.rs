//! Holds and blocks: what stands before an erasure, what is kept and unreadable meanwhile, and what ends it (`docs/holds.md`).
//!
//! Precedence: a hold that stands, then an order to erase, then the end of retention.

mod end;
mod error;
mod place;
mod release;
mod rows;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;

use super::{Error, Node};
use crate::crypto::hpke::BoxKey;
use crate::erasure::{Hold, HoldAnswer, HoldId, Profile};
use crate::governance::{Committee, Purpose};
use crate::store::Table;
use crate::types::{Class, Coded as _, ItemId};

pub use error::HoldError;
pub use place::NewHold;
pub(in crate::services) use rows::{Part, envelope_key, let_go, put_parts};

/// How often ends of holds are looked for.
const TURN: Duration = Duration::from_secs(1);
/// Rows read at once.
const PAGE: usize = 4_096;

/// What a node is configured to do about holds.
#[derive(Clone, Debug, Default)]
pub struct HoldSettings {
    /// The hold committee of a network without a policy, or whose policy has none.
    pub committee: Option<Committee>,
    /// The law that applies.
    pub profile: Arc<Profile>,
}

/// What holds need in memory.
#[derive(Default)]
pub(crate) struct Holds {
    /// One hold is placed, released or ended at a time.
    gate: Mutex<()>,
    /// What was exported and not released yet, and what officers have answered to it.
    asked: std::sync::Mutex<HashMap<HoldId, Asked>>,
    active: AtomicU64,
    blocked: AtomicU64,
}

/// The newest export of a hold.
struct Asked {
    /// The one-time key that answers are for.
    key: BoxKey,
    /// One of each officer.
    answers: Vec<HoldAnswer>,
}

impl Node {
    /// Ends holds whose time has come and finishes what a crash interrupted, until it is dropped.
    pub async fn keep_holds(self: Arc<Self>) {
        if let Err(error) = self.count_holds().await {
            tracing::warn!(%error, code = %error.code(), "holds are not counted");
        }
        loop {
            if let Err(error) = self.expire_holds().await {
                tracing::warn!(code = %error.code(), "a hold does not go on: tried again");
            }
            tokio::time::sleep(TURN).await;
        }
    }

    /// A hold.
    pub async fn hold(&self, id: HoldId) -> Result<Hold, Error> {
        Ok(self.hold_row(&id).await?.ok_or(HoldError::Unknown(id))?)
    }

    /// Holds in the order of their names, those that are over included, after one.
    pub async fn holds_after(&self, after: Option<HoldId>, limit: usize) -> Result<Vec<Hold>, Error> {
        self.hold_rows(after.as_ref(), limit).await
    }

    /// The latest end of the holds that stand before an item's erasure now, milliseconds since the Unix epoch.
    pub(crate) async fn held_until(&self, item: &ItemId) -> Result<Option<u64>, Error> {
        let now = super::records::now();
        let stands = self.holds_of(item).await?.into_iter().map(|on| on.until).filter(|until| *until > now);
        Ok(stands.max())
    }

    /// Names of the holds on an item.
    pub(crate) async fn hold_names(&self, item: &ItemId) -> Result<Vec<String>, Error> {
        Ok(self.holds_of(item).await?.into_iter().map(|on| on.hold.to_string()).collect())
    }

    /// Whether an item is kept and unreadable.
    pub(crate) async fn is_blocked(&self, item: &ItemId) -> Result<bool, Error> {
        Ok(self.store.row(Table::Hold, &rows::envelope_key(item)).await?.is_some())
    }

    /// Whether applications may still read what is of a class and from a time (milliseconds since the Unix epoch): the law may narrow that.
    pub(crate) fn not_narrowed(&self, class: Class, since: u64) -> Result<(), HoldError> {
        let Some(narrowing) = &self.settings.holds.profile.narrowing else { return Ok(()) };
        let after = u64::try_from(narrowing.after.duration().as_millis()).unwrap_or(u64::MAX);
        let is_over = super::records::now() >= since.saturating_add(after);
        if is_over && narrowing.classes.contains(&class) { Err(HoldError::Narrowed(narrowing.article.clone())) } else { Ok(()) }
    }

    /// Holds that stand, and items that are blocked, as of the last change.
    pub fn hold_figures(&self) -> (u64, u64) {
        (self.holds.active.load(Ordering::Relaxed), self.holds.blocked.load(Ordering::Relaxed))
    }

    /// The hold committees: those of the policy in force, else the configured one. The last is the one that seals what is new.
    pub(crate) fn hold_committees(&self) -> Vec<Committee> {
        let charter = self.governed.as_ref().map(|governed| governed.charter());
        let policy = charter.iter().flat_map(|charter| charter.policy().committees.iter());
        let mut all: Vec<Committee> = policy.filter(|committee| committee.purpose == Purpose::Hold).cloned().collect();
        all.sort_by_key(|committee| committee.epoch);
        if all.is_empty() {
            all.extend(self.settings.holds.committee.clone());
        }
        all
    }

    /// Counts anew, after a change.
    async fn count_holds(&self) -> Result<(), Error> {
        self.holds.active.store(self.count_rows(rows::ENDS).await?, Ordering::Relaxed);
        self.holds.blocked.store(self.count_rows(rows::ENVELOPE).await?, Ordering::Relaxed);
        Ok(())
    }

    async fn count_rows(&self, kind: u8) -> Result<u64, Error> {
        let (mut count, mut after) = (0, None::<bytes::Bytes>);
        loop {
            let rows = self.store.rows(Table::Hold, &[kind], after.as_deref(), PAGE).await?;
            count += rows.len() as u64;
            match rows.into_iter().last() {
                Some((key, _)) => after = Some(key),
                None => return Ok(count),
            }
        }
    }
}
