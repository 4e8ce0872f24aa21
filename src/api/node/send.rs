use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use bytes::Bytes;
use data_encoding::BASE64;
use jiff::Timestamp;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use zeroize::Zeroizing;

use crate::api::error::Error;
use crate::api::model::{SendAnswer, SendBody, SignedBody};
use crate::api::request::{self, MediaType, RequestError};
use crate::api::{Api, Surface, body, reply};
use crate::services::{SendRequest, SendSignedRequest, Sent, Terms};
use crate::types::{Address, Class, PayloadId};

/// Sender of a raw request.
const FROM: &str = "c11n-from";
/// Recipients of a raw request.
const TO: &str = "c11n-to";
/// What the payload holds, in a governed network.
const CLASS: &str = "celosia-class";
/// Who sent a raw payload; GoQuorum before API 2.0 reads it.
const SENDER_HEADER: HeaderName = HeaderName::from_static("tesserasender");
/// Our own keys in a raw payload, as a comma list.
const MANAGED_HEADER: HeaderName = HeaderName::from_static("tesseramanagedparties");

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::default().routes(routes!(send)).routes(routes!(send_raw)).routes(routes!(send_signed))
}

/// Seals a payload, keeps it, delivers it to every recipient; answers when all of them have it durably.
#[utoipa::path(post, path = "/send", tag = "node",
    params(("celosia-class" = Option<String>, Header, description = "What the payload holds: public, business, personal or special; personal if absent (governed networks)"),
        ("celosia-purpose" = Option<String>, Header, description = "Why it is processed: 1 to 128 characters"),
        ("celosia-basis" = Option<String>, Header, description = "GDPR art. 6(1): consent, contract, legal-obligation, vital-interests, public-task or legitimate-interests"),
        ("celosia-retention" = Option<String>, Header, description = "How long, or until when, it is kept: 1825d, P5Y, 2031-12-31"),
        ("celosia-subject" = Option<String>, Header, description = "Pseudonyms of the people it is about, separated by commas"),
        ("celosia-contract" = Option<String>, Header, description = "Address of the contract that it belongs to")),
    request_body(content((SendBody<'static> = "application/json"), (SendBody<'static> = "application/vnd.tessera-2.1+json"),
        (SendBody<'static> = "application/vnd.tessera-3.0+json"), (SendBody<'static> = "application/vnd.tessera-4.0+json"))),
    responses(
        (status = 201, description = "Sent; `Location` names the payload", content((SendAnswer<'static> = "application/json"),
            (SendAnswer<'static> = "application/vnd.tessera-2.1+json"), (SendAnswer<'static> = "application/vnd.tessera-3.0+json"),
            (SendAnswer<'static> = "application/vnd.tessera-4.0+json"))),
        (status = 400, description = "The request is wrong", body = String, content_type = "text/plain"),
        (status = 403, description = "A privacy rule forbids it", body = String, content_type = "text/plain"),
        (status = 404, description = "A recipient or the sender is unknown", body = String, content_type = "text/plain"),
        (status = 410, description = "A recipient's peer is offline", body = String, content_type = "text/plain"),
        (status = 451, description = "A supervisor stopped it, or refuses its co-signature", body = String, content_type = "text/plain"),
        (status = 500, description = "A recipient's peer refused", body = String, content_type = "text/plain"),
        (status = 503, description = "Store or enclave unavailable", body = String, content_type = "text/plain"),
    ))]
async fn send(State(api): Surface, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let sent = body::json_type(&parts.headers)?;
    let media = body::answer_type(&parts.headers, sent);
    let bytes = body::read(body, api.limits.body).await?;
    let mut request = body::json::<SendBody<'_>>(&bytes)?.read(sent)?;
    request.terms.class = class(&parts.headers)?;
    request.terms.tags = request::declared(&parts.headers, Timestamp::now())?;
    drop(bytes);
    let sent = api.node.send(request).await?;
    Ok(created(&api, &parts.headers, media, &sent))
}

/// Sends raw bytes, with sender and recipients in headers.
#[utoipa::path(post, path = "/sendraw", tag = "node",
    params(("c11n-from" = Option<String>, Header, description = "Sender's public key"),
        ("c11n-to" = Option<String>, Header, description = "Recipients' public keys, separated by commas")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "The payload's id in base64", body = String, content_type = "text/plain")))]
