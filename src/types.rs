//! Words of the field, parsed once at the rim and never strings again.

mod address;
mod code;
mod payload_id;
mod peer_url;
mod privacy;
mod version;

pub use address::Address;
pub use code::{Code, Coded};
pub use payload_id::PayloadId;
pub use peer_url::PeerUrl;
pub use privacy::{Affected, GroupId, Privacy, PrivacyFlag, PrivacyRuleError, SecurityHash};
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
    /// Not an absolute http or https URL with a host.
    #[error("not an absolute http:// or https:// URL with a host")]
    Url,
}
