//! Raw payloads: kept for their sender until a signed transaction refers to them.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::records::{erased_is_absent, now};
use super::send::{Plan, to_its_end};
use super::supervision::Concern;
use super::{Error, Node, SendSignedRequest, Sent};
use crate::enclave::{RawDraft, SealedRaw};
use crate::store::{Inserted, Kind, Record};
use crate::types::{Address, PayloadId};

impl Node {
    /// Keeps a payload for its sender alone; durable when this returns.
    pub async fn store_raw(&self, payload: Zeroizing<Vec<u8>>, from: Option<Address>) -> Result<PayloadId, Error> {
        let sealed = self.enclave.seal_raw(payload, self.sender(from)?).await?;
        let record = Record { time: now(), nonce: sealed.nonce, head: sealed.head, ciphertext: sealed.ciphertext };
        match self.store.insert(Kind::Raw, sealed.id, record).await? {
            Inserted::New | Inserted::Exists => Ok(sealed.id),
            Inserted::Buried => Err(Error::Erased(sealed.id)),
        }
    }

    /// Sends a payload that `store_raw` keeps; its id stays, and so does the raw record. Goes on to its end as a send does.
    pub async fn send_signed(self: &Arc<Self>, request: SendSignedRequest) -> Result<Sent, Error> {
        let node = Arc::clone(self);
        to_its_end(async move { node.send_signed_now(request).await }).await
    }

    async fn send_signed_now(&self, request: SendSignedRequest) -> Result<Sent, Error> {
        let id = request.id;
        let record = self.record(Kind::Raw, &id).await?.ok_or(Error::RawNotFound(id))?;
        let meta = self.enclave.meta(id, &record.head).await.map_err(|error| erased_is_absent(error, id))?;
        let class = request.terms.class.unwrap_or_default();
        let Plan { recipients, privacy, affected } = self.plan(meta.sender, &request.to, &request.terms).await?;
        if let Some(governed) = &self.governed {
            let charter = governed.charter();
            governed.may_serve()?;
            governed.own_standing(&charter)?;
            self.judge(&charter, &meta.sender, &recipients, class).await?;
            let concern = Concern::own(governed, class, &request.terms.tags, &request.terms.affected);
            self.not_stopped(governed, &concern).await?;
            self.may_be_unproved(&charter, &meta.sender, &request.terms.tags, class).await?;
        }
        let raw = SealedRaw { id, ciphertext: record.ciphertext, nonce: record.nonce, head: record.head };
        let escrow = self.escrow_terms(&meta.sender, Some(class));
        let sealed = self.enclave.seal_stored(RawDraft { raw, recipients, privacy, affected, escrow }).await?;
        let tags = request.terms.declared();
        self.keep_and_deliver(sealed, class, &tags).await
    }
}
