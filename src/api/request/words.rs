use zeroize::Zeroizing;

use super::RequestError;
use crate::types::{Address, GroupId, ParseError, PayloadId};

/// Bytes of any length in base64.
pub fn bytes(field: &str, text: &str) -> Result<Vec<u8>, RequestError> {
    crate::types::base64(text.as_bytes()).map_err(|_| RequestError::word(field, ParseError::Base64))
}

/// A payload in base64: at least one byte.
pub fn payload(text: Option<&str>) -> Result<Zeroizing<Vec<u8>>, RequestError> {
    let bytes = Zeroizing::new(bytes("payload", text.unwrap_or_default())?);
    if bytes.is_empty() { Err(RequestError::PayloadMissing) } else { Ok(bytes) }
}

/// A recipient's key. One of another length is unknown, as Tessera says it.
pub fn recipient(field: &str, text: &str) -> Result<Address, RequestError> {
    key(field, text, RequestError::RecipientUnknown)
}

/// A sender's key; an empty word names none.
pub fn sender(field: &str, text: Option<&str>) -> Result<Option<Address>, RequestError> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => key(field, text, RequestError::SenderUnknown).map(Some),
    }
}

/// An affected transaction's id.
pub fn affected(field: &str, text: &str) -> Result<PayloadId, RequestError> {
    match text.parse() {
        Ok(id) => Ok(id),
        Err(ParseError::Length { .. }) => Err(RequestError::AffectedNotFound(text.to_owned())),
        Err(problem) => Err(RequestError::word(field, problem)),
    }
}

/// A privacy group's id; an empty word names none.
pub fn group(field: &str, text: Option<&str>) -> Result<Option<GroupId>, RequestError> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => bytes(field, text).map(|bytes| Some(GroupId(bytes))),
    }
}

fn key(field: &str, text: &str, unknown: fn(String) -> RequestError) -> Result<Address, RequestError> {
    match text.parse() {
        Ok(key) => Ok(key),
        Err(ParseError::Length { .. }) => Err(unknown(text.to_owned())),
        Err(problem) => Err(RequestError::word(field, problem)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "QfeDAys9MPDs2XHExtc84jKGHxZg/aj52DTh0vtA3Xc=";

    #[test]
    fn keys_of_another_length_are_unknown_and_garbage_is_named() {
        assert_eq!(recipient("to[0]", KEY).map(|key| key.to_string()), Ok(KEY.to_owned()));
        assert_eq!(recipient("to[0]", "AAAA"), Err(RequestError::RecipientUnknown("AAAA".into())));
        assert_eq!(sender("from", Some("AAAA")), Err(RequestError::SenderUnknown("AAAA".into())));
        assert_eq!(recipient("to[3]", "!"), Err(RequestError::word("to[3]", ParseError::Base64)));
        assert_eq!(sender("from", Some("")), Ok(None));
        assert_eq!(sender("from", None), Ok(None));
    }

    #[test]
    fn a_payload_has_at_least_one_byte_and_is_never_repeated() {
        assert_eq!(payload(Some("YQ==")).unwrap().as_slice(), b"a");
        assert_eq!(payload(Some("")), Err(RequestError::PayloadMissing));
        assert_eq!(payload(None), Err(RequestError::PayloadMissing));
        let error = payload(Some("c2VjcmV0!")).unwrap_err().to_string();
        assert!(error.starts_with("payload: ") && !error.contains("c2VjcmV0"), "{error}");
    }

    #[test]
    fn affected_ids_of_another_length_are_not_found() {
        assert_eq!(affected("x", "AAAA"), Err(RequestError::AffectedNotFound("AAAA".into())));
        assert!(matches!(affected("x", "*"), Err(RequestError::Field { .. })));
    }

    #[test]
    fn group_ids_have_any_length() {
        assert_eq!(group("g", Some("cHJpdmF0ZQ==")), Ok(Some(GroupId(b"private".to_vec()))));
        assert_eq!(group("g", None), Ok(None));
    }
}
