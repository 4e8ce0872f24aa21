//! `/documents`: the second kind of payload, which the EVM never sees (`docs/documents.md`).
//!
//! A document comes in one body (`POST /documents`), or in parts that go on where they broke off: tus 1.0.0 (<https://tus.io>), its core
//! and the extensions creation, creation-defer-length, expiration and termination. It goes out with ranges (RFC 9110 section 14).

mod download;
mod model;
mod range;
mod tus;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::model::{DocumentAnswer, DocumentList, ReceiptList, ShareBody};
use super::super::error::Error;
use super::super::gate::{Gate, pass};
use super::super::request::{self, MediaType, RequestError};
use super::super::{Api, Limits, Surface, body, reply};
use crate::services::{BrokenOff, DocumentError, Incoming, NewDocument};
use crate::types::DocumentId;

/// Uploads under way at once: each holds a few MiB.
const UPLOADS: usize = 32;
/// Documents of one page of the list.
const PAGE: usize = 100;

const FROM: &str = "celosia-from";
const TO: &str = "celosia-to";
const CLASS: &str = "celosia-class";
const DELIVER: &str = "celosia-deliver";

/// The routes. Uploads have a gate of their own: a slow one holds up no look-up.
pub(super) fn routes(limits: &Limits) -> OpenApiRouter<Arc<Api>> {
    let uploads = Gate::new(UPLOADS, limits.queue);
    let reads = Gate::new(limits.reads, limits.queue);
    let writing =
        OpenApiRouter::default().routes(routes!(create)).routes(routes!(append)).route_layer(from_fn_with_state(uploads, pass));
    let reading = OpenApiRouter::default()
        .routes(routes!(list))
        .routes(routes!(tus::options))
        .routes(routes!(download::get, download::head))
        .routes(routes!(info))
        .routes(routes!(receipts))
        .routes(routes!(share))
        .routes(routes!(erase))
        .route_layer(from_fn_with_state(reads, pass));
    writing.merge(reading)
}

/// Puts a document, or begins an upload in parts (with `Upload-Length` or `Upload-Defer-Length`). Nobody sees it before all of it is here.
#[utoipa::path(post, path = "/documents", operation_id = "put_document", tag = "documents",
    params(("celosia-from" = Option<String>, Header, description = "Sender's public key; the default key if absent"),
        ("celosia-to" = Option<String>, Header, description = "Recipients' public keys, separated by commas"),
        ("celosia-class" = Option<String>, Header, description = "What it holds: public, business, personal or special; personal if absent"),
        ("celosia-deliver" = Option<String>, Header, description = "`eventual` (absent): delivered behind the answer, until it is everywhere; `now`: the answer waits for it"),
        ("upload-length" = Option<u64>, Header, description = "Begins a tus upload of so many bytes"),
        ("upload-defer-length" = Option<String>, Header, description = "`1`: begins a tus upload whose length comes later"),
        ("upload-metadata" = Option<String>, Header, description = "tus metadata: `filename` and `filetype`, values in base64")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses(
        (status = 201, description = "Put, durably here; `Location` names it. Of an upload in parts: begun", body = DocumentAnswer),
        (status = 400, description = "The request is wrong", body = String, content_type = "text/plain"),
        (status = 403, description = "The policy forbids it, or a recipient runs Tessera", body = String, content_type = "text/plain"),
        (status = 404, description = "A recipient or the sender is unknown; or this node is under no directory", body = String, content_type = "text/plain"),
        (status = 410, description = "Asked to deliver now: a member is offline. The document is here, and is tried again", body = String, content_type = "text/plain"),
        (status = 413, description = "Larger than this node takes", body = String, content_type = "text/plain"),
        (status = 507, description = "No room for it", body = String, content_type = "text/plain"),
    ))]
