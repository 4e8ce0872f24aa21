//! tus 1.0.0 (<https://tus.io/protocols/resumable-upload>): the core, and the extensions creation, creation-defer-length, expiration and
//! termination. A client that speaks it needs to know nothing of us but who the document is for.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

use crate::api::Surface;
use crate::api::error::Error;
use crate::api::request::RequestError;
use crate::services::{self, DocumentError, Node, UploadProgress};

const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const VERSION: HeaderName = HeaderName::from_static("tus-version");
const EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const DEFER: HeaderName = HeaderName::from_static("upload-defer-length");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const METADATA: &str = "upload-metadata";
const PART_TYPE: &str = "application/offset+octet-stream";
const SPOKEN: &str = "1.0.0";

/// A part of an upload.
pub(super) struct Part {
    pub(super) offset: u64,
    pub(super) length: Option<u64>,
}

/// What uploads speak here.
#[utoipa::path(options, path = "/documents", operation_id = "upload_options", tag = "documents",
    responses((status = 204, description = "`Tus-Version`, `Tus-Extension` and `Tus-Max-Size`")))]
pub(super) async fn options(axum::extract::State(api): Surface) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    greet(&mut response);
    let headers = response.headers_mut();
    headers.insert(VERSION, HeaderValue::from_static(SPOKEN));
    headers.insert(EXTENSION, HeaderValue::from_static("creation,creation-defer-length,expiration,termination"));
    if let Some(limits) = api.node.document_limits() {
        headers.insert(MAX_SIZE, limits.size.into());
    }
    response
}

/// Refuses another version; a caller that names none is taken as one of ours.
pub(super) fn check_version(headers: &HeaderMap) -> Result<(), Error> {
    match headers.get(RESUMABLE) {
        Some(version) if version != SPOKEN => Err(services::Error::from(DocumentError::TusVersion).into()),
        _ => Ok(()),
    }
}

/// The version that is spoken.
pub(super) fn greet(response: &mut Response) {
    response.headers_mut().insert(RESUMABLE, HeaderValue::from_static(SPOKEN));
}

/// How a document comes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Coming {
    /// In this body.
    Here,
    /// In parts, so many bytes in all.
    Parts(u64),
    /// In parts; their length comes later.
    Deferred,
}

/// How the headers say that a document comes.
pub(super) fn coming(headers: &HeaderMap) -> Result<Coming, RequestError> {
    match (number(headers, LENGTH.as_str())?, headers.get(DEFER)) {
        (Some(_), Some(_)) => Err(RequestError::field(DEFER.as_str(), "given beside upload-length")),
        (Some(length), None) => Ok(Coming::Parts(length)),
        (None, Some(defer)) if defer == "1" => Ok(Coming::Deferred),
        (None, Some(_)) => Err(RequestError::field(DEFER.as_str(), "not 1")),
        (None, None) => Ok(Coming::Here),
    }
}

/// What the headers of a part say.
pub(super) fn part(headers: &HeaderMap) -> Result<Part, Error> {
    if headers.get(CONTENT_TYPE).is_none_or(|media| media != PART_TYPE) {
        return Err(Error::Type(PART_TYPE));
    }
    let offset = number(headers, OFFSET.as_str())?.ok_or_else(|| RequestError::field(OFFSET.as_str(), "missing"))?;
    Ok(Part { offset, length: number(headers, LENGTH.as_str())? })
}

/// Name and media type out of `Upload-Metadata`: `key base64, key base64`. Other keys are passed over.
pub(super) fn metadata(headers: &HeaderMap) -> Result<(Option<String>, Option<String>), RequestError> {
    let (mut name, mut media) = (None, None);
    let Some(line) = headers.get(METADATA) else { return Ok((name, media)) };
    let line = line.to_str().map_err(|_| RequestError::field(METADATA, "not text"))?;
    for pair in line.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        let place = match key {
            "filename" => &mut name,
            "filetype" => &mut media,
            _ => continue,
        };
        let bytes = crate::types::base64(value.trim().as_bytes())
            .map_err(|_| RequestError::field(METADATA, "a value that is not base64"))?;
        let text = String::from_utf8(bytes).map_err(|_| RequestError::field(METADATA, "a value that is not UTF-8"))?;
        if text.chars().any(char::is_control) {
            return Err(RequestError::field(METADATA, "a value with control characters"));
        }
        *place = Some(text).filter(|text| !text.is_empty());
    }
    Ok((name, media))
}

/// A header that is a number.
pub(super) fn number(headers: &HeaderMap, name: &str) -> Result<Option<u64>, RequestError> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let digits = value.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits.and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| RequestError::field(name, "not a number of bytes"))
}

/// How far an upload is, and until when it may go on.
pub(super) fn put(response: &mut Response, progress: &UploadProgress) {
    greet(response);
    let headers = response.headers_mut();
    headers.insert(OFFSET, progress.offset.into());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    match progress.size {
        Some(size) => headers.insert(LENGTH, size.into()),
        None => headers.insert(DEFER, HeaderValue::from_static("1")),
    };
    if progress.complete {
        return;
    }
    let expires = i64::try_from(Node::upload_expiry()).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
    let written = expires.and_then(|at| DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok());
    if let Some(value) = written.and_then(|text| HeaderValue::try_from(text).ok()) {
        headers.insert(EXPIRES, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect()
    }

    #[test]
    fn metadata_is_read_and_nonsense_is_named() {
        let read = |line: &str| metadata(&headers(&[("upload-metadata", line)]));
        assert_eq!(
            read("filename YS5wZGY=, filetype dGV4dC9wbGFpbg==, other"),
            Ok((Some("a.pdf".into()), Some("text/plain".into())))
        );
        assert_eq!(read("filename"), Ok((None, None)));
        for wrong in ["filename !", "filename /w==", "filetype Cg=="] {
            assert!(matches!(read(wrong), Err(RequestError::Field { field, .. }) if field == "upload-metadata"), "{wrong}");
        }
    }

    #[test]
    fn lengths_are_known_deferred_or_none() {
        assert_eq!(coming(&headers(&[])), Ok(Coming::Here));
        assert_eq!(coming(&headers(&[("upload-length", "7")])), Ok(Coming::Parts(7)));
        assert_eq!(coming(&headers(&[("upload-defer-length", "1")])), Ok(Coming::Deferred));
        for wrong in [
            &[("upload-length", "-1")][..],
            &[("upload-length", "1"), ("upload-defer-length", "1")],
            &[("upload-defer-length", "2")],
        ] {
            assert!(coming(&headers(wrong)).is_err(), "{wrong:?}");
        }
    }
}
