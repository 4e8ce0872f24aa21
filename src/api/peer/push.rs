use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;
use bytes::Bytes;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{capabilities, is_celosia};
use crate::api::error::Error;
use crate::api::model::{BatchBody, WithdrawBody};
use crate::api::request::{self, Asked, RequestError};
use crate::api::{Api, Surface, body, reply};
use crate::types::Codec;
use crate::wire::EncodedPayload;

/// How a delivery can be taken back.
const WITHDRAW_HEADER: HeaderName = HeaderName::from_static("celosia-withdraw");

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::default().routes(routes!(push)).routes(routes!(push_batch)).routes(routes!(withdraw))
}

/// Takes a delivery; answers when it is durable here. The caller's version headers name its codec: CBOR with 5.0, else the legacy one.
#[utoipa::path(post, path = "/push", tag = "peer",
    params(("tesseraSupportedApiVersions" = Option<Vec<String>>, Header, description = "API versions of the caller")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, description = "The payload's id in base64", body = String, content_type = "text/plain"),
        (status = 403, description = "A privacy rule forbids it", body = String, content_type = "text/plain"),
        (status = 410, description = "Erased here; it does not come back", body = String, content_type = "text/plain"),
        (status = 500, description = "It does not decode, or no key of this node opens it", body = String, content_type = "text/plain")))]
async fn push(State(api): Surface, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let codec = capabilities(&parts.headers).versions.codec();
    let bytes = body::read(body, api.limits.body).await?;
    let pushed = api.node.push(EncodedPayload::decode(codec, &bytes)?).await?;
    let mut response = reply::created(reply::text(pushed.id.to_string()));
    if is_celosia(&parts.headers)
        && let Some(token) = pushed.withdraw
        && let Ok(token) = HeaderValue::try_from(token.to_string())
    {
        response.headers_mut().insert(WITHDRAW_HEADER, token);
    }
    Ok(response)
}

/// Takes the deliveries of a recovery; only while this node recovers.
#[utoipa::path(post, path = "/pushBatch", tag = "peer", request_body = BatchBody<'static>,
    responses((status = 200, description = "Taken"), (status = 403, description = "This node does not recover", body = String, content_type = "text/plain")))]
async fn push_batch(State(api): Surface, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    body::json_type(&parts.headers)?;
    let bytes = body::read(body, api.limits.body).await?;
    let payloads = {
        let body = body::json::<BatchBody<'_>>(&bytes)?;
        let words = body.encoded_payloads.unwrap_or_default();
        let decoded = words.iter().enumerate().map(|(at, word)| {
            let bytes = Bytes::from(request::bytes(&format!("encodedPayloads[{at}]"), word)?);
            Ok(EncodedPayload::decode(Codec::Legacy, &bytes)?)
        });
        decoded.collect::<Result<Vec<_>, Error>>()?
    };
    api.node.push_batch(payloads).await?;
    Ok(reply::text(""))
}

/// Takes back a delivery of a send that failed elsewhere (Celosia only).
#[utoipa::path(post, path = "/withdraw", tag = "peer", request_body = WithdrawBody<'static>,
    responses((status = 204, description = "Forgotten, durably"),
        (status = 403, description = "The token is unknown or has expired", body = String, content_type = "text/plain")))]
async fn withdraw(State(api): Surface, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    body::json_type(&parts.headers)?;
    let bytes = body::read(body, api.limits.body).await?;
    let body = body::json::<WithdrawBody<'_>>(&bytes)?;
    let id = body.id.as_deref().ok_or_else(|| RequestError::field("id", "missing"))?;
    let id = Asked::parse(id).map_err(|_| RequestError::word("id", crate::types::ParseError::Base64))?.id()?;
    let token = body.token.as_deref().and_then(|token| token.parse().ok());
    let token = token.ok_or_else(|| RequestError::field("token", "not 32 hexadecimal digits"))?;
    api.node.withdraw(id, token).await?;
    Ok(reply::nothing())
}
