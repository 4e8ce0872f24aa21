//! What others lost and this node has: given back with what shows that it was taken before, and with what supervisors said of it.

use super::deliver::{CELOSIA_1, GIVEN_BACK, NACL};
use super::intake::Accepted;
use super::judged::Fresh;
use crate::enclave::{EnclaveError, Meta, NativeMeta, NativeTarget};
use crate::governance::{Charter, Supervision};
use crate::services::governed::Governed;
use crate::services::happening::{Happening, Kind as What};
use crate::services::told::Matter;
use crate::services::{Error, Node};
use crate::store::Record;
use crate::types::{Address, Codec, Coded as _, MemberId, PayloadId};
use crate::wire::delivery::Delivery;
use crate::wire::native::Item;
use crate::wire::{EncodedPayload, GivenBack, Proofs};

impl Node {
    /// A record in a box for a member that takes part in it.
    pub(super) async fn given_back(
        &self,
        charter: &Charter,
        from: &MemberId,
        id: PayloadId,
        record: Record,
        target: &NativeTarget,
    ) -> Result<Vec<Item>, Error> {
        let meta = match self.enclave.meta(id, &record.head).await {
            Ok(meta) => meta,
            Err(EnclaveError::Erased) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let addresses = charter.members().by_id(from).map(|member| member.addresses.clone()).unwrap_or_default();
        let theirs: Vec<_> = addresses.into_iter().filter(|key| *key == meta.sender || meta.recipients.contains(key)).collect();
        if theirs.is_empty() {
            return Ok(Vec::new());
        }
        if meta.native.is_none() {
            let mut items = Vec::new();
            for key in theirs {
                let copies = self.copies(id, &record, &meta, key).await?;
                let item =
                    |copy: EncodedPayload| Item { suite: NACL, body: copy.encode(Codec::Cbor).to_vec().into(), upload: None };
                items.extend(copies.into_iter().map(item));
            }
            return Ok(items);
        }
        Ok(self.give_native(charter, id, record, &meta, target).await?.into_iter().collect())
    }

    /// A record of the suite celosia-1 for a member, with its own acknowledgement and the words of supervisors. `None` where it cannot be had
    /// from this node: a recipient has no proof that others were addressed, their sender gives it back.
    pub(crate) async fn give_native(
        &self,
        charter: &Charter,
        id: PayloadId,
        record: Record,
        meta: &Meta,
        target: &NativeTarget,
    ) -> Result<Option<Item>, Error> {
        let shown = meta.native.as_ref().map_or_else(Vec::new, |native| shown_of(charter, native));
        let target = NativeTarget { shown, ..target.clone() };
        let member = target.member.clone();
        let head = record.head.clone();
        let delivery = match self.enclave.rebox_native(id, &head, record.nonce, record.ciphertext, target).await {
            Ok(delivery) => delivery.encode(),
            Err(error) => {
                tracing::debug!(%id, code = %error.code(), "a payload is not ours to give back");
                return Ok(None);
            }
        };
        let beside = self.beside(&id, &head).await?;
        let ack = beside.acks.iter().find(|signed| signed.ack.member == member).map(crate::wire::SignedAck::encode);
        let body = GivenBack { ack, words: beside.words, delivery }.encode();
        Ok(Some(Item { suite: GIVEN_BACK, body: body.into(), upload: None }))
    }

    /// Takes what is given back by somebody who has it. What is refused is written down: a few in an hour of each member.
    pub(super) async fn take_given_back(
        &self,
        governed: &Governed,
        charter: &Charter,
        from: &MemberId,
        given: &GivenBack,
    ) -> Result<Option<Accepted>, Error> {
        let taken = match Delivery::decode(&given.delivery) {
            Ok(delivery) => self.take_delivery(governed, charter, from, &delivery, Fresh::No(given)).await,
            Err(_) => Err(Error::Message("not a delivery")),
        };
        match &taken {
            Err(Error::Store(_) | Error::Erased(_) | Error::Enclave(EnclaveError::Unavailable(_))) | Ok(_) => {}
            Err(error) => {
                self.counters.push_refused.add();
                let digest = crate::crypto::hash::sha256(&[&given.delivery]);
                if governed.told.is_news(Matter::GivenBack, from.as_str(), &[&digest]) {
                    let details = serde_json::json!({ "given-back": true });
                    let event = Happening::now(What::Refused).member(from).code(error.code()).details(details).event();
                    self.note(event).await;
                    self.notice(error.code(), Some(from), "what this member gave back was refused");
                }
            }
        }
        taken
    }

    /// What was sent before and is given back, as a supervisor caught up. False if it is here.
    pub(crate) async fn native_given_back(
        &self,
        governed: &Governed,
        charter: &Charter,
        from: &MemberId,
        given: &GivenBack,
    ) -> Result<bool, Error> {
        let taken = self.take_given_back(governed, charter, from, given).await?;
        Ok(taken.is_some_and(|taken| taken.withdraw.is_some()))
    }
}

/// The given payload of an item; `None` where its suite is another's, or it does not decode.
pub(crate) fn given_of(item: Item) -> Option<GivenBack> {
    let bytes = bytes::Bytes::from(Vec::from(item.body));
    match item.suite {
        GIVEN_BACK => GivenBack::decode(&bytes).ok(),
        // Of a member of before.
        CELOSIA_1 => Some(GivenBack::bare(bytes)),
        _ => None,
    }
}

/// Addresses of supervisors that recipients are shown under S3, by the policy under which a payload of ours was sent: those that they had then.
fn shown_of(charter: &Charter, native: &NativeMeta) -> Vec<Address> {
    let Proofs::Sent { recipients, .. } = &native.proofs else { return Vec::new() };
    let Some(policy) = charter.policy_of(native.policy) else { return Vec::new() };
    let scope = policy.content.supervision(&native.member, None, native.class);
    let Some(scope) = scope.filter(|scope| scope.supervision == Supervision::S3) else { return Vec::new() };
    let supervisors = recipients.iter().filter(|(_, member)| scope.supervisors.contains(member));
    supervisors.map(|(address, _)| *address).collect()
}
