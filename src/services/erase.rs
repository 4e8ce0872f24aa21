//! Erasing a payload here: its keys first, durably, then its rows.

use std::sync::Arc;

use super::happening::{Happening, Kind as What};
use super::records::now;
use super::send::to_its_end;
use super::{Error, Node};
use crate::shred::LeafRef;
use crate::store::{Kind, Lookup, Tombstone};
use crate::types::PayloadId;

impl Node {
    /// Punctures the payload's keys and buries it; durable when this returns.
    ///
    /// A crash between the two leaves a record that nobody can open: it already answers "not found", and the next erasure buries it.
    pub async fn erase(self: &Arc<Self>, id: PayloadId) -> Result<(), Error> {
        let node = Arc::clone(self);
        to_its_end(async move { node.erase_now(id).await }).await
    }

    async fn erase_now(&self, id: PayloadId) -> Result<(), Error> {
        let mut leaves = Vec::new();
        for kind in [Kind::Payload, Kind::Raw] {
            leaves.extend(self.head(kind, &id).await?.map(|head| head.leaf()));
        }
        if leaves.is_empty() {
            return Err(Error::NotFound(id));
        }
        self.enclave.erase(leaves.clone()).await?;
        let tombstone = Tombstone { time: now(), leaves: leaves.clone() };
        let event = self.governed.as_ref().map(|_| Happening::now(What::Erased).id(id).lasting());
        self.store.bury_noted(id, tombstone, event).await?;
        self.puncture_latecomers(id, &leaves).await?;
        self.counters.erased.add();
        tracing::info!(%id, "payload erased");
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
