//! Commitments: what stands in the log instead of what happened.
//!
//! Threat: whoever reads the log, now or in ten years, guesses what was recorded and compares. Without the salt he cannot; and a record
//! whose salt is erased is gone while every proof still verifies. The commitment binds: no other record has the same (SHA-256).

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// An entry of the log.
pub type Commitment = [u8; 32];

/// Random, one for each record, kept beside it and erased with it.
pub type Salt = [u8; 32];

/// HMAC-SHA-256(key = salt, record).
///
/// # Panics
/// Never: HMAC takes a key of any length.
pub fn commit(salt: &Salt, record: &[u8]) -> Commitment {
    let mac = Hmac::<Sha256>::new_from_slice(salt).expect("HMAC takes a key of any length");
    mac.chain_update(record).finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    /// Made with OpenSSL: `openssl dgst -sha256 -mac HMAC -macopt hexkey:0102…20`.
    #[test]
    fn a_second_implementation_agrees() {
        let salt = std::array::from_fn(|n| u8::try_from(n + 1).expect("small"));
        assert_eq!(
            HEXLOWER.encode(&commit(&salt, b"{\"kind\":\"stored\"}")),
            "863669269e2015479cd5ea6447104811ffa5288926719968f99c8a261a16fc3a"
        );
    }
}
