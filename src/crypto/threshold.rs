//! Threshold decryption in the manner of TDH2 (Shoup and Gennaro, "Securing Threshold Cryptosystems against Chosen Ciphertext Attack",
//! J. Cryptology 15, 2002) on ristretto255 (RFC 9496): the capsule from which k officers, and sigma, give a data key back.
//!
//! The specification, byte by byte, and why it is thought to be safe: `docs/threshold.md`. What is secret here is computed in constant
//! time and wiped; what anybody may see (proofs, shares of a key that are checked) is computed as fast as it goes.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use curve25519_dalek::ristretto::{RistrettoBasepointTable, RistrettoPoint};
use data_encoding::BASE64;

use crate::types::ParseError;

mod capsule;
pub mod dkg;
mod group;
mod interpolate;
pub mod reshare;
mod share;

pub use capsule::Capsule;
pub use interpolate::{Combined, Incomplete, combine, is_shared};
pub use share::{KeyShare, Partial};

/// What is wrong with bytes that are none of the things of this module.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Malformed {
    /// Another number of bytes than it has.
    #[error("{actual} bytes where {expected} are needed")]
    Length {
        /// Bytes that it has.
        expected: usize,
        /// Bytes that were given.
        actual: usize,
    },
    /// Not an element of the group, not its canonical encoding, or the identity.
    #[error("not the canonical encoding of an element of ristretto255 other than the identity")]
    Point,
    /// Not below the order of the group.
    #[error("not the canonical encoding of a scalar of ristretto255")]
    Scalar,
    /// An index of 0, where the secret itself lies.
    #[error("an index is 1 or more")]
    Index,
}

/// A public key of a committee (`Y`), or the public half of one officer's share (`h_i = x_i·G`). Base64 as text.
///
/// Threat: the identity, or a second encoding of one element, makes secrets that anybody knows or proofs that mean two things: neither is
/// ever taken.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct GroupKey([u8; Self::LEN]);

impl GroupKey {
    /// Bytes of a key.
    pub const LEN: usize = 32;

    /// The key of its canonical encoding.
    pub fn from_bytes(bytes: [u8; Self::LEN]) -> Result<Self, Malformed> {
        group::point(&bytes).map(|_| Self(bytes))
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The key of a point; none if that is the identity.
    fn from_point(point: &RistrettoPoint) -> Result<Self, Malformed> {
        Self::from_bytes(point.compress().to_bytes())
    }

    /// The point.
    fn point(&self) -> RistrettoPoint {
        group::point(&self.0).expect("checked when it was made")
    }
}

impl TryFrom<&[u8]> for GroupKey {
    type Error = Malformed;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        Self::from_bytes(group::array(bytes)?)
    }
}

impl FromStr for GroupKey {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = crate::types::base64(text.trim().as_bytes()).map_err(|_| ParseError::Base64)?;
        let actual = bytes.len();
        let bytes = bytes.try_into().map_err(|_| ParseError::Length { expected: Self::LEN, actual })?;
        Self::from_bytes(bytes).map_err(|_| ParseError::Point)
    }
}

impl fmt::Display for GroupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64.encode(&self.0))
    }
}

impl fmt::Debug for GroupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

crate::types::as_text!(GroupKey);

/// A committee's key with the table of its multiples (30 KiB), which every capsule is made and matched with. A clone shares the table.
#[derive(Clone)]
pub struct Prepared(Arc<(GroupKey, RistrettoBasepointTable)>);

impl Prepared {
    /// Computes the table: as long as some fifteen capsules, so once for each key.
    pub fn new(key: &GroupKey) -> Self {
        Self(Arc::new((*key, RistrettoBasepointTable::create(&key.point()))))
    }

    /// The key.
    pub fn key(&self) -> &GroupKey {
        &self.0.0
    }

    /// Its multiples, in constant time.
    fn table(&self) -> &RistrettoBasepointTable {
        &self.0.1
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prepared({})", self.key())
    }
}

#[cfg(test)]
mod tests;
