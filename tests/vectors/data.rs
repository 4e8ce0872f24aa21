use celosia::crypto::nacl;
use celosia::crypto::secret::Secret;
use celosia::types::Address;
use celosia::wire::EncodedPayload;
use data_encoding::{BASE64, HEXLOWER};
use serde_json::Value;

/// Two Tesseras, recorded.
pub(crate) fn recorded() -> Value {
    serde_json::from_str(include_str!("tessera-21.1-p2p.json")).unwrap()
}

/// Computed from the specification with libsodium.
pub(crate) fn spec() -> Value {
    serde_json::from_str(include_str!("spec.json")).unwrap()
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

pub(crate) fn base64(value: &Value) -> Vec<u8> {
    BASE64.decode(text(value).as_bytes()).unwrap()
}

pub(crate) fn hex(value: &Value) -> Vec<u8> {
    HEXLOWER.decode(text(value).as_bytes()).unwrap()
}

pub(crate) fn secret(bytes: &[u8]) -> Secret<32> {
    Secret::from_slice(bytes).unwrap()
}

/// The data key and the plaintext, opened as recipient `key`. Where no recipient is named the only box is ours.
pub(crate) fn open(payload: &EncodedPayload, private: &Secret<32>) -> Option<(Secret<32>, Vec<u8>)> {
    let key: Address = nacl::public_key(private);
    let at = if payload.recipients.is_empty() { Some(0) } else { payload.recipients.iter().position(|r| *r == key) };
    let shared = nacl::shared_key(private, &payload.sender).unwrap();
    let data_key = nacl::open_key(&shared, &payload.recipient_nonce, payload.boxes.get(at?)?).ok()?;
    let plaintext = nacl::open(data_key.expose(), &payload.nonce, &payload.ciphertext).ok()?;
    Some((data_key, plaintext.to_vec()))
}
