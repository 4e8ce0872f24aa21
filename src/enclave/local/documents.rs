use async_trait::async_trait;
use bytes::Bytes;
use zeroize::Zeroizing;

use super::{Inner, LocalEnclave, named};
use crate::crypto::Broken;
use crate::crypto::random;
use crate::crypto::secret::Secret;
use crate::enclave::documents::{DocumentKeys, Place};
use crate::enclave::{EnclaveError, NativeDraft, NativeSealed};
use crate::seal::celosia1::Content;
use crate::seal::document::ChunkKey;
use crate::shred::SealedHead;
use crate::types::{DocumentId, PayloadId};

/// First byte of what a document's head holds.
const VERSION: u8 = 1;

/// Associated data of a document's head, 51 bytes: a payload's has 64, a text's beside a head 49, so none is taken for another.
pub(super) fn bound(id: &DocumentId) -> Vec<u8> {
    [b"celosia document 1\0".as_slice(), id.as_bytes()].concat()
}

/// `version (1) ‖ data key (32)`.
fn body(data_key: &Secret<32>) -> Zeroizing<Vec<u8>> {
    let mut body = Zeroizing::new(Vec::with_capacity(33));
    body.push(VERSION);
    body.extend_from_slice(data_key.expose());
    body
}

/// The data key in a document's opened head.
pub(super) fn data_key(body: &[u8]) -> Option<Secret<32>> {
    body.strip_prefix(&[VERSION]).and_then(Secret::from_slice)
}

impl Inner {
    fn document_key(&self, id: &DocumentId, head: &SealedHead) -> Result<Secret<32>, EnclaveError> {
        let opened = self.forest.open_head(&bound(id), head).map_err(named)?;
        data_key(&opened).ok_or(EnclaveError::Broken)
    }

    fn seal_manifest(&self, id: &DocumentId, head: &SealedHead, draft: NativeDraft) -> Result<NativeSealed, EnclaveError> {
        let node = self.node()?;
        let data_key = self.document_key(id, head)?;
        let content = Content::seal_under((node.network(), node.member()), draft.padding, &draft.plaintext, data_key, random());
        self.state_native(content, draft, Some(head.leaf()))
    }

    fn chunk_key(&self, id: &DocumentId, head: &SealedHead) -> Result<ChunkKey, EnclaveError> {
        Ok(ChunkKey::of(id, &self.document_key(id, head)?))
    }
}

#[async_trait]
impl DocumentKeys for LocalEnclave {
    async fn begin_document(&self, id: DocumentId) -> Result<SealedHead, EnclaveError> {
        // The first leaf of a day writes a file.
        self.block(move |inner| Ok(inner.forest.seal_new(&bound(&id), &body(&Secret::random()))?)).await
    }

    async fn seal_manifest(&self, id: DocumentId, head: &SealedHead, draft: NativeDraft) -> Result<NativeSealed, EnclaveError> {
        self.0.seal_manifest(&id, head, draft)
    }

    async fn adopt_document(&self, manifest: PayloadId, head: &SealedHead, id: DocumentId) -> Result<SealedHead, EnclaveError> {
        let (data_key, _) = self.0.open_head(manifest, head)?;
        self.0.forest.reseal(head.leaf(), &bound(&id), &body(&data_key)).map_err(named)
    }

    async fn same_document(&self, id: DocumentId, a: &SealedHead, b: &SealedHead) -> Result<bool, EnclaveError> {
        Ok(self.0.document_key(&id, a)? == self.0.document_key(&id, b)?)
    }

    async fn seal_chunk(
        &self,
        id: DocumentId,
        head: &SealedHead,
        place: Place,
        chunk: Zeroizing<Vec<u8>>,
    ) -> Result<Bytes, EnclaveError> {
        let head = head.clone();
        let seal = move |inner: &Inner| Ok(inner.chunk_key(&id, &head)?.seal(&id, place, &chunk).into());
        self.block(seal).await
    }

    async fn open_chunk(
        &self,
        id: DocumentId,
        head: &SealedHead,
        place: Place,
        sealed: Bytes,
    ) -> Result<Zeroizing<Vec<u8>>, EnclaveError> {
        let head = head.clone();
        self.block(move |inner| {
            let opened = inner.chunk_key(&id, &head)?.open(&id, place, &sealed);
            opened.map_err(|Broken| EnclaveError::Broken)
        })
        .await
    }

    async fn check_chunk(&self, id: DocumentId, head: &SealedHead, place: Place, sealed: Bytes) -> Result<(), EnclaveError> {
        self.open_chunk(id, head, place, sealed).await.map(drop)
    }
}
