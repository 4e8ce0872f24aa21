use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::error::Error;
use crate::api::model::{KeyAnswer, StoreRawBody};
use crate::api::{Api, Surface, body, reply, request};

/// The route, on the node and the application surface.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::default().routes(routes!(store_raw))
}

/// Keeps a payload for its sender until a signed transaction refers to it.
#[utoipa::path(post, path = "/storeraw", tags = ["node", "application"],
    request_body(content((StoreRawBody<'static> = "application/json"), (StoreRawBody<'static> = "application/vnd.tessera-2.1+json"))),
    responses(
        (status = 200, description = "Kept, durably", body = KeyAnswer<'static>),
        (status = 400, description = "The request is wrong", body = String, content_type = "text/plain"),
        (status = 404, description = "The sender is not a key of this node", body = String, content_type = "text/plain"),
    ))]
async fn store_raw(State(api): Surface, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let media = body::answer_type(&parts.headers, body::json_type(&parts.headers)?);
    let bytes = body::read(body, api.limits.body).await?;
    let (payload, from) = {
        let body = body::json::<StoreRawBody<'_>>(&bytes)?;
        (request::payload(body.payload.as_deref())?, request::sender("from", body.from.as_deref())?)
    };
    let id = api.node.store_raw(payload, from).await?;
    Ok(reply::json(media, &KeyAnswer { key: &id }))
}
