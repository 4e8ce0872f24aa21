//! A payload between peers, whichever codec wrote it.

use std::collections::HashSet;

use bytes::Bytes;

use super::{DecodeError, cbor, legacy};
use crate::crypto::nacl::{KeyBox, Nonce};
use crate::types::{Address, Affected, Codec, GroupId, PayloadId, Privacy};

/// Bytes of a group id or an execution hash: both are 32 bytes, or a name, in base64.
const MAX_WORD: usize = 1024;
/// Recipients, mandatory recipients or affected transactions of one payload.
const MAX_LIST: usize = 4096;

/// A payload as peers exchange it: ciphertext, and the data key in one box for each recipient.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EncodedPayload {
    /// Who sealed it.
    pub sender: Address,
    /// XSalsa20-Poly1305 of the plaintext: `plaintext + 16` bytes.
    pub ciphertext: Bytes,
    /// Nonce of the ciphertext.
    pub nonce: Nonce,
    /// The data key for each recipient, all under `recipient_nonce`.
    pub boxes: Vec<KeyBox>,
    /// Nonce of the boxes.
    pub recipient_nonce: Nonce,
    /// Recipients, in the order of the boxes where there are as many; empty in the oldest form.
    pub recipients: Vec<Address>,
    /// Rules that travel with it.
    pub privacy: Privacy,
}

impl EncodedPayload {
    /// Reads a payload of either codec. Checks the invariants of [`Privacy`].
    pub fn decode(codec: Codec, bytes: &Bytes) -> Result<Self, DecodeError> {
        let payload = match codec {
            Codec::Cbor => cbor::decode(bytes),
            Codec::Legacy => legacy::decode(bytes),
        }?;
        payload.check_bounds()?;
        Ok(payload)
    }

    /// What goes into a record's head stays small: a peer fills our index with it, not only our payloads.
    fn check_bounds(&self) -> Result<(), DecodeError> {
        let privacy = &self.privacy;
        let within = |field, len: usize, max: usize| if len > max { Err(DecodeError::Length(field)) } else { Ok(()) };
        within("privacyGroupId", privacy.group.as_ref().map_or(0, |group| group.0.len()), MAX_WORD)?;
        within("execHash", privacy.exec_hash.len(), MAX_WORD)?;
        within("recipientKeys", self.recipients.len(), MAX_LIST)?;
        within("mandatoryRecipients", privacy.mandatory.len(), MAX_LIST)?;
        within("affectedContractTransactions", privacy.affected.len(), MAX_LIST)
    }

    /// Writes the payload as Tessera does, byte for byte.
    pub fn encode(&self, codec: Codec) -> Bytes {
        match codec {
            Codec::Cbor => cbor::encode(self),
            Codec::Legacy => legacy::encode(self),
        }
    }
}

/// Bytes to reserve for either codec: a little more than needed, so that the ciphertext is copied once.
pub(super) fn size_hint(payload: &EncodedPayload) -> usize {
    let Privacy { affected, exec_hash, mandatory, group, .. } = &payload.privacy;
    let keys = 40 * (payload.recipients.len() + mandatory.len());
    let group = group.as_ref().map_or(0, |id| id.0.len());
    320 + payload.ciphertext.len() + 56 * payload.boxes.len() + keys + 160 * affected.len() + exec_hash.len() + group
}

/// The group of a field; an empty id means none, as in Tessera.
pub(super) fn group(id: &[u8]) -> Option<GroupId> {
    (!id.is_empty()).then(|| GroupId(id.to_vec()))
}

/// Affected transactions are a map in Tessera: none is there twice.
pub(super) fn check_distinct(affected: &[Affected]) -> Result<(), DecodeError> {
    let ids: HashSet<&PayloadId> = affected.iter().map(|entry| &entry.id).collect();
    if ids.len() == affected.len() { Ok(()) } else { Err(DecodeError::Duplicate("affected transaction hash")) }
}
