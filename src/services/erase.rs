//! Erasing payloads here: their keys first, durably, then their rows.

use std::sync::Arc;

use futures_util::future::try_join_all;

use super::happening::{Happening, Kind as What};
use super::records::now;
use super::send::to_its_end;
use super::supervision::Extent;
use super::{Error, HoldError, Node};
use crate::shred::LeafRef;
use crate::store::{Kind, Lookup, Tombstone};
use crate::types::{ItemId, MemberId, PayloadId};

/// Payloads that are buried at once: they share a commit.
const TOGETHER: usize = 256;

/// What is to be erased of an id.
struct Doomed {
    id: PayloadId,
    /// The payload itself, too.
    with_record: bool,
    /// Whose it is, where that is to be written down.
    sender: Option<MemberId>,
    /// Leaves of the payload's records.
    record: Vec<LeafRef>,
    /// Leaves of the copies.
    copies: Vec<LeafRef>,
}

/// Whose a payload is that is here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Owner {
    /// Nothing is here.
    Absent,
    /// This member's.
    Is(MemberId),
    /// Nobody can read it any more.
    Unknown,
}

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

    /// The same for many that are here, of whomever: one rewrite of each key tree. What is erased already is no error.
    pub(crate) async fn erase_all(&self, ids: &[PayloadId]) -> Result<(), Error> {
        self.erase_within(ids, Extent::All).await
    }

    /// The same for what an erasure may reach of them.
    ///
    /// Threat: who has seen an id gives a supervisor something of its own for it, and has that erased: what others gave stays.
    pub(crate) async fn erase_within(&self, ids: &[PayloadId], extent: Extent<'_>) -> Result<(), Error> {
        let doomed = try_join_all(ids.iter().map(|id| self.doom(*id, extent))).await?;
        let whole: Vec<PayloadId> = doomed.iter().filter(|doomed| doomed.with_record).map(|doomed| doomed.id).collect();
        let items: Vec<ItemId> = whole.iter().copied().map(ItemId::Payload).collect();
        self.unindex(&items).await?;
        // Again: a record may have come while its words left the index.
        let doomed = try_join_all(doomed.into_iter().map(|doomed| self.with_leaves(doomed, extent))).await?;
        self.enclave
            .erase(doomed.iter().flat_map(|doomed| doomed.record.iter().chain(&doomed.copies)).copied().collect())
            .await?;
        let here: Vec<&Doomed> = doomed.iter().filter(|doomed| !doomed.record.is_empty()).collect();
        for together in here.chunks(TOGETHER) {
            try_join_all(together.iter().map(|doomed| self.bury(doomed.id, &doomed.record))).await?;
        }
        for together in doomed.chunks(TOGETHER) {
            try_join_all(together.iter().map(|doomed| self.drop_doomed(doomed, extent))).await?;
        }
        self.drop_envelopes(&whole).await
    }

    async fn doom(&self, id: PayloadId, extent: Extent<'_>) -> Result<Doomed, Error> {
        // Whose it was is told to those alone who may be given copies of it by others.
        let owner = match extent {
            Extent::Of(_) => self.record_owner(&id).await?,
            Extent::All | Extent::Record if self.is_watching() => self.record_owner(&id).await?,
            Extent::All | Extent::Record | Extent::CopiesOf(_) => Owner::Unknown,
        };
        let with_record = match (extent, &owner) {
            (Extent::All | Extent::Record, _) => true,
            (Extent::CopiesOf(_), _) => false,
            (Extent::Of(member), Owner::Is(owner)) => owner == member,
            (Extent::Of(_), Owner::Absent | Owner::Unknown) => true,
        };
        let sender = match owner {
            Owner::Is(owner) if with_record && self.is_watching() => Some(owner),
            _ => None,
        };
        Ok(Doomed { id, with_record, sender, record: Vec::new(), copies: Vec::new() })
    }

    async fn with_leaves(&self, doomed: Doomed, extent: Extent<'_>) -> Result<Doomed, Error> {
        let record = if doomed.with_record { self.record_leaves(&doomed.id).await? } else { Vec::new() };
        let copies = self.copy_leaves(&doomed.id, extent).await?;
        Ok(Doomed { record, copies, ..doomed })
    }

    async fn drop_doomed(&self, doomed: &Doomed, extent: Extent<'_>) -> Result<(), Error> {
        let id = doomed.id;
        let is_buried = !doomed.record.is_empty();
        let has_record = !is_buried && matches!(self.store.head(Kind::Payload, &id).await?, Lookup::Found(_));
        let ended = |is_last: bool| {
            let what = Happening::now(What::Erased).id(id);
            // It silences what the journal says of the id: not while something of it is left.
            let event = if is_last && !has_record { what.lasting() } else { what.event() };
            if is_buried { Vec::new() } else { vec![event] }
        };
        let sender = doomed.sender.as_ref().filter(|_| is_buried);
        let had_copies = self.drop_copies(&id, extent, (doomed.with_record, sender), ended).await?;
        if had_copies && !is_buried {
            self.counters.erased.add();
        }
        Ok(())
    }

    /// Leaves of everything here of an id.
    async fn leaves_of(&self, id: &PayloadId) -> Result<Vec<LeafRef>, Error> {
        let mut leaves = self.record_leaves(id).await?;
        leaves.extend(self.copy_leaves(id, Extent::All).await?);
        Ok(leaves)
    }

    /// Leaves of the records of an id, and of the envelopes that they were blocked in.
    async fn record_leaves(&self, id: &PayloadId) -> Result<Vec<LeafRef>, Error> {
        let mut leaves = Vec::new();
        for kind in [Kind::Payload, Kind::Raw] {
            leaves.extend(self.head(kind, id).await?.map(|head| head.leaf()));
        }
        leaves.extend(self.envelope_leaves(&ItemId::Payload(*id)).await?);
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
