//! The enclave in this process: private keys in locked memory, data keys under the forest's leaves.

mod copies;
mod documents;
mod epochs;
mod errors;
mod escrow;
mod head;
mod heads;
mod holds;
mod keys;
mod look;
mod node;
mod returned;
mod subjects;

use std::fmt;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;
use zeroize::Zeroizing;

use self::errors::named;
use self::keys::Keys;
use self::node::Node;
use super::native::NativeMeta;
use super::{AffectedRecord, Draft, Enclave, EnclaveError, IndexKey, Ingest, Meta, NativeDraft, NativeIngest, NativeSealed};
use super::{EscrowTerms, HoldLock, HoldRelease, NativeTarget, Opened, RawDraft, Restored, Sealed, SealedRaw, stack};
use crate::crypto::hpke::BoxKey;
use crate::crypto::nacl::{self, KeyBox, Nonce};
use crate::crypto::secret::Secret;
use crate::crypto::sign::{Signature, VerifyKey};
use crate::crypto::threshold::GroupKey;
use crate::seal::celosia1::content;
use crate::seal::escrow::{EscrowKey, Escrowed};
use crate::seal::{self, Addressed, Closed, Ring as _, Trial};
use crate::shred::{Forest, LeafRef, RootStatus, Rotation, SealedHead};
use crate::types::{Address, Affected, ItemId, PayloadId, Privacy, SecurityHash};
use crate::wire::{Delivery, EncodedPayload, EpochKey};

pub use look::{PayloadKeys, look, look_at_document};

/// Payload bytes above which work leaves the async threads: about half a millisecond of hashing and sealing.
const INLINE: usize = 64 * 1024;

/// The enclave in process. Cheap to clone.
#[derive(Clone)]
pub struct LocalEnclave(Arc<Inner>);

struct Inner {
    keys: Keys,
    forest: Arc<Forest>,
    node: OnceLock<Node>,
    one_time: holds::OneTimeKeys,
    tables: escrow::Tables,
    returns: returned::OneTime,
}

/// No enclave without a key: there is nothing that it could seal or open.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an enclave needs at least one private key")]
pub struct NoKeys;

impl LocalEnclave {
    /// Takes the private keys, the default sender first; a key given twice counts once.
    pub fn new(keys: Vec<Secret<32>>, forest: Arc<Forest>) -> Result<Self, NoKeys> {
        let keys = Keys::new(keys);
        if keys.addresses().is_empty() {
            return Err(NoKeys);
        }
        let (one_time, tables) = (holds::OneTimeKeys::default(), escrow::Tables::default());
        let returns = returned::OneTime::default();
        Ok(Self(Arc::new(Inner { keys, forest, node: OnceLock::new(), one_time, tables, returns })))
    }

    /// Whether the keys lie in locked memory. If not, a warning was logged.
    pub fn is_locked(&self) -> bool {
        self.0.keys.is_locked()
    }

    /// Runs `work` here if it is short (`size` payload bytes), else on a thread that may block.
    async fn run<T, F>(&self, size: usize, work: F) -> Result<T, EnclaveError>
    where
        T: Send + 'static,
        F: FnOnce(&Inner) -> Result<T, EnclaveError> + Send + 'static,
    {
        if size <= INLINE { work(&self.0) } else { self.block(work).await }
    }

    async fn block<T, F>(&self, work: F) -> Result<T, EnclaveError>
    where
        T: Send + 'static,
        F: FnOnce(&Inner) -> Result<T, EnclaveError> + Send + 'static,
    {
        let inner = Arc::clone(&self.0);
        let joined = tokio::task::spawn_blocking(move || stack::swept(|| work(&inner))).await;
        joined.unwrap_or_else(|_| Err(EnclaveError::Unavailable("its work was cut off".to_owned())))
    }
}

impl fmt::Debug for LocalEnclave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalEnclave({:?})", self.0.keys)
    }
}

impl Inner {
    fn seal(&self, draft: Draft) -> Result<Sealed, EnclaveError> {
        self.own(draft.sender)?;
        let closed = seal::Draft(&draft.plaintext).close();
        self.address(closed, draft.sender, draft.recipients, draft.privacy, (&draft.affected, draft.escrow))
    }

