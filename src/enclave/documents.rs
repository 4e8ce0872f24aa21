//! What the enclave does for documents (`docs/documents.md`). The data key of a document stays here as those of payloads do.

use async_trait::async_trait;
use bytes::Bytes;
use zeroize::Zeroizing;

use super::{EnclaveError, NativeDraft, NativeSealed};
use crate::crypto::hpke::BoxKey;
pub use crate::seal::document::Place;
use crate::seal::escrow::Escrowed;
use crate::shred::SealedHead;
use crate::types::{DocumentId, PayloadId};

/// Keys of documents. A document's head is its data key sealed under a leaf of the key tree: puncturing that leaf erases the document.
#[async_trait]
pub trait DocumentKeys: Send + Sync {
    /// A fresh data key, in a head under a fresh leaf.
    async fn begin_document(&self, id: DocumentId) -> Result<SealedHead, EnclaveError>;

    /// Seals a document's manifest in the suite celosia-1 under the document's own data key: the delivery of the one is that of the other.
    /// The manifest's head lies under the document's leaf.
    async fn seal_manifest(&self, id: DocumentId, head: &SealedHead, draft: NativeDraft) -> Result<NativeSealed, EnclaveError>;

    /// The head of a document whose manifest was taken from a member, under the leaf of the manifest's.
    async fn adopt_document(&self, manifest: PayloadId, head: &SealedHead, id: DocumentId) -> Result<SealedHead, EnclaveError>;

    /// Whether two heads of a document hold the same data key.
    async fn same_document(&self, id: DocumentId, a: &SealedHead, b: &SealedHead) -> Result<bool, EnclaveError>;

    /// What a committee may see of a document: the capsule of its manifest, which is under the document's data key. `None` where there is none:
    /// its sender, who has made one for each member that it was given to, keeps none itself.
    async fn document_escrow(&self, id: DocumentId, head: &SealedHead) -> Result<Option<Escrowed>, EnclaveError>;

    /// As [`super::Enclave::release_escrow`]; the nonce is zeros, chunks have theirs in front.
    async fn release_document(&self, id: DocumentId, head: &SealedHead, to: BoxKey, info: Vec<u8>)
    -> Result<Bytes, EnclaveError>;

    /// Seals a chunk of at most [`crate::seal::document::CHUNK`] bytes.
    async fn seal_chunk(
        &self,
        id: DocumentId,
        head: &SealedHead,
        place: Place,
        chunk: Zeroizing<Vec<u8>>,
    ) -> Result<Bytes, EnclaveError>;

    /// Opens a chunk. [`EnclaveError::Broken`] if it does not belong there.
    async fn open_chunk(
        &self,
        id: DocumentId,
        head: &SealedHead,
        place: Place,
        sealed: Bytes,
    ) -> Result<Zeroizing<Vec<u8>>, EnclaveError>;

    /// Whether [`DocumentKeys::open_chunk`] would succeed.
    async fn check_chunk(&self, id: DocumentId, head: &SealedHead, place: Place, sealed: Bytes) -> Result<(), EnclaveError>;
}
