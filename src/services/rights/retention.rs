//! When an item is due to be erased: by its own tag, or by the policy's retention of its class, whichever is earlier. One that a legal
//! obligation keeps goes by its tag alone.
//!
//! `Table::State`: `due/ ‖ time (8) ‖ item`. A row is a hint that is checked when its time comes: a policy or a tag may have changed since.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::erasure::{Basis, Tags};
use crate::services::{Error, Node};
use crate::store::{StoreError, Table, Write};
use crate::types::{Class, ItemId, PayloadId};

const PREFIX: &[u8] = b"due/";
/// The retentions that the rows were written for, and how far older items were gone through since they changed.
const WALK: &[u8] = b"retention";
/// Hints looked at for one answer, beyond the items in it.
const MOST_STALE: usize = 10_000;
/// Pages of payloads gone through in one call after the policy changed.
const MOST_PAGES: usize = 20;

/// How far the items that were here before a policy are gone through.
#[derive(Deserialize, Serialize)]
struct Walk {
    /// Milliseconds, in the order of the classes.
    retentions: Vec<Option<u64>>,
    after: Option<PayloadId>,
    done: bool,
}

impl Node {
    /// The retention of a class in the policy, else in the profile, milliseconds; `None`: for ever.
    pub(super) fn retention(&self, class: Class) -> Option<u64> {
        let by_policy = self.governed.as_ref().and_then(|governed| governed.charter().policy().rule(class).retention);
        let span = by_policy.or_else(|| self.settings.holds.profile.retention.get(&class).copied())?;
        u64::try_from(span.duration().as_millis()).ok()
    }

    /// When an item is due, milliseconds since the Unix epoch.
    pub(super) fn due_at(&self, time: u64, class: Class, tags: &Tags) -> Option<u64> {
        let by_policy = self.retention(class).map(|retention| time.saturating_add(retention));
        match (tags.retain_until, by_policy) {
            (Some(until), _) if tags.basis == Some(Basis::LegalObligation) => Some(until),
            (Some(until), Some(policy)) => Some(until.min(policy)),
            (until, policy) => until.or(policy),
        }
    }

    pub(super) fn due_row(&self, item: ItemId, time: u64, class: Class, tags: &Tags) -> Option<Write> {
        self.due_at(time, class, tags).map(|due| Write::put(Table::State, row(due, item), Bytes::new()))
    }

    /// Items that are due, at most `limit`, the longest due first.
    pub(crate) async fn due(&self, now_ms: u64, limit: usize) -> Result<Vec<ItemId>, Error> {
        self.follow_policy().await?;
        let (mut due, mut stale, mut after) = (Vec::new(), Vec::new(), None::<Bytes>);
        'rows: loop {
            let rows = self.store.rows(Table::State, PREFIX, after.as_deref(), 1_000).await?;
            let Some((last, _)) = rows.last() else { break };
            after = Some(last.clone());
            for (key, _) in rows {
                let (at, item) = parse(&key).ok_or_else(|| StoreError::Corrupt("a row of what is due".into()))?;
                if at > now_ms || due.len() == limit || stale.len() > MOST_STALE {
                    break 'rows;
                }
                match self.due_of(item).await? {
                    // What is held is not due: it would take the place of what is.
                    Some(really) if really <= now_ms => due.extend(self.held_until(&item).await?.is_none().then_some(item)),
                    Some(later) => {
                        stale
                            .extend([Write::put(Table::State, row(later, item), Bytes::new()), Write::delete(Table::State, key)]);
                    }
                    None => stale.push(Write::delete(Table::State, key)),
                }
            }
        }
        if !stale.is_empty() {
            self.store.write(stale, Vec::new()).await?;
        }
        let mut seen = std::collections::HashSet::new();
        due.retain(|item| seen.insert(*item));
        Ok(due)
    }

    /// What is due, for people: id and since when.
    pub async fn due_now(&self, limit: usize) -> Result<Vec<serde_json::Value>, Error> {
        let mut lines = Vec::new();
        for item in self.due(crate::services::records::now(), limit).await? {
            let since = self.due_of(item).await?.map(super::export::moment);
            lines.push(serde_json::json!({ "id": item, "due": since }));
        }
        Ok(lines)
    }

    /// When an item is due as of now; `None` if it is not here, or kept for ever.
    pub(super) async fn due_of(&self, item: ItemId) -> Result<Option<u64>, Error> {
        let found = async {
            let (time, head) = self.dated_head(item).await?;
            let tags = self.tags_under(item, &head).await?.unwrap_or_default();
            let class = self.class_of(item, &head, &tags).await?;
            Ok(self.due_at(time, class, &tags))
        };
        match found.await {
            Err(Error::ItemNotFound(_)) => Ok(None),
            other => other,
        }
    }

    /// After a change of the policy's retentions, goes through what was here before, a part of it in each call.
    async fn follow_policy(&self) -> Result<(), Error> {
        let retentions: Vec<_> = Class::ALL.into_iter().map(|class| self.retention(class)).collect();
        let row = self.store.row(Table::State, WALK).await?;
        let known = row.and_then(|row| serde_json::from_slice::<Walk>(&row).ok()).filter(|walk| walk.retentions == retentions);
        let mut walk = known.unwrap_or(Walk { done: retentions.iter().all(Option::is_none), retentions, after: None });
        if walk.done {
            return Ok(());
        }
        for _ in 0..MOST_PAGES {
            let mut rows = Vec::new();
            match self.page_of_payloads(walk.after).await? {
                Some((page, last)) => {
                    let due = |known: &super::resolve::Known| {
                        self.due_row(ItemId::Payload(known.id), known.time, known.class(), &known.tags)
                    };
                    rows.extend(page.iter().filter_map(due));
                    walk.after = Some(last);
                }
                None => walk.done = true,
            }
            let state = serde_json::to_vec(&walk).unwrap_or_default();
            rows.push(Write::put(Table::State, WALK, state));
            self.store.write(rows, Vec::new()).await?;
            if walk.done {
                break;
            }
        }
        Ok(())
    }
}

fn row(due: u64, item: ItemId) -> Vec<u8> {
    [PREFIX, &due.to_be_bytes(), item.as_bytes()].concat()
}

fn parse(key: &[u8]) -> Option<(u64, ItemId)> {
    let (time, item) = key.strip_prefix(PREFIX)?.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*time), ItemId::from_bytes(item).ok()?))
}

#[cfg(test)]
mod tests;
