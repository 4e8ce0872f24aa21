//! What comes for a supervisor, or past one: copies, deliveries behind the words of supervisors.

use bytes::Bytes;

use super::deliver::NACL_SUPERVISED;
use super::intake::Accepted;
use crate::governance::Charter;
use crate::services::governed::Governed;
use crate::services::supervision::VouchedPayload;
use crate::services::{Error, Node, Pushed, SupervisionError};
use crate::shred::SealedHead;
use crate::store::Kind;
use crate::types::{Codec, MemberId, PayloadId};
use crate::wire::native::Item;
use crate::wire::{EncodedPayload, Header, Vouched};

/// The header hash of a payload without a header.
const NO_HEADER: [u8; 32] = [0; 32];

impl Node {
    /// A payload in Tessera's suite over the native connection: one recipient of it runs Tessera, or it was stored raw.
    pub(super) async fn take_nacl(
        &self,
        governed: &Governed,
        charter: &Charter,
        from: &MemberId,
        item: Item,
    ) -> Result<Accepted, Error> {
        let (words, bytes) = if item.suite == NACL_SUPERVISED {
            let (words, rest) = split(&Bytes::copy_from_slice(&item.body))?;
            (words, if item.upload.is_some() { self.body(from, &item)? } else { rest })
        } else {
            (Vouched::default(), self.body(from, &item)?)
        };
        let payload = EncodedPayload::decode(Codec::Cbor, &bytes).map_err(|_| Error::Message("not a payload in CBOR"))?;
        let sender = charter.members().by_address(&payload.sender).ok_or(Error::NotInDirectory(payload.sender))?;
        if sender.id != *from {
            return Err(Error::NotItsOwn { from: from.clone(), sender: sender.id.clone() });
        }
        let stated = self.check_tessera(governed, charter, from, &payload, &words).await?;
        let ours = payload.recipients.iter().filter(|key| self.directory.is_own(key)).copied().collect();
        let Pushed { id, withdraw, passed_over } = self.push_vouched(payload).await?;
        // Its supervisor may have been told to forget it meanwhile, and have heard that it is not here.
        if let (Some((header, digest)), true) = (&stated, withdraw.is_some())
            && let Some(head) = self.head(Kind::Payload, &id).await?
        {
            self.or_forget(governed.not_revoked(charter, header, *digest), id, &head).await?;
        }
        Ok(Accepted { id, header: NO_HEADER, addresses: if passed_over { Vec::new() } else { ours }, withdraw, passed_over })
    }

    /// Forgets what was just kept, if it may not be.
    pub(super) async fn or_forget(
        &self,
        may: Result<(), SupervisionError>,
        id: PayloadId,
        head: &SealedHead,
    ) -> Result<(), Error> {
        if may.is_err() {
            self.forget(id, head.clone()).await?;
        }
        Ok(may?)
    }

    /// What supervisors must have said of a fresh delivery, under the policy that its header names.
    pub(super) async fn check_words(
        &self,
        governed: &Governed,
        charter: &Charter,
        header: &Header,
        digest: [u8; 32],
        words: &Vouched,
    ) -> Result<(), Error> {
        let payload = VouchedPayload::of(charter, header, digest);
        if let Err(refusal) = governed.not_revoked(charter, header, digest) {
            return Err(self.unvouched(governed, payload, refusal).await);
        }
        self.check_vouched(governed, charter, payload, words).await
    }

    /// A copy for this supervisor: acknowledged for no address, for it opens nothing.
    pub(super) async fn take_supervised(
        &self,
        governed: &Governed,
        charter: &Charter,
        from: &MemberId,
        item: Item,
    ) -> Result<Option<Accepted>, Error> {
        let bytes = self.body(from, &item)?;
        let taken = self.take_copy(governed, charter, from, &bytes, true).await?;
        Ok(taken.map(|(copied, header, new)| {
            let id = copied.header.id;
            let withdraw = new.map(|head| self.withdrawals.offer(id, &head));
            Accepted { id, header, addresses: Vec::new(), withdraw, passed_over: false }
        }))
    }
}

/// The words in front of a delivery, and the delivery.
pub(super) fn split(bytes: &Bytes) -> Result<(Vouched, Bytes), Error> {
    Vouched::split(bytes).map_err(|_| Error::Message("not a delivery behind the words of supervisors"))
}
