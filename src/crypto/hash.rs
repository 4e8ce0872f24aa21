//! SHA3-512 (FIPS 202), Tessera's digest.

use sha3::{Digest, Sha3_512};

use crate::types::{PayloadId, SecurityHash};

/// Id of a payload: SHA3-512 of its ciphertext.
pub fn payload_id(ciphertext: &[u8]) -> PayloadId {
    PayloadId::new(Sha3_512::digest(ciphertext).into())
}

/// Proof of access to an affected transaction: SHA3-512(new ciphertext ‖ affected ciphertext ‖ affected data key).
pub fn security_hash(ciphertext: &[u8], affected_ciphertext: &[u8], affected_key: &[u8; 32]) -> SecurityHash {
    Sha3_512::new().chain_update(ciphertext).chain_update(affected_ciphertext).chain_update(affected_key).finalize().into()
}
