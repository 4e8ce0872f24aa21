//! What the enclave does for copies of supervisors (mode S2, `docs/supervision.md`): sigma crosses and is kept, the data key does not.

use async_trait::async_trait;
use bytes::Bytes;

use super::{EnclaveError, NativeIngest, NativeTarget};
use crate::crypto::nacl::Nonce;
use crate::crypto::sign::VerifyKey;
use crate::seal::escrow::EscrowKey;
use crate::shred::SealedHead;
use crate::types::PayloadId;
use crate::wire::Delivery;

/// Copies for supervisors.
#[async_trait]
pub trait CopyKeys: Send + Sync {
    /// A delivery of a payload of ours whose box holds sigma, and zeros in the place of the data key. [`EnclaveError::NoEscrow`] if it has no
    /// capsule.
    async fn copy_native(
        &self,
        id: PayloadId,
        head: &SealedHead,
        nonce: Nonce,
        ciphertext: Bytes,
        target: NativeTarget,
    ) -> Result<Delivery, EnclaveError>;

    /// Opens and checks such a delivery, the capsule's public proof included, and seals sigma under a fresh leaf: a head that
    /// [`super::Enclave::escrow`] and [`super::Enclave::release_escrow`] take, and that opens nothing.
    async fn ingest_copy(
        &self,
        delivery: &Delivery,
        sender_key: VerifyKey,
        escrows: &[EscrowKey],
    ) -> Result<NativeIngest, EnclaveError>;
}
