use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

/// Digest of a certificate's DER form.
///
/// Tessera writes SHA-1. That SHA-1 has collisions does not help against a certificate that is pinned already: it takes a second preimage.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fingerprint {
    /// 20 bytes, 40 digits: Tessera's.
    Sha1([u8; 20]),
    /// 32 bytes, 64 digits: accepted where an operator prefers it.
    Sha256([u8; 32]),
}

impl Fingerprint {
    /// SHA-1 of a certificate.
    pub fn sha1(der: &[u8]) -> Self {
        let mut bytes = [0; 20];
        bytes.copy_from_slice(digest(&SHA1_FOR_LEGACY_USE_ONLY, der).as_ref());
        Self::Sha1(bytes)
    }

    /// SHA-256 of a certificate.
    pub fn sha256(der: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, der).as_ref());
        Self::Sha256(bytes)
    }

    /// Whether it is the certificate's.
    pub fn is_of(&self, der: &[u8]) -> bool {
        match self {
            Self::Sha1(_) => *self == Self::sha1(der),
            Self::Sha256(_) => *self == Self::sha256(der),
        }
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sha1(bytes) => f.write_str(&HEXLOWER.encode(bytes)),
            Self::Sha256(bytes) => f.write_str(&HEXLOWER.encode(bytes)),
        }
    }
}

impl FromStr for Fingerprint {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(drop)?;
        let sha1 = <[u8; 20]>::try_from(bytes.as_slice()).map(Self::Sha1);
        sha1.or_else(|_| <[u8; 32]>::try_from(bytes.as_slice()).map(Self::Sha256)).map_err(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_fips_180() {
        // FIPS 180-4 examples, "abc".
        assert_eq!(Fingerprint::sha1(b"abc").to_string(), "a9993e364706816aba3e25717850c26c9cd0d89d");
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Fingerprint::sha256(b"abc").to_string(), sha256);
        assert_eq!(sha256.to_uppercase().parse(), Ok(Fingerprint::sha256(b"abc")));
        assert_eq!("abcd".parse::<Fingerprint>(), Err(()));
    }
}
