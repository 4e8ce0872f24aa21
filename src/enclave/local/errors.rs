use crate::crypto::Broken;
use crate::enclave::EnclaveError;
use crate::seal::NoSharedKey;
use crate::shred::ShredError;

/// What the forest says of a head, in the enclave's words.
pub(super) fn named(error: ShredError) -> EnclaveError {
    match error {
        ShredError::Destroyed => EnclaveError::Erased,
        other => EnclaveError::Shred(other),
    }
}

impl From<Broken> for EnclaveError {
    fn from(Broken: Broken) -> Self {
        Self::Broken
    }
}

impl From<NoSharedKey> for EnclaveError {
    fn from(error: NoSharedKey) -> Self {
        match error {
            NoSharedKey::LowOrder(address) => Self::LowOrder(address),
            NoSharedKey::NotOurs(address) => Self::NotOurs(address),
        }
    }
}
