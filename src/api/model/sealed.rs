use std::collections::BTreeMap;

use bytes::Bytes;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::request::{self, RequestError};
use crate::types::{Affected, GroupId, Privacy, PrivacyFlag};
use crate::wire::EncodedPayload;

/// A sealed payload in JSON: what `/encodedpayload/create` answers and `/encodedpayload/decrypt` takes. All bytes in base64.
#[derive(Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = EncodedPayload)]
pub(crate) struct SealedJson {
    /// 32 bytes.
    sender_key: Option<String>,
    /// Payload and 16 bytes.
    cipher_text: Option<String>,
    /// 24 bytes.
    cipher_text_nonce: Option<String>,
    /// 48 bytes each.
    recipient_boxes: Option<Vec<String>>,
    /// 24 bytes.
    recipient_nonce: Option<String>,
    /// 32 bytes each, in the order of the boxes.
    recipient_keys: Option<Vec<String>>,
    /// Privacy flag.
    privacy_mode: Option<i64>,
    /// Security hash of each affected transaction, by its id.
    affected_contract_transactions: Option<BTreeMap<String, String>>,
    /// Execution hash as written.
    exec_hash: Option<String>,
    /// Privacy group.
    #[serde(skip_serializing_if = "Option::is_none")]
    privacy_group_id: Option<String>,
}

impl From<&EncodedPayload> for SealedJson {
    fn from(payload: &EncodedPayload) -> Self {
        let privacy = &payload.privacy;
        let affected = privacy.affected.iter().map(|affected| (affected.id.to_string(), BASE64.encode(&affected.hash)));
        Self {
            sender_key: Some(payload.sender.to_string()),
            cipher_text: Some(BASE64.encode(&payload.ciphertext)),
            cipher_text_nonce: Some(BASE64.encode(&payload.nonce)),
            recipient_boxes: Some(payload.boxes.iter().map(|key_box| BASE64.encode(key_box)).collect()),
            recipient_nonce: Some(BASE64.encode(&payload.recipient_nonce)),
            recipient_keys: Some(payload.recipients.iter().map(ToString::to_string).collect()),
            privacy_mode: Some(privacy.flag.number().into()),
            affected_contract_transactions: Some(affected.collect()),
            exec_hash: Some(String::from_utf8_lossy(&privacy.exec_hash).into_owned()),
            privacy_group_id: privacy.group.as_ref().map(|group| BASE64.encode(&group.0)),
        }
    }
}

impl SealedJson {
    /// The payload. GoQuorum leaves the rules out; then it is a standard one.
    pub(crate) fn read(&self) -> Result<EncodedPayload, RequestError> {
        Ok(EncodedPayload {
            sender: needed("senderKey", self.sender_key.as_deref())
                .and_then(|text| text.parse().map_err(|problem| RequestError::word("senderKey", problem)))?,
            ciphertext: Bytes::from(request::bytes("cipherText", needed("cipherText", self.cipher_text.as_deref())?)?),
            nonce: fixed("cipherTextNonce", needed("cipherTextNonce", self.cipher_text_nonce.as_deref())?)?,
            boxes: listed("recipientBoxes", self.recipient_boxes.as_deref(), fixed)?,
            recipient_nonce: fixed("recipientNonce", needed("recipientNonce", self.recipient_nonce.as_deref())?)?,
            recipients: listed("recipientKeys", self.recipient_keys.as_deref(), |field, text| {
                text.parse().map_err(|problem| RequestError::word(field, problem))
            })?,
            privacy: self.privacy()?,
        })
    }

    fn privacy(&self) -> Result<Privacy, RequestError> {
        let affected = self.affected_contract_transactions.iter().flatten().map(|(id, hash)| {
            let field = "affectedContractTransactions";
            Ok(Affected { id: request::affected(field, id)?, hash: fixed(field, hash)? })
        });
        Ok(Privacy {
            flag: PrivacyFlag::from_number(self.privacy_mode.unwrap_or_default()),
            affected: affected.collect::<Result<_, RequestError>>()?,
            exec_hash: self.exec_hash.clone().unwrap_or_default().into_bytes(),
            mandatory: Vec::new(),
            group: self.privacy_group_id.as_deref().map(|id| request::bytes("privacyGroupId", id).map(GroupId)).transpose()?,
        })
    }
}

fn needed<'a>(field: &str, text: Option<&'a str>) -> Result<&'a str, RequestError> {
    text.ok_or_else(|| RequestError::field(field, "missing"))
}

fn fixed<const N: usize>(field: &str, text: &str) -> Result<[u8; N], RequestError> {
    let bytes = request::bytes(field, text)?;
    let actual = bytes.len();
    bytes.try_into().map_err(|_| RequestError::word(field, crate::types::ParseError::Length { expected: N, actual }))
}

fn listed<T>(
    field: &str,
    words: Option<&[String]>,
    read: impl Fn(&str, &str) -> Result<T, RequestError>,
) -> Result<Vec<T>, RequestError> {
    words.unwrap_or_default().iter().enumerate().map(|(at, word)| read(&format!("{field}[{at}]"), word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `/encodedpayload/create` of a Tessera 21.1, recorded.
    const RECORDED: &str = r#"{"senderKey":"Zfynz7Z/lcJnYugTsDs/QpfW8ARE+vyTLByzWNWp/hc=",
        "cipherText":"XA2MwfdwxYGvIfqPOz3A0FSqgNBbA51YKfDD8Q+RPA==","cipherTextNonce":"BloW8LNab4hcz7GcRRYNJoYYnhQ+AGF1",
        "recipientBoxes":["P7Jfe9Tm3YfRLnITS/gJmmyykQzSsY2yQ1HPAtp0LYFLJhilr5QiUxSg0cvbVpsQ"],
        "recipientNonce":"3cz8IXURTGjHy/kUhWbcDzIbkBgpNG+W","recipientKeys":["Zfynz7Z/lcJnYugTsDs/QpfW8ARE+vyTLByzWNWp/hc="],
        "privacyMode":0,"affectedContractTransactions":{},"execHash":""}"#;

    #[test]
    fn the_json_of_a_tessera_reads_and_writes_back() {
        let json: SealedJson = serde_json::from_str(RECORDED).unwrap();
        let payload = json.read().unwrap();
        let again = serde_json::to_value(SealedJson::from(&payload)).unwrap();
        assert_eq!(again, serde_json::from_str::<serde_json::Value>(RECORDED).unwrap());
    }

    #[test]
    fn what_goquorum_leaves_out_is_standard() {
        let mut json: SealedJson = serde_json::from_str(RECORDED).unwrap();
        (json.privacy_mode, json.affected_contract_transactions, json.exec_hash) = (None, None, None);
        assert_eq!(json.read().unwrap().privacy, Privacy::default());
    }

    #[test]
    fn each_wrong_member_is_named() {
        for (member, wrong) in
            [("senderKey", "AAAA"), ("cipherText", "!"), ("cipherTextNonce", "AAAA"), ("recipientNonce", "AAAA")]
        {
            let mut value: serde_json::Value = serde_json::from_str(RECORDED).unwrap();
            value[member] = wrong.into();
            let text = serde_json::from_value::<SealedJson>(value.clone()).unwrap().read().unwrap_err().to_string();
            assert!(text.starts_with(&format!("{member}: ")), "{text}");
            value.as_object_mut().unwrap().remove(member);
            let text = serde_json::from_value::<SealedJson>(value).unwrap().read().unwrap_err().to_string();
            assert_eq!(text, format!("{member}: missing"));
        }
    }
}
