//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) for what lies on our own disk and for the suite celosia-1.
//!
//! Nonces are 24 random bytes: with 192 bits no counter is needed, even when one key writes for years.

use chacha20poly1305::aead::{Aead, AeadInOut as _, KeyInit, Payload};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
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

/// Encrypts `body` where it lies; the tag is what belongs behind it. The nonce is the caller's, never used twice under one key.
///
/// # Panics
/// Never for messages below 256 GiB.
pub fn seal_in_place(key: &[u8; 32], nonce: &[u8; NONCE], aad: &[u8], body: &mut [u8]) -> [u8; TAG] {
    XChaCha20Poly1305::new(key.into())
        .encrypt_inout_detached(&XNonce::from(*nonce), aad, body.into())
        .expect("the message is below the cipher's limit")
        .into()
}

/// Opens `sealed` (ciphertext and tag) of [`seal_in_place`], into a buffer that is wiped.
pub fn open_detached(key: &[u8; 32], nonce: &[u8; NONCE], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Broken> {
    let (body, tag) = sealed.split_last_chunk::<TAG>().ok_or(Broken)?;
    let mut plain = Zeroizing::new(body.to_vec());
    let cipher = XChaCha20Poly1305::new(key.into());
    let opened = cipher.decrypt_inout_detached(&XNonce::from(*nonce), aad, plain.as_mut_slice().into(), &Tag::from(*tag));
    opened.map_err(|_| Broken)?;
    Ok(plain)
}
