//! The signature of Standard Webhooks 1.0, asymmetric form: Ed25519 over `id.timestamp.payload`, written `v1a,<base64>`.

use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::{BASE64, HEXLOWER};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use serde_json::json;

use super::{EventItem, EventKind, Sign};
use crate::crypto::hash::sha256;
use crate::services;

/// An event, ready to be sent.
#[derive(Debug, Serialize)]
pub(super) struct Signed {
    /// The same for each attempt: a receiver tells repetitions by it.
    pub(super) id: String,
    /// When it is sent, Unix seconds. A receiver refuses old ones, so each attempt is signed anew.
    pub(super) timestamp: u64,
    /// `v1a,<base64>`.
    pub(super) signature: String,
    /// The text that is signed.
    pub(super) payload: String,
}

impl Signed {
    pub(super) async fn new(item: &EventItem, kind: EventKind, sign: &dyn Sign) -> Result<Self, services::Error> {
        // The commitment is in it: after a restore, an index may come a second time with another entry.
        let who = sha256(&[sign.key().as_bytes(), &item.commitment]);
        let id = format!("celosia_{}_{}", HEXLOWER.encode(&who[..8]), item.index);
        let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        let payload = payload(item, kind);
        let signature = format!("v1a,{}", BASE64.encode(&sign.sign(message(&id, timestamp, &payload).as_bytes()).await?));
        Ok(Self { id, timestamp, signature, payload })
    }
}

/// What is signed.
pub(super) fn message(id: &str, timestamp: u64, payload: &str) -> String {
    format!("{id}.{timestamp}.{payload}")
}

/// `type`, `timestamp` and `data`, as the specification advises; `proof` is what ties the event to the journal.
fn payload(item: &EventItem, kind: EventKind) -> String {
    let content = item.content.as_ref();
    let record = content.and_then(|(record, _)| serde_json::from_str::<Value>(record).ok());
    let time = i64::try_from(item.time_ms).ok().and_then(|time| Timestamp::from_millisecond(time).ok());
    json!({
        "type": kind,
        "timestamp": time.map(|time| time.to_string()),
        "data": { "index": item.index, "id": item.about, "record": record },
        "proof": {
            "record": content.map(|(record, _)| BASE64.encode(record.as_bytes())),
            "salt": content.map(|(_, salt)| BASE64.encode(salt)),
            "commitment": BASE64.encode(&item.commitment),
        },
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::secret::Secret;
    use crate::crypto::sign::SigningKey;

    /// The vector of the specification's own libraries.
    #[test]
    fn the_signature_is_that_of_standard_webhooks() {
        let seed = BASE64.decode(b"VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=").unwrap();
        let key = SigningKey::from_seed(&Secret::from_slice(&seed).unwrap());
        let message = message("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        let expected = "tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==";
        assert_eq!(BASE64.encode(&key.sign(message.as_bytes())), expected);
    }
}
