//! X25519 key pairs as members hold them.

use data_encoding::BASE64;
use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};

#[derive(Clone, Debug)]
pub(crate) struct KeyPair {
    pub(crate) private: String,
    pub(crate) public: String,
}

impl KeyPair {
    pub(crate) fn random() -> Self {
        let mut private = [0; 32];
        getrandom::fill(&mut private).expect("randomness");
        Self { private: BASE64.encode(&private), public: BASE64.encode(&x25519(private, X25519_BASEPOINT_BYTES)) }
    }

    /// What a key file holds when it is not locked.
    pub(crate) fn unlocked_file(&self) -> String {
        serde_json::json!({ "type": "unlocked", "data": { "bytes": self.private } }).to_string()
    }
}

/// Random bytes, so that no two transactions of a run are equal.
pub(crate) fn random_bytes(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).expect("randomness");
    bytes
}
