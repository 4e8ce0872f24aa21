use bytes::Bytes;

use super::{DecodeError, cbor, legacy};
use crate::crypto::nacl::{KeyBox, Nonce};
use crate::types::{Address, Codec, Privacy};

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
        match codec {
            Codec::Cbor => cbor::decode(bytes),
            Codec::Legacy => legacy::decode(bytes),
        }
    }

    /// Writes the payload as Tessera does, byte for byte.
    pub fn encode(&self, codec: Codec) -> Bytes {
        match codec {
            Codec::Cbor => cbor::encode(self),
            Codec::Legacy => legacy::encode(self),
        }
    }
}
