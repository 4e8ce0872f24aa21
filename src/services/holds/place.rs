//! Placing holds; blocking what they are on.
//!
//! The order makes a crash harmless: the hold is written down before an item is touched, an item's envelope is on the disk before its own leaf is
//! punctured, and the hold is marked as unfinished until the last of them is.

use std::sync::Arc;

use super::HoldError;
use super::rows::{Part, begin, finished, put_parts};
use crate::crypto::random;
use crate::crypto::threshold::GroupKey;
use crate::enclave::EnclaveError;
use crate::erasure::{Hold, HoldId, HoldKind, HoldLabel, HoldState, Order, Scope, is_reference};
use crate::services::happening::{Happening, Kind as What};
use crate::services::records::now;
use crate::services::send::to_its_end;
use crate::services::{Error, Node, native, rights};
use crate::shred::SealedHead;
use crate::store::{Kind, Table};
use crate::types::{ItemId, NetworkId, PayloadId};

/// Items blocked at once: they share a write and a puncture.
const TOGETHER: usize = 256;

/// A hold to place.
#[derive(Clone, Debug)]
pub struct NewHold {
    /// What it does.
    pub kind: HoldKind,
    /// Why: the name of a ground in the profile.
    pub ground: String,
    /// What it rests on.
    pub reference: String,
    /// Until when, milliseconds since the Unix epoch.
    pub until: u64,
    /// On what.
    pub scope: Scope,
}

impl Node {
    /// Places a hold; of a block, every item is unreadable, durably, when this returns.
    pub async fn place_hold(self: &Arc<Self>, new: NewHold, by: &str) -> Result<Hold, Error> {
        let (node, by) = (Arc::clone(self), by.to_owned());
        to_its_end(async move {
            node.check_hold(&new)?;
            let items = node.holdable(&new.scope).await?;
            node.place(&new, &items, &by).await
        })
        .await
    }

    fn check_hold(&self, new: &NewHold) -> Result<(), HoldError> {
        let holds = &self.settings.holds;
        if !holds.profile.has_hold_ground(&new.ground) {
            return Err(HoldError::Ground(holds.profile.hold_ground_names()));
        }
        if !is_reference(&new.reference) {
            return Err(HoldError::Reference);
        }
        if new.until <= now() {
            return Err(HoldError::Past);
        }
        if new.kind == HoldKind::Block && self.hold_committees().is_empty() {
            return Err(HoldError::NoCommittee);
        }
        Ok(())
    }

    /// What a hold on a scope is on. By name also what is blocked: a second hold may be placed on it.
    async fn holdable(&self, scope: &Scope) -> Result<Vec<ItemId>, Error> {
        let mut items = self.resolve(scope).await?;
        if let Scope::Items(named) = scope {
            for item in named {
                if !items.contains(item) && self.is_blocked(item).await? {
                    items.push(*item);
                }
            }
        }
        Ok(items)
    }

    async fn place(&self, new: &NewHold, items: &[ItemId], by: &str) -> Result<Hold, Error> {
        if items.is_empty() {
            return Err(HoldError::Nothing.into());
        }
        let _one = self.holds.gate.lock().await;
        let hold = Hold {
            id: HoldId(random()),
            kind: new.kind,
            ground: new.ground.clone(),
            reference: new.reference.trim().to_owned(),
            placed: now(),
            by: by.to_owned(),
            until: new.until,
            items: items.len() as u64,
            state: HoldState::Active,
            ended: None,
            ended_by: None,
        };
        self.store.write(begin(&hold, items), vec![told(What::Held, &hold, by)]).await?;
        if hold.kind == HoldKind::Block {
            self.block_items(&hold).await?;
        }
        tracing::info!(hold = %hold.id, kind = %hold.kind, items = hold.items, "a hold was placed");
        self.count_holds().await?;
        Ok(hold)
    }

    /// Blocks what is still readable of a hold's items. Safe to repeat.
    pub(super) async fn block_items(&self, hold: &Hold) -> Result<(), Error> {
        let committee = self.hold_committees().pop().ok_or(HoldError::NoCommittee)?.key;
        let items = self.items_of_hold(&hold.id).await?;
        for together in items.chunks(TOGETHER) {
            // Whoever is named in blocked data must not be confirmed by the index, either.
            self.unindex(together).await?;
            while !self.block_some(hold, committee, together).await? {}
            for item in together {
                if let ItemId::Document(id) = item {
                    self.block_document(hold, committee, *id).await?;
                }
            }
        }
        Ok(self.store.write(finished(hold), Vec::new()).await?)
    }

