use async_trait::async_trait;
use bytes::Bytes;

use super::RemoteEnclave;
use crate::crypto::nacl::Nonce;
use crate::crypto::sign::VerifyKey;
use crate::enclave::copies::CopyKeys;
use crate::enclave::proto::{Request, Response};
use crate::enclave::{EnclaveError, NativeIngest, NativeTarget};
use crate::seal::escrow::EscrowKey;
use crate::shred::SealedHead;
use crate::types::PayloadId;
use crate::wire::Delivery;

#[async_trait]
impl CopyKeys for RemoteEnclave {
    async fn copy_native(
        &self,
        id: PayloadId,
        head: &SealedHead,
        nonce: Nonce,
        ciphertext: Bytes,
        target: NativeTarget,
    ) -> Result<Delivery, EnclaveError> {
        expect!(self, Request::CopyNative(id, head.clone(), nonce, ciphertext, target), Response::Delivery(delivery) => delivery)
    }

    async fn ingest_copy(
        &self,
        delivery: &Delivery,
        sender_key: VerifyKey,
        escrows: &[EscrowKey],
    ) -> Result<NativeIngest, EnclaveError> {
        let request = Request::IngestCopy(delivery.clone(), sender_key, escrows.to_vec());
        expect!(self, request, Response::NativeIngest(ingest) => ingest)
    }
}