async fn send_raw(State(api): Surface, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    body::check_octets(&parts.headers)?;
    let from = request::single_key(FROM, parts.headers.get(FROM).map(HeaderValue::as_bytes))?;
    let to = recipients(&parts.headers)?;
    let payload = body::read(body, api.limits.body).await?;
    if payload.is_empty() {
        return Err(RequestError::PayloadMissing.into());
    }
    let payload = Zeroizing::new(Vec::from(payload));
    let tags = request::declared(&parts.headers, Timestamp::now())?;
    let terms = Terms { class: class(&parts.headers)?, tags, ..Terms::default() };
    let sent = api.node.send(SendRequest { payload, from, to, terms }).await?;
    Ok(reply::located(reply::text(sent.id.to_string()), &sent.id, api.origin, &parts.headers))
}

/// Sends a payload that `/storeraw` keeps; its id stays the same.
#[utoipa::path(post, path = "/sendsignedtx", tag = "node",
    params(("c11n-to" = Option<String>, Header, description = "Recipients' public keys, with application/octet-stream")),
    request_body(content((SignedBody<'static> = "application/json"), (SignedBody<'static> = "application/vnd.tessera-2.1+json"),
        (SignedBody<'static> = "application/vnd.tessera-3.0+json"), (SignedBody<'static> = "application/vnd.tessera-4.0+json"),
        (Vec<u8> = "application/octet-stream"))),
    responses(
        (status = 200, description = "Sent, asked with application/octet-stream: the id in base64", body = String, content_type = "text/plain"),
        (status = 201, description = "Sent, asked with JSON", body = SendAnswer<'static>),
        (status = 404, description = "No such raw payload", body = String, content_type = "text/plain"),
    ))]
async fn send_signed(State(api): Surface, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    if request::is_octets(parts.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes)) {
        let bytes = body::read(body, api.limits.body).await?;
        return send_signed_octets(&api, &parts.headers, bytes).await;
    }
    let sent = body::json_type(&parts.headers)?;
    let media = body::answer_type(&parts.headers, sent);
    let bytes = body::read(body, api.limits.body).await?;
    let mut request = body::json::<SignedBody<'_>>(&bytes)?.read(sent)?;
    request.terms.class = class(&parts.headers)?;
    request.terms.tags = request::declared(&parts.headers, Timestamp::now())?;
    let sent = api.node.send_signed(request).await?;
    Ok(created(&api, &parts.headers, media, &sent))
}

/// The form of API 1.0: the body is the id's 64 bytes.
async fn send_signed_octets(api: &Api, headers: &HeaderMap, body: Bytes) -> Result<Response, Error> {
    if body.is_empty() {
        return Err(RequestError::PayloadMissing.into());
    }
    let to = recipients(headers)?;
    let id = PayloadId::try_from(&body[..]).map_err(|_| RequestError::RawNotFound(BASE64.encode(&body)))?;
    let tags = request::declared(headers, Timestamp::now())?;
    let terms = Terms { class: class(headers)?, tags, ..Terms::default() };
    let sent = api.node.send_signed(SendSignedRequest { id, to, terms }).await?;
    let mut response = reply::located(reply::text(sent.id.to_string()), &sent.id, api.origin, headers);
    for (name, value) in [(SENDER_HEADER, sent.sender.to_string()), (MANAGED_HEADER, reply::comma_list(&sent.managed))] {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

fn created(api: &Api, headers: &HeaderMap, media: MediaType, sent: &Sent) -> Response {
    let response = reply::created(reply::json(media, &SendAnswer::new(media, sent)));
    reply::located(response, &sent.id, api.origin, headers)
}

/// What the sender declares that the payload holds; nothing declared is personal data.
fn class(headers: &HeaderMap) -> Result<Option<Class>, RequestError> {
    request::class(CLASS, headers.get(CLASS).map(HeaderValue::as_bytes))
}

fn recipients(headers: &HeaderMap) -> Result<Vec<Address>, RequestError> {
    request::keys(TO, headers.get_all(TO).iter().map(HeaderValue::as_bytes))
}
