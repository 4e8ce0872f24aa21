//! Payloads that come back.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::{Inner, LocalEnclave};
use crate::crypto::hash::payload_id;
use crate::crypto::hpke::{self, BoxKey};
use crate::crypto::nacl::{self, Nonce};
use crate::crypto::secret::Secret;
use crate::enclave::returned::{INFO, Kept, ReturnKeys, Returned};
use crate::enclave::{EnclaveError, NativeMeta};
use crate::seal::celosia1::content;
use crate::seal::escrow::{Escrowed, Held};

/// How long a one-time key waits.
const LIFETIME: Duration = Duration::from_hours(24);
/// One-time keys at once; the oldest goes first.
const MOST: usize = 16;

/// Private halves of one-time keys.
///
/// Threat: what was sent to the node for a recovery is recorded, and opened later with what lies on its disk. So their keys are never written
/// down.
#[derive(Default)]
pub(super) struct OneTime(Mutex<VecDeque<(Instant, BoxKey, Secret<32>)>>);

impl OneTime {
    fn fresh(&self) -> BoxKey {
        let private = Secret::random();
        let public = BoxKey::of(&private);
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|(born, _, _)| born.elapsed() < LIFETIME);
        if keys.len() == MOST {
            keys.pop_front();
        }
        keys.push_back((Instant::now(), public, private));
        public
    }

    fn private(&self, of: &BoxKey) -> Result<Secret<32>, EnclaveError> {
        let keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = keys.iter().find(|(born, public, _)| public == of && born.elapsed() < LIFETIME);
        found.map(|(_, _, private)| private.duplicate()).ok_or(EnclaveError::ReturnKeyGone)
    }
}

impl Inner {
    /// Threats: a payload that officers never opened, or an altered one, is slipped in among those that come back (its capsule is made again
    /// from its data key, and proves that it is the one that its officers saw); a data key that opens a ciphertext to something else.
    fn take_back(&self, returned: &Returned) -> Result<Kept, EnclaveError> {
        let Returned { id, one_time, sealed, ciphertext, key, escrowed, meta } = returned;
        let private = self.returns.private(one_time)?;
        let label = escrowed.label.encode();
        let plain = hpke::open(&private, INFO, &label, sealed)?;
        let (data_key, sigma, nonce) = parted(&plain).ok_or(EnclaveError::Broken)?;
        if escrowed.label.id != *id || payload_id(ciphertext) != *id {
            return Err(EnclaveError::Broken);
        }
        if !escrowed.capsule.matches(&self.tables.of(key), &data_key, &sigma, &label) {
            return Err(EnclaveError::Broken);
        }
        match &meta.native {
            Some(NativeMeta { network, member, .. }) => {
                content::verify(network, member, &data_key, &nonce, ciphertext).map_err(|_| EnclaveError::Broken)?;
            }
            None => nacl::verify(data_key.expose(), &nonce, ciphertext)?,
        }
        let held = Held { escrowed: Escrowed::clone(escrowed), sigma };
        let head = self.seal_head(*id, &data_key, meta, Some(&held))?;
        Ok(Kept { head, nonce })
    }
}

fn parted(plain: &[u8]) -> Option<(Secret<32>, Secret<32>, Nonce)> {
    let (data_key, rest) = plain.split_first_chunk::<32>()?;
    let (sigma, nonce) = rest.split_first_chunk::<32>()?;
    let secret = |bytes: &[u8; 32]| Secret::init_with(|secret| secret.copy_from_slice(bytes));
    Some((secret(data_key), secret(sigma), nonce.try_into().ok()?))
}

#[async_trait]
impl ReturnKeys for LocalEnclave {
    async fn return_key(&self) -> Result<BoxKey, EnclaveError> {
        Ok(self.0.returns.fresh())
    }

    async fn take_back(&self, returned: Returned) -> Result<Kept, EnclaveError> {
        self.block(move |inner| inner.take_back(&returned)).await
    }
}
