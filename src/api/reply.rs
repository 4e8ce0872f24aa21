//! Answers out: bodies with their media type, written once into one buffer.

use axum::http::header::{CONTENT_TYPE, HOST, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::Serialize;

use super::request::MediaType;
use super::{Origin, error};
use crate::types::{Address, PayloadId};

/// What Tessera escapes of base64 in a `Location`.
const BASE64_IN_PATH: &AsciiSet = &CONTROLS.add(b'/').add(b'+').add(b'=');

/// Bytes of an answer's members besides its payload.
const MEMBERS: usize = 1024;

/// 200 with JSON.
pub(crate) fn json(media: MediaType, value: &impl Serialize) -> Response {
    sized_json(media, value, 0)
}

/// 200 with JSON that holds a payload of `payload` bytes.
pub(crate) fn sized_json(media: MediaType, value: &impl Serialize, payload: usize) -> Response {
    let mut body = Vec::with_capacity(payload.div_ceil(3) * 4 + MEMBERS);
    match serde_json::to_writer(&mut body, value) {
        Ok(()) => typed(media.name(), body),
        // Our own models have string keys only, so they always serialise; a bug is answered as one.
        Err(_) => error::Error::Panicked.into_response(),
    }
}

/// 200 with text and nothing around it: callers parse the whole body.
pub(crate) fn text(body: impl Into<Bytes>) -> Response {
    typed("text/plain", body)
}

/// 200 with bytes.
pub(crate) fn octets(body: impl Into<Bytes>) -> Response {
    typed("application/octet-stream", body)
}

/// 200 with any media type.
pub(crate) fn typed(media: &'static str, body: impl Into<Bytes>) -> Response {
    ([(CONTENT_TYPE, HeaderValue::from_static(media))], body.into()).into_response()
}

/// 204.
pub(crate) fn nothing() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// The same as 201.
pub(crate) fn created(mut response: Response) -> Response {
    *response.status_mut() = StatusCode::CREATED;
    response
}

/// The same with the absolute URL of a payload, on the host and port that the request named.
pub(crate) fn located(mut response: Response, id: &PayloadId, origin: Origin, request: &HeaderMap) -> Response {
    let host = request.get(HOST).and_then(|host| host.to_str().ok()).filter(|host| !host.is_empty() && *host != "c");
    let host = host.unwrap_or("localhost");
    let scheme = if origin == Origin::Https { "https" } else { "http" };
    let id = id.to_string();
    let location = format!("{scheme}://{host}/transaction/{}", utf8_percent_encode(&id, BASE64_IN_PATH));
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// Keys as a comma list, without spaces.
pub(crate) fn comma_list(keys: &[Address]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(origin: Origin, host: Option<&str>) -> String {
        let mut request = HeaderMap::new();
        if let Some(host) = host {
            request.insert(HOST, host.parse().unwrap());
        }
        let response = located(nothing(), &PayloadId::new([0xff; 64]), origin, &request);
        response.headers()[LOCATION].to_str().unwrap().to_owned()
    }

    #[test]
    fn locations_are_absolute_and_escaped() {
        let escaped = format!("{}%2Fw%3D%3D", "%2F".repeat(84));
        assert_eq!(location(Origin::Http, Some("10.1.1.1:9081")), format!("http://10.1.1.1:9081/transaction/{escaped}"));
        assert!(location(Origin::Https, Some("pm.example")).starts_with("https://pm.example/transaction/%2F"));
        // GoQuorum's host on a Unix socket is `c`, which is nobody's name.
        for host in [None, Some("c"), Some("localhost")] {
            assert!(location(Origin::Unix, host).starts_with("http://localhost/transaction/"));
        }
        assert!(location(Origin::Unix, Some("elsewhere:1")).starts_with("http://elsewhere:1/transaction/"));
        assert!(location(Origin::Http, None).starts_with("http://localhost/transaction/"));
    }

    #[test]
    fn lists_have_no_spaces() {
        let key = Address::new([0; 32]);
        assert_eq!(comma_list(&[key, key]), format!("{key},{key}"));
        assert_eq!(comma_list(&[]), "");
    }
}
