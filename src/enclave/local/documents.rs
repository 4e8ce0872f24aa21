use async_trait::async_trait;
use bytes::Bytes;
use zeroize::Zeroizing;

use super::{Inner, LocalEnclave, named};
use crate::crypto::Broken;
use crate::crypto::hpke::BoxKey;
use crate::crypto::random;
use crate::crypto::secret::Secret;
use crate::crypto::threshold::Capsule;
use crate::enclave::documents::{DocumentKeys, Place};
use crate::enclave::{EnclaveError, NativeDraft, NativeSealed};
use crate::seal::celosia1::Content;
use crate::seal::document::ChunkKey;
use crate::seal::escrow::{Escrowed, Held, Label};
use crate::shred::SealedHead;
use crate::types::{DocumentId, PayloadId};

/// First byte of what a document's head holds.
const VERSION: u8 = 1;
/// The same of a document that a committee can open.
const ESCROW_VERSION: u8 = 2;

/// Associated data of a document's head, 51 bytes: a payload's has 64, a text's beside a head 49, so none is taken for another.
pub(super) fn bound(id: &DocumentId) -> Vec<u8> {
    [b"celosia document 1\0".as_slice(), id.as_bytes()].concat()
}

/// `version 1 (1) ‖ data key (32)`, or `version 2 (1) ‖ data key (32) ‖ sigma (32) ‖ capsule (176) ‖ label`: those of its manifest.
fn body(data_key: &Secret<32>, held: Option<&Held>) -> Zeroizing<Vec<u8>> {
    let label = held.map(|held| held.escrowed.label.encode()).unwrap_or_default();
    let mut body = Zeroizing::new(Vec::with_capacity(1 + 2 * 32 + Capsule::LEN + label.len()));
    body.push(if held.is_some() { ESCROW_VERSION } else { VERSION });
    body.extend_from_slice(data_key.expose());
    if let Some(held) = held {
        body.extend_from_slice(held.sigma.expose());
        body.extend_from_slice(&held.escrowed.capsule.to_bytes());
        body.extend_from_slice(&label);
    }
    body
}

/// The data key in a document's opened head.
pub(super) fn data_key(body: &[u8]) -> Option<Secret<32>> {
    read(body).map(|(data_key, _)| data_key)
}

fn read(body: &[u8]) -> Option<(Secret<32>, Option<Held>)> {
    let (&version, rest) = body.split_first()?;
    let (key, rest) = rest.split_at_checked(32)?;
    let data_key = Secret::from_slice(key)?;
    if version == VERSION && rest.is_empty() {
        return Some((data_key, None));
    }
    let (sigma, rest) = rest.split_at_checked(32).filter(|_| version == ESCROW_VERSION)?;
    let (capsule, label) = rest.split_at_checked(Capsule::LEN)?;
    let escrowed = Escrowed { label: Label::decode(label).ok()?, capsule: Capsule::try_from(capsule).ok()? };
    Some((data_key, Some(Held { escrowed, sigma: Secret::from_slice(sigma)? })))
}

impl Inner {
    fn document_key(&self, id: &DocumentId, head: &SealedHead) -> Result<Secret<32>, EnclaveError> {
        self.document(id, head).map(|(data_key, _)| data_key)
    }

    fn document(&self, id: &DocumentId, head: &SealedHead) -> Result<(Secret<32>, Option<Held>), EnclaveError> {
        let opened = self.forest.open_head(&bound(id), head).map_err(named)?;
        read(&opened).ok_or(EnclaveError::Broken)
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
        self.block(move |inner| Ok(inner.forest.seal_new(&bound(&id), &body(&Secret::random(), None))?)).await
    }

    async fn seal_manifest(&self, id: DocumentId, head: &SealedHead, draft: NativeDraft) -> Result<NativeSealed, EnclaveError> {
        self.0.seal_manifest(&id, head, draft)
    }

    async fn adopt_document(&self, manifest: PayloadId, head: &SealedHead, id: DocumentId) -> Result<SealedHead, EnclaveError> {
        let (data_key, _, held) = self.0.open_whole(manifest, head)?;
        self.0.forest.reseal(head.leaf(), &bound(&id), &body(&data_key, held.as_ref())).map_err(named)
    }

    async fn same_document(&self, id: DocumentId, a: &SealedHead, b: &SealedHead) -> Result<bool, EnclaveError> {
        Ok(self.0.document_key(&id, a)? == self.0.document_key(&id, b)?)
    }

    async fn document_escrow(&self, id: DocumentId, head: &SealedHead) -> Result<Option<Escrowed>, EnclaveError> {
        Ok(self.0.document(&id, head)?.1.map(|held| held.escrowed))
    }

    async fn release_document(
        &self,
        id: DocumentId,
        head: &SealedHead,
        to: BoxKey,
        info: Vec<u8>,
    ) -> Result<Bytes, EnclaveError> {
        let held = self.0.document(&id, head)?.1.ok_or(EnclaveError::NoEscrow)?;
        held.release(&[0; 24], &to, &info).map_err(|Broken| EnclaveError::Broken)
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
