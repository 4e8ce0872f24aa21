//! Erasing payloads here: their keys first, durably, then their rows.

use std::sync::Arc;

use futures_util::future::try_join_all;

use super::happening::{Happening, Kind as What};
use super::records::now;
use super::send::to_its_end;
use super::{Error, HoldError, Node};
use crate::shred::LeafRef;
use crate::store::{Kind, Lookup, Tombstone};
use crate::types::{ItemId, PayloadId};

/// Payloads that are buried at once: they share a commit.
const TOGETHER: usize = 256;

impl Node {
    /// Punctures the payload's keys and buries it; durable when this returns.
    ///
    /// A crash between the two leaves a record that nobody can open: it already answers "not found", and the next erasure buries it.
    pub async fn erase(self: &Arc<Self>, id: PayloadId) -> Result<(), Error> {
        let node = Arc::clone(self);
        to_its_end(async move {
            let item = ItemId::Payload(id);
            // What is blocked is as absent as what is erased.
            if node.leaves_of(&id).await?.is_empty() || node.is_blocked(&item).await? {
                return Err(Error::NotFound(id));
            }
            if let Some(until) = node.held_until(&item).await? {
                return Err(HoldError::Held { item, until }.into());
            }
            node.remember_holders(item).await?;
            node.erase_all(&[id]).await?;
            tracing::info!(%id, "payload erased");
            Ok(())
        })
        .await
    }

    /// The same for many that are here: one rewrite of each key tree. What is erased already is no error.
    pub(crate) async fn erase_all(&self, ids: &[PayloadId]) -> Result<(), Error> {
        let items: Vec<ItemId> = ids.iter().copied().map(ItemId::Payload).collect();
        self.unindex(&items).await?;
        let leaves = try_join_all(ids.iter().map(|id| self.leaves_of(id))).await?;
        self.enclave.erase(leaves.concat()).await?;
        let doomed: Vec<(&PayloadId, Vec<LeafRef>)> = ids.iter().zip(leaves).filter(|(_, leaves)| !leaves.is_empty()).collect();
        for together in doomed.chunks(TOGETHER) {
            try_join_all(together.iter().map(|(id, leaves)| self.bury(**id, leaves))).await?;
        }
        self.drop_copies(ids).await?;
        self.drop_envelopes(ids).await
    }

    /// Leaves of the records of an id, and of the envelopes that they were blocked in.
    async fn leaves_of(&self, id: &PayloadId) -> Result<Vec<LeafRef>, Error> {
        let mut leaves = Vec::new();
        for kind in [Kind::Payload, Kind::Raw] {
            leaves.extend(self.head(kind, id).await?.map(|head| head.leaf()));
        }
        leaves.extend(self.envelope_leaves(&ItemId::Payload(*id)).await?);
        leaves.extend(self.copy_leaves(id).await?);
        Ok(leaves)
    }

    async fn bury(&self, id: PayloadId, leaves: &[LeafRef]) -> Result<(), Error> {
        let tombstone = Tombstone { time: now(), leaves: leaves.to_vec() };
        let event = self.governed.as_ref().map(|_| Happening::now(What::Erased).id(id).lasting());
        self.store.bury_noted(id, tombstone, event).await?;
        self.puncture_latecomers(id, leaves).await?;
        self.counters.erased.add();
        Ok(())
    }

    /// A send of the same raw payload may have kept its record after we looked and before it was buried: its key goes, too.
    async fn puncture_latecomers(&self, id: PayloadId, known: &[LeafRef]) -> Result<(), Error> {
        if let Lookup::Erased(tombstone) = self.store.head(Kind::Payload, &id).await? {
            let late: Vec<LeafRef> = tombstone.leaves.into_iter().filter(|leaf| !known.contains(leaf)).collect();
            if !late.is_empty() {
                self.enclave.erase(late).await?;
            }
        }
        Ok(())
    }
}
