//! The end of holds by time. What was blocked is destroyed, unless another hold stands.

use super::place::told;
use super::rows::{envelope_key, let_go, over};
use crate::erasure::{Hold, HoldId, HoldState};
use crate::services::happening::Kind as What;
use crate::services::records::now;
use crate::services::supervision::Extent;
use crate::services::{Error, Node};
use crate::shred::LeafRef;
use crate::store::{Table, Write};
use crate::types::{ItemId, PayloadId};

/// Items of an ended hold that are let go at once.
const TOGETHER: usize = 1_000;

impl Node {
    /// Ends the holds whose time has come, and finishes what a crash interrupted; how many ended.
    ///
    /// Threat: the operator turns the clock forward to destroy, or back to keep. Each end is in the journal with its time, beside checkpoints
    /// that witnesses have dated.
    pub(crate) async fn expire_holds(&self) -> Result<usize, Error> {
        let _one = self.holds.gate.lock().await;
        let unfinished = self.unfinished_holds().await?;
        for id in &unfinished {
            if let Some(hold) = self.hold_row(id).await? {
                self.block_items(&hold).await?;
            }
        }
        let over = self.holds_over(now()).await?;
        for id in &over {
            if let Some(hold) = self.hold_row(id).await? {
                self.end_hold(hold, HoldState::Expired, "node").await?;
            }
        }
        if !over.is_empty() || !unfinished.is_empty() {
            self.count_holds().await?;
        }
        Ok(over.len())
    }

    /// Lets a hold's items go; the gate is held. A blocked item that no other hold is on is destroyed: its envelope's leaf, its rows. Safe to repeat.
    pub(super) async fn end_hold(&self, mut hold: Hold, state: HoldState, by: &str) -> Result<Hold, Error> {
        let items = self.items_of_hold(&hold.id).await?;
        for together in items.chunks(TOGETHER) {
            let doomed = self.doomed(&hold.id, together).await?;
            self.erase_items(&doomed, Extent::Record).await?;
            let mut rows: Vec<Write> = together.iter().flat_map(|item| let_go(&hold.id, item)).collect();
            rows.extend(doomed.iter().map(|item| Write::delete(Table::Hold, envelope_key(item))));
            self.store.write(rows, Vec::new()).await?;
        }
        (hold.state, hold.ended, hold.ended_by) = (state, Some(now()), Some(by.to_owned()));
        let what = if state == HoldState::Expired { What::HoldExpired } else { What::HoldReleased };
        self.store.write(over(&hold), vec![told(what, &hold, by)]).await?;
        tracing::info!(hold = %hold.id, kind = %hold.kind, ?state, "a hold ended");
        Ok(hold)
    }

    /// Of some items of a hold, the blocked ones that it alone is on.
    async fn doomed(&self, hold: &HoldId, items: &[ItemId]) -> Result<Vec<ItemId>, Error> {
        let mut doomed = Vec::new();
        for item in items {
            let is_last = self.holds_of(item).await?.iter().all(|on| on.hold == *hold);
            if is_last && self.is_blocked(item).await? {
                doomed.push(*item);
            }
        }
        Ok(doomed)
    }

    /// Leaves of the envelopes of an item: they are punctured with it.
    pub(crate) async fn envelope_leaves(&self, item: &ItemId) -> Result<Vec<LeafRef>, Error> {
        let parts = self.parts(item).await?;
        parts.iter().map(|part| part.envelope().map(|envelope| envelope.leaf())).collect()
    }

    /// Drops the envelopes of items that were erased.
    pub(crate) async fn drop_envelopes(&self, ids: &[PayloadId]) -> Result<(), Error> {
        let mut rows = Vec::new();
        for id in ids {
            let item = ItemId::Payload(*id);
            if self.is_blocked(&item).await? {
                rows.push(Write::delete(Table::Hold, envelope_key(&item)));
            }
        }
        if rows.is_empty() { Ok(()) } else { Ok(self.store.write(rows, Vec::new()).await?) }
    }
}
