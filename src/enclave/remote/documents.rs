use async_trait::async_trait;
use bytes::Bytes;
use zeroize::Zeroizing;

use super::RemoteEnclave;
use crate::crypto::hpke::BoxKey;
use crate::enclave::documents::{DocumentKeys, Place};
use crate::enclave::proto::{Plain, Request, Response};
use crate::enclave::{EnclaveError, NativeDraft, NativeSealed};
use crate::seal::escrow::Escrowed;
use crate::shred::SealedHead;
use crate::types::{DocumentId, PayloadId};

#[async_trait]
impl DocumentKeys for RemoteEnclave {
    async fn begin_document(&self, id: DocumentId) -> Result<SealedHead, EnclaveError> {
        expect!(self, Request::BeginDocument(id), Response::Head(head) => head)
    }

    async fn seal_manifest(&self, id: DocumentId, head: &SealedHead, draft: NativeDraft) -> Result<NativeSealed, EnclaveError> {
        expect!(self, Request::SealManifest(id, head.clone(), draft), Response::SealedNative(sealed) => sealed)
    }

    async fn adopt_document(&self, manifest: PayloadId, head: &SealedHead, id: DocumentId) -> Result<SealedHead, EnclaveError> {
        expect!(self, Request::AdoptDocument(manifest, head.clone(), id), Response::Head(head) => head)
    }

    async fn same_document(&self, id: DocumentId, a: &SealedHead, b: &SealedHead) -> Result<bool, EnclaveError> {
        expect!(self, Request::SameDocument(id, a.clone(), b.clone()), Response::Truth(truth) => truth)
    }

    async fn document_escrow(&self, id: DocumentId, head: &SealedHead) -> Result<Option<Escrowed>, EnclaveError> {
        expect!(self, Request::DocumentEscrow(id, head.clone()), Response::Escrowed(escrowed) => escrowed)
    }

    async fn release_document(
        &self,
        id: DocumentId,
        head: &SealedHead,
        to: BoxKey,
        info: Vec<u8>,
    ) -> Result<Bytes, EnclaveError> {
        expect!(self, Request::ReleaseDocument(id, head.clone(), to, info), Response::Beside(sealed) => sealed)
    }

    async fn seal_chunk(
        &self,
        id: DocumentId,
        head: &SealedHead,
        place: Place,
        chunk: Zeroizing<Vec<u8>>,
    ) -> Result<Bytes, EnclaveError> {
        let request = Request::SealChunk(id, head.clone(), place, Plain(chunk));
        expect!(self, request, Response::Beside(sealed) => sealed)
    }

    async fn open_chunk(
        &self,
        id: DocumentId,
        head: &SealedHead,
        place: Place,
        sealed: Bytes,
    ) -> Result<Zeroizing<Vec<u8>>, EnclaveError> {
        let request = Request::OpenChunk(id, head.clone(), place, sealed);
        expect!(self, request, Response::Plaintext(Some(Plain(chunk))) => chunk)
    }

    async fn check_chunk(&self, id: DocumentId, head: &SealedHead, place: Place, sealed: Bytes) -> Result<(), EnclaveError> {
        expect!(self, Request::CheckChunk(id, head.clone(), place, sealed), Response::Done => ())
    }
}
