//! From a request to the list of what it reaches here.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use super::DisclosureError;
use crate::disclosure::{By, Found, Item, Scope};
use crate::enclave::EnclaveError;
use crate::erasure;
use crate::services::{Error, Node};
use crate::shred::SealedHead;
use crate::store::{Kind, Lookup};
use crate::types::{ItemId, MemberId, PayloadId};
use crate::wire::{Header, Proofs};

/// Payloads of one request, at most.
const MOST: usize = 200_000;
/// Heads read at once.
const PAGE: usize = 1_000;
/// Calls to the enclave at once.
const PARALLEL: usize = 32;

impl Node {
    /// What a scope reaches here, in the order of ids. Named payloads are all answered for, whatever became of them.
    pub(super) async fn docket_items(&self, scope: &Scope) -> Result<Vec<Item>, Error> {
        let items = match &scope.by {
            By::Items(ids) => self.items_of(ids).await?,
            By::Contract(contract) => {
                let items = self.resolve(&erasure::Scope::Contract(contract.to_string())).await?;
                let payload = |item: &ItemId| match item {
                    ItemId::Payload(id) => Some(*id),
                    ItemId::Document(_) => None,
                };
                let ids: Vec<PayloadId> = items.iter().filter_map(payload).collect();
                covered(scope, self.items_of(&ids).await?)
            }
            By::Time | By::Member(_) | By::Class(_) | By::Party(_) => self.items_among_all(scope).await?,
        };
        items.iter().try_for_each(Item::check_form).map_err(DisclosureError::from)?;
        if items.len() > MOST { Err(DisclosureError::TooMany(MOST).into()) } else { Ok(items) }
    }

    async fn items_of(&self, ids: &[PayloadId]) -> Result<Vec<Item>, Error> {
        let mut items = Vec::with_capacity(ids.len());
        for chunk in ids.chunks(PARALLEL) {
            let found = join_all(chunk.iter().map(|id| self.found(*id))).await;
            for (id, found) in chunk.iter().zip(found) {
                items.extend(self.with_copies(*id, found?).await?);
            }
        }
        items.sort_by_key(|item| item.id);
        Ok(items)
    }

    async fn items_among_all(&self, scope: &Scope) -> Result<Vec<Item>, Error> {
        let (mut items, mut after) = (Vec::new(), None);
        loop {
            let page = self.store.heads(Kind::Payload, after, PAGE).await?;
            let Some((last, ..)) = page.last() else { break };
            after = Some(*last);
            for chunk in page.chunks(PARALLEL) {
                let found = join_all(chunk.iter().map(|(id, time, head)| self.escrowed_of(scope, (*id, *time), head))).await;
                for ((id, ..), found) in chunk.iter().zip(found) {
                    items.extend(covered(scope, vec![Item { id: *id, found: found? }]));
                }
            }
            if items.len() > MOST {
                return Err(DisclosureError::TooMany(MOST).into());
            }
        }
        self.add_copied(scope, items).await
    }

    /// Adds what a supervisor's copies hold: of what was not received, or was given by another than its sender.
    async fn add_copied(&self, scope: &Scope, mut items: Vec<Item>) -> Result<Vec<Item>, Error> {
        let sender = |item: &Item| Some((item.id, item.label()?.ok()?.member));
        let received: BTreeSet<(PayloadId, Option<MemberId>)> = items.iter().filter_map(sender).collect();
        let mut after = None;
        while let Some((copied, last)) = self.copied_items(scope, after).await? {
            after = Some(last);
            items.extend(copied.into_iter().filter(|item| sender(item).is_none_or(|of| !received.contains(&of))));
            if items.len() > MOST {
                return Err(DisclosureError::TooMany(MOST).into());
            }
        }
        items.sort_by_key(|item| item.id);
        Ok(items)
    }

