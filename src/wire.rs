//! Codecs of the peer surface: total, bounded, borrowed readers; every error names the field.

pub mod ack;
pub mod audience;
pub mod cbor;
pub mod delivery;
pub mod epoch_key;
pub mod given_back;
pub mod header;
pub mod legacy;
pub mod manifest;
pub mod native;
pub mod party_info;
pub mod payload;
pub mod privacy_group;
pub mod reader;
pub mod receipt;
pub(crate) mod strict;
pub mod vouched;
mod writer;

pub use ack::{Ack, SignedAck};
pub use audience::{Audience, Opening, Proofs};
pub use delivery::Delivery;
pub use epoch_key::EpochKey;
pub use given_back::GivenBack;
pub use header::Header;
pub use manifest::Manifest;
pub use party_info::PartyInfo;
pub use payload::EncodedPayload;
pub use reader::DecodeError;
pub use receipt::{Receipt, ReceiptError};
pub use vouched::{Stated, Vouched};
