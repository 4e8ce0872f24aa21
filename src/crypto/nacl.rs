//! NaCl's `crypto_secretbox` (XSalsa20-Poly1305) and `crypto_box_beforenm` (X25519, HSalsa20), byte for byte libsodium's `_easy` forms.
//!
//! Bernstein, "Cryptography in NaCl" (2009) and "Extending the Salsa20 nonce" (2011); RFC 7748 for X25519.

use poly1305::Poly1305;
use poly1305::universal_hash::KeyInit as _;
use salsa20::cipher::consts::U10;
use salsa20::cipher::{KeyIvInit as _, StreamCipher as _};
use salsa20::{XSalsa20, hsalsa};
use subtle::ConstantTimeEq as _;
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize as _, Zeroizing};

use super::Broken;
use super::secret::Secret;
use crate::types::Address;

/// Bytes of the authenticator in front of a box.
pub const MAC: usize = 16;

/// A 24-byte nonce.
pub type Nonce = [u8; 24];

/// A data key in a box for one recipient: 32 bytes and the authenticator.
pub type KeyBox = [u8; 48];

/// The all-zero shared secret of a low-order public key (RFC 7748 section 6.1): such a key is no recipient.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the public key is of low order")]
pub struct LowOrder;

/// The public key of a private one.
pub fn public_key(private: &Secret<32>) -> Address {
    let scalar = StaticSecret::from(*private.expose());
    Address::new(PublicKey::from(&scalar).to_bytes())
}

/// `crypto_box_beforenm`: HSalsa20(X25519(private, public), 0).
pub fn shared_key(private: &Secret<32>, public: &Address) -> Result<Secret<32>, LowOrder> {
    let scalar = StaticSecret::from(*private.expose());
    let shared = scalar.diffie_hellman(&PublicKey::from(*public.as_bytes()));
    if !shared.was_contributory() {
        return Err(LowOrder);
    }
    let mut key = hsalsa::<U10>(shared.as_bytes().into(), &[0u8; 16].into());
    let secret = Secret::init_with(|bytes| bytes.copy_from_slice(&key));
    key.as_mut_slice().zeroize();
    Ok(secret)
}

/// `crypto_secretbox_easy`: authenticator ‖ ciphertext, `plaintext.len() + 16` bytes.
pub fn seal(key: &[u8; 32], nonce: &Nonce, plaintext: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(MAC + plaintext.len());
    out.extend_from_slice(&[0; MAC]);
    out.extend_from_slice(plaintext);
    let (mac, body) = out.split_at_mut(MAC);
    let (mut stream, poly) = start(key, nonce);
    stream.apply_keystream(body);
    mac.copy_from_slice(&poly.compute_unpadded(body));
    out
}

