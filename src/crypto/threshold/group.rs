//! What all parts have in common: the two generators, hashing to a scalar, strict decoding.

use std::sync::LazyLock;

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoBasepointTable, RistrettoPoint, VartimeRistrettoPrecomputation};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{IsIdentity as _, VartimePrecomputedMultiscalarMul as _};
use sha2::{Digest as _, Sha512};
use zeroize::Zeroizing;

use super::Malformed;

/// In front of everything that is hashed here.
pub(super) const DOMAIN: &[u8] = b"celosia threshold 1";

/// The second generator: the one-way map of RFC 9496 section 4.3.4 on the SHA-512 of this text. Nobody knows its logarithm to the base G.
pub(super) const BAR: &[u8] = b"celosia threshold 1 second generator";

/// The second generator, for secrets in constant time and for what is public.
pub(super) struct Bar {
    pub(super) table: RistrettoBasepointTable,
    pub(super) public: VartimeRistrettoPrecomputation,
}

pub(super) static GBAR: LazyLock<Bar> = LazyLock::new(|| {
    let point = hash_to_group(BAR);
    Bar { table: RistrettoBasepointTable::create(&point), public: VartimeRistrettoPrecomputation::new([point]) }
});

/// The one-way map of RFC 9496 on the SHA-512 of `text`.
pub(super) fn hash_to_group(text: &[u8]) -> RistrettoPoint {
    RistrettoPoint::from_uniform_bytes(&Sha512::digest(text).into())
}

/// `SHA-512(len ‖ domain ‖ len ‖ name ‖ len ‖ part ‖ …) mod l`, each length in 8 bytes, big-endian. 512 bits leave no bias to speak of.
///
/// Threat: two lists of parts that run together into the same bytes would let one proof stand for another.
pub(super) fn scalar(name: &[u8], parts: &[&[u8]]) -> Zeroizing<Scalar> {
    let mut hash = Sha512::new();
    for part in [DOMAIN, name].iter().chain(parts) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let wide: Zeroizing<[u8; 64]> = Zeroizing::new(hash.finalize().into());
    Zeroizing::new(Scalar::from_bytes_mod_order_wide(&wide))
}

/// The encodings of the doubles of `halves`, at the price of one inversion for all.
pub(super) fn double_and_encode<const N: usize>(halves: &[RistrettoPoint; N]) -> [[u8; 32]; N] {
    let encoded = RistrettoPoint::double_and_compress_batch(halves);
    std::array::from_fn(|i| encoded[i].to_bytes())
}

/// Exactly `N` bytes.
pub(super) fn array<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Malformed> {
    bytes.try_into().map_err(|_| Malformed::Length { expected: N, actual: bytes.len() })
}

/// An element other than the identity, from its one encoding.
pub(super) fn point(bytes: &[u8; 32]) -> Result<RistrettoPoint, Malformed> {
    CompressedRistretto(*bytes).decompress().filter(|point| !point.is_identity()).ok_or(Malformed::Point)
}

/// A scalar below the order of the group.
pub(super) fn canonical(bytes: &[u8; 32]) -> Result<Scalar, Malformed> {
    Option::from(Scalar::from_canonical_bytes(*bytes)).ok_or(Malformed::Scalar)
}
