//! Erasure on the word of the application that answers for the data: a case is opened and decided in one call.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::error::Error;
use crate::api::request::{MediaType, RequestError};
use crate::api::{Api, Surface, body, reply};
use crate::erasure::{CaseId, Ground, Scope};
use crate::services::NewCase;

/// Longest request: some thousands of ids.
const MAX_BODY: usize = 1 << 20;
/// Who decided, in the journal.
const APPLICATION: &str = "application";

/// The routes.
pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::default().routes(routes!(erase)).routes(routes!(erasure))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    scope: Scope,
    ground: Ground,
    #[serde(default)]
    urgent: bool,
}

/// Erases what falls under a scope, here and at every holder.
///
/// `scope` is `{"by": "items", "of": [ids]}`, or `subject`, `purpose`, `contract`, `key`, `class` with one word; `ground` one of GDPR art. 17(1), `retention` or
/// `controller-decision`; `urgent` rotates the root at once. The answer is the case: `docs/erasure.md`.
#[utoipa::path(post, path = "/erasures", operation_id = "orderErasure", tag = "application",
    request_body(content = String, content_type = "application/json", description = "scope, ground, urgent"),
    responses((status = 202, description = "The case, decided", content_type = "application/json"),
        (status = 400, description = "The body is no such request"), (status = 422, description = "Nothing falls under the scope")))]
async fn erase(State(api): Surface, request: Request) -> Result<Response, Error> {
    // Threat: a page elsewhere makes a browser ask for it. That media type no foreign page can send unasked.
    body::json_type(request.headers())?;
    let bytes = body::read(request.into_body(), MAX_BODY).await?;
    let asked: Asked = body::json(&bytes)?;
    let new = NewCase { scope: asked.scope, ground: asked.ground, urgent: asked.urgent };
    let case = api.node.request_erasure(new, APPLICATION).await?;
    let case = api.node.decide_erasure(case.id, APPLICATION).await?;
    Ok((StatusCode::ACCEPTED, reply::json(MediaType::Json, &case)).into_response())
}

/// How far an erasure is: its state, its steps, what each holder answered.
#[utoipa::path(get, path = "/erasures/{case}", operation_id = "showErasure", tag = "application",
    params(("case" = String, Path, description = "Name of the case, 32 hexadecimal digits")),
    responses((status = 200, description = "The case", content_type = "application/json"), (status = 404, description = "No such case")))]
async fn erasure(State(api): Surface, Path(case): Path<String>) -> Result<Response, Error> {
    let case: CaseId = case.parse().map_err(|_| RequestError::PathId)?;
    Ok(reply::json(MediaType::Json, &api.node.erasure(case).await?))
}
