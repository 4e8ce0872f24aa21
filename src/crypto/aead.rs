//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) for what lies on our own disk.
//!
//! Nonces are 24 random bytes: with 192 bits no counter is needed, even when one key writes for years.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::{Broken, random};

/// Bytes of the nonce in front of every sealed message.
pub const NONCE: usize = 24;
/// Bytes of the authenticator behind it.
pub const TAG: usize = 16;

/// `nonce ‖ XChaCha20-Poly1305(key, nonce, aad, plaintext)` under a fresh nonce.
///
/// # Panics
/// Never for messages below 256 GiB.
pub fn seal(key: &[u8; 32], aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let nonce: [u8; NONCE] = random();
    let sealed = XChaCha20Poly1305::new(key.into())
        .encrypt(&XNonce::from(nonce), Payload { msg: plaintext, aad })
        .expect("the message is below the cipher's limit");
    [nonce.as_slice(), &sealed].concat()
}

/// Opens what [`seal`] made, with the same `aad`.
pub fn open(key: &[u8; 32], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Broken> {
    let (nonce, msg) = sealed.split_first_chunk::<NONCE>().ok_or(Broken)?;
    let plaintext =
        XChaCha20Poly1305::new(key.into()).decrypt(&XNonce::from(*nonce), Payload { msg, aad }).map_err(|_| Broken)?;
    Ok(Zeroizing::new(plaintext))
}
