//! Ed25519 (RFC 8032): who says what.
//!
//! Two kinds of messages are signed. Texts for people and foreign tools (documents, checkpoints) are signed as they stand, in the form of
//! C2SP signed notes. Statements between Celosias are signed behind a purpose and the network's id, see [`statement`].
//! A statement holds a NUL byte and a note cannot, so neither is ever taken for the other.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use data_encoding::BASE64;

use super::Broken;
use super::secret::Secret;
use crate::types::{NetworkId, ParseError};

/// A signature.
pub type Signature = [u8; 64];

/// A public key that verifies signatures. Base64 as text.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct VerifyKey([u8; Self::LEN]);

impl VerifyKey {
    /// Bytes of a key.
    pub const LEN: usize = 32;

    /// Takes the bytes; whether they are a point shows with the first verification.
    pub const fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Whether `signature` is this key's on `message`.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), Broken> {
        UnparsedPublicKey::new(&ED25519, &self.0).verify(message, signature).map_err(|_| Broken)
    }
}

impl FromStr for VerifyKey {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = crate::types::base64(text.trim().as_bytes()).map_err(|_| ParseError::Base64)?;
        let actual = bytes.len();
        bytes.try_into().map(Self).map_err(|_| ParseError::Length { expected: Self::LEN, actual })
    }
}

impl fmt::Display for VerifyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(&self.0))
    }
}

impl fmt::Debug for VerifyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

crate::types::as_text!(VerifyKey);

/// A private key that signs.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// The key of a 32-byte seed (RFC 8032 section 5.1.5).
    ///
    /// # Panics
    /// Never: every 32 bytes are a seed.
    pub fn from_seed(seed: &Secret<32>) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(seed.expose()).expect("32 bytes are a seed"))
    }

    /// Its public half.
    pub fn verify_key(&self) -> VerifyKey {
        let mut bytes = [0; VerifyKey::LEN];
        bytes.copy_from_slice(self.0.public_key().as_ref());
        VerifyKey(bytes)
    }

    /// Signs a message. The same message has the same signature.
    pub fn sign(&self, message: &[u8]) -> Signature {
        let mut bytes = [0; 64];
        bytes.copy_from_slice(self.0.sign(message).as_ref());
        bytes
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.verify_key())
    }
}

/// What is signed of a statement between Celosias: `purpose ‖ 0x00 ‖ network id (32) ‖ message`.
///
/// Threat: a signature made for one purpose, or in a test network, is shown as another. `purpose` is a constant of the protocol without NUL.
pub fn statement(purpose: &str, network: &NetworkId, message: &[u8]) -> Vec<u8> {
    [purpose.as_bytes(), &[0], network.as_bytes(), message].concat()
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    /// RFC 8032 section 7.1, test 2.
    #[test]
    fn the_vector_of_the_specification() {
        let seed = HEXLOWER.decode(b"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb").expect("hex");
        let key = SigningKey::from_seed(&Secret::from_slice(&seed).expect("32 bytes"));
        let public = key.verify_key();
        assert_eq!(HEXLOWER.encode(public.as_bytes()), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
        let signature = key.sign(&[0x72]);
        assert_eq!(
            HEXLOWER.encode(&signature),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        );
        assert_eq!(public.verify(&[0x72], &signature), Ok(()));
        assert_eq!(public.verify(&[0x73], &signature), Err(Broken));
        assert_eq!(public.to_string().parse(), Ok(public));
        assert!(!format!("{key:?}").contains("4ccd"));
    }

    #[test]
    fn a_statement_of_one_network_is_none_of_another() {
        let (a, b) = (NetworkId::new([1; 32]), NetworkId::new([2; 32]));
        let key = SigningKey::from_seed(&Secret::random());
        let signature = key.sign(&statement("celosia ack 1", &a, b"x"));
        assert!(key.verify_key().verify(&statement("celosia ack 1", &a, b"x"), &signature).is_ok());
        assert!(key.verify_key().verify(&statement("celosia ack 1", &b, b"x"), &signature).is_err());
        assert!(key.verify_key().verify(&statement("celosia header 1", &a, b"x"), &signature).is_err());
    }
}
