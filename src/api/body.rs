//! Bodies in: bounded, and JSON whose errors name the member but never repeat a value.

use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde::Deserialize;
use serde_json::error::Category;
use tokio::time::{Duration, Instant, timeout_at};

use super::error::Error;
use super::request::{self, MediaType, RequestError};

/// What JSON paths take.
const JSON_TYPES: &str = "application/json or application/vnd.tessera-{2.1,3.0,4.0}+json";
/// What paths of raw bytes take.
const OCTETS: &str = "application/octet-stream";
/// What any body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(10);
/// Bytes that buy it one second more.
const BODY_RATE: usize = 64 * 1024;
/// Longest member path in an error.
const MAX_PATH: usize = 100;

/// Reads a body to its end.
///
/// Threat: a body that trickles in holds a place for ever. It may take ten seconds, and one more for each 64 KiB that have arrived.
pub(crate) async fn read(body: Body, limit: usize) -> Result<Bytes, Error> {
    let mut body = Limited::new(body, limit);
    let start = Instant::now();
    let mut parts = Vec::new();
    let mut size = 0_usize;
    loop {
        let deadline = start + BODY_TIME + Duration::from_secs(u64::try_from(size / BODY_RATE).unwrap_or_default());
        match timeout_at(deadline, body.frame()).await {
            Ok(None) => return Ok(joined(parts, size)),
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    size += data.len();
                    parts.push(data);
                }
            }
            Ok(Some(Err(error))) if error.is::<LengthLimitError>() => return Err(Error::BodyTooLarge(limit)),
            // Broken off, or too slow.
            Err(_) | Ok(Some(Err(_))) => return Err(Error::BodyBroken),
        }
    }
}

/// The parts of a body in one piece: most bodies are one part, and are not copied.
fn joined(mut parts: Vec<Bytes>, size: usize) -> Bytes {
    if parts.len() == 1 {
        return parts.remove(0);
    }
    let mut whole = BytesMut::with_capacity(size);
    for part in &parts {
        whole.extend_from_slice(part);
    }
    whole.freeze()
}

/// The family of the request's body.
pub(crate) fn json_type(headers: &HeaderMap) -> Result<MediaType, Error> {
    request::sent(headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes)).ok_or(Error::Type(JSON_TYPES))
}

/// The family of the answer: what `Accept` names, else what was sent.
pub(crate) fn answer_type(headers: &HeaderMap, sent: MediaType) -> MediaType {
    request::accepted(headers.get_all(ACCEPT).iter().map(HeaderValue::as_bytes)).unwrap_or(sent)
}

/// Refuses a body that says to be something else than raw bytes.
pub(crate) fn check_octets(headers: &HeaderMap) -> Result<(), Error> {
    let sent = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if sent.is_none() || request::is_octets(sent) { Ok(()) } else { Err(Error::Type(OCTETS)) }
}

/// Reads a JSON document. Unknown members are ignored.
pub(crate) fn json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, RequestError> {
    match serde_json::from_slice(bytes) {
        Ok(value) => Ok(value),
        Err(_) => Err(explain::<T>(bytes)),
    }
}

/// Reads it a second time, now with the way to what is wrong. serde's own texts repeat values, so only place and kind are told.
fn explain<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> RequestError {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let (path, error) = match serde_path_to_error::deserialize::<_, T>(&mut reader) {
        Ok(_) => return RequestError::Json("there is more behind the JSON document".into()),
        Err(error) => (error.path().to_string(), error.into_inner()),
    };
    let place = format!("line {} column {}", error.line(), error.column());
    let path: String = path.chars().filter(char::is_ascii_graphic).take(MAX_PATH).collect();
    RequestError::Json(match error.classify() {
        Category::Data if path == "." => format!("the JSON document is not an object as this path needs it ({place})"),
        Category::Data => format!("{path}: a value of the wrong type ({place})"),
        _ => format!("the body is not valid JSON (RFC 8259): see {place}"),
    })
}

#[cfg(test)]
mod tests {
    use super::super::model::SendBody;
    use super::*;

    fn error(body: &str) -> String {
        json::<SendBody<'_>>(body.as_bytes()).err().expect("refused").to_string()
    }

    #[test]
    fn errors_name_the_member_and_repeat_no_value() {
        let text = error(r#"{"payload":"c2VjcmV0","to":["A",17]}"#);
        assert!(text.starts_with("to[1]: "), "{text}");
        let text = error(r#"{"payload":{"secret":"c2VjcmV0"}}"#);
        assert!(text.starts_with("payload") && !text.contains("c2VjcmV0"), "{text}");
        let text = error(r#"{"privacyFlag":"c2VjcmV0"}"#);
        assert!(text.starts_with("privacyFlag: ") && !text.contains("c2VjcmV0"), "{text}");
        for broken in ["", "{", "nonsense", r#"{"payload":"c2VjcmV0"#, "{} {}", "[]", "17", "null", "\u{0}"] {
            let text = error(broken);
            assert!(text.contains("JSON") && !text.contains("c2VjcmV0"), "{broken}: {text}");
        }
    }

    #[tokio::test]
    async fn a_long_body_is_cut_off() {
        assert!(matches!(read(Body::from(vec![0; 11]), 10).await, Err(Error::BodyTooLarge(10))));
        assert_eq!(read(Body::from(vec![0; 10]), 10).await.ok(), Some(Bytes::from(vec![0; 10])));
    }
}