async fn create(State(api): Surface, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    tus::check_version(&parts.headers)?;
    let mut new = new_document(&parts.headers)?;
    let coming = tus::coming(&parts.headers)?;
    if coming != tus::Coming::Here {
        new.size = if let tus::Coming::Parts(length) = coming { Some(length) } else { None };
        let id = api.node.create_document(new).await?;
        let progress = api.node.upload_progress(id).await?;
        // An upload of no bytes is complete with its first part, which is empty: tus clients send none.
        let is_empty = progress.size == Some(0);
        let progress = if is_empty { api.node.append_document(id, 0, None, nothing()).await? } else { progress };
        let mut response = located(StatusCode::CREATED.into_response(), &id);
        tus::put(&mut response, &progress);
        return Ok(response);
    }
    new.size = content_length(&parts.headers)?;
    if new.media.is_none() {
        let media = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        new.media = media.filter(|media| *media != "application/octet-stream").map(str::to_owned);
    }
    let put = api.node.put_document(new, incoming(body)).await?;
    let response = reply::created(reply::json(MediaType::Json, &DocumentAnswer::from(&put)));
    Ok(located(response, &put.id))
}

/// Adds a part to an upload, where the last one ended (tus 1.0.0). The last byte completes the document.
#[utoipa::path(patch, path = "/documents/{id}", operation_id = "append_document", tag = "documents",
    params(("id" = String, Path, description = "64 hexadecimal digits, with or without 0x, or base64"),
        ("upload-offset" = u64, Header, description = "Where the part begins"),
        ("upload-length" = Option<u64>, Header, description = "The length, if it was deferred")),
    request_body(content = Vec<u8>, content_type = "application/offset+octet-stream"),
    responses(
        (status = 204, description = "Taken, durably; `Upload-Offset` says how far it is"),
        (status = 404, description = "No such upload", body = String, content_type = "text/plain"),
        (status = 409, description = "Another offset, or it is complete", body = String, content_type = "text/plain"),
        (status = 415, description = "Another Content-Type", body = String, content_type = "text/plain"),
        (status = 423, description = "Another request is adding to it", body = String, content_type = "text/plain"),
    ))]
async fn append(State(api): Surface, Path(id): Path<String>, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    tus::check_version(&parts.headers)?;
    let id = read_id(&id)?;
    let part = tus::part(&parts.headers)?;
    let progress = api.node.append_document(id, part.offset, part.length, incoming(body)).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    tus::put(&mut response, &progress);
    Ok(response)
}

/// Documents of this node, in the order of their ids; those that were erased are not among them.
#[utoipa::path(get, path = "/documents", operation_id = "list_documents", tag = "documents",
    params(("after" = Option<String>, Query, description = "Id after which the page begins")),
    responses((status = 200, description = "At most 100; `next` is the id to go on after, if there are more", body = DocumentList)))]
async fn list(State(api): Surface, RawQuery(query): RawQuery) -> Result<Response, Error> {
    let after = query.as_deref().and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("after=")));
    let after = after.map(|text| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned());
    let after = after.map(|text| read_id(&text)).transpose()?;
    let listed = api.node.list_documents(after, PAGE).await?;
    Ok(reply::json(MediaType::Json, &DocumentList::new(&listed, PAGE)))
}

/// What is known of a document: who put it, for whom, and how far it is on its way.
#[utoipa::path(get, path = "/documents/{id}/info", operation_id = "document_info", tag = "documents",
    params(("id" = String, Path, description = "64 hexadecimal digits, with or without 0x, or base64")),
    responses((status = 200, description = "The document", body = DocumentAnswer),
        (status = 404, description = "No such document", body = String, content_type = "text/plain"),
        (status = 410, description = "It was erased here", body = String, content_type = "text/plain")))]
async fn info(State(api): Surface, Path(id): Path<String>) -> Result<Response, Error> {
    let info = api.node.document_info(read_id(&id)?).await?;
    Ok(reply::json(MediaType::Json, &DocumentAnswer::from(&info)))
}

/// What members acknowledged of a document that was put here: `celosia receipt verify` takes each.
#[utoipa::path(get, path = "/documents/{id}/receipts", operation_id = "document_receipts", tag = "documents",
    params(("id" = String, Path, description = "64 hexadecimal digits, with or without 0x, or base64")),
    responses((status = 200, description = "A receipt for each member that has it", body = ReceiptList)))]
