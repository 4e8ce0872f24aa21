use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::{Text, list};
use crate::api::request::{self, MediaType, RequestError};
use crate::services::{SendRequest, SendSignedRequest, Terms};
use crate::types::PrivacyFlag;

/// A payload to send.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SendRequest)]
pub(crate) struct SendBody<'a> {
    /// Base64, at least one byte.
    #[serde(borrow)]
    #[schema(value_type = String)]
    payload: Option<Text<'a>>,
    /// Sender's public key in base64; the first configured one if absent.
    #[schema(value_type = Option<String>)]
    from: Option<Text<'a>>,
    /// Recipients' public keys in base64.
    #[schema(value_type = Option<Vec<String>>)]
    to: Option<Vec<Text<'a>>>,
    /// 0 standard, 1 party protection, 2 mandatory recipients, 3 private state validation.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    privacy_flag: Flag,
    /// Ids of affected transactions, base64 of 64 bytes.
    #[schema(value_type = Option<Vec<String>>)]
    affected_contract_transactions: Option<Vec<Text<'a>>>,
    /// Execution hash, with flag 3 alone; kept as written.
    #[schema(value_type = Option<String>)]
    exec_hash: Option<Text<'a>>,
    /// Privacy group in base64, whose members replace `to`.
    #[schema(value_type = Option<String>)]
    privacy_group_id: Option<Text<'a>>,
    /// Recipients that must be present, with flag 2 alone; honoured in API 4.0 alone.
    #[schema(value_type = Option<Vec<String>>)]
    mandatory_recipients: Option<Vec<Text<'a>>>,
}

/// A stored raw payload to send.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SendSignedRequest)]
pub(crate) struct SignedBody<'a> {
    /// Id that `/storeraw` gave, base64 of 64 bytes.
    #[serde(borrow)]
    #[schema(value_type = String)]
    hash: Option<Text<'a>>,
    /// Recipients' public keys in base64.
    #[schema(value_type = Option<Vec<String>>)]
    to: Option<Vec<Text<'a>>>,
    /// As in `SendRequest`.
    #[serde(default)]
    #[schema(value_type = Option<i64>)]
    privacy_flag: Flag,
    /// As in `SendRequest`.
    #[schema(value_type = Option<Vec<String>>)]
    affected_contract_transactions: Option<Vec<Text<'a>>>,
    /// As in `SendRequest`.
    #[schema(value_type = Option<String>)]
    exec_hash: Option<Text<'a>>,
    /// As in `SendRequest`.
    #[schema(value_type = Option<String>)]
    privacy_group_id: Option<Text<'a>>,
    /// As in `SendRequest`.
    #[schema(value_type = Option<Vec<String>>)]
    mandatory_recipients: Option<Vec<Text<'a>>>,
}

/// A payload to keep for its sender until a signed transaction refers to it.
#[derive(Deserialize, ToSchema)]
#[schema(as = StoreRawRequest)]
pub(crate) struct StoreRawBody<'a> {
    /// Base64, at least one byte.
    #[serde(borrow)]
    #[schema(value_type = String)]
    pub(crate) payload: Option<Text<'a>>,
    /// Sender's public key in base64; the first configured one if absent.
    #[schema(value_type = Option<String>)]
    pub(crate) from: Option<Text<'a>>,
}

/// A privacy flag: a number, as text too; null counts as 0.
#[derive(Clone, Copy, Default)]
struct Flag(PrivacyFlag);

impl SendBody<'_> {
    /// The request that the body describes.
    pub(crate) fn read(&self, media: MediaType) -> Result<SendRequest, RequestError> {
        Ok(SendRequest {
            payload: request::payload(self.payload.as_deref())?,
            from: request::sender("from", self.from.as_deref())?,
            to: list("to", self.to.as_deref(), request::recipient)?,
            terms: Words {
                flag: self.privacy_flag.0,
                affected: self.affected_contract_transactions.as_deref(),
                exec_hash: self.exec_hash.as_deref(),
                group: self.privacy_group_id.as_deref(),
                mandatory: self.mandatory_recipients.as_deref(),
            }
            .read(media)?,
        })
    }
}

impl SignedBody<'_> {
    /// The request that the body describes.
    pub(crate) fn read(&self, media: MediaType) -> Result<SendSignedRequest, RequestError> {
        let hash = self.hash.as_deref().ok_or_else(|| RequestError::field("hash", "missing"))?;
        let asked = request::Asked::parse(hash).map_err(|_| RequestError::word("hash", crate::types::ParseError::Base64))?;
        Ok(SendSignedRequest {
            id: asked.raw_id()?,
            to: list("to", self.to.as_deref(), request::recipient)?,
            terms: Words {
                flag: self.privacy_flag.0,
                affected: self.affected_contract_transactions.as_deref(),
                exec_hash: self.exec_hash.as_deref(),
                group: self.privacy_group_id.as_deref(),
                mandatory: self.mandatory_recipients.as_deref(),
            }
            .read(media)?,
        })
    }
}

