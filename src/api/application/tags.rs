//! `/tags/{id}`: what an application knows of a payload or document.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

use crate::api::error::Error;
use crate::api::model::TagsJson;
use crate::api::request::{MediaType, RequestError, item};
use crate::api::{Api, Surface, body, reply};

#[derive(OpenApi)]
#[openapi(paths(show, put), components(schemas(TagsJson)))]
struct Document;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    // A wildcard: an id holds `/`, escaped or not.
    OpenApiRouter::with_openapi(Document::openapi()).route("/tags/{*id}", get(show).put(put))
}

/// What is known of an item beyond its header.
#[utoipa::path(get, path = "/tags/{id}", operation_id = "tags", tag = "application",
    params(("id" = String, Path, description = "Id of a payload or document in base64; `/` as `%2F`")),
    responses((status = 200, description = "What is known; `{}` if nothing was declared", body = TagsJson),
        (status = 404, description = "Absent, erased or blocked", body = String, content_type = "text/plain")))]
async fn show(State(api): Surface, request: Request) -> Result<Response, Error> {
    let tags = api.node.tags_of(item(request.uri().path(), "/tags/")?).await?;
    Ok(reply::json(MediaType::Json, &TagsJson::from(tags.unwrap_or_default())))
}

/// Declares what is known of an item, in place of what was known before.
#[utoipa::path(put, path = "/tags/{id}", operation_id = "setTags", tag = "application",
    params(("id" = String, Path, description = "Id of a payload or document in base64; `/` as `%2F`")),
    request_body(content = TagsJson),
    responses((status = 204, description = "Kept, durably"),
        (status = 400, description = "A word that cannot be", body = String, content_type = "text/plain"),
        (status = 404, description = "Absent, erased or blocked", body = String, content_type = "text/plain"),
        (status = 409, description = "Its erasure has begun", body = String, content_type = "text/plain")))]
async fn put(State(api): Surface, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let item = item(parts.uri.path(), "/tags/")?;
    body::json_type(&parts.headers)?;
    let bytes = body::read(body, api.limits.body).await?;
    if !TagsJson::is_object(&bytes) {
        return Err(RequestError::Json("not a JSON object".into()).into());
    }
    let tags = body::json::<TagsJson>(&bytes)?.read(Timestamp::now()).map_err(crate::services::Error::from)?;
    api.node.tag(item, tags).await?;
    Ok(reply::nothing())
}
