//! What copies hold besides a header under S2: sigma under a leaf of its own, and the ciphertext. A disclosure gives it out on a mandate.

use bytes::Bytes;

use super::feed::{Entry, entry};
use super::places::{Placed, Seat, Whose};
use super::rows::{OF, PAGE, copy_key, id_of, of_key};
use crate::crypto::hash::sha256;
use crate::crypto::nacl::Nonce;
use crate::crypto::sign::Signature;
use crate::enclave::EnclaveError;
use crate::seal::escrow::Escrowed;
use crate::services::{Error, Node};
use crate::shred::SealedHead;
use crate::store::{StoreError, Table};
use crate::supervision::SupervisionCopy;
use crate::types::{Address, MemberId, PayloadId};
use crate::wire::{Delivery, Header};

/// A copy that holds sigma: its label and capsule, and where it is.
#[derive(Clone, Debug)]
pub(crate) struct HeldCopy {
    entry: Entry,
    head: SealedHead,
    /// What the committee may see of it.
    pub(crate) escrowed: Escrowed,
}

/// What such a copy tells and holds, opened.
#[derive(Clone, Debug)]
pub(crate) struct CopyContent {
    /// Whose it is.
    pub(crate) member: MemberId,
    /// Sigma is under it.
    pub(crate) head: SealedHead,
    /// Of the ciphertext.
    pub(crate) nonce: Nonce,
    /// The payload, sealed.
    pub(crate) ciphertext: Bytes,
    /// The header's bytes.
    pub(crate) header: Vec<u8>,
    /// SHA-256 of them.
    pub(crate) digest: [u8; 32],
    /// The member's signature on them.
    pub(crate) signature: Signature,
    /// Whose key sent it.
    pub(crate) sender: Address,
    /// Everyone whom it was sent to.
    pub(crate) recipients: Vec<Address>,
    /// When it was made, milliseconds since the Unix epoch.
    pub(crate) made: u64,
    /// When it came, milliseconds since the Unix epoch.
    pub(crate) seen: u64,
}

fn corrupt() -> StoreError {
    StoreError::Corrupt("a supervision copy".into())
}

impl Node {
    /// The copies of a payload that are here and hold sigma, one of each member that gave one.
    pub(crate) async fn held_copies(&self, id: &PayloadId) -> Result<Vec<HeldCopy>, Error> {
        let mut held: Vec<(Whose, HeldCopy)> = Vec::new();
        for Placed { place, kind } in self.placed(id).await? {
            let Seat::Copy { whose: Some(whose), has_sigma: true, .. } = kind else { continue };
            if held.iter().any(|(other, _)| *other == whose) {
                continue;
            }
            let Some(row) = self.store.row(Table::Supervision, &copy_key(place)).await? else { continue };
            let entry = entry(&row)?;
            let head = SealedHead::from_bytes(entry.head.to_vec().into()).ok_or_else(corrupt)?;
            match self.enclave.escrow(*id, &head).await {
                Ok(Some(escrowed)) => held.push((whose, HeldCopy { entry, head, escrowed })),
                // Its erasure is under way.
                Ok(None) | Err(EnclaveError::Erased) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(held.into_iter().map(|(_, copy)| copy).collect())
    }

    /// What a copy holds and tells; `None`: it was erased meanwhile.
    pub(crate) async fn copy_content(&self, held: HeldCopy) -> Result<Option<CopyContent>, Error> {
        let HeldCopy { entry, head, .. } = held;
        let Some(SupervisionCopy { header, signature, recipients, sealed, .. }) = self.open_copy(&entry).await? else {
            return Ok(None);
        };
        let read = Header::decode(&header).map_err(|_| corrupt())?;
        let Delivery { nonce, ciphertext, .. } = Delivery::decode(&sealed.into()).map_err(|_| corrupt())?;
        let digest = sha256(&[&header]);
        let (member, sender, made, seen) = (read.member, read.sender, read.time, entry.time);
        Ok(Some(CopyContent { member, head, nonce, ciphertext, header, digest, signature, sender, recipients, made, seen }))
    }

    /// Payloads after an id of which something stands in the feed, in the order of ids; none at the end.
    pub(crate) async fn copied_ids(&self, after: Option<PayloadId>) -> Result<Vec<PayloadId>, Error> {
        let after = after.map(|id| of_key(&id, u64::MAX));
        let rows = self.store.rows(Table::Supervision, &[OF], after.as_deref(), PAGE).await?;
        let mut ids: Vec<PayloadId> = rows.iter().filter_map(|(key, _)| id_of(key)).collect();
        ids.dedup();
        Ok(ids)
    }
}
