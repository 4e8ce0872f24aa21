use async_trait::async_trait;

use super::RemoteEnclave;
use crate::crypto::hpke::BoxKey;
use crate::enclave::EnclaveError;
use crate::enclave::proto::{Request, Response};
use crate::enclave::returned::{Kept, ReturnKeys, Returned};

#[async_trait]
impl ReturnKeys for RemoteEnclave {
    async fn return_key(&self) -> Result<BoxKey, EnclaveError> {
        expect!(self, Request::ReturnKey, Response::ReturnKey(key) => key)
    }

    async fn take_back(&self, returned: Returned) -> Result<Kept, EnclaveError> {
        expect!(self, Request::TakeBack(Box::new(returned)), Response::Kept(kept) => kept)
    }
}
