use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::error::Error;
use crate::api::model::{ResendBatchAnswer, ResendBatchBody, ResendBody, Text};
use crate::api::request::{self, Asked, MediaType, RequestError};
use crate::api::{Api, Surface, body, reply};
use crate::types::{Codec, ParseError};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::default().routes(routes!(resend)).routes(routes!(resend_batch))
}

/// Gives one payload again in the legacy codec (`INDIVIDUAL`), or pushes all that a key takes part in to its holder (`ALL`).
#[utoipa::path(post, path = "/resend", tag = "peer", request_body = ResendBody<'static>,
    responses((status = 200, description = "The payload, or nothing with `ALL`", body = Vec<u8>, content_type = "text/plain"),
        (status = 404, description = "Absent", body = String, content_type = "text/plain"),
        (status = 500, description = "The key has no part in it", body = String, content_type = "text/plain")))]
async fn resend(State(api): Surface, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    body::json_type(&parts.headers)?;
    let bytes = body::read(body, api.limits.body).await?;
    let body = body::json::<ResendBody<'_>>(&bytes)?;
    let scope = body.r#type.as_deref().unwrap_or_default();
    if scope.eq_ignore_ascii_case("ALL") {
        // A key of another length takes part in nothing, which is no error.
        match key(body.public_key.as_ref()) {
            Err(RequestError::RecipientUnknown(_)) => {}
            key => api.node.resend_all(key?).await?,
        }
        return Ok(reply::text(""));
    }
    if !scope.eq_ignore_ascii_case("INDIVIDUAL") {
        return Err(RequestError::field("type", "neither ALL nor INDIVIDUAL").into());
    }
    let key = key(body.public_key.as_ref())?;
    let id = body.key.as_deref().ok_or_else(|| RequestError::field("key", "missing; INDIVIDUAL needs it"))?;
    let id = Asked::parse(id).map_err(|_| RequestError::word("key", ParseError::Base64))?.id()?;
    let payload = api.node.resend_one(key, id).await?;
    Ok(reply::text(payload.encode(Codec::Legacy)))
}

/// Pushes all that a key takes part in to its holder, in batches; answers when all are pushed.
#[utoipa::path(post, path = "/resendBatch", tag = "peer", request_body = ResendBatchBody<'static>,
    responses((status = 200, description = "How many were pushed", body = ResendBatchAnswer)))]
async fn resend_batch(State(api): Surface, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    body::json_type(&parts.headers)?;
    let bytes = body::read(body, api.limits.body).await?;
    let body = body::json::<ResendBatchBody<'_>>(&bytes)?;
    let total = api.node.resend_batch(key(body.public_key.as_ref())?).await?;
    Ok(reply::json(MediaType::Json, &ResendBatchAnswer { total }))
}

fn key(text: Option<&Text<'_>>) -> Result<crate::types::Address, RequestError> {
    let text = text.ok_or_else(|| RequestError::field("publicKey", "missing"))?;
    request::recipient("publicKey", text)
}
