use std::path::Path;

use super::head;
use super::named;
use crate::crypto::nacl::Nonce;
use crate::crypto::secret::Secret;
use crate::enclave::EnclaveError;
use crate::shred::{self, RootKey, SealedHead};
use crate::types::PayloadId;

/// The keys of one payload.
pub struct PayloadKeys {
    /// What the head is sealed under.
    pub leaf: Secret<32>,
    /// What the ciphertext is sealed with.
    pub data: Secret<32>,
    /// Nonce of the boxes to its recipients.
    pub recipient_nonce: Nonce,
}

/// Reads the keys of a payload from a key folder and its root, beside a running node: for the search for what must be gone.
pub fn look(folder: &Path, root: Box<dyn RootKey>, id: PayloadId, sealed: &SealedHead) -> Result<PayloadKeys, EnclaveError> {
    let (leaf, opened) = shred::look(folder, root, id.as_bytes(), sealed).map_err(named)?;
    let (data, meta, _) = head::decode(&opened)?;
    Ok(PayloadKeys { leaf, data, recipient_nonce: meta.recipient_nonce })
}
