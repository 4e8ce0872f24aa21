//! Constellation's and Tessera's length-prefixed layout of a payload.

use bytes::Bytes;

use super::{DecodeError, EncodedPayload};

/// Reads a payload in any of the historical lengths.
pub fn decode(_bytes: &Bytes) -> Result<EncodedPayload, DecodeError> {
    unimplemented!()
}

/// Writes a payload.
pub fn encode(_payload: &EncodedPayload) -> Bytes {
    unimplemented!()
}
