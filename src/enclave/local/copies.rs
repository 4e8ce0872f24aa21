//! Copies for supervisors.

use async_trait::async_trait;
use bytes::Bytes;

use super::{Inner, LocalEnclave};
use crate::crypto::nacl::Nonce;
use crate::crypto::secret::Secret;
use crate::crypto::sign::VerifyKey;
use crate::crypto::threshold::Prepared;
use crate::enclave::copies::CopyKeys;
use crate::enclave::native::{NativeIngest, NativeMeta, NativeTarget};
use crate::enclave::{EnclaveError, Meta};
use crate::seal::celosia1::{NO_KEY, Parcel, Refused, take_copy};
use crate::seal::escrow::EscrowKey;
use crate::shred::SealedHead;
use crate::types::PayloadId;
use crate::wire::header::Header;
use crate::wire::{Delivery, Proofs};

impl Inner {
    fn copy_native(
        &self,
        id: PayloadId,
        head: &SealedHead,
        nonce: Nonce,
        ciphertext: &Bytes,
        target: &NativeTarget,
    ) -> Result<Delivery, EnclaveError> {
        let (_, meta, held) = self.open_whole(id, head)?;
        let native = meta.native.ok_or(Refused::NotNative)?;
        if !matches!(native.proofs, Proofs::Sent { .. }) {
            return Err(Refused::NotAddressed.into());
        }
        let held = held.ok_or(EnclaveError::NoEscrow)?;
        let data_key = Secret::init_with(|key| *key = NO_KEY);
        let NativeMeta { signature, header, .. } = &native;
        let parcel = Parcel { data_key: &data_key, sigma: Some(&held.sigma), openings: &[], signature, header };
        Ok(self.node()?.box_for((id, nonce, ciphertext), target, &parcel)?)
    }

    fn ingest_copy(
        &self,
        delivery: &Delivery,
        sender_key: &VerifyKey,
        escrows: &[(u64, Prepared)],
    ) -> Result<NativeIngest, EnclaveError> {
        let node = self.node()?;
        let Some((id, unpacked)) = node.unpack(delivery)? else { return Ok(NativeIngest::UnknownEpoch) };
        let (signature, header_bytes) = (unpacked.signature, unpacked.header.clone());
        let (header, held) = node.expecting(id, sender_key, escrows, |expected| take_copy(expected, delivery, unpacked))?;
        let native = NativeMeta::new(&header, header_bytes, signature, Proofs::Received(Vec::new()));
        let Header { sender, privacy, .. } = header;
        let meta = Meta { sender, recipients: Vec::new(), recipient_nonce: [0; 24], privacy, native: Some(native) };
        let head = self.seal_head(id, &Secret::init_with(|key| *key = NO_KEY), &meta, Some(&held))?;
        Ok(NativeIngest::Mine { id, head, meta })
    }
}

#[async_trait]
impl CopyKeys for LocalEnclave {
    async fn copy_native(
        &self,
        id: PayloadId,
        head: &SealedHead,
        nonce: Nonce,
        ciphertext: Bytes,
        target: NativeTarget,
    ) -> Result<Delivery, EnclaveError> {
        self.0.copy_native(id, head, nonce, &ciphertext, &target)
    }

    async fn ingest_copy(
        &self,
        delivery: &Delivery,
        sender_key: VerifyKey,
        escrows: &[EscrowKey],
    ) -> Result<NativeIngest, EnclaveError> {
        let escrows = self.0.tables.all(escrows);
        let delivery = delivery.clone();
        self.block(move |inner| inner.ingest_copy(&delivery, &sender_key, &escrows)).await
    }
}
