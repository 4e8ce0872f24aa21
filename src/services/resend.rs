//! Giving payloads again to those who take part in them. Boxes are made anew, byte for byte as first sent.

use futures_util::StreamExt as _;
use futures_util::stream;

use super::governed::Route;
use super::send::for_recipient;
use super::{Error, Node, PeerError};
use crate::directory::Member;
use crate::enclave::{EnclaveError, Meta};
use crate::store::{Kind, Record};
use crate::types::{Address, ApiVersion, Codec, PayloadId};
use crate::wire::EncodedPayload;

/// Records read at once while the store is walked.
const PAGE: usize = 256;
/// Payloads of one `/pushBatch`.
const BATCH: usize = 100;
/// Pushes under way at once.
const PARALLEL: usize = 8;

impl Node {
    /// A payload as `key` may have it: as a recipient its own box; as the sender the boxes of our keys.
    pub async fn resend_one(&self, key: Address, id: PayloadId) -> Result<EncodedPayload, Error> {
        self.admits_sender(&key)?;
        let record = self.record(Kind::Payload, &id).await?.ok_or(Error::NotFound(id))?;
        let meta = self.enclave.meta(id, &record.head).await.map_err(|error| super::records::erased_is_absent(error, id))?;
        if meta.privacy.flag.is_enhanced() {
            return Err(Error::PrivacyViolation("Cannot resend enhanced privacy transaction in legacy resend".into()));
        }
        let copies = self.copies(id, &record, &meta, key).await?;
        self.counters.resent.add();
        copies.into_iter().next().ok_or(Error::NotARecipient { key, id })
    }

    /// Pushes everything standard that `key` takes part in to the peer that announced it, one payload after another.
    pub async fn resend_all(&self, key: Address) -> Result<(), Error> {
        let mut after = None;
        loop {
            let page = self.store.scan(Kind::Payload, after, PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(*last);
            let copies = self.page_copies(page, key, |meta| !meta.privacy.flag.is_enhanced()).await?;
            if copies.is_empty() {
                continue;
            }
            let member = self.compatible_peer(&key)?;
            let codec = member.versions.codec();
            // Collected, for a borrowing closure held across an await makes the future no `Send` for every lifetime.
            let pushes: Vec<_> = copies.iter().map(|copy| self.peers.push(&member.url, codec, copy.encode(codec))).collect();
            let mut pushes = stream::iter(pushes).buffered(PARALLEL);
            while let Some(outcome) = pushes.next().await {
                match outcome {
                    Ok(_) => self.counters.resent.add(),
                    // Erased there: it stays so, and the rest goes on.
                    Err(PeerError::Refused { status: 410, .. }) => {}
                    Err(source) => return Err(Error::Delivery { recipient: key, source }),
                }
            }
        }
    }

    /// Everything that `key` takes part in, every flag, in batches, oldest first within a page; the number of payloads pushed.
    pub async fn resend_batch(&self, key: Address) -> Result<u64, Error> {
        let member = self.compatible_peer(&key)?;
        let enhanced = member.versions.contains(ApiVersion::V2);
        let (mut after, mut total) = (None, 0);
        loop {
            let mut page = self.store.scan(Kind::Payload, after, PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(total) };
            after = Some(*last);
            page.sort_by_key(|(_, record)| record.time);
            let copies = self.page_copies(page, key, |meta| enhanced || !meta.privacy.flag.is_enhanced()).await?;
            for batch in copies.chunks(BATCH) {
                let encoded = batch.iter().map(|copy| copy.encode(Codec::Legacy)).collect();
                self.peers.push_batch(&member.url, encoded).await.map_err(|source| Error::Delivery { recipient: key, source })?;
                total += u64::try_from(batch.len()).unwrap_or(u64::MAX);
            }
        }
    }

    /// Where a key's holder takes what is given again to it: in a governed network at the place that the directory names, if it is active.
    fn compatible_peer(&self, key: &Address) -> Result<Member, Error> {
        self.admits_sender(key)?;
        match self.locate(key)? {
            Route::Compatible(member) => Ok(member),
            // A Celosia asks over the native protocol.
            Route::Native(_) => Err(Error::RecipientUnknown(*key)),
        }
    }

    async fn page_copies(
        &self,
        page: Vec<(PayloadId, Record)>,
        key: Address,
        wanted: impl Fn(&Meta) -> bool,
    ) -> Result<Vec<EncodedPayload>, Error> {
        let mut copies = Vec::new();
        for (id, record) in page {
            let meta = match self.enclave.meta(id, &record.head).await {
                Ok(meta) if wanted(&meta) => meta,
                Ok(_) | Err(EnclaveError::Erased) => continue,
                Err(error) => return Err(error.into()),
            };
            if meta.sender == key || meta.recipients.contains(&key) {
                copies.extend(self.copies(id, &record, &meta, key).await?);
            }
        }
        Ok(copies)
    }

    /// The copies of a record that belong to `key`; none if it takes no part or we cannot make its box.
    pub(crate) async fn copies(
        &self,
        id: PayloadId,
        record: &Record,
        meta: &Meta,
        key: Address,
    ) -> Result<Vec<EncodedPayload>, Error> {
        let targets: Vec<Address> = if meta.recipients.contains(&key) {
            vec![key]
        } else if meta.sender == key {
            meta.recipients.iter().filter(|recipient| self.directory.is_own(recipient)).copied().collect()
        } else {
            Vec::new()
        };
        let mut boxed = self.boxed(id, record, meta, &targets).await?;
        if boxed.is_empty() && meta.sender == key {
            // The sender asks for its own and is listed as a recipient, but only our own boxes can be made.
            let ours: Vec<Address> = meta.recipients.iter().filter(|k| self.directory.is_own(k)).copied().collect();
            boxed = self.boxed(id, record, meta, &ours).await?;
        }
        Ok(boxed)
    }

    async fn boxed(
        &self,
        id: PayloadId,
        record: &Record,
        meta: &Meta,
        targets: &[Address],
    ) -> Result<Vec<EncodedPayload>, Error> {
        let boxes = self.enclave.boxes(id, &record.head, targets).await?;
        let (recipients, boxes): (Vec<_>, Vec<_>) =
            targets.iter().zip(boxes).filter_map(|(target, key_box)| Some((*target, key_box?))).unzip();
        let mut payload = EncodedPayload {
            sender: meta.sender,
            ciphertext: record.ciphertext.clone(),
            nonce: record.nonce,
            boxes,
            recipient_nonce: meta.recipient_nonce,
            recipients,
            privacy: meta.privacy.clone(),
        };
        let boxed = payload.recipients.len();
        // Under state validation each copy names every recipient; those without a box here come behind.
        let rest: Vec<_> = meta.recipients.iter().filter(|key| !payload.recipients.contains(key)).copied().collect();
        payload.recipients.extend(rest);
        Ok((0..boxed).filter_map(|index| for_recipient(&payload, index)).collect())
    }
}
