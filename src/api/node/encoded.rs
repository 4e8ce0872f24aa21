use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::error::Error;
use crate::api::model::{ReceiveAnswer, SealedJson, SendBody};
use crate::api::request::MediaType;
use crate::api::{Api, Surface, body, reply};

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::default().routes(routes!(create)).routes(routes!(decrypt))
}

/// Seals a payload that is neither kept nor sent, for contract extension.
#[utoipa::path(post, path = "/encodedpayload/create", operation_id = "createEncodedPayload", tag = "node",
    request_body(content((SendBody<'static> = "application/json"), (SendBody<'static> = "application/vnd.tessera-2.1+json"))),
    responses((status = 200, description = "The sealed payload", body = SealedJson)))]
async fn create(State(api): Surface, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let sent = body::json_type(&parts.headers)?;
    let media = body::answer_type(&parts.headers, sent);
    let bytes = body::read(body, api.limits.body).await?;
    // Mandatory recipients are not known here, in any family.
    let request = body::json::<SendBody<'_>>(&bytes)?.read(MediaType::Json)?;
    let payload = api.node.create_payload(request).await?;
    Ok(reply::sized_json(media, &SealedJson::from(&payload), payload.ciphertext.len()))
}

/// Opens a sealed payload that is not kept here.
#[utoipa::path(post, path = "/encodedpayload/decrypt", operation_id = "decryptEncodedPayload", tag = "node",
    request_body(content((SealedJson = "application/json"), (SealedJson = "application/vnd.tessera-2.1+json"))),
    responses(
        (status = 200, description = "The payload", body = ReceiveAnswer<'static>),
        (status = 500, description = "Altered, or no box opens with a key of this node", body = String, content_type = "text/plain"),
    ))]
async fn decrypt(State(api): Surface, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let media = body::answer_type(&parts.headers, body::json_type(&parts.headers)?);
    let bytes = body::read(body, api.limits.body).await?;
    let received = api.node.open_payload(body::json::<SealedJson>(&bytes)?.read()?).await?;
    Ok(reply::sized_json(media, &ReceiveAnswer::new(media, &received), received.payload.len()))
}
