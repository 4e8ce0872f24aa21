//! Capsules at their holder: made for payloads in Tessera's suite, kept in the head, given out without sigma; sigma sealed to whoever has a mandate.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use super::Inner;
use crate::crypto::hpke::BoxKey;
use crate::crypto::nacl::Nonce;
use crate::crypto::secret::Secret;
use crate::crypto::threshold::{GroupKey, Prepared};
use crate::enclave::{EnclaveError, EscrowTerms};
use crate::seal::escrow::{EscrowKey, Escrowed, Held, Label, TESSERA};
use crate::shred::SealedHead;
use crate::types::{Address, PayloadId};
use crate::wire::header::day_of;

/// Keys whose tables are kept: those of a network's epochs, and some.
const MOST: usize = 16;

/// Tables of committees' keys: computed once, not for each payload.
#[derive(Default)]
pub(super) struct Tables(Mutex<Vec<Prepared>>);

impl Tables {
    pub(super) fn of(&self, key: &GroupKey) -> Prepared {
        let mut tables = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = tables.iter().find(|known| known.key() == key) {
            return known.clone();
        }
        if tables.len() == MOST {
            tables.remove(0);
        }
        let made = Prepared::new(key);
        tables.push(made.clone());
        made
    }

    /// All of a policy, by epoch.
    pub(super) fn all(&self, keys: &[EscrowKey]) -> Vec<(u64, Prepared)> {
        keys.iter().map(|key| (key.epoch, self.of(&key.key))).collect()
    }
}

impl Inner {
    /// What the head of a payload in Tessera's suite holds for the committee.
    pub(super) fn hold(
        &self,
        terms: Option<EscrowTerms>,
        id: PayloadId,
        sender: Address,
        data_key: &Secret<32>,
    ) -> Result<Option<Held>, EnclaveError> {
        let Some(EscrowTerms { key, policy, class, member }) = terms else { return Ok(None) };
        let node = self.node()?;
        let (network, day) = (*node.network(), day_of(node.now()));
        let label = Label { network, suite: TESSERA, policy, epoch: key.epoch, class, member, sender, day, id };
        Ok(Some(Held::make(&self.tables.of(&key.key), data_key, label)))
    }

    pub(super) fn escrowed(&self, id: PayloadId, head: &SealedHead) -> Result<Option<Escrowed>, EnclaveError> {
        Ok(self.open_whole(id, head)?.2.map(|held| held.escrowed))
    }

    pub(super) fn release_escrow(
        &self,
        id: PayloadId,
        head: &SealedHead,
        nonce: &Nonce,
        to: &BoxKey,
        info: &[u8],
    ) -> Result<Bytes, EnclaveError> {
        let held = self.open_whole(id, head)?.2.ok_or(EnclaveError::NoEscrow)?;
        Ok(held.release(nonce, to, info)?)
    }
}