    fn seal_raw(&self, plaintext: &[u8], sender: Address) -> Result<SealedRaw, EnclaveError> {
        self.own(sender)?;
        let Closed { id, ciphertext, nonce, data_key } = seal::Draft(plaintext).close();
        let meta = Meta { sender, recipients: vec![sender], recipient_nonce: nonce, privacy: Privacy::default(), native: None };
        let head = self.seal_head(id, &data_key, &meta, None)?;
        Ok(SealedRaw { id, ciphertext, nonce, head })
    }

    fn seal_stored(&self, draft: RawDraft) -> Result<Sealed, EnclaveError> {
        let SealedRaw { id, ciphertext, nonce, head } = draft.raw;
        let (data_key, meta) = self.open_head(id, &head)?;
        let closed = Closed::kept(id, ciphertext, nonce, data_key)?;
        self.address(closed, meta.sender, draft.recipients, draft.privacy, (&draft.affected, draft.escrow))
    }

    /// Proofs for the affected transactions, boxes, and a head under a fresh leaf.
    fn address(
        &self,
        closed: Closed,
        sender: Address,
        recipients: Vec<Address>,
        mut privacy: Privacy,
        (affected, escrow): (&[AffectedRecord], Option<EscrowTerms>),
    ) -> Result<Sealed, EnclaveError> {
        let hashes = self.security_hashes(&closed.ciphertext, affected)?;
        let proofs = affected.iter().zip(hashes);
        privacy.affected = proofs.map(|(record, hash)| Affected { id: record.id, hash }).collect();
        let Addressed { id, payload, data_key } = closed.address(&self.keys, sender, recipients, privacy)?;
        let meta = Meta {
            sender,
            recipients: payload.recipients.clone(),
            recipient_nonce: payload.recipient_nonce,
            privacy: payload.privacy.clone(),
            native: None,
        };
        let held = self.hold(escrow, id, sender, &data_key)?;
        let head = self.seal_head(id, &data_key, &meta, held.as_ref())?;
        Ok(Sealed { id, payload, head })
    }

    fn open(&self, id: PayloadId, head: &SealedHead, nonce: &Nonce, ciphertext: &[u8]) -> Result<Opened, EnclaveError> {
        let (data_key, meta) = self.open_head(id, head)?;
        let plaintext = match &meta.native {
            Some(NativeMeta { network, member, .. }) => {
                content::open(network, member, &data_key, nonce, ciphertext).map_err(|_| EnclaveError::Broken)?
            }
            None => nacl::open(data_key.expose(), nonce, ciphertext)?,
        };
        Ok(Opened { plaintext, meta })
    }

    fn verify(&self, id: PayloadId, head: &SealedHead, nonce: &Nonce, ciphertext: &[u8]) -> Result<Meta, EnclaveError> {
        let (data_key, meta) = self.open_head(id, head)?;
        match &meta.native {
            Some(NativeMeta { network, member, .. }) => {
                content::verify(network, member, &data_key, nonce, ciphertext).map_err(|_| EnclaveError::Broken)?;
            }
            None => nacl::verify(data_key.expose(), nonce, ciphertext)?,
        }
        Ok(meta)
    }

    fn ingest(&self, id: PayloadId, payload: &EncodedPayload, escrow: Option<EscrowTerms>) -> Result<Ingest, EnclaveError> {
        let Trial::Mine(unsealed) = seal::open(&self.keys, payload)? else { return Ok(Ingest::NotMine) };
        let meta = Meta {
            sender: payload.sender,
            recipients: unsealed.recipients,
            recipient_nonce: payload.recipient_nonce,
            privacy: payload.privacy.clone(),
            native: None,
        };
        let held = self.hold(escrow, id, payload.sender, &unsealed.data_key)?;
        let head = self.seal_head(id, &unsealed.data_key, &meta, held.as_ref())?;
        Ok(Ingest::Mine { head, meta })
    }

    fn open_payload(&self, payload: &EncodedPayload) -> Result<Option<Zeroizing<Vec<u8>>>, EnclaveError> {
        let Trial::Mine(unsealed) = seal::open(&self.keys, payload)? else { return Ok(None) };
        Ok(Some(nacl::open(unsealed.data_key.expose(), &payload.nonce, &payload.ciphertext)?))
    }

