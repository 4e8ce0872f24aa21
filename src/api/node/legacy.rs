//! What GoQuorum before `/transaction` calls, and Constellation's clients: look-ups by body or header.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::transaction::patiently;
use crate::api::error::Error;
use crate::api::model::{KeyBody, ReceiveAnswer, ReceiveBody};
use crate::api::request::{self, Asked, RequestError};
use crate::api::{Api, Surface, body, reply};
use crate::types::ParseError;

/// The id of a raw look-up.
const KEY: &str = "c11n-key";
/// For which of our keys.
const TO: &str = "c11n-to";

pub(super) fn write_routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::default().routes(routes!(delete))
}

pub(super) fn read_routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::default().routes(routes!(receive, receive_posted)).routes(routes!(receive_raw, receive_raw_posted))
}

/// Erases a payload, as `DELETE /transaction/{hash}` does.
#[utoipa::path(post, path = "/delete", operation_id = "deletePayload", tag = "node", request_body = KeyBody<'static>,
    responses((status = 200, description = "`Delete successful`", body = String, content_type = "text/plain"),
        (status = 404, description = "Absent", body = String, content_type = "text/plain")))]
async fn delete(State(api): Surface, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    body::json_type(&parts.headers)?;
    let bytes = body::read(body, api.limits.body).await?;
    let asked = asked("key", body::json::<KeyBody<'_>>(&bytes)?.key.as_deref())?;
    api.node.erase(asked.id()?).await?;
    Ok(reply::text("Delete successful"))
}

/// A payload, by a JSON body.
#[utoipa::path(get, path = "/receive", operation_id = "receiveByBody", tag = "node", request_body = ReceiveBody<'static>,
    responses((status = 200, description = "The payload", body = ReceiveAnswer<'static>),
        (status = 404, description = "Absent", body = String, content_type = "text/plain")))]
async fn receive(State(api): Surface, request: Request) -> Result<Response, Error> {
    look_up(&api, request).await
}

/// A payload, by a JSON body.
#[utoipa::path(post, path = "/receive", operation_id = "receiveByPostedBody", tag = "node", request_body = ReceiveBody<'static>,
    responses((status = 200, description = "The payload", body = ReceiveAnswer<'static>),
        (status = 404, description = "Absent", body = String, content_type = "text/plain")))]
async fn receive_posted(State(api): Surface, request: Request) -> Result<Response, Error> {
    look_up(&api, request).await
}

/// A payload as raw bytes, by headers.
#[utoipa::path(get, path = "/receiveraw", operation_id = "receiveRaw", tag = "node",
    params(("c11n-key" = String, Header, description = "Id in base64"), ("c11n-to" = Option<String>, Header, description = "For which of this node's keys")),
    responses((status = 200, description = "The payload", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, description = "Absent", body = String, content_type = "text/plain")))]
async fn receive_raw(State(api): Surface, headers: HeaderMap) -> Result<Response, Error> {
    look_up_raw(&api, &headers).await
}

/// A payload as raw bytes, by headers.
#[utoipa::path(post, path = "/receiveraw", operation_id = "receiveRawPosted", tag = "node",
    params(("c11n-key" = String, Header, description = "Id in base64"), ("c11n-to" = Option<String>, Header, description = "For which of this node's keys")),
    responses((status = 200, description = "The payload", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 404, description = "Absent", body = String, content_type = "text/plain")))]
async fn receive_raw_posted(State(api): Surface, headers: HeaderMap) -> Result<Response, Error> {
    look_up_raw(&api, &headers).await
}

async fn look_up(api: &Api, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let media = body::answer_type(&parts.headers, body::json_type(&parts.headers)?);
    let bytes = body::read(body, api.limits.body).await?;
    let body = body::json::<ReceiveBody<'_>>(&bytes)?;
    let asked = asked("key", body.key.as_deref())?;
    let received = if body.raw.unwrap_or_default() {
        let id = asked.raw_id()?;
        patiently(|| api.node.receive_raw(id)).await?
    } else {
        let id = asked.id()?;
        let to = request::sender("to", body.to.as_deref()).map_err(|error| nobody(error, id.to_string()))?;
        patiently(|| api.node.receive(id, to)).await?
    };
    Ok(reply::sized_json(media, &ReceiveAnswer::new(media, &received), received.payload.len()))
}

async fn look_up_raw(api: &Api, headers: &HeaderMap) -> Result<Response, Error> {
    let header = |name| headers.get(name).map(HeaderValue::as_bytes);
    let key =
        header(KEY).map(|value| std::str::from_utf8(value).map_err(|_| RequestError::field(KEY, "not text"))).transpose()?;
    let id = asked(KEY, key.map(str::trim))?.id()?;
    let to = request::single_key(TO, header(TO)).map_err(|error| nobody(error, id.to_string()))?;
    let received = patiently(|| api.node.receive(id, to)).await?;
    Ok(reply::octets(received.payload.to_vec()))
}

/// The id of a member or header.
fn asked(field: &str, text: Option<&str>) -> Result<Asked, RequestError> {
    match text {
        None | Some("") => Err(RequestError::field(field, "missing or empty")),
        Some(text) => Asked::parse(text).map_err(|_| RequestError::word(field, ParseError::Base64)),
    }
}

/// A key of another length than 32 bytes has no part in anything: not found.
fn nobody(error: RequestError, id: String) -> RequestError {
    match error {
        RequestError::SenderUnknown(_) => RequestError::NotFound(id),
        other => other,
    }
}