/// The members that both bodies share.
struct Words<'b, 'a> {
    flag: PrivacyFlag,
    affected: Option<&'b [Text<'a>]>,
    exec_hash: Option<&'b str>,
    group: Option<&'b str>,
    mandatory: Option<&'b [Text<'a>]>,
}

impl Words<'_, '_> {
    fn read(&self, media: MediaType) -> Result<Terms, RequestError> {
        let exec_hash = self.exec_hash.unwrap_or_default().to_owned();
        if self.flag == PrivacyFlag::StateValidation && exec_hash.is_empty() {
            return Err(RequestError::field("execHash", "missing or empty; privacy flag 3 needs it"));
        }
        let mandatory = if media.has_mandatory() { self.mandatory } else { None };
        Ok(Terms {
            flag: self.flag,
            affected: list("affectedContractTransactions", self.affected, request::affected)?,
            exec_hash,
            mandatory: list("mandatoryRecipients", mandatory, request::recipient)?,
            group: request::group("privacyGroupId", self.group)?,
            class: None,
            tags: crate::erasure::Tags::default(),
        })
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlagVisitor)
    }
}

struct FlagVisitor;

impl Visitor<'_> for FlagVisitor {
    type Value = Flag;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a number")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Flag, E> {
        Ok(Flag(PrivacyFlag::from_number(number)))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Flag, E> {
        Ok(Flag(PrivacyFlag::from_number(i64::try_from(number).unwrap_or_default())))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Flag, E> {
        text.trim().parse().map_or_else(|_| Err(E::custom("not a number")), |number| self.visit_i64(number))
    }

    fn visit_unit<E: Error>(self) -> Result<Flag, E> {
        Ok(Flag::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str, media: MediaType) -> Result<SendRequest, RequestError> {
        serde_json::from_str::<SendBody<'_>>(body).unwrap().read(media)
    }

    const KEY: &str = "QfeDAys9MPDs2XHExtc84jKGHxZg/aj52DTh0vtA3Xc=";

    #[test]
    fn nulls_are_absent_and_unknown_members_are_ignored() {
        let body = r#"{"payload":"YQ==","from":null,"to":null,"affectedContractTransactions":null,"execHash":null,
            "privacyFlag":null,"mandatoryRecipients":null,"privacyGroupId":null,"new":{"x":[1]}}"#;
        let request = read(body, MediaType::V4).unwrap();
        assert_eq!(request.payload.as_slice(), b"a");
        assert!(request.from.is_none() && request.to.is_empty() && request.terms.exec_hash.is_empty());
        assert_eq!(request.terms.flag, PrivacyFlag::Standard);
    }

    #[test]
    fn mandatory_recipients_are_honoured_in_4_0_alone() {
        let body = format!(r#"{{"payload":"YQ==","privacyFlag":2,"mandatoryRecipients":["{KEY}"]}}"#);
        assert_eq!(read(&body, MediaType::V4).unwrap().terms.mandatory.len(), 1);
        for older in [MediaType::Json, MediaType::V2_1, MediaType::V3] {
            assert!(read(&body, older).unwrap().terms.mandatory.is_empty());
        }
    }

    #[test]
    fn flags_are_numbers_also_as_text_and_unknown_ones_are_standard() {
        for (written, flag) in [("1", 1), ("\"1\"", 1), ("7", 0), ("-1", 0), ("18446744073709551615", 0)] {
            let request = read(&format!(r#"{{"payload":"YQ==","privacyFlag":{written}}}"#), MediaType::Json).unwrap();
            assert_eq!(request.terms.flag.number(), flag, "{written}");
        }
    }

    #[test]
    fn state_validation_needs_an_execution_hash() {
        for body in [r#"{"payload":"YQ==","privacyFlag":3}"#, r#"{"payload":"YQ==","privacyFlag":3,"execHash":""}"#] {
            assert!(matches!(read(body, MediaType::V4), Err(RequestError::Field { field, .. }) if field == "execHash"));
        }
    }

    #[test]
    fn escapes_in_words_are_undone() {
        let body = format!(r#"{{"payload":"YQ\u003d=","to":["{}"]}}"#, KEY.replace('/', r"\/"));
        let request = read(&body, MediaType::Json).unwrap();
        assert_eq!(request.to[0].to_string(), KEY);
    }
}
