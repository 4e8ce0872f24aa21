use std::ops::Range;
use std::sync::OnceLock;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use data_encoding::HEXLOWER;
use futures_util::stream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{range, read_id, tus};
use crate::api::Surface;
use crate::api::error::Error;
use crate::services::{self, Contents, DocumentError};

/// Downloads at once: each holds a chunk or two.
const DOWNLOADS: usize = 64;

/// A document, or a range of it.
#[utoipa::path(get, path = "/documents/{id}", operation_id = "get_document", tag = "documents",
    params(("id" = String, Path, description = "64 hexadecimal digits, with or without 0x, or base64"),
        ("range" = Option<String>, Header, description = "One range of bytes (RFC 9110 section 14)"),
        ("if-range" = Option<String>, Header, description = "The range counts only for this ETag"),
        ("if-none-match" = Option<String>, Header, description = "304 for this ETag")),
    responses(
        (status = 200, description = "All of it", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "The range", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 304, description = "The caller has it"),
        (status = 404, description = "No such document", body = String, content_type = "text/plain"),
        (status = 409, description = "It is not complete yet", body = String, content_type = "text/plain"),
        (status = 410, description = "It was erased here", body = String, content_type = "text/plain"),
        (status = 416, description = "No byte of it lies in the range", body = String, content_type = "text/plain"),
    ))]
pub(super) async fn get(State(api): Surface, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, Error> {
    let contents = api.node.open_document(read_id(&id)?).await?;
    let tag = etag(&contents);
    if text(&headers, IF_NONE_MATCH).is_some_and(|known| known.split(',').any(|one| one.trim() == tag || one.trim() == "*")) {
        let mut response = StatusCode::NOT_MODIFIED.into_response();
        describe(&mut response, &contents, &tag);
        return Ok(response);
    }
    let counts = text(&headers, IF_RANGE).is_none_or(|known| known == tag);
    let asked = range::read(text(&headers, RANGE).filter(|_| counts), contents.size()).map_err(services::Error::from)?;
    let place = places().try_acquire_owned().map_err(|_| Error::Overloaded)?;
    let size = contents.size();
    let (status, wanted) = match &asked {
        Some(range) => (StatusCode::PARTIAL_CONTENT, range.clone()),
        None => (StatusCode::OK, 0..size),
    };
    let length = wanted.end - wanted.start;
    let mut response = Response::new(Body::from_stream(pieces(contents.clone(), wanted, place)));
    *response.status_mut() = status;
    describe(&mut response, &contents, &tag);
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, length.into());
    if let Some(range) = asked
        && let Ok(value) = HeaderValue::try_from(format!("bytes {}-{}/{size}", range.start, range.end - 1))
    {
        headers.insert(CONTENT_RANGE, value);
    }
    Ok(response)
}

/// What [`get`] would answer, without the bytes; of an upload, how far it is (tus 1.0.0).
#[utoipa::path(head, path = "/documents/{id}", operation_id = "document_head", tag = "documents",
    params(("id" = String, Path, description = "64 hexadecimal digits, with or without 0x, or base64")),
    responses((status = 200, description = "Length and ETag of a document; `Upload-Offset` of an upload"),
        (status = 404, description = "Neither"), (status = 410, description = "It was erased here")))]
pub(super) async fn head(State(api): Surface, Path(id): Path<String>, headers: HeaderMap) -> Result<Response, Error> {
    tus::check_version(&headers)?;
    let id = read_id(&id)?;
    let mut response = StatusCode::OK.into_response();
    match api.node.open_document(id).await {
        Ok(contents) => {
            describe(&mut response, &contents, &etag(&contents));
            response.headers_mut().insert(CONTENT_LENGTH, contents.size().into());
        }
        Err(services::Error::Kept(DocumentError::Unfinished(_))) => {}
        Err(error) => return Err(error.into()),
    }
    // One that arrives from a member is no upload of the caller's: it is not there yet.
    tus::put(&mut response, &api.node.upload_progress(id).await?);
    Ok(response)
}

/// What lies beside the bytes.
///
/// Threat: a document that a member sent is shown by a browser as a page of this origin. So it is never sniffed, and said to be an attachment.
fn describe(response: &mut Response, contents: &Contents, tag: &str) {
    let media = contents.media().and_then(|media| HeaderValue::try_from(media).ok());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, media.unwrap_or(HeaderValue::from_static("application/octet-stream")));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(axum::http::header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        headers.insert(ETAG, tag);
    }
}

/// The root over its sealed chunks: strong, the same at every holder.
fn etag(contents: &Contents) -> String {
    format!("\"{}\"", HEXLOWER.encode(contents.root()))
}

fn text(headers: &HeaderMap, name: axum::http::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The bytes of a range, a chunk at a time: the next one is opened when the caller has taken the one before. A chunk that does not open
/// ends the body early, and the connection with it.
fn pieces(
    contents: Contents,
    wanted: Range<u64>,
    place: OwnedSemaphorePermit,
) -> impl stream::Stream<Item = Result<Bytes, services::Error>> {
    stream::try_unfold((contents, wanted, place), |(contents, wanted, place)| async move {
        if wanted.is_empty() {
            return Ok(None);
        }
        let index = wanted.start / Contents::CHUNK;
        let chunk = contents.chunk(index).await?;
        let from = usize::try_from(wanted.start % Contents::CHUNK).unwrap_or(usize::MAX);
        let len = usize::try_from(wanted.end - wanted.start).unwrap_or(usize::MAX).min(chunk.len().saturating_sub(from));
        let piece = Bytes::copy_from_slice(chunk.get(from..from + len).unwrap_or_default());
        if piece.is_empty() {
            return Ok(None);
        }
        let rest = wanted.start + piece.len() as u64..wanted.end;
        Ok(Some((piece, (contents, rest, place))))
    })
}

fn places() -> std::sync::Arc<Semaphore> {
    static PLACES: OnceLock<std::sync::Arc<Semaphore>> = OnceLock::new();
    std::sync::Arc::clone(PLACES.get_or_init(|| std::sync::Arc::new(Semaphore::new(DOWNLOADS))))
}
