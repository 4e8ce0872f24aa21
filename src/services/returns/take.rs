//! One payload that comes back.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;

use super::{Brought, Fate, Listed, ReturnError, Settled};
use crate::crypto::hash::{payload_id, sha256};
use crate::crypto::hpke::BoxKey;
use crate::crypto::threshold::GroupKey;
use crate::disclosure::{Found, GrantId, Item, Provenance};
use crate::enclave::{Kept, Meta, NativeMeta, Returned};
use crate::erasure::Tags;
use crate::governance::{Charter, Purpose};
use crate::seal::escrow::{Carried, Escrowed, Label};
use crate::services::governed::Governed;
use crate::services::happening::{Happening, Kind as What};
use crate::services::native::Beside;
use crate::services::records::now;
use crate::services::send::to_its_end;
use crate::services::{Error, Node};
use crate::store::{Inserted, Kind, Record};
use crate::types::{Address, ItemId, PayloadId, Privacy};
use crate::wire::header::{self, Header, SUITE};
use crate::wire::{Proofs, SignedAck};

const DAY: u64 = 24 * 60 * 60 * 1000;

/// What was found true of a payload before the enclave is asked.
struct Checked {
    id: PayloadId,
    escrowed: Escrowed,
    meta: Meta,
    time: u64,
    /// Those of its recipients, if we sent it.
    acks: Vec<SignedAck>,
}

impl Node {
    /// Takes one payload of a recovery that began: what is `sealed` in it is sealed to `one_time`. A drill keeps nothing of it.
    pub async fn take_returned(self: &Arc<Self>, grant: GrantId, one_time: BoxKey, brought: Brought) -> Result<Settled, Error> {
        let node = Arc::clone(self);
        to_its_end(async move { node.take_one(grant, one_time, brought).await }).await
    }

    async fn take_one(&self, grant: GrantId, one_time: BoxKey, brought: Brought) -> Result<Settled, Error> {
        let Brought { item, sealed, ciphertext, provenance } = brought;
        let governed = Arc::clone(self.needs_governance()?);
        governed.may_serve()?;
        let charter = governed.charter();
        let (id, listed) = (item.id, self.returns.get(&grant)?);
        if !listed.leaves.contains(&item.leaf()) {
            return Err(ReturnError::NotListed(id).into());
        }
        if payload_id(&ciphertext) != id {
            return Err(ReturnError::Unsound(id, "it is another than its item").into());
        }
        let checked = check(&governed, &charter, &listed, &item, provenance)?;
        if !listed.is_drill
            && let Some(fate) = self.fate_here(&checked.escrowed.label).await?
        {
            return Ok(Settled { id, fate });
        }
        let key = committee_key(&charter, checked.escrowed.label.epoch);
        let ciphertext = Bytes::from(ciphertext);
        let returned = Returned {
            id,
            one_time,
            sealed: sealed.into(),
            ciphertext: ciphertext.clone(),
            key: key.ok_or(ReturnError::Unsound(id, "no committee has its epoch"))?,
            escrowed: checked.escrowed.clone(),
            meta: checked.meta.clone(),
        };
        let kept = self.enclave.take_back(returned).await?;
        let details = serde_json::json!({ "grant": grant, "holder": listed.holder });
        let fate = if listed.is_drill {
            self.drilled(id, &kept, details).await?
        } else {
            self.keep_returned(&governed, checked, kept, ciphertext, details).await?
        };
        Ok(Settled { id, fate })
    }

    /// Compares with what is kept here, forgets, and journals.
    async fn drilled(&self, id: PayloadId, kept: &Kept, details: serde_json::Value) -> Result<Fate, Error> {
        let is_same = match self.head(Kind::Payload, &id).await? {
            Some(own) => Some(self.enclave.same_key(id, &own, &kept.head).await?),
            None => None,
        };
        self.enclave.erase(vec![kept.head.leaf()]).await?;
        if is_same == Some(false) {
            return Err(ReturnError::Unsound(id, "what is kept here has another data key").into());
        }
        let event = Happening::now(What::Drill).id(id).details(details).event();
        self.store.write(Vec::new(), vec![event]).await?;
        Ok(if is_same.is_some() { Fate::DrilledSame } else { Fate::Drilled })
    }

    async fn keep_returned(
        &self,
        governed: &Governed,
        checked: Checked,
        kept: Kept,
        ciphertext: Bytes,
        details: serde_json::Value,
    ) -> Result<Fate, Error> {
        let Checked { id, escrowed, time, acks, .. } = checked;
        let (class, leaf) = (escrowed.label.class, kept.head.leaf());
        let record = Record { time, nonce: kept.nonce, head: kept.head.clone(), ciphertext };
        let event = Happening::now(What::Recovered).id(id).class(class).details(details).event();
        let rows = self.declared(ItemId::Payload(id), &kept.head, time, class, &Tags::default()).await?.rows;
        match self.store.insert_with(Kind::Payload, id, record, Some(event), rows).await? {
            Inserted::New => {}
            other => {
                self.enclave.erase(vec![leaf]).await?;
                return Ok(if matches!(other, Inserted::Buried) { Fate::Erased } else { Fate::Here });
            }
        }
        // Another may have come meanwhile.
        match self.refuse_guarded(id, escrowed.label.member.as_ref().unwrap_or(&governed.me)).await {
            Err(Error::Erased(_)) => return Ok(Fate::Erased),
            other => other?,
        }
        self.keep_beside(id, &kept.head, &Beside::acks(acks)).await?;
        self.counters.recovered.add();
        Ok(Fate::Kept)
    }
}

