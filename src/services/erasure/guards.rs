//! Guards: what a member ordered to be erased before it came here is not taken from it afterwards. A guard is a row for ever, so they are
//! counted, exactly, for each member, in the batch that writes them.

use std::collections::BTreeMap;

use super::error::ErasureError;
use super::holder::Presence;
use super::rows::{guard_count, guards_are_counted, put_guard, put_guard_count};
use crate::erasure::Order;
use crate::services::governed::Governed;
use crate::services::{Error, Node};
use crate::store::{Table, Write};
use crate::types::{ItemId, MemberId};

/// Rows read at once.
const PAGE: usize = 4_096;

impl Node {
    /// Refuses an order that would leave more guards than a member may have here. [`Node::orders`] is held.
    ///
    /// Threat: a member orders the erasure of random ids, millions of them, and fills the disks of others with rows that stay for ever.
    pub(super) async fn check_guards(&self, governed: &Governed, order: &Order) -> Result<(), Error> {
        // What it decides of its own copies is this node's own affair.
        if order.controller == governed.me {
            return Ok(());
        }
        let mut absent = Vec::new();
        for item in &order.items {
            if self.presence_for(governed, &order.controller, item).await? == Presence::Absent {
                absent.push(*item);
            }
        }
        let new = self.unguarded(&order.controller, &absent).await?.len() as u64;
        let most = self.settings.max_guards;
        if new > 0 && self.guards_of(&order.controller).await?.saturating_add(new) > most {
            self.counters.orders_refused.add();
            tracing::warn!(member = %order.controller, most, "an order names too many items that are not here: refused");
            return Err(ErasureError::Guards(most).into());
        }
        Ok(())
    }

    /// Writes down, in one batch with their number, that items are not to be taken from a controller. [`Node::orders`] is held.
    pub(super) async fn guard(&self, controller: &MemberId, items: &[ItemId]) -> Result<(), Error> {
        let new = self.unguarded(controller, items).await?;
        if new.is_empty() {
            return Ok(());
        }
        let count = self.guards_of(controller).await?.saturating_add(new.len() as u64);
        let mut rows: Vec<Write> = Vec::with_capacity(new.len() + 1);
        for (item, mut controllers) in new {
            controllers.push(controller.clone());
            rows.push(put_guard(&item, &controllers));
        }
        rows.push(put_guard_count(controller, count));
        Ok(self.store.write(rows, Vec::new()).await?)
    }

    /// Those of some items that are not guarded against a controller, each once, with whom they are guarded against.
    async fn unguarded(&self, controller: &MemberId, items: &[ItemId]) -> Result<BTreeMap<ItemId, Vec<MemberId>>, Error> {
        let mut new = BTreeMap::new();
        for item in items {
            let controllers = self.guards(item).await?;
            if !controllers.contains(controller) {
                new.insert(*item, controllers);
            }
        }
        Ok(new)
    }

    /// How many guards a member has here.
    async fn guards_of(&self, member: &MemberId) -> Result<u64, Error> {
        self.count_guards().await?;
        self.guard_count(member).await
    }

    /// Counts the guards that were written before they were counted. Once in the life of a store; [`Node::orders`] is held.
    pub(super) async fn count_guards(&self) -> Result<(), Error> {
        if self.store.row(Table::Order, &guards_are_counted().key).await?.is_some() {
            return Ok(());
        }
        let (mut counts, mut after) = (BTreeMap::<MemberId, u64>::new(), None);
        while let Some((page, last)) = self.page_of_guards(after, PAGE).await? {
            for member in page.into_iter().flatten() {
                *counts.entry(member).or_default() += 1;
            }
            after = Some(last);
        }
        let mut rows: Vec<Write> = counts.iter().map(|(member, count)| put_guard_count(member, *count)).collect();
        rows.push(guards_are_counted());
        Ok(self.store.write(rows, Vec::new()).await?)
    }

    /// All guards here, of all members.
    pub async fn guard_figure(&self) -> Result<u64, Error> {
        let rows = self.store.rows(Table::Order, &guard_count(), None, usize::MAX).await?;
        Ok(rows.iter().filter_map(|(_, row)| Some(u64::from_be_bytes(row.as_ref().try_into().ok()?))).sum())
    }
}
