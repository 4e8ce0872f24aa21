//! HPKE in base mode (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305. For whoever has no session with us: an officer,
//! an auditor. It says nothing of who sealed; what must be known of that is signed inside.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256 as Kem;
use hpke::{Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _, single_shot_open, single_shot_seal};
use zeroize::Zeroizing;

use super::Broken;
use super::secret::Secret;
use crate::types::ParseError;

/// What sealing adds: the encapsulated key (32) in front, the tag (16) behind.
pub const OVERHEAD: usize = 48;

/// A public key that things are sealed to: X25519. Base64 as text.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct BoxKey([u8; Self::LEN]);

impl BoxKey {
    /// Bytes of a key.
    pub const LEN: usize = 32;

    /// Takes the bytes. A key of low order is found when something is sealed to it.
    pub const fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The public key of a private one: any 32 random bytes.
    ///
    /// # Panics
    /// Never: every 32 bytes are a private key of X25519.
    pub fn of(private: &Secret<32>) -> Self {
        let private = <Kem as hpke::Kem>::PrivateKey::from_bytes(private.expose()).expect("32 bytes are a private key");
        Self(Kem::sk_to_pk(&private).to_bytes().into())
    }
}

impl FromStr for BoxKey {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bytes = crate::types::base64(text.trim().as_bytes()).map_err(|_| ParseError::Base64)?;
        let actual = bytes.len();
        bytes.try_into().map(Self).map_err(|_| ParseError::Length { expected: Self::LEN, actual })
    }
}

impl fmt::Display for BoxKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(&self.0))
    }
}

impl fmt::Debug for BoxKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

crate::types::as_text!(BoxKey);

/// `encapsulated key (32) ‖ ciphertext ‖ tag (16)`. [`Broken`] for a key of low order, with which everybody could open it.
pub fn seal(to: &BoxKey, info: &[u8], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, Broken> {
    let to = <Kem as hpke::Kem>::PublicKey::from_bytes(&to.0).map_err(|_| Broken)?;
    let (key, sealed) =
        single_shot_seal::<ChaCha20Poly1305, HkdfSha256, Kem>(&OpModeS::Base, &to, info, plain, aad).map_err(|_| Broken)?;
    Ok([&key.to_bytes()[..], &sealed].concat())
}

/// Opens what [`seal`] made for the public half of `private`, with the same info and associated data.
pub fn open(private: &Secret<32>, info: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Broken> {
    let (key, sealed) = sealed.split_at_checked(32).ok_or(Broken)?;
    let private = <Kem as hpke::Kem>::PrivateKey::from_bytes(private.expose()).map_err(|_| Broken)?;
    let key = <Kem as hpke::Kem>::EncappedKey::from_bytes(key).map_err(|_| Broken)?;
    single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(&OpModeR::Base, &private, &key, info, sealed, aad)
        .map(Zeroizing::new)
        .map_err(|_| Broken)
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn secret(hex: &str) -> Secret<32> {
        Secret::from_slice(&HEXLOWER.decode(hex.as_bytes()).expect("hex")).expect("32 bytes")
    }

    /// RFC 9180 appendix A.2.1: base mode, ChaCha20Poly1305, sequence number 0.
    #[test]
    fn the_vector_of_the_specification_opens() {
        let private = secret("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb");
        let public = "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a";
        assert_eq!(HEXLOWER.encode(BoxKey::of(&private).as_bytes()), public);
        let info = HEXLOWER.decode(b"4f6465206f6e2061204772656369616e2055726e").expect("hex");
        let aad = HEXLOWER.decode(b"436f756e742d30").expect("hex");
        let sealed = "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a\
                      1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28";
        let sealed = HEXLOWER.decode(sealed.as_bytes()).expect("hex");
        let plain = open(&private, &info, &aad, &sealed).expect("it opens");
        assert_eq!(&*plain, b"Beauty is truth, truth beauty");
    }

    #[test]
    fn it_opens_for_its_key_info_and_data_alone() {
        let (private, other) = (Secret::random(), Secret::random());
        let sealed = seal(&BoxKey::of(&private), b"info", b"aad", b"plain").expect("it seals");
        assert_eq!(sealed.len(), 5 + OVERHEAD);
        assert_eq!(&*open(&private, b"info", b"aad", &sealed).expect("it opens"), b"plain");
        assert_eq!(open(&other, b"info", b"aad", &sealed), Err(Broken));
        assert_eq!(open(&private, b"Info", b"aad", &sealed), Err(Broken));
        assert_eq!(open(&private, b"info", b"Aad", &sealed), Err(Broken));
        for cut in 0..sealed.len() {
            assert_eq!(open(&private, b"info", b"aad", &sealed[..cut]), Err(Broken));
        }
        assert_eq!(seal(&BoxKey::new([0; 32]), b"", b"", b"plain"), Err(Broken), "a key of low order");
    }
}
