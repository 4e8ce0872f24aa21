//! Codecs of the peer surface: total, bounded, borrowed readers; every error names the field.

pub mod cbor;
pub mod legacy;
pub mod native;
pub mod party_info;
pub mod payload;
pub mod privacy_group;
pub mod reader;
mod writer;

pub use party_info::PartyInfo;
pub use payload::EncodedPayload;
pub use reader::DecodeError;
