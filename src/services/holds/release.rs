//! Releasing holds before their time. What was blocked is read again, with the committee's answer.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};

use bytes::Bytes;
use futures_util::future::try_join_all;

use super::place::told;
use super::rows::{Part, envelope_key, let_go};
use super::{Asked, HoldError};
use crate::crypto::hash::sha256;
use crate::crypto::threshold::Capsule;
use crate::enclave::{EnclaveError, HoldLock, HoldRelease, HoldShare, Restored};
use crate::erasure::{
    ANSWER_FORMAT, Hold, HoldAnswer, HoldId, HoldKind, HoldRequest, HoldState, LockedEnvelope, REQUEST_FORMAT, Tags,
};
use crate::governance::{Committee, Officer};
use crate::services::happening::Kind as What;
use crate::services::send::to_its_end;
use crate::services::{Error, Node, native, rights};
use crate::shred::SealedHead;
use crate::store::{Kind, Lookup, StoreError, Table, Write};
use crate::types::{ItemId, PayloadId};

/// Items restored at once: the writer commits them together.
const TOGETHER: usize = 64;

/// An item with its records under fresh leaves, not yet written.
pub(super) struct Opened {
    item: ItemId,
    pub(super) records: Vec<(Part, Restored)>,
}

/// The officers' answers, each with its shares by the digest of the capsule.
struct Answers(Vec<(HoldAnswer, HashMap<Vec<u8>, Bytes>)>);

impl Answers {
    fn new(answers: Vec<HoldAnswer>) -> Self {
        let shares = |answer: &HoldAnswer| {
            answer.envelopes.iter().map(|opened| (opened.capsule.clone(), opened.share.clone().into())).collect()
        };
        Self(answers.into_iter().map(|answer| (answer.clone(), shares(&answer))).collect())
    }

    /// What a committee's officers say of a capsule.
    fn of<'a>(&self, committee: &'a Committee, capsule: &Capsule) -> (Vec<&'a Officer>, Vec<HoldShare>) {
        let digest = sha256(&[&capsule.to_bytes()]);
        let said = self.0.iter().filter_map(|(answer, shares)| {
            let officer = committee.signer(&answer.officer)?;
            let sealed = shares.get(digest.as_slice())?.clone();
            Some((officer, HoldShare { verifying: officer.share, sealed }))
        });
        said.unzip()
    }
}

impl Node {
    /// What the committee is asked: the locks of a hold's envelopes, and a one-time key to answer to. What is in the envelopes stays here.
    pub async fn export_hold(&self, id: HoldId, by: &str) -> Result<HoldRequest, Error> {
        let hold = self.standing(id).await?;
        let mut envelopes = Vec::new();
        for item in self.items_of_hold(&id).await? {
            for part in self.parts(&item).await? {
                let HoldLock { committee, capsule } = self.enclave.hold_lock(item, &part.envelope()?).await?;
                let label = part.label(self.hold_network(), item)?;
                envelopes.push(LockedEnvelope { label, committee, capsule: capsule.to_bytes().to_vec() });
            }
        }
        if envelopes.is_empty() {
            return Err(HoldError::Nothing.into());
        }
        let key = self.enclave.hold_key().await?;
        self.asked().insert(id, Asked { key, answers: Vec::new() });
        self.store.note(told(What::HoldExported, &hold, by)).await?;
        Ok(HoldRequest { format: REQUEST_FORMAT.into(), network: self.hold_network(), hold: id, key, envelopes })
    }

    /// Takes an officer's answer, for the release that follows. Answers are kept in memory alone, those to the newest export. How many of
    /// the officers have answered, and how many are needed.
    ///
    /// Threat: somebody answers in an officer's name, or one officer for two.
    pub async fn answer_hold(&self, id: HoldId, answer: HoldAnswer) -> Result<(usize, u64), Error> {
        self.standing(id).await?;
        if answer.format != ANSWER_FORMAT || answer.hold != id {
            return Err(HoldError::Answer("it is for another hold".into()).into());
        }
        let committees = self.hold_committees();
        let committee = committees.iter().rev().find(|committee| committee.signer(&answer.officer).is_some());
        let committee = committee.ok_or_else(|| HoldError::Answer("it is of nobody of the hold committee".into()))?;
        if answer.officer.verify(&answer.statement(&self.hold_network()), &answer.signature).is_err() {
            return Err(HoldError::Answer("its signature is not the officer's".into()).into());
        }
        let mut asked = self.asked();
        // Threat: an answer of before is shown again, in the place of the one that is good.
        let asked = asked.get_mut(&id).filter(|asked| asked.key == answer.key).ok_or(EnclaveError::HoldKeyGone)?;
        asked.answers.retain(|other| other.officer != answer.officer);
        asked.answers.push(answer);
        Ok((asked.answers.len(), committee.threshold))
    }

    fn asked(&self) -> MutexGuard<'_, HashMap<HoldId, Asked>> {
        self.holds.asked.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.asked().remove(&id);
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
        let answers = Answers::new(self.asked().get(&hold.id).map_or_else(Vec::new, |asked| asked.answers.clone()));
        let committees = self.hold_committees();
        let mut opened = Vec::with_capacity(items.len());
        for (item, parts) in items {
            let mut records = Vec::with_capacity(parts.len());
            for part in parts {
                let restored = self.open_part(hold, item, &part, &answers, &committees).await?;
                records.push((part, restored));
            }
            opened.push(Opened { item, records });
        }
        Ok(opened)
    }

    async fn open_part(
        &self,
        hold: &Hold,
        item: ItemId,
        part: &Part,
        answers: &Answers,
        committees: &[Committee],
    ) -> Result<Restored, Error> {
        let envelope = part.envelope()?;
        let lock = self.enclave.hold_lock(item, &envelope).await?;
        let needed = || HoldError::AnswerNeeded(hold.id);
        let committee = committees.iter().find(|committee| committee.key == lock.committee).ok_or_else(needed)?;
        let (officers, shares) = answers.of(committee, &lock.capsule);
        let threshold = usize::try_from(committee.threshold).unwrap_or(usize::MAX);
        if shares.len() < threshold {
            return Err(if shares.is_empty() && answers.0.is_empty() {
                needed()
            } else {
                HoldError::TooFewAnswers { have: shares.len(), needed: committee.threshold }
            }
            .into());
        }
        let label = part.label(self.hold_network(), item)?.encode();
        let shares = shares.into_iter().take(threshold).collect();
        let one_time = answers.0[0].0.key;
        match self.enclave.release_record(item, HoldRelease { envelope, label, one_time, shares }).await {
            Ok(restored) => Ok(restored),
            Err(EnclaveError::HoldShare(at)) => {
                // Threat: one bad answer stops the release for ever. It is named and dropped; another officer's takes its place.
                let officer = usize::try_from(at).ok().and_then(|at| officers.get(at)).ok_or(EnclaveError::HoldShare(at))?;
                if let Some(asked) = self.asked().get_mut(&hold.id) {
                    asked.answers.retain(|answer| answer.officer != officer.signing_key);
                }
                Err(HoldError::Answer(format!("that of {} opens nothing: its proof fails", officer.name)).into())
            }
            Err(EnclaveError::Broken) => Err(HoldError::Answer("they do not open an envelope of the hold".into()).into()),
            Err(error) => Err(error.into()),
        }
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
