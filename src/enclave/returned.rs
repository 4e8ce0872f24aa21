//! What the enclave does for a payload that comes back after its keeper lost it (`docs/operations.md`): officers opened its data key to the
//! member, which has it sealed anew.

use async_trait::async_trait;
use bytes::Bytes;

use super::{EnclaveError, Meta};
use crate::crypto::hpke::BoxKey;
use crate::crypto::nacl::Nonce;
use crate::crypto::threshold::GroupKey;
use crate::seal::escrow::Escrowed;
use crate::shred::SealedHead;
use crate::types::PayloadId;

/// HPKE's info of what comes back.
pub const INFO: &[u8] = b"celosia return 1\0";

/// A payload that comes back.
#[derive(Clone, Debug)]
pub struct Returned {
    /// Which.
    pub id: PayloadId,
    /// [`ReturnKeys::return_key`], to which `sealed` is sealed.
    pub one_time: BoxKey,
    /// `data key (32) ‖ sigma (32) ‖ nonce (24)`, by HPKE under [`INFO`], with the label as associated data.
    pub sealed: Bytes,
    /// The ciphertext.
    pub ciphertext: Bytes,
    /// The committee's key that its capsule was made for.
    pub key: GroupKey,
    /// Label and capsule.
    pub escrowed: Escrowed,
    /// The words of the head.
    pub meta: Meta,
}

/// What is kept of it.
#[derive(Clone, Debug)]
pub struct Kept {
    /// The data key under a fresh leaf.
    pub head: SealedHead,
    /// Nonce of the ciphertext.
    pub nonce: Nonce,
}

/// Payloads that come back.
#[async_trait]
pub trait ReturnKeys: Send + Sync {
    /// A fresh one-time public key. Its private half lives in memory, for a day at most.
    async fn return_key(&self) -> Result<BoxKey, EnclaveError>;

    /// Seals a payload's data key under a fresh leaf, after the ciphertext opened under it and the capsule was made of it again.
    /// [`EnclaveError::Broken`] if either does not hold, [`EnclaveError::ReturnKeyGone`] without the one-time key.
    async fn take_back(&self, returned: Returned) -> Result<Kept, EnclaveError>;
}