/// `crypto_secretbox_open_easy`. Verifies before it decrypts.
pub fn open(key: &[u8; 32], nonce: &Nonce, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Broken> {
    let (mac, body) = sealed.split_at_checked(MAC).ok_or(Broken)?;
    let (mut stream, poly) = start(key, nonce);
    verify_mac(poly, mac, body)?;
    let mut plaintext = Zeroizing::new(body.to_vec());
    stream.apply_keystream(&mut plaintext);
    Ok(plaintext)
}

/// Whether [`open`] would succeed, without making the plaintext.
pub fn verify(key: &[u8; 32], nonce: &Nonce, sealed: &[u8]) -> Result<(), Broken> {
    let (mac, body) = sealed.split_at_checked(MAC).ok_or(Broken)?;
    verify_mac(start(key, nonce).1, mac, body)
}

/// A data key in a box.
///
/// # Panics
/// Never: the box of 32 bytes has 48.
pub fn seal_key(shared: &Secret<32>, nonce: &Nonce, data_key: &Secret<32>) -> KeyBox {
    let sealed = seal(shared.expose(), nonce, data_key.expose());
    sealed.try_into().expect("a box of 32 bytes has 48")
}

/// The data key of a box; `Broken` also if it is not 32 bytes long.
pub fn open_key(shared: &Secret<32>, nonce: &Nonce, sealed: &[u8]) -> Result<Secret<32>, Broken> {
    let plaintext = open(shared.expose(), nonce, sealed)?;
    Secret::from_slice(&plaintext).ok_or(Broken)
}

/// The key stream after its first 32 bytes, which key the authenticator.
fn start(key: &[u8; 32], nonce: &Nonce) -> (XSalsa20, Poly1305) {
    let mut stream = XSalsa20::new(key.into(), nonce.into());
    let mut mac_key = Zeroizing::new([0u8; 32]);
    stream.apply_keystream(mac_key.as_mut_slice());
    let poly = Poly1305::new((&*mac_key).into());
    (stream, poly)
}

fn verify_mac(poly: Poly1305, mac: &[u8], body: &[u8]) -> Result<(), Broken> {
    let computed = poly.compute_unpadded(body);
    if bool::from(computed.as_slice().ct_eq(mac)) { Ok(()) } else { Err(Broken) }
}

#[cfg(test)]
mod tests {
    use data_encoding::{BASE64, HEXLOWER};

    use super::*;

    fn private(text: &str) -> Secret<32> {
        Secret::from_slice(&BASE64.decode(text.as_bytes()).expect("base64")).expect("32 bytes")
    }

    /// Public quorum-examples keys n1 and n2, values computed with libsodium.
    #[test]
    fn shared_key_and_boxes_match_libsodium() {
        let n1 = private("Wl+xSyXVuuqzpvznOS7dOobhcn4C5auxkFRi7yLtgtA=");
        let n2 = private("nDFwJNHSiT1gNzKBy9WJvMhmYRkW3TzFUmPsNzR6oFk=");
        assert_eq!(public_key(&n1).to_string(), "BULeR8JyUWhiuuCMU/HLA0Q5pzkYT+cHII3ZKBey3Bo=");
        let shared = shared_key(&n1, &public_key(&n2)).expect("contributory");
        assert_eq!(HEXLOWER.encode(shared.expose()), "e644a313b7d414ffb6e4609fcad1aa5c2eaf2f4fdaa308b18f24aa9dd31a7a5c");
        let key = Secret::<32>::init_with(|k| (0u8..).zip(k).for_each(|(i, b)| *b = i));
        let nonce: Nonce = std::array::from_fn(|i| 100 + u8::try_from(i).expect("small"));
        let sealed = seal(key.expose(), &nonce, b"hello tessera");
        assert_eq!(HEXLOWER.encode(&sealed), "da9990c2cc936938879881e982d6c84f6adcf5a55596ba8cc38e46e656");
        assert_eq!(open(key.expose(), &nonce, &sealed).expect("opens").as_slice(), b"hello tessera");
        let recipient_nonce: Nonce = std::array::from_fn(|i| 200 + u8::try_from(i).expect("small"));
        let boxed = seal_key(&shared, &recipient_nonce, &key);
        assert_eq!(
            HEXLOWER.encode(&boxed),
            "cd6d73861cde4b41e7896fde0439b1ff55a954bff5d2fda4c5bd9d5aff75fcc9acf24b1ba88a42a272b4d56369891311"
        );
        let back = shared_key(&n2, &public_key(&n1)).expect("contributory");
        assert_eq!(open_key(&back, &recipient_nonce, &boxed).expect("opens"), key);
    }

    #[test]
    fn altered_truncated_and_low_order_are_refused() {
        let key = Secret::<32>::random();
        let nonce = [7; 24];
        let sealed = seal(key.expose(), &nonce, b"payload");
        for i in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[i] ^= 1;
            assert!(open(key.expose(), &nonce, &altered).is_err());
            assert!(verify(key.expose(), &nonce, &sealed[..i]).is_err());
        }
        assert_eq!(shared_key(&key, &Address::new([0; 32])), Err(LowOrder));
    }
}
