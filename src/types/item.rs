use std::fmt;
use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};

use super::{ParseError, PayloadId};

/// The name of a document: 32 random bytes, which a contract may hold. Standard base64 with padding, 44 characters.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct DocumentId([u8; 32]);

impl DocumentId {
    /// Bytes of an id.
    pub const LEN: usize = 32;

    /// Wraps 32 bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// `0x` and 64 hexadecimal digits: Solidity's `bytes32`.
    pub fn to_hex(self) -> String {
        format!("0x{}", HEXLOWER.encode(&self.0))
    }

    /// Reads an id as people and paths write it: 64 hexadecimal digits, with or without `0x`, or base64.
    pub fn from_words(text: &str) -> Result<Self, ParseError> {
        let digits = text.strip_prefix("0x").unwrap_or(text);
        if digits.len() != 2 * Self::LEN {
            return text.parse();
        }
        let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).map_err(|_| ParseError::Hex)?;
        bytes.try_into().map(Self).map_err(|_| ParseError::Hex)
    }
}

impl FromStr for DocumentId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bytes = crate::types::base64(text.as_bytes()).map_err(|_| ParseError::Base64)?;
        let actual = bytes.len();
        bytes.try_into().map(Self).map_err(|_| ParseError::Length { expected: Self::LEN, actual })
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(&self.0))
    }
}

impl fmt::Debug for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DocumentId({self})")
    }
}

/// What is kept, erased, held and certified: a payload of a transaction, or a document. The text form tells them apart by its length.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum ItemId {
    /// A payload, 64 bytes.
    Payload(PayloadId),
    /// A document, 32 bytes.
    Document(DocumentId),
}

impl ItemId {
    /// Its bytes, 64 or 32.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Payload(id) => id.as_bytes(),
            Self::Document(id) => id.as_bytes(),
        }
    }

    /// Reads 64 or 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ParseError> {
        match <[u8; DocumentId::LEN]>::try_from(bytes) {
            Ok(id) => Ok(Self::Document(DocumentId(id))),
            Err(_) => PayloadId::try_from(bytes).map(Self::Payload),
        }
    }
}

impl FromStr for ItemId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::from_bytes(&crate::types::base64(text.as_bytes()).map_err(|_| ParseError::Base64)?)
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(self.as_bytes()))
    }
}

super::as_text!(DocumentId, ItemId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_named_in_hexadecimal_and_in_base64() {
        let id = DocumentId::new([0xab; 32]);
        for text in [id.to_hex(), id.to_hex()[2..].to_uppercase(), id.to_string()] {
            assert_eq!(DocumentId::from_words(&text), Ok(id), "{text}");
        }
        assert_eq!(DocumentId::from_words(&"g".repeat(64)), Err(ParseError::Hex));
        for text in ["", "0x", "0xabab", "AAAA"] {
            assert!(DocumentId::from_words(text).is_err(), "{text}");
        }
    }

    #[test]
    fn items_are_told_apart_by_their_length() {
        for item in [ItemId::Payload(PayloadId::new([7; 64])), ItemId::Document(DocumentId::new([8; 32]))] {
            assert_eq!(item.to_string().parse(), Ok(item));
            assert_eq!(ItemId::from_bytes(item.as_bytes()), Ok(item));
        }
        assert!("AAAA".parse::<ItemId>().is_err() && "no base64".parse::<ItemId>().is_err());
    }
}
