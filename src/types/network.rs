use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;

use super::ParseError;

/// Which network: the SHA-256 of the genesis table of its first policy (`docs/governance.md`). 64 hexadecimal digits.
///
/// It stands in every signature, key derivation and payload header, so that nothing of a test network is accepted in another.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NetworkId([u8; Self::LEN]);

impl NetworkId {
    /// Bytes of an id.
    pub const LEN: usize = 32;

    /// Takes the bytes of a digest.
    pub const fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl FromStr for NetworkId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = HEXLOWER.decode(text.trim().as_bytes()).map_err(|_| ParseError::Hex)?;
        let actual = bytes.len();
        bytes.try_into().map(Self).map_err(|_| ParseError::Length { expected: Self::LEN, actual })
    }
}

impl fmt::Display for NetworkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for NetworkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

super::as_text!(NetworkId);
