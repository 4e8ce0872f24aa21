//! Party info: what nodes tell each other of keys and URLs.

use bytes::Bytes;

use super::DecodeError;
use super::reader::{PREFIX, Reader};
use super::writer::Writer;
use crate::types::Address;

/// A node's announcement. URLs are text as received: the rim parses them.
///
/// On the wire: `url ‖ count ‖ (key ‖ url)… ‖ list of URLs`, all length-prefixed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PartyInfo {
    /// The announcing node's URL.
    pub url: String,
    /// Keys and the URL of who holds each.
    pub recipients: Vec<(Address, String)>,
    /// URLs of nodes that it knows.
    pub parties: Vec<String>,
}

impl PartyInfo {
    /// Reads an announcement; trailing bytes are ignored.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let url = reader.text("url")?;
        let recipients = reader.list("recipients", 2 * PREFIX + Address::LEN, |reader| {
            Ok((Address::new(reader.array("recipient key")?), reader.text("recipient url")?))
        })?;
        let parties = reader.list("parties", PREFIX, |reader| reader.text("party url"))?;
        Ok(Self { url, recipients, parties })
    }

    /// Writes an announcement.
    pub fn encode(&self) -> Bytes {
        let mut writer = Writer::with_capacity(64 + 96 * (1 + self.recipients.len() + self.parties.len()));
        writer.bytes(self.url.as_bytes());
        writer.count(self.recipients.len());
        for (key, url) in &self.recipients {
            writer.bytes(key.as_bytes());
            writer.bytes(url.as_bytes());
        }
        writer.list(self.parties.iter().map(String::as_bytes));
        writer.finish()
    }
}
