use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::error::Error;
use crate::api::{Api, Surface, body, reply};

/// Longest privacy group: thousands of members.
const MAX_GROUP: usize = 1 << 20;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::default().routes(routes!(push_group))
}

/// Takes a privacy group from the member that made it.
#[utoipa::path(post, path = "/pushPrivacyGroup", tag = "peer",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "Kept")))]
async fn push_group(State(api): Surface, request: Request) -> Result<Response, Error> {
    let bytes = body::read(request.into_body(), MAX_GROUP).await?;
    api.node.group_pushed(bytes).await?;
    Ok(reply::text(""))
}
