//! SHA3-512 (FIPS 202), Tessera's digest, and SHA-256 (FIPS 180-4) for documents and logs.

use sha3::{Digest, Sha3_512};

use crate::types::{PayloadId, SecurityHash};

/// Id of a payload: SHA3-512 of its ciphertext.
///
/// A third of the work of a payload of a MiB: so by the library that TLS brings anyway, a fifth faster than the portable one below.
pub fn payload_id(ciphertext: &[u8]) -> PayloadId {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA3_512, ciphertext);
    let mut id = [0; PayloadId::LEN];
    id.copy_from_slice(digest.as_ref());
    PayloadId::new(id)
}

/// SHA-256 of the parts, one after the other.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

/// HMAC-SHA-256 (RFC 2104).
pub fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, key);
    let mut tag = [0; 32];
    tag.copy_from_slice(aws_lc_rs::hmac::sign(&key, message).as_ref());
    tag
}

/// Proof of access to an affected transaction: SHA3-512(new ciphertext ‖ affected ciphertext ‖ affected data key).
pub fn security_hash(ciphertext: &[u8], affected_ciphertext: &[u8], affected_key: &[u8; 32]) -> SecurityHash {
    Sha3_512::new().chain_update(ciphertext).chain_update(affected_ciphertext).chain_update(affected_key).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_implementations_agree_on_every_length_around_a_block() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for length in (0..300).chain([1000]) {
            let portable: [u8; 64] = Sha3_512::digest(&bytes[..length]).into();
            assert_eq!(payload_id(&bytes[..length]), PayloadId::new(portable), "{length} bytes");
        }
    }
}
