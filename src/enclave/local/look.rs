use std::path::Path;

use super::named;
use super::{documents, head};
use crate::crypto::nacl::Nonce;
use crate::crypto::secret::Secret;
use crate::enclave::EnclaveError;
use crate::shred::{self, RootKey, SealedHead};
use crate::types::{DocumentId, PayloadId};

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

/// The keys of one document: what its head is sealed under, and its data key.
pub fn look_at_document(
    folder: &Path,
    root: Box<dyn RootKey>,
    id: DocumentId,
    sealed: &SealedHead,
) -> Result<(Secret<32>, Secret<32>), EnclaveError> {
    let (leaf, opened) = shred::look(folder, root, &documents::bound(&id), sealed).map_err(named)?;
    Ok((leaf, documents::data_key(&opened).ok_or(EnclaveError::Broken)?))
}
