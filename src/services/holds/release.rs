//! Releasing holds before their time. What was blocked is read again, with the committee's answer.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use futures_util::future::try_join_all;

use super::HoldError;
use super::place::told;
use super::rows::{Part, envelope_key, let_go};
use crate::enclave::{EnclaveError, HoldRelease, Restored};
use crate::erasure::{
    ANSWER_FORMAT, Hold, HoldAnswer, HoldId, HoldKind, HoldRequest, HoldState, LockedEnvelope, OpenedEnvelope, REQUEST_FORMAT,
    Tags,
};
use crate::services::happening::Kind as What;
use crate::services::send::to_its_end;
use crate::services::{Error, Node, native, rights};
use crate::shred::SealedHead;
use crate::store::{Kind, Lookup, StoreError, Table, Write};
use crate::types::{Address, ItemId, PayloadId};

/// Items restored at once: the writer commits them together.
const TOGETHER: usize = 64;

/// An item with its records under fresh leaves, not yet written.
pub(super) struct Opened {
    item: ItemId,
    pub(super) records: Vec<(Part, Restored)>,
}

impl Node {
    /// What the committee is asked: the locks of a hold's envelopes, and a one-time key to answer to. What is in the envelopes stays here.
    pub async fn export_hold(&self, id: HoldId, by: &str) -> Result<HoldRequest, Error> {
        let hold = self.standing(id).await?;
        let mut envelopes = Vec::new();
        for item in self.items_of_hold(&id).await? {
            for part in self.parts(&item).await? {
                let lock = self.enclave.hold_lock(item, &part.envelope()?).await?;
                envelopes.push(LockedEnvelope { label: part.label(self.hold_network(), item)?, lock });
            }
        }
        if envelopes.is_empty() {
            return Err(HoldError::Nothing.into());
        }
        let key = self.enclave.hold_key().await?;
        self.store.note(told(What::HoldExported, &hold, by)).await?;
        Ok(HoldRequest { format: REQUEST_FORMAT.into(), hold: id, key, envelopes })
    }

    /// Takes the committee's answer, for the release that follows. It is kept in memory alone.
    pub async fn answer_hold(&self, id: HoldId, answer: HoldAnswer) -> Result<(), Error> {
        self.standing(id).await?;
        if answer.format != ANSWER_FORMAT || answer.hold != id {
            return Err(HoldError::Answer("it is for another hold").into());
        }
        *self.holds.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
        Ok(())
    }

    /// Releases a hold. Of a block, items that no other block is on are read again: that needs the committee's answer.
    pub async fn release_hold(self: &Arc<Self>, id: HoldId, by: &str) -> Result<Hold, Error> {
        let (node, by) = (Arc::clone(self), by.to_owned());
        to_its_end(async move { node.release_now(id, &by).await }).await
    }

    async fn standing(&self, id: HoldId) -> Result<Hold, Error> {
        let hold = self.hold(id).await?;
        match hold.state {
            HoldState::Active => Ok(hold),
            HoldState::Released => Err(HoldError::NotActive(id, "released").into()),
            HoldState::Expired => Err(HoldError::NotActive(id, "expired").into()),
        }
    }

    async fn release_now(&self, id: HoldId, by: &str) -> Result<Hold, Error> {
        let _one = self.holds.gate.lock().await;
        let hold = self.standing(id).await?;
        let to_open = self.to_open(&hold).await?;
        if !to_open.is_empty() {
            // Everything is opened before anything is changed: half an answer releases nothing.
            let opened = self.open_all(&hold, to_open).await?;
            for together in opened.chunks(TOGETHER) {
                try_join_all(together.iter().map(|opened| self.restore(&hold, opened))).await?;
                let mut leaves = Vec::new();
                for (part, _) in together.iter().flat_map(|opened| &opened.records) {
                    leaves.push(part.envelope()?.leaf());
                }
                self.enclave.erase(leaves).await?;
            }
        }
        let hold = self.end_hold(hold, HoldState::Released, by).await?;
        self.holds.answer.lock().unwrap_or_else(PoisonError::into_inner).take_if(|answer| answer.hold == id);
        self.count_holds().await?;
        Ok(hold)
    }