    fn own(&self, sender: Address) -> Result<(), EnclaveError> {
        if self.keys.holds(&sender) { Ok(()) } else { Err(EnclaveError::NotOurs(sender)) }
    }
}

#[async_trait]
impl Enclave for LocalEnclave {
    fn addresses(&self) -> Arc<[Address]> {
        self.0.keys.all()
    }

    async fn seal(&self, draft: Draft) -> Result<Sealed, EnclaveError> {
        let size = draft.plaintext.len() + hashed(draft.plaintext.len(), &draft.affected);
        self.run(size, move |inner| inner.seal(draft)).await
    }

    async fn seal_raw(&self, plaintext: Zeroizing<Vec<u8>>, sender: Address) -> Result<SealedRaw, EnclaveError> {
        self.run(plaintext.len(), move |inner| inner.seal_raw(&plaintext, sender)).await
    }

    async fn seal_stored(&self, draft: RawDraft) -> Result<Sealed, EnclaveError> {
        let size = draft.raw.ciphertext.len() + hashed(draft.raw.ciphertext.len(), &draft.affected);
        self.run(size, move |inner| inner.seal_stored(draft)).await
    }

    async fn open(&self, id: PayloadId, head: &SealedHead, nonce: Nonce, ciphertext: Bytes) -> Result<Opened, EnclaveError> {
        let head = head.clone();
        self.run(ciphertext.len(), move |inner| inner.open(id, &head, &nonce, &ciphertext)).await
    }

    async fn meta(&self, id: PayloadId, head: &SealedHead) -> Result<Meta, EnclaveError> {
        Ok(self.0.open_head(id, head)?.1)
    }

    async fn verify(&self, id: PayloadId, head: &SealedHead, nonce: Nonce, ciphertext: Bytes) -> Result<Meta, EnclaveError> {
        let head = head.clone();
        self.run(ciphertext.len(), move |inner| inner.verify(id, &head, &nonce, &ciphertext)).await
    }

    async fn ingest(&self, id: PayloadId, payload: &EncodedPayload, escrow: Option<EscrowTerms>) -> Result<Ingest, EnclaveError> {
        if payload.ciphertext.len() <= INLINE {
            return self.0.ingest(id, payload, escrow);
        }
        let payload = payload.clone();
        self.block(move |inner| inner.ingest(id, &payload, escrow)).await
    }

    async fn open_payload(&self, payload: &EncodedPayload) -> Result<Option<Zeroizing<Vec<u8>>>, EnclaveError> {
        if payload.ciphertext.len() <= INLINE {
            return self.0.open_payload(payload);
        }
        let payload = payload.clone();
        self.block(move |inner| inner.open_payload(&payload)).await
    }

    async fn rewrite(&self, id: PayloadId, head: &SealedHead, meta: Meta) -> Result<SealedHead, EnclaveError> {
        self.0.rewrite(id, head, &meta)
    }

    async fn same_key(&self, id: PayloadId, a: &SealedHead, b: &SealedHead) -> Result<bool, EnclaveError> {
        Ok(self.0.open_head(id, a)?.0 == self.0.open_head(id, b)?.0)
    }

    async fn boxes(&self, id: PayloadId, head: &SealedHead, targets: &[Address]) -> Result<Vec<Option<KeyBox>>, EnclaveError> {
        self.0.boxes(id, head, targets)
    }

    async fn security_hashes(&self, ciphertext: Bytes, affected: Vec<AffectedRecord>) -> Result<Vec<SecurityHash>, EnclaveError> {
        let size = hashed(ciphertext.len(), &affected);
        self.run(size, move |inner| inner.security_hashes(&ciphertext, &affected)).await
    }

    fn verify_key(&self) -> Option<VerifyKey> {
        self.0.node.get().map(Node::verify_key)
    }

    async fn sign(&self, message: Vec<u8>) -> Result<Signature, EnclaveError> {
        Ok(self.0.node()?.sign(&message))
    }

    async fn epoch_key(&self) -> Result<EpochKey, EnclaveError> {
        Ok(self.0.node()?.epoch_key())
    }

