use x25519_dalek::{PublicKey, StaticSecret};

use super::Refused;
use crate::crypto::kdf;
use crate::crypto::secret::Secret;
use crate::types::NetworkId;

/// The secret of two epoch keys: a key for each direction.
///
/// Both ends compute the same; who sends with which key depends on the order of the public keys. Threat: a box is sent back to its maker
/// as one from its recipient: under one key for both directions it would open.
#[derive(Debug)]
pub struct Pair {
    /// Seals what we send.
    pub sending: Secret<32>,
    /// Opens what we receive.
    pub receiving: Secret<32>,
}

/// The public key of an epoch's private one (RFC 7748).
pub fn public(private: &[u8; 32]) -> [u8; 32] {
    PublicKey::from(&StaticSecret::from(*private)).to_bytes()
}

impl Pair {
    /// `HKDF[network, "celosia-1 pair" ‖ lower public key ‖ higher public key](X25519(own, peer), 64)`: the first half is the key from the
    /// lower to the higher, the second the one back. [`Refused::EpochKey`] for a key of low order or our own.
    pub fn agree(network: &NetworkId, private: &[u8; 32], own: &[u8; 32], peer: &[u8; 32]) -> Result<Self, Refused> {
        let shared = StaticSecret::from(*private).diffie_hellman(&PublicKey::from(*peer));
        if !shared.was_contributory() || own == peer {
            return Err(Refused::EpochKey);
        }
        let (lower, higher) = (own.min(peer), own.max(peer));
        let both: Secret<64> = kdf::expand(network.as_bytes(), shared.as_bytes(), &[b"celosia-1 pair", lower, higher]);
        let (up, down) = both.expose().split_at(32);
        let key = |half: &[u8]| Secret::init_with(|bytes| bytes.copy_from_slice(half));
        let (sending, receiving) = if own == lower { (key(up), key(down)) } else { (key(down), key(up)) };
        Ok(Self { sending, receiving })
    }
}