    /// The blocked items that are to be read again: of a block, those that no other block is on; of a legal hold that outlived a block,
    /// those that no other hold is on. Threat: what a hold was to keep is destroyed because somebody lets it go.
    pub(super) async fn to_open(&self, hold: &Hold) -> Result<Vec<(ItemId, Vec<Part>)>, Error> {
        let mut items = Vec::new();
        for item in self.items_of_hold(&hold.id).await? {
            let stays = self
                .holds_of(&item)
                .await?
                .iter()
                .any(|on| on.hold != hold.id && (hold.kind != HoldKind::Block || on.kind == HoldKind::Block));
            let parts = self.parts(&item).await?;
            if !stays && !parts.is_empty() {
                items.push((item, parts));
            }
        }
        Ok(items)
    }

    pub(super) async fn open_all(&self, hold: &Hold, items: Vec<(ItemId, Vec<Part>)>) -> Result<Vec<Opened>, Error> {
        let answer = self.holds.answer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let answer = answer.filter(|answer| answer.hold == hold.id).ok_or(HoldError::AnswerNeeded(hold.id))?;
        let by_lock: HashMap<Address, &OpenedEnvelope> =
            answer.envelopes.iter().map(|envelope| (envelope.lock, envelope)).collect();
        let mut opened = Vec::with_capacity(items.len());
        for (item, parts) in items {
            let mut records = Vec::with_capacity(parts.len());
            for part in parts {
                let envelope = part.envelope()?;
                let lock = self.enclave.hold_lock(item, &envelope).await?;
                let share = by_lock.get(&lock).ok_or(HoldError::Answer("it does not have every envelope of the hold"))?;
                let label = part.label(self.hold_network(), item)?.encode();
                let sealed = share.share.clone().into();
                let release = HoldRelease { envelope, label, one_time: answer.key, from: answer.from, sealed };
                match self.enclave.release_record(item, release).await {
                    Ok(restored) => records.push((part, restored)),
                    Err(EnclaveError::Broken) => return Err(HoldError::Answer("it does not open an envelope of the hold").into()),
                    Err(error) => return Err(error.into()),
                }
            }
            opened.push(Opened { item, records });
        }
        Ok(opened)
    }

    /// Puts an item's records back under their fresh leaves, with what was sealed beside them; then it is blocked no more.
    async fn restore(&self, hold: &Hold, opened: &Opened) -> Result<(), Error> {
        let item = opened.item;
        let id = match item {
            ItemId::Payload(id) => id,
            ItemId::Document(id) => {
                for (_, restored) in &opened.records {
                    self.restore_document(hold, id, restored).await?;
                }
                return Ok(());
            }
        };
        let mut tags = None;
        for (part, restored) in &opened.records {
            self.put_back(part.kind(), id, &restored.head).await?;
            if part.kind() != Kind::Payload {
                continue;
            }
            for (label, sealed) in &restored.beside {
                if label == native::ACKS {
                    self.store.put_beside(id, sealed.clone(), None).await?;
                } else if label == rights::TAGS {
                    tags = Some(self.enclave.open_beside(&restored.head, label, sealed.clone()).await?);
                }
            }
        }
        let tags: Tags = match tags {
            Some(text) => serde_json::from_slice(&text).map_err(|_| StoreError::Corrupt("the tags of an item".into()))?,
            None => Tags::default(),
        };
        let declared = self.declared_again(item, &tags).await?;
        let mut rows = declared.rows;
        rows.extend(let_go(&hold.id, &item));
        rows.push(Write::delete(Table::Hold, envelope_key(&item)));
        self.store.write(rows, Vec::new()).await?;
        drop(declared.gate);
        Ok(())
    }

    pub(super) async fn put_back(&self, kind: Kind, id: PayloadId, head: &SealedHead) -> Result<(), Error> {
        loop {
            let Lookup::Found(old) = self.store.head(kind, &id).await? else {
                return Err(StoreError::Corrupt("a blocked record is not there".into()).into());
            };
            if self.store.replace_head(kind, id, old, head.clone()).await? {
                return Ok(());
            }
        }
    }
}
