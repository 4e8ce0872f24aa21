//! Words of the field, parsed once at the rim and never strings again.

/// Serde as the text form.
macro_rules! as_text {
    ($($kind:ty),+) => {$(
        impl serde::Serialize for $kind {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $kind {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
pub(crate) use as_text;

mod address;
mod base64;
mod class;
mod code;
mod item;
mod member_id;
mod network;
mod payload_id;
mod peer_url;
mod privacy;
mod text;
mod version;

pub use address::Address;
pub use base64::{base64, one_text};
pub use class::Class;
pub use code::{Code, Coded};
pub use item::{DocumentId, ItemId};
pub use member_id::MemberId;
pub use network::NetworkId;
pub use payload_id::PayloadId;
pub use peer_url::PeerUrl;
pub use privacy::{Affected, GroupId, Privacy, PrivacyFlag, PrivacyRuleError, SecurityHash};
pub use text::{escape_html, folded, is_hidden};
pub use version::{ApiVersion, Codec, VersionSet};

/// What is wrong with a word that did not parse. Never holds the word itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Not standard base64 with padding (RFC 4648 section 4).
    #[error("not valid base64 (RFC 4648 section 4, with padding)")]
    Base64,
    /// Decodes to another number of bytes than the word has.
    #[error("decodes to {actual} bytes where {expected} are needed")]
    Length {
        /// Bytes that the word has.
        expected: usize,
        /// Bytes that were given.
        actual: usize,
    },
    /// Not hexadecimal.
    #[error("not hexadecimal in lower case")]
    Hex,
    /// Not a member's short name.
    #[error("not a member's short name: 1 to 63 of a-z, 0-9 and -, no dash at either end")]
    MemberId,
    /// Not a class.
    #[error("not a class: public, business, personal or special")]
    Class,
    /// Not the scope of an order to stop.
    #[error("not a scope: all, class:NAME, contract:0x and 40 digits, or member:ID")]
    Scope,
    /// Not an absolute http or https URL with a host.
    #[error("not an absolute http:// or https:// URL with a host")]
    Url,
    /// Not an element of the group of the escrow.
    #[error("not the canonical encoding of an element of ristretto255 (RFC 9496) other than the identity")]
    Point,
}
