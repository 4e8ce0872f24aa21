//! Getting back from other members what this node lost. A payload of the suite celosia-1 comes in a box for today's epoch key, and only to those
//! whom its sender addressed, or to its sender.

use std::sync::Arc;
use std::time::Duration;

use super::deliver::{CELOSIA_1, NACL};
use super::supervised::Fresh;
use super::{NativeAddress, path};
use crate::enclave::{EnclaveError, NativeTarget};
use crate::governance::Charter;
use crate::services::governed::{Governed, native_address};
use crate::services::{Error, Node, PeerError};
use crate::store::{Kind, Record};
use crate::types::{Codec, Coded as _, MemberId, PayloadId};
use crate::wire::EncodedPayload;
use crate::wire::delivery::Delivery;
use crate::wire::native::{Item, Message as _, Resend, Resent};

/// Records looked at for one page, and bytes of one page.
const PAGE: usize = 256;
const PAGE_BYTES: usize = 8 << 20;
/// One page.
const BUDGET: Duration = Duration::from_mins(1);

impl Node {
    /// A page of what the caller takes part in.
    pub async fn native_resend(&self, from: &MemberId, asked: &Resend) -> Result<Resent, Error> {
        let governed = self.needs_governance()?;
        let charter = governed.charter();
        let epoch = governed.learn_epoch(&charter, from, &asked.epoch)?;
        let after = match asked.after.as_slice() {
            [] => None,
            id => Some(PayloadId::try_from(id).map_err(|_| Error::Message("an id of another length"))?),
        };
        let page = self.store.scan(Kind::Payload, after, PAGE).await?;
        let target = NativeTarget { member: from.clone(), epoch, shown: Vec::new() };
        let (mut items, mut bytes, mut next) = (Vec::new(), 0, Vec::new());
        for (id, record) in page {
            next = id.as_bytes().to_vec();
            for item in self.given_back(&charter, from, id, record, target.clone()).await? {
                self.counters.resent.add();
                bytes += item.body.len();
                items.push(item);
            }
            if bytes > PAGE_BYTES {
                break;
            }
        }
        let epoch = self.enclave.epoch_key().await?.encode();
        Ok(Resent { epoch: epoch.into(), items, next: next.into() })
    }

    /// A record in a box for the caller, if it takes part in it.
    async fn given_back(
        &self,
        charter: &Charter,
        from: &MemberId,
        id: PayloadId,
        record: Record,
        target: NativeTarget,
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
        match self.enclave.rebox_native(id, &record.head, record.nonce, record.ciphertext, target).await {
            Ok(delivery) => Ok(vec![Item { suite: CELOSIA_1, body: delivery.encode().to_vec().into(), upload: None }]),
            // A recipient has no proof that others were addressed: their sender gives it back.
            Err(error) => {
                tracing::debug!(%id, code = %error.code(), "a payload is not ours to give back");
                Ok(Vec::new())
            }
        }
    }

    /// Asks every member for everything: those that did not serve, and payloads that build on what is nowhere.
    pub(crate) async fn recover_native(&self, governed: &Arc<Governed>) -> Result<(usize, usize), Error> {
        let charter = governed.charter();
        let others = charter.members().all().iter().filter(|member| member.id != governed.me && member.is_active());
        let (mut failed, mut later) = (0, Vec::new());
        for to in others.filter_map(native_address) {
            match self.fetch_all(governed, &charter, &to, &mut later).await {
                Ok(total) => tracing::info!(member = %to.member, total, "member resent"),
                Err(error @ (Error::Store(_) | Error::Enclave(_))) => return Err(error),
                Err(error) => {
                    failed += 1;
                    tracing::warn!(member = %to.member, code = %error.code(), "member did not resend");
                }
            }
        }
        // What builds on others waits until they are here.
        loop {
            let before = later.len();
            let mut still = Vec::new();
            for (from, delivery) in later {
                let taken = self.take_delivery(governed, &charter, &from, &delivery, Fresh::No).await;
                if taken.is_ok_and(|taken| taken.is_some_and(|taken| taken.passed_over)) {
                    still.push((from, delivery));
                }
            }
            if still.len() == before || still.is_empty() {
                return Ok((failed, still.len()));
            }
            later = still;
        }
    }

    async fn fetch_all(
        &self,
        governed: &Arc<Governed>,
        charter: &Charter,
        from: &NativeAddress,
        later: &mut Vec<(MemberId, Delivery)>,
    ) -> Result<u64, Error> {
        let (mut after, mut total) = (Vec::new(), 0);
        loop {
            let epoch = self.enclave.epoch_key().await?.encode();
            let asked = Resend { epoch: epoch.into(), after: after.into() };
            let answer = governed.peers.call(from, path::RESEND, asked.to_bytes().into(), BUDGET).await?;
            let page = Resent::from_bytes(&answer).map_err(|_| PeerError::Malformed(from.endpoint.clone()))?;
            governed.learn_epoch(charter, &from.member, &page.epoch)?;
            for item in page.items {
                let bytes = bytes::Bytes::from(Vec::from(item.body));
                if item.suite == NACL {
                    let Ok(payload) = EncodedPayload::decode(Codec::Cbor, &bytes) else { continue };
                    if self.is_ready(&payload).await? {
                        self.take_recovered(payload).await?;
                    } else {
                        self.staging.push(payload);
                    }
                    total += 1;
                    continue;
                }
                let Ok(delivery) = Delivery::decode(&bytes) else { continue };
                match self.take_delivery(governed, charter, &from.member, &delivery, Fresh::No).await {
                    Ok(Some(taken)) if taken.passed_over => later.push((from.member.clone(), delivery)),
                    Ok(_) => total += 1,
                    Err(error @ (Error::Store(_) | Error::Enclave(EnclaveError::Unavailable(_)))) => return Err(error),
                    Err(error) => tracing::warn!(code = %error.code(), "a resent payload was not taken"),
                }
            }
            if page.next.is_empty() {
                return Ok(total);
            }
            after = page.next.to_vec();
        }
    }
}
