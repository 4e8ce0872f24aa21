use bytes::Bytes;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::Refused;
use crate::crypto::aead::{self, TAG};
use crate::crypto::nacl::Nonce;
use crate::crypto::padme::{self, Padding};
use crate::crypto::secret::Secret;
use crate::crypto::{hash, kdf, random};
use crate::types::{MemberId, NetworkId, PayloadId};

/// First byte of a ciphertext of this suite.
pub const VERSION: u8 = 1;

/// Bytes in front of the encrypted part: version and key commitment.
pub const PREFIX: usize = 33;

/// A sealed payload and what opens it; nobody has a box yet.
#[derive(Debug)]
pub struct Content {
    /// SHA3-512 of the ciphertext.
    pub id: PayloadId,
    /// `version (1) ‖ commitment (32) ‖ XChaCha20-Poly1305 of the padded payload`.
    pub ciphertext: Bytes,
    /// Nonce of the ciphertext.
    pub nonce: Nonce,
    /// What opens it.
    pub data_key: Secret<32>,
}

impl Content {
    /// Seals a payload under a fresh data key and nonce.
    pub fn seal(network: &NetworkId, sender: &MemberId, padding: Padding, payload: &[u8]) -> Self {
        Self::seal_under((network, sender), padding, payload, Secret::random(), random())
    }

    /// Seals a payload under a given data key and nonce; the pair must be used for nothing else. For test vectors, and for manifests: a
    /// document has one data key, and a manifest for each member.
    pub fn seal_under(of: (&NetworkId, &MemberId), padding: Padding, payload: &[u8], data_key: Secret<32>, nonce: Nonce) -> Self {
        let (network, sender) = of;
        let keys = Keys::of(network, sender, &data_key);
        let mut out = Vec::with_capacity(PREFIX + padding.padded(payload.len()) + TAG);
        out.push(VERSION);
        out.extend_from_slice(keys.commitment());
        padding.pad_into(payload, &mut out);
        let (prefix, body) = out.split_at_mut(PREFIX);
        let tag = aead::seal_in_place(keys.encryption(), &nonce, &aad(prefix, network), body);
        out.extend_from_slice(&tag);
        Self { id: hash::payload_id(&out), ciphertext: out.into(), nonce, data_key }
    }
}

/// Opens a ciphertext.
///
/// Threat: one ciphertext that opens to two payloads under two keys (XChaCha20-Poly1305 alone allows it), so that a sender shows an
/// auditor something else than it sent. The commitment is compared first: a ciphertext has one key.
///
/// Threat: a recipient sends the ciphertext on under a header of its own, and learns from the answer who has it already. The commitment is
/// made with the sender's name: under another's it never opens, whether it is known or not.
pub fn open(
    network: &NetworkId,
    sender: &MemberId,
    data_key: &Secret<32>,
    nonce: &Nonce,
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let padded = open_padded(network, sender, data_key, nonce, ciphertext)?;
    padme::unpad(padded).map_err(|_| Refused::Padding)
}

/// Whether [`open`] would succeed.
pub fn verify(
    network: &NetworkId,
    sender: &MemberId,
    data_key: &Secret<32>,
    nonce: &Nonce,
    ciphertext: &[u8],
) -> Result<(), Refused> {
    let padded = open_padded(network, sender, data_key, nonce, ciphertext)?;
    padme::message(&padded).map(drop).map_err(|_| Refused::Padding)
}

fn open_padded(
    network: &NetworkId,
    sender: &MemberId,
    data_key: &Secret<32>,
    nonce: &Nonce,
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Refused> {
    let (prefix, body) = ciphertext.split_at_checked(PREFIX).ok_or(Refused::Ciphertext)?;
    if prefix[0] != VERSION {
        return Err(Refused::Suite);
    }
    let keys = Keys::of(network, sender, data_key);
    if !bool::from(keys.commitment().ct_eq(&prefix[1..])) {
        return Err(Refused::Commitment);
    }
    aead::open_detached(keys.encryption(), nonce, &aad(prefix, network), body).map_err(|_| Refused::Ciphertext)
}

/// What is made of a data key: `HKDF[network, "celosia-1 payload" ‖ sender](data key, 64)` = encryption key ‖ commitment.
struct Keys(Secret<64>);

impl Keys {
    fn of(network: &NetworkId, sender: &MemberId, data_key: &Secret<32>) -> Self {
        Self(kdf::expand(network.as_bytes(), data_key.expose(), &[b"celosia-1 payload", sender.as_str().as_bytes()]))
    }

    fn encryption(&self) -> &[u8; 32] {
        self.0.expose().first_chunk().expect("64 bytes have a first half")
    }

    fn commitment(&self) -> &[u8; 32] {
        self.0.expose().last_chunk().expect("64 bytes have a second half")
    }
}

fn aad(prefix: &[u8], network: &NetworkId) -> [u8; PREFIX + NetworkId::LEN] {
    let mut aad = [0; PREFIX + NetworkId::LEN];
    aad[..PREFIX].copy_from_slice(prefix);
    aad[PREFIX..].copy_from_slice(network.as_bytes());
    aad
}