    /// Envelopes first, then punctures. False: a record got another head meanwhile, and is still to be blocked.
    async fn block_some(&self, hold: &Hold, committee: GroupKey, items: &[ItemId]) -> Result<bool, Error> {
        let (mut rows, mut events, mut leaves, mut heads) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for item in items {
            let ItemId::Payload(id) = item else { continue };
            let sealed = self.seal_records(*id, hold, committee).await?;
            if sealed.is_empty() {
                continue;
            }
            for part in &sealed {
                heads.push((*id, part.kind(), part.head()?));
            }
            let (replaced, kept): (Vec<Part>, Vec<Part>) =
                self.parts(item).await?.into_iter().partition(|old| sealed.iter().any(|part| part.kind() == old.kind()));
            for old in &replaced {
                leaves.push(old.envelope()?.leaf());
            }
            if replaced.is_empty() {
                let details = serde_json::json!({ "hold": hold.id });
                events.push(Happening::now(What::Blocked).id(*id).details(details).lasting());
            }
            rows.push(put_parts(item, &[kept, sealed].concat()));
        }
        if rows.is_empty() {
            return Ok(true);
        }
        self.store.write(rows, events).await?;
        // Threat: a delivery adds recipients that the envelope does not have. From here on it is refused; before, it changed the head.
        for (id, kind, head) in &heads {
            if self.head(*kind, id).await?.is_some_and(|now| now != *head) {
                return Ok(false);
            }
        }
        leaves.extend(heads.iter().map(|(_, _, head)| head.leaf()));
        self.enclave.erase(leaves).await?;
        Ok(true)
    }

    /// Envelopes of the records of an id that are readable.
    async fn seal_records(&self, id: PayloadId, hold: &Hold, committee: GroupKey) -> Result<Vec<Part>, Error> {
        let mut sealed = Vec::new();
        for kind in [Kind::Payload, Kind::Raw] {
            let Some(head) = self.head(kind, &id).await? else { continue };
            let beside = if kind == Kind::Payload { self.beside_head(id, &head).await? } else { Vec::new() };
            let label = self.hold_label(ItemId::Payload(id), hold);
            match self.enclave.block_record(ItemId::Payload(id), &head, beside, committee, label.encode()).await {
                Ok(envelope) => sealed.push(Part::new(kind, &head, &envelope, hold)),
                Err(EnclaveError::Erased) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(sealed)
    }

    /// What is sealed under a record's own leaf, and goes with it into the envelope.
    async fn beside_head(&self, id: PayloadId, head: &SealedHead) -> Result<Vec<(String, bytes::Bytes)>, Error> {
        let acks = self.store.beside(&id).await?;
        let tags = self.store.row(Table::Tag, id.as_bytes()).await?;
        let all = [(native::ACKS, acks), (rights::TAGS, tags)];
        let all = all.into_iter().filter_map(|(label, sealed)| Some((label.to_owned(), sealed?)));
        // What an interrupted release left under another leaf is dead.
        let is_its =
            |sealed: &bytes::Bytes| SealedHead::from_bytes(sealed.clone()).is_some_and(|text| text.leaf() == head.leaf());
        Ok(all.filter(|(_, sealed)| is_its(sealed)).collect())
    }

    /// What the envelope of an item is sealed for.
    pub(in crate::services) fn hold_label(&self, item: ItemId, hold: &Hold) -> HoldLabel {
        let (ground, reference) = (hold.ground.clone(), hold.reference.clone());
        HoldLabel { network: self.hold_network(), item, hold: hold.id, ground, reference, until: hold.until }
    }

    pub(super) fn hold_network(&self) -> NetworkId {
        self.governed.as_ref().map_or(NetworkId::new([0; 32]), |governed| governed.network)
    }

    /// What the profile blocks before it is destroyed, of items that an order would erase now: blocked when this returns. The others are the caller's.
    pub(crate) async fn block_first(&self, order: &Order, items: &[ItemId]) -> Result<Vec<ItemId>, Error> {
        let profile = Arc::clone(&self.settings.holds.profile);
        let mut blocked = Vec::new();
        for rule in profile.blocks.iter().filter(|rule| rule.grounds.contains(&order.ground)) {
            let mut meant = Vec::new();
            for item in items.iter().filter(|item| !blocked.contains(*item)) {
                if self.class_here(*item).await?.is_some_and(|class| rule.classes.contains(&class)) {
                    meant.push(*item);
                }
            }
            if meant.is_empty() {
                continue;
            }
            let term = u64::try_from(rule.term.duration().as_millis()).unwrap_or(u64::MAX);
            let new = NewHold {
                kind: HoldKind::Block,
                ground: rule.hold_ground.clone(),
                reference: format!("erasure case {} of {}", order.case, order.controller),
                until: now().saturating_add(term),
                scope: Scope::Items(Vec::new()),
            };
            self.check_hold(&new)?;
            self.place(&new, &meant, &format!("profile {}", profile.name)).await?;
            blocked.extend(meant);
        }
        Ok(blocked)
    }
}

/// What the journal says of a hold.
pub(super) fn told(what: What, hold: &Hold, by: &str) -> crate::store::Event {
    let details = serde_json::json!({
        "hold": hold.id, "kind": hold.kind, "ground": hold.ground, "reference": hold.reference, "items": hold.items, "until": hold.until,
    });
    Happening::now(what).actor(by, "hold").details(details).event()
}
