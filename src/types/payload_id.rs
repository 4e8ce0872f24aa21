use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ParseError;

/// What stands on the ledger in place of a payload: SHA3-512 (FIPS 202) of its ciphertext, 64 bytes.
///
/// Text form is standard base64 with padding, 88 characters. Key and nonce of the ciphertext are random, so it says nothing of the plaintext.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct PayloadId([u8; 64]);

impl PayloadId {
    /// Bytes of an id.
    pub const LEN: usize = 64;

    /// Wraps the 64 bytes of a digest.
    pub const fn new(bytes: [u8; 64]) -> Self {
        Self(bytes)
    }

    /// The digest.
    pub const fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }
}

impl TryFrom<&[u8]> for PayloadId {
    type Error = ParseError;

    fn try_from(bytes: &[u8]) -> Result<Self, ParseError> {
        let array = bytes.try_into().map_err(|_| ParseError::Length { expected: Self::LEN, actual: bytes.len() })?;
        Ok(Self(array))
    }
}

impl FromStr for PayloadId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bytes = crate::types::base64(text.as_bytes()).map_err(|_| ParseError::Base64)?;
        Self::try_from(bytes.as_slice())
    }
}

impl fmt::Display for PayloadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(&self.0))
    }
}

impl fmt::Debug for PayloadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PayloadId({self})")
    }
}

impl Serialize for PayloadId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PayloadId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