/// What can be known of a payload without its keys.
///
/// Threat: who carries it puts another header, other rules or other people beside it. The header is signed by its member and has the capsule
/// that officers opened; the list names label and capsule, and its holder signed it.
fn check(
    governed: &Governed,
    charter: &Charter,
    listed: &Listed,
    item: &Item,
    Provenance { header, acks }: Provenance,
) -> Result<Checked, ReturnError> {
    let id = item.id;
    let unsound = |why| ReturnError::Unsound(id, why);
    let Found::Escrowed { label, capsule } = &item.found else { return Err(unsound("it is not in escrow")) };
    let label = Label::decode(label).map_err(|_| unsound("its label does not decode"))?;
    if label.network != governed.network || label.id != id {
        return Err(unsound("its label is of another payload"));
    }
    let escrowed = Escrowed { label: label.clone(), capsule: (**capsule).clone() };
    let Some((bytes, signature)) = header else {
        return check_nacl(governed, listed, escrowed, Privacy::default(), Vec::new());
    };
    let read = Header::decode(&bytes).map_err(|_| unsound("its header does not decode"))?;
    let carried = Carried { epoch: label.epoch, capsule: (**capsule).clone() };
    if Label::of(&read, label.epoch) != label || read.escrow.as_deref() != Some(carried.to_bytes().as_slice()) {
        return Err(unsound("its header is of another payload"));
    }
    let is_signed = |key: &_| header::verify(&read.network, &bytes, &signature, key).is_ok();
    // In Tessera's suite it is the holder's word on the rules that it keeps.
    let signer = if label.suite == SUITE { &read.member } else { &listed.holder };
    if !charter.signing_keys(signer, read.time).iter().any(is_signed) {
        return Err(unsound("its member did not sign its header"));
    }
    if label.suite != SUITE {
        return check_nacl(governed, listed, escrowed, read.privacy, read.recipients.unwrap_or_default());
    }
    let acks = sound_acks(charter, &read, &bytes, acks);
    let (recipients, is_sender) = recipients(governed, charter, &read, &acks);
    if !is_sender && !listed.is_ours && recipients.is_empty() {
        return Err(ReturnError::NotParty(id));
    }
    let native = NativeMeta::of(&read, bytes.into(), signature, Proofs::Received(Vec::new()));
    let (sender, privacy, time) = (read.sender, read.privacy, read.time.min(now()));
    let meta = Meta { sender, recipients, recipient_nonce: [0; 24], privacy, native: Some(native) };
    Ok(Checked { id, escrowed, meta, time, acks: if is_sender { acks } else { Vec::new() } })
}

/// In Tessera's suite nothing but the label says whose it is.
fn check_nacl(
    governed: &Governed,
    listed: &Listed,
    escrowed: Escrowed,
    privacy: Privacy,
    recipients: Vec<Address>,
) -> Result<Checked, ReturnError> {
    let (label, id) = (&escrowed.label, escrowed.label.id);
    if label.suite == SUITE {
        return Err(ReturnError::Unsound(id, "its header is missing"));
    }
    if !listed.is_ours && label.member.as_ref() != Some(&governed.me) {
        return Err(ReturnError::NotParty(id));
    }
    let (sender, time) = (label.sender, u64::from(label.day) * DAY);
    let meta = Meta { sender, recipients, recipient_nonce: [0; 24], privacy, native: None };
    Ok(Checked { id, escrowed, meta, time, acks: Vec::new() })
}

fn sound_acks(charter: &Charter, header: &Header, bytes: &[u8], acks: Vec<SignedAck>) -> Vec<SignedAck> {
    let digest = sha256(&[bytes]);
    let is_sound = |signed: &SignedAck| {
        let ack = &signed.ack;
        ack.network == header.network
            && (ack.id, ack.header) == (header.id, digest)
            && charter.signing_keys(&ack.member, ack.time).iter().any(|key| signed.verify(key).is_ok())
    };
    acks.into_iter().filter(is_sound).collect()
}

/// The recipients as this member may know them, and whether it sent the payload: all that the header names; else at the sender those that
/// acknowledged it, at a recipient its own.
fn recipients(governed: &Governed, charter: &Charter, header: &Header, acks: &[SignedAck]) -> (Vec<Address>, bool) {
    let is_sender = header.member == governed.me;
    let is_own = |address: &Address| charter.owner_of(address, header.time) == Some(&governed.me);
    let mut known: Vec<Address> = match &header.recipients {
        Some(all) if is_sender || all.iter().any(is_own) => all.clone(),
        _ => {
            let shown = acks.iter().filter(|signed| is_sender || signed.ack.member == governed.me);
            shown.flat_map(|signed| signed.ack.addresses.iter().copied()).collect()
        }
    };
    let mut seen = HashSet::new();
    known.retain(|address| seen.insert(*address));
    (known, is_sender)
}

/// The committee's key of an epoch, of any policy: a key never changes within its epoch.
fn committee_key(charter: &Charter, epoch: u64) -> Option<GroupKey> {
    let mut all = charter.policies().flat_map(|signed| &signed.content.committees);
    all.find(|committee| (committee.purpose, committee.epoch) == (Purpose::Escrow, epoch)).map(|committee| committee.key)
}