    async fn seal_native(&self, draft: NativeDraft) -> Result<NativeSealed, EnclaveError> {
        let size = draft.plaintext.len() + hashed(draft.plaintext.len(), &draft.affected);
        self.run(size, move |inner| inner.seal_native(draft)).await
    }

    async fn rebox_native(
        &self,
        id: PayloadId,
        head: &SealedHead,
        nonce: Nonce,
        ciphertext: Bytes,
        target: NativeTarget,
    ) -> Result<Delivery, EnclaveError> {
        self.0.rebox_native(id, head, nonce, &ciphertext, &target)
    }

    async fn ingest_native(
        &self,
        delivery: &Delivery,
        sender_key: VerifyKey,
        escrows: &[EscrowKey],
    ) -> Result<NativeIngest, EnclaveError> {
        let escrows = self.0.tables.all(escrows);
        if delivery.ciphertext.len() <= INLINE {
            return self.0.ingest_native(delivery, &sender_key, &escrows);
        }
        let delivery = delivery.clone();
        self.block(move |inner| inner.ingest_native(&delivery, &sender_key, &escrows)).await
    }

    async fn escrow(&self, id: PayloadId, head: &SealedHead) -> Result<Option<Escrowed>, EnclaveError> {
        self.0.escrowed(id, head)
    }

    async fn release_escrow(
        &self,
        id: PayloadId,
        head: &SealedHead,
        nonce: Nonce,
        to: BoxKey,
        info: Vec<u8>,
    ) -> Result<Bytes, EnclaveError> {
        self.0.release_escrow(id, head, &nonce, &to, &info)
    }

    async fn seal_beside(&self, head: &SealedHead, label: &str, text: Vec<u8>) -> Result<Bytes, EnclaveError> {
        self.0.seal_beside(head, label, &text)
    }

    async fn open_beside(&self, head: &SealedHead, label: &str, sealed: Bytes) -> Result<Zeroizing<Vec<u8>>, EnclaveError> {
        self.0.open_beside(head, label, sealed)
    }

    async fn index_key(&self, of: IndexKey) -> Result<SealedHead, EnclaveError> {
        self.0.index_key(of)
    }

    async fn index_tokens(
        &self,
        of: IndexKey,
        key: &SealedHead,
        words: Vec<Zeroizing<Vec<u8>>>,
    ) -> Result<Vec<[u8; 32]>, EnclaveError> {
        self.0.index_tokens(of, key, &words)
    }

    async fn block_record(
        &self,
        item: ItemId,
        head: &SealedHead,
        beside: Vec<(String, Bytes)>,
        committee: GroupKey,
        label: Vec<u8>,
    ) -> Result<SealedHead, EnclaveError> {
        self.0.block(item, head, beside, committee, &label)
    }

    async fn hold_key(&self) -> Result<BoxKey, EnclaveError> {
        Ok(self.0.one_time.fresh())
    }

    async fn hold_lock(&self, item: ItemId, envelope: &SealedHead) -> Result<HoldLock, EnclaveError> {
        self.0.hold_lock(item, envelope)
    }

    async fn release_record(&self, item: ItemId, release: HoldRelease) -> Result<Restored, EnclaveError> {
        self.0.release(item, &release)
    }

    async fn erase(&self, leaves: Vec<LeafRef>) -> Result<(), EnclaveError> {
        self.block(move |inner| Ok(inner.forest.puncture(&leaves)?)).await
    }

    async fn punctures(&self) -> Result<u64, EnclaveError> {
        self.block(|inner| Ok(inner.forest.punctures()?)).await
    }

    async fn root(&self) -> Result<RootStatus, EnclaveError> {
        self.block(|inner| Ok(inner.forest.root_status()?)).await
    }

    async fn rotate_root(&self) -> Result<Rotation, EnclaveError> {
        self.block(|inner| Ok(inner.forest.rotate()?)).await
    }

    async fn ping(&self) -> Result<(), EnclaveError> {
        Ok(())
    }
}

/// Bytes that the proofs of affected transactions hash.
fn hashed(ciphertext: usize, affected: &[AffectedRecord]) -> usize {
    affected.iter().map(|record| ciphertext + record.ciphertext.len()).sum()
}

#[cfg(test)]
mod tests;
