//! Sealed heads: made, read, written anew; and what is made of the data keys in them.

use super::{Inner, head, named};
use crate::crypto::hash;
use crate::crypto::nacl::KeyBox;
use crate::crypto::secret::Secret;
use crate::enclave::{AffectedRecord, EnclaveError, Meta};
use crate::seal;
use crate::seal::escrow::Held;
use crate::shred::{LeafRef, SealedHead};
use crate::types::{Address, PayloadId, SecurityHash};

impl Inner {
    /// Seals a head under a fresh leaf; the id is bound to it, so it cannot be put beside another payload.
    pub(super) fn seal_head(
        &self,
        id: PayloadId,
        data_key: &Secret<32>,
        meta: &Meta,
        held: Option<&Held>,
    ) -> Result<SealedHead, EnclaveError> {
        Ok(self.forest.seal_new(id.as_bytes(), &head::encode(data_key, meta, held))?)
    }

    /// The same under a leaf in use.
    pub(super) fn reseal_head(
        &self,
        leaf: LeafRef,
        id: PayloadId,
        data_key: &Secret<32>,
        meta: &Meta,
        held: Option<&Held>,
    ) -> Result<SealedHead, EnclaveError> {
        self.forest.reseal(leaf, id.as_bytes(), &head::encode(data_key, meta, held)).map_err(named)
    }

    pub(super) fn open_head(&self, id: PayloadId, head: &SealedHead) -> Result<(Secret<32>, Meta), EnclaveError> {
        let opened = self.forest.open_head(id.as_bytes(), head).map_err(named)?;
        Ok(head::decode_own(&opened)?)
    }

    /// The same with what is held for a committee.
    pub(super) fn open_whole(&self, id: PayloadId, head: &SealedHead) -> Result<(Secret<32>, Meta, Option<Held>), EnclaveError> {
        let opened = self.forest.open_head(id.as_bytes(), head).map_err(named)?;
        Ok(head::decode(&opened)?)
    }

    /// Other words under the same leaf. What is held for a committee stays.
    pub(super) fn rewrite(&self, id: PayloadId, head: &SealedHead, meta: &Meta) -> Result<SealedHead, EnclaveError> {
        let (data_key, _, held) = self.open_whole(id, head)?;
        self.reseal_head(head.leaf(), id, &data_key, meta, held.as_ref())
    }

    pub(super) fn boxes(
        &self,
        id: PayloadId,
        head: &SealedHead,
        targets: &[Address],
    ) -> Result<Vec<Option<KeyBox>>, EnclaveError> {
        let (data_key, meta) = self.open_head(id, head)?;
        if meta.native.is_some() {
            return Ok(vec![None; targets.len()]);
        }
        let remake = |to| seal::remake_box(&self.keys, &meta.sender, to, &meta.recipient_nonce, &data_key);
        Ok(targets.iter().map(remake).collect::<Result<_, _>>()?)
    }

    pub(super) fn security_hashes(
        &self,
        ciphertext: &[u8],
        affected: &[AffectedRecord],
    ) -> Result<Vec<SecurityHash>, EnclaveError> {
        let proof = |record: &AffectedRecord| {
            let (data_key, _) = self.open_head(record.id, &record.head)?;
            Ok(hash::security_hash(ciphertext, &record.ciphertext, data_key.expose()))
        };
        affected.iter().map(proof).collect()
    }
}
