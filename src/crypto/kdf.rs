//! HKDF-SHA-256 (RFC 5869).

use hkdf::Hkdf;
use sha2::Sha256;

use super::secret::Secret;

/// `HKDF[salt, info](ikm, 32)`. `info` is the list of its parts, each of fixed length or last.
///
/// # Panics
/// Never: 32 bytes are within HKDF's 255 × 32.
pub fn hkdf(salt: &[u8], ikm: &[u8], info: &[&[u8]]) -> Secret<32> {
    Secret::init_with(|okm| {
        Hkdf::<Sha256>::new(Some(salt), ikm).expand_multi_info(info, okm).expect("32 bytes are within the limit of HKDF-SHA-256");
    })
}

/// `HKDF[salt, info](ikm, N)`, for more than one key at once. `info` as for [`hkdf`].
///
/// # Panics
/// Never for the lengths in use, which are within HKDF's 255 × 32.
pub fn expand<const N: usize>(salt: &[u8], ikm: &[u8], info: &[&[u8]]) -> Secret<N> {
    const { assert!(N <= 255 * 32) };
    Secret::init_with(|okm| {
        Hkdf::<Sha256>::new(Some(salt), ikm)
            .expand_multi_info(info, okm)
            .expect("the length is within the limit of HKDF-SHA-256");
    })
}