async fn receipts(State(api): Surface, Path(id): Path<String>) -> Result<Response, Error> {
    let receipts = api.node.document_receipts(read_id(&id)?).await?;
    Ok(reply::json(MediaType::Json, &ReceiptList::new(&receipts)))
}

/// Shares a document that was put here with more recipients.
#[utoipa::path(post, path = "/documents/{id}/share", operation_id = "share_document", tag = "documents",
    params(("id" = String, Path, description = "64 hexadecimal digits, with or without 0x, or base64")),
    request_body(content = ShareBody, content_type = "application/json"),
    responses((status = 200, description = "It is on its way to them", body = DocumentAnswer),
        (status = 403, description = "The policy forbids it, a recipient runs Tessera, or another member put the document", body = String, content_type = "text/plain")))]
async fn share(State(api): Surface, Path(id): Path<String>, request: Request) -> Result<Response, Error> {
    let (id, bytes) = (read_id(&id)?, body::read(request.into_body(), 1 << 20).await?);
    let to = body::json::<ShareBody>(&bytes)?.to;
    let to = to.iter().enumerate().map(|(index, key)| request::recipient(&format!("to[{index}]"), key));
    let shared = api.node.share_document(id, to.collect::<Result<_, _>>()?).await?;
    Ok(reply::json(MediaType::Json, &DocumentAnswer::from(&shared)))
}

/// Erases a document for ever: its key here is punctured before this answers; where it was put, every holder is ordered to erase it. Of an
/// unfinished upload nothing stays.
#[utoipa::path(delete, path = "/documents/{id}", operation_id = "erase_document", tag = "documents",
    params(("id" = String, Path, description = "64 hexadecimal digits, with or without 0x, or base64")),
    responses((status = 204, description = "Unreadable, durably"),
        (status = 404, description = "No such document", body = String, content_type = "text/plain"),
        (status = 410, description = "It was erased before", body = String, content_type = "text/plain")))]
async fn erase(State(api): Surface, Path(id): Path<String>) -> Result<Response, Error> {
    api.node.erase_document_everywhere(read_id(&id)?).await?;
    let mut response = StatusCode::NO_CONTENT.into_response();
    tus::greet(&mut response);
    Ok(response)
}

fn read_id(text: &str) -> Result<DocumentId, Error> {
    DocumentId::from_words(text).map_err(|_| crate::services::Error::from(DocumentError::BadId).into())
}

/// Threat: a body that trickles in holds a place for ever. The listener cuts off what stands still for half a minute.
fn incoming(body: Body) -> Incoming {
    Box::pin(body.into_data_stream().map(|frame| frame.map_err(|_| BrokenOff)))
}

fn nothing() -> Incoming {
    incoming(Body::empty())
}

fn new_document(headers: &HeaderMap) -> Result<NewDocument, Error> {
    let class = request::class(CLASS, headers.get(CLASS).map(HeaderValue::as_bytes))?;
    let deliver_now = match headers.get(DELIVER).map(HeaderValue::as_bytes) {
        None | Some(b"eventual") => false,
        Some(b"now") => true,
        Some(_) => return Err(RequestError::field(DELIVER, "neither now nor eventual").into()),
    };
    let (name, media) = tus::metadata(headers)?;
    Ok(NewDocument {
        from: request::single_key(FROM, headers.get(FROM).map(HeaderValue::as_bytes))?,
        to: request::keys(TO, headers.get_all(TO).iter().map(HeaderValue::as_bytes))?,
        class,
        size: None,
        name,
        media,
        deliver_now,
    })
}

fn content_length(headers: &HeaderMap) -> Result<Option<u64>, RequestError> {
    tus::number(headers, "content-length")
}

fn located(mut response: Response, id: &DocumentId) -> Response {
    let path = format!("/documents/{}", &id.to_hex()[2..]);
    if let Ok(location) = HeaderValue::try_from(path) {
        response.headers_mut().insert(axum::http::header::LOCATION, location);
    }
    response
}
