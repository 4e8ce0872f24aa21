//! Taking a delivery: decoded, rules checked, box opened, data key re-wrapped, durable; only then acknowledged.

use bytes::Bytes;

use super::happening::{Happening, Kind as What};
use super::records::now;
use super::rules::{self, Known, Verdict};
use super::supervision::Concern;
use super::withdraw::WithdrawToken;
use super::{Error, Node};
use crate::crypto::hash::payload_id;
use crate::enclave::{AffectedRecord, EnclaveError, Ingest, Meta};
use crate::erasure::Tags;
use crate::shred::SealedHead;
use crate::store::{Inserted, Kind, Lookup, Record};
use crate::types::{Address, Class, ItemId, PayloadId, Privacy, PrivacyFlag};
use crate::wire::EncodedPayload;

/// What became of a payload that a peer delivered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pushed {
    /// Its id.
    pub id: PayloadId,
    /// How the deliverer can take it back for a short while; absent if the payload was here before, or was passed over.
    pub withdraw: Option<WithdrawToken>,
    /// Nothing was kept: what it builds on is not here.
    pub passed_over: bool,
}

impl Node {
    /// Takes a delivery of the peer surface: opened, re-wrapped, durable when this returns. Idempotent.
    pub async fn push(&self, payload: EncodedPayload) -> Result<Pushed, Error> {
        self.admits_unvouched(&payload).await?;
        self.push_vouched(payload).await
    }

    /// The same of one whose supervisors, if it has any, acknowledged it.
    pub(crate) async fn push_vouched(&self, payload: EncodedPayload) -> Result<Pushed, Error> {
        if self.settings.recovering && payload.privacy.flag.is_enhanced() {
            return Err(Error::Recovering("Transactions with enhanced privacy are not accepted during recovery mode"));
        }
        self.admits_untold(&payload.sender)?;
        self.admits_unstopped(&payload).await?;
        let outcome = self.take(payload).await;
        match &outcome {
            Ok(Pushed { withdraw: Some(_), .. }) => self.counters.pushed.add(),
            Ok(_) => {}
            Err(_) => self.counters.push_refused.add(),
        }
        outcome
    }

    /// Whether an order to stop stands before a payload in Tessera's suite. What is given back in a recovery was sent before.
    async fn admits_unstopped(&self, payload: &EncodedPayload) -> Result<(), Error> {
        let (Some(governed), Some(member)) = (&self.governed, self.member_of(&payload.sender)) else { return Ok(()) };
        if self.settings.recovering || member == governed.me {
            return Ok(());
        }
        let concern = Concern::of(&member, Class::default(), &payload.privacy);
        self.not_stopped(governed, &concern).await
    }

    /// Whether it may be taken as what this node sent itself: in a recovery alone, from recipients that the network knows or knew.
    ///
    /// Threat: a box between two keys opens with either. Whoever has any key makes a payload from us to it, and what supervisors, policy and
    /// orders ask of a sender is not asked of us.
    fn admits_own(&self, payload: &EncodedPayload) -> Result<(), Error> {
        let Some(governed) = &self.governed else { return Ok(()) };
        let charter = governed.charter();
        if charter.last_owner_of(&payload.sender) != Some(&governed.me) {
            return Ok(());
        }
        if !self.settings.recovering {
            return Err(Error::OurOwn);
        }
        match payload.recipients.iter().find(|recipient| charter.last_owner_of(recipient).is_none()) {
            Some(stranger) => Err(Error::NotInDirectory(*stranger)),
            None => Ok(()),
        }
    }

    /// The same, also during recovery.
    pub(crate) async fn take(&self, mut payload: EncodedPayload) -> Result<Pushed, Error> {
        if payload.privacy.flag.is_enhanced() && !self.settings.enhanced_privacy {
            return Err(Error::EnhancedPrivacyDisabled);
        }
        self.admits_sender(&payload.sender)?;
        self.admits_own(&payload)?;
        let id = payload_id(&payload.ciphertext);
        let EncodedPayload { privacy, sender, recipients, ciphertext, .. } = &mut payload;
        if let Some(reason) = self.check_affected(privacy, sender, recipients, ciphertext).await? {
            self.counters.push_refused.add();
            tracing::info!(%id, reason, "a delivery was passed over");
            return Ok(Pushed { id, withdraw: None, passed_over: true });
        }
        let escrow = self.escrow_terms(&payload.sender, None);
        let Ingest::Mine { mut head, mut meta } = self.enclave.ingest(id, &payload, escrow).await? else {
            return Err(Error::NotForUs(id));
        };
        if self.directory.is_own(&meta.sender) && !meta.recipients.contains(&meta.sender) {
            // Our own transaction comes back from a recipient: it was ours to read, too.
            meta.recipients.push(meta.sender);
            head = self.enclave.rewrite(id, &head, meta.clone()).await?;
        }
        loop {
            let record = Record { time: now(), nonce: payload.nonce, head: head.clone(), ciphertext: payload.ciphertext.clone() };
            let event = self.event(|| Happening::now(What::Received).id(id));
            let due = self.declared(ItemId::Payload(id), &head, record.time, Class::default(), &Tags::default()).await?.rows;
            match self.store.insert_with(Kind::Payload, id, record, event, due).await? {
                Inserted::New => {
                    if let Some(member) = self.member_of(&payload.sender) {
                        self.refuse_guarded(id, &member).await?;
                    }
                    let withdraw = Some(self.withdrawals.offer(id, &head));
                    return Ok(Pushed { id, withdraw, passed_over: false });
                }
                Inserted::Buried => return Err(Error::Erased(id)),
                Inserted::Exists if self.merge_meta(id, &head, &meta).await? => {
                    return Ok(Pushed { id, withdraw: None, passed_over: false });
                }
                // It was withdrawn meanwhile: this delivery stands on its own.
                Inserted::Exists => {}
            }
        }
    }