    /// What is here of one payload.
    pub(super) async fn found(&self, id: PayloadId) -> Result<Found, Error> {
        let item = ItemId::Payload(id);
        if self.is_blocked(&item).await? {
            return Ok(Found::Held(self.words_of_holds(&item).await?));
        }
        match self.store.head(Kind::Payload, &id).await? {
            Lookup::Found(head) => self.escrowed(id, &head).await,
            Lookup::Erased(tombstone) => Ok(Found::Erased(self.words_of_erasure(id, tombstone.time).await?)),
            Lookup::Absent => self.found_of_copies(id).await,
        }
    }

    /// What is here of a payload, if a scope that labels do not tell reaches it.
    async fn escrowed_of(&self, scope: &Scope, (id, kept): (PayloadId, u64), head: &SealedHead) -> Result<Found, Error> {
        match &scope.by {
            By::Party(member) if !self.is_party(member, (id, kept), head).await? => Ok(Found::NoEscrow),
            _ => self.escrowed(id, head).await,
        }
    }

    /// Whether a member sent a payload or received it, as this node knows: by the names in its head, or by addresses that were its when the
    /// payload was made, or else kept.
    async fn is_party(&self, member: &MemberId, (id, kept): (PayloadId, u64), head: &SealedHead) -> Result<bool, Error> {
        let meta = match self.enclave.meta(id, head).await {
            Ok(meta) => meta,
            Err(EnclaveError::Erased) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        if let Some(native) = &meta.native {
            let is_named = match &native.proofs {
                Proofs::Sent { recipients, .. } => recipients.iter().any(|(_, name)| name == member),
                Proofs::Received(_) => false,
            };
            if is_named || native.member == *member {
                return Ok(true);
            }
        }
        let header = meta.native.as_ref().and_then(|native| Header::decode(&native.header).ok());
        let (charter, made) = (self.needs_governance()?.charter(), header.map_or(kept, |header| header.time));
        Ok(meta.recipients.iter().chain([&meta.sender]).any(|address| charter.owner_of(address, made) == Some(member)))
    }

    async fn escrowed(&self, id: PayloadId, head: &SealedHead) -> Result<Found, Error> {
        match self.enclave.escrow(id, head).await {
            Ok(Some(escrowed)) => Ok(Found::Escrowed { label: escrowed.label.encode(), capsule: Box::new(escrowed.capsule) }),
            Ok(None) => Ok(Found::NoEscrow),
            // Its erasure is under way.
            Err(EnclaveError::Erased) => Ok(Found::Erased("its key is destroyed; ask for the certificate of its erasure".into())),
            Err(error) => Err(error.into()),
        }
    }

    /// What stands for an erased payload: when it was erased, and where its journal says so.
    async fn words_of_erasure(&self, id: PayloadId, time: u64) -> Result<String, Error> {
        let rows = self.store.trace(&id).await?;
        let at = crate::disclosure::moment(time);
        Ok(format!("erased {at}; journal row(s) {}; ask its sender for the certificate", some_of(&rows)))
    }

    async fn words_of_holds(&self, item: &ItemId) -> Result<String, Error> {
        let holds = self.hold_names(item).await?;
        Ok(format!("blocked under hold {}", some_of(&holds)))
    }
}

/// The first and the last of a list, and how many there are: every read of a payload may be a row, and words have an end.
pub(super) fn some_of<T: ToString>(all: &[T]) -> String {
    match all {
        [] => "none".to_owned(),
        [one] => one.to_string(),
        [first, last] => format!("{}, {}", first.to_string(), last.to_string()),
        [first, .., last] => format!("{} to {} ({} of them)", first.to_string(), last.to_string(), all.len()),
    }
}

/// Those that a scope covers; what has no label is not told apart and not listed.
fn covered(scope: &Scope, items: Vec<Item>) -> Vec<Item> {
    items.into_iter().filter(|item| matches!(item.label(), Some(Ok(label)) if scope.covers(&label))).collect()
}
