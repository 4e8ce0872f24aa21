//! Party info: what nodes tell each other of keys and URLs.

use bytes::Bytes;

use super::DecodeError;

/// A node's announcement. URLs are text as received: the rim parses them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PartyInfo {
    /// The announcing node's URL.
    pub url: String,
    /// Keys and the URL of who holds each.
    pub recipients: Vec<(crate::types::Address, String)>,
    /// URLs of nodes that it knows.
    pub parties: Vec<String>,
}

impl PartyInfo {
    /// Reads an announcement; trailing bytes are ignored.
    pub fn decode(_bytes: &[u8]) -> Result<Self, DecodeError> {
        unimplemented!()
    }

    /// Writes an announcement.
    pub fn encode(&self) -> Bytes {
        unimplemented!()
    }
}