    /// The rules that concern affected transactions. `Some` reason: say yes and keep nothing.
    /// Proofs that do not hold are struck from the payload, or refuse it under state validation.
    pub(crate) async fn check_affected(
        &self,
        privacy: &mut Privacy,
        sender: &Address,
        recipients: &[Address],
        ciphertext: &Bytes,
    ) -> Result<Option<&'static str>, Error> {
        if privacy.affected.is_empty() && privacy.flag != PrivacyFlag::StateValidation {
            return Ok(None);
        }
        let ids: Vec<PayloadId> = privacy.affected.iter().map(|affected| affected.id).collect();
        let found = self.affected(&ids).await?;
        let known: Vec<Known<'_>> = found.iter().map(|(record, meta)| Known { id: &record.id, meta }).collect();
        let unknown = found.len() != ids.len();
        let verdict = rules::check_push(privacy, sender, recipients, &known, unknown)?;
        if let Verdict::PassOver(reason) = verdict {
            return Ok(Some(reason));
        }
        let records = found.into_iter().map(|(record, _)| record).collect();
        self.strike_unproved(privacy, ciphertext, records).await?;
        Ok(None)
    }

    async fn strike_unproved(
        &self,
        privacy: &mut Privacy,
        ciphertext: &Bytes,
        records: Vec<AffectedRecord>,
    ) -> Result<(), Error> {
        let ids: Vec<PayloadId> = records.iter().map(|record| record.id).collect();
        let proofs = self.enclave.security_hashes(ciphertext.clone(), records).await?;
        let proved = |affected: &crate::types::Affected| {
            ids.iter().zip(&proofs).any(|(id, proof)| *id == affected.id && *proof == affected.hash)
        };
        if privacy.flag == PrivacyFlag::StateValidation && !privacy.affected.iter().all(proved) {
            return Err(Error::PrivacyViolation("Invalid security hashes for affected contract transactions".into()));
        }
        privacy.affected.retain(proved);
        Ok(())
    }

    /// Joins what our own key sealed anew with the record that is here. False if it is here no more.
    pub(crate) async fn merge(&self, id: PayloadId, head: &SealedHead, payload: &EncodedPayload) -> Result<bool, Error> {
        let meta = Meta {
            sender: payload.sender,
            recipients: payload.recipients.clone(),
            recipient_nonce: payload.recipient_nonce,
            privacy: payload.privacy.clone(),
            native: None,
        };
        self.merge_meta(id, head, &meta).await
    }

    /// Adds recipients to a record. Anything else that differs is a conflict: one id, one payload. False if the record was withdrawn.
    ///
    /// The head is written anew even where nothing is added. Whoever made the record may be about to take it back, and does so by its
    /// head: from now on it is somebody else's, too, who was told that it is here.
    pub(crate) async fn merge_meta(&self, id: PayloadId, head: &SealedHead, new: &Meta) -> Result<bool, Error> {
        loop {
            let old_head = match self.store.head(Kind::Payload, &id).await? {
                Lookup::Found(head) => head,
                Lookup::Absent => return Ok(false),
                Lookup::Erased(_) => return Err(Error::Erased(id)),
            };
            let old = match self.enclave.meta(id, &old_head).await {
                Ok(old) => old,
                Err(error) => return self.gone_or(id, error).await,
            };
            match self.enclave.same_key(id, &old_head, head).await {
                Ok(true) if same_terms(&old, new) => {}
                Ok(_) => return Err(Error::Conflict(id)),
                Err(error) => return self.gone_or(id, error).await,
            }
            let added = new.recipients.iter().filter(|key| !old.recipients.contains(key));
            let recipients = added.chain(&old.recipients).copied().collect();
            let merged = match self.enclave.rewrite(id, &old_head, Meta { recipients, ..old }).await {
                Ok(merged) => merged,
                Err(error) => return self.gone_or(id, error).await,
            };
            if self.store.replace_head(Kind::Payload, id, old_head, merged).await? {
                // Its envelope was made without the new words, if it is being blocked: nobody is told that they are kept.
                return if self.is_blocked(&ItemId::Payload(id)).await? { Err(Error::Erased(id)) } else { Ok(true) };
            }
        }
    }

    /// A head whose leaf is punctured belongs to a record that was erased, or to one that was withdrawn and is no longer there.
    async fn gone_or(&self, id: PayloadId, error: EnclaveError) -> Result<bool, Error> {
        match error {
            EnclaveError::Erased => match self.store.head(Kind::Payload, &id).await? {
                Lookup::Absent => Ok(false),
                Lookup::Found(_) | Lookup::Erased(_) => Err(Error::Erased(id)),
            },
            other => Err(other.into()),
        }
    }
}

/// Whether two heads of one id tell the same transaction. The recipient nonce may differ: boxes are made anew under the first.
fn same_terms(old: &Meta, new: &Meta) -> bool {
    let (a, b) = (&old.privacy, &new.privacy);
    let affected = |privacy: &crate::types::Privacy| {
        let mut all: Vec<_> = privacy.affected.iter().map(|affected| (affected.id, affected.hash)).collect();
        all.sort_unstable();
        all
    };
    old.sender == new.sender && a.flag == b.flag && a.exec_hash == b.exec_hash && affected(a) == affected(b)
}
