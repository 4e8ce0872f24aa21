//! Payloads that are neither kept nor sent: contract extension, and the challenges of key validation.

use zeroize::Zeroizing;

use super::send::Plan;
use super::{Error, Node, Received, SendRequest};
use crate::crypto::hash::payload_id;
use crate::enclave::Draft;
use crate::store::{Kind, Lookup};
use crate::types::{Address, Privacy};
use crate::wire::EncodedPayload;

/// Characters of a UUID.
const UUID: usize = 36;

impl Node {
    /// Seals without keeping or sending, under the same rules as a send.
    pub async fn create_payload(&self, request: SendRequest) -> Result<EncodedPayload, Error> {
        let sender = self.sender(request.from)?;
        let Plan { recipients, privacy, affected } = self.plan(sender, &request.to, &request.terms).await?;
        if let Some(governed) = &self.governed {
            let charter = governed.charter();
            governed.may_serve()?;
            governed.own_standing(&charter)?;
            let class = request.terms.class.unwrap_or_default();
            self.judge(&charter, &sender, &recipients, class).await?;
            self.own_not_stopped(class, &request.terms.tags, &request.terms.affected).await?;
            self.may_be_unproved(&charter, &sender, &request.terms.tags, class).await?;
        }
        let draft = Draft { plaintext: request.payload, sender, recipients, privacy, affected, escrow: None };
        Ok(self.enclave.seal(draft).await?.payload)
    }

    /// Opens a payload that is not kept.
    pub async fn open_payload(&self, payload: EncodedPayload) -> Result<Received, Error> {
        let plaintext = self.enclave.open_payload(&payload).await?;
        let plaintext = plaintext.ok_or(Error::Enclave(crate::enclave::EnclaveError::Broken))?;
        let managed = self.managed(&payload.sender, &payload.recipients);
        Ok(Received { payload: plaintext, privacy: payload.privacy, sender: payload.sender, managed })
    }

    /// Opens a validation challenge: a UUID and nothing else.
    ///
    /// Threat: a peer uses this to have any payload of ours decrypted. Only what reads as a UUID is ever answered, and nothing that is or
    /// was kept here: a challenge is made for the occasion.
    pub async fn answer_challenge(&self, payload: EncodedPayload) -> Result<String, Error> {
        let id = payload_id(&payload.ciphertext);
        for kind in [Kind::Payload, Kind::Raw] {
            if !matches!(self.store.head(kind, &id).await?, Lookup::Absent) {
                return Err(Error::NotAChallenge);
            }
        }
        let plaintext = self.enclave.open_payload(&payload).await?.ok_or(Error::NotAChallenge)?;
        let text = std::str::from_utf8(&plaintext).map_err(|_| Error::NotAChallenge)?;
        if is_uuid(text) { Ok(text.to_owned()) } else { Err(Error::NotAChallenge) }
    }

    /// A challenge that only the holder of `key` can answer, and the answer.
    pub(crate) async fn challenge(&self, key: Address) -> Result<(EncodedPayload, String), Error> {
        let uuid = random_uuid();
        let draft = Draft {
            plaintext: Zeroizing::new(uuid.clone().into_bytes()),
            sender: self.sender(None)?,
            recipients: vec![key],
            privacy: Privacy::default(),
            affected: Vec::new(),
            escrow: None,
        };
        Ok((self.enclave.seal(draft).await?.payload, uuid))
    }
}

/// A version 4 UUID (RFC 9562 section 5.4).
fn random_uuid() -> String {
    let mut bytes: [u8; 16] = crate::crypto::random();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

fn is_uuid(text: &str) -> bool {
    text.len() == UUID
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_told_from_a_payload() {
        let uuid = random_uuid();
        assert!(is_uuid(&uuid));
        assert_eq!(&uuid[14..15], "4");
        assert_ne!(uuid, random_uuid());
        assert!(!is_uuid(&uuid[1..]));
        assert!(!is_uuid("secret payload of thirty-six letters"));
    }
}
