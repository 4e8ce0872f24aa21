//! Paths that every surface has.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::ACCEPT;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::error::Error;
use super::{Api, Surface, reply};
use crate::types::ApiVersion;

/// The routes.
pub(crate) fn routes() -> OpenApiRouter<std::sync::Arc<Api>> {
    OpenApiRouter::default()
        .routes(routes!(root))
        .routes(routes!(upcheck))
        .routes(routes!(version))
        .routes(routes!(distribution))
        .routes(routes!(versions))
        .routes(routes!(metrics))
        .routes(routes!(document))
        .routes(routes!(openapi))
}

/// The answer to a path that is none.
pub(crate) async fn no_such_path() -> Error {
    Error::Path
}

/// The answer to a method that the path does not have.
pub(crate) async fn no_such_method() -> Error {
    Error::Method
}

/// For load balancers: 200 with an empty body.
#[utoipa::path(get, path = "/", tag = "common", responses((status = 200, description = "An empty body")))]
async fn root() -> Response {
    reply::text("")
}

/// Whether the process answers. It asks neither store, enclave nor peers.
#[utoipa::path(get, path = "/upcheck", tag = "common", responses((status = 200, description = "`I'm up!`", body = String, content_type = "text/plain")))]
async fn upcheck() -> Response {
    reply::text("I'm up!")
}

/// The version of this program.
#[utoipa::path(get, path = "/version", tag = "common", responses((status = 200, description = "The version", body = String, content_type = "text/plain")))]
async fn version() -> Response {
    reply::text(env!("CARGO_PKG_VERSION"))
}

/// The version of this program.
#[utoipa::path(get, path = "/version/distribution", tag = "common", responses((status = 200, description = "The version", body = String, content_type = "text/plain")))]
async fn distribution() -> Response {
    reply::text(env!("CARGO_PKG_VERSION"))
}

/// The API versions, oldest first: GoQuorum chooses its features by the newest.
#[utoipa::path(get, path = "/version/api", tag = "common", responses((status = 200, description = "API versions", body = Vec<String>)))]
async fn versions() -> Json<[&'static str; 6]> {
    Json(ApiVersion::ALL.map(ApiVersion::api_name))
}

/// Metrics in the Prometheus text format.
#[utoipa::path(get, path = "/metrics", tag = "common", responses((status = 200, description = "Metrics", body = String, content_type = "text/plain")))]
async fn metrics(State(api): Surface) -> Response {
    reply::text(api.metrics.metrics().await)
}

/// This document, as JSON or YAML by `Accept`.
#[utoipa::path(get, path = "/api", tag = "common", responses(
    (status = 200, description = "The OpenAPI document", content((serde_json::Value = "application/json"), (String = "application/yaml"))),
    (status = 400, description = "`Accept` names neither", body = String, content_type = "text/plain"),
))]
async fn document(State(api): Surface, request: Request) -> Result<Response, Error> {
    let accept: Vec<&str> = request.headers().get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let named = accept.iter().flat_map(|value| value.split(','));
    let mut essences = named.map(|item| item.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()).peekable();
    if essences.peek().is_none() {
        return Ok(reply::typed("application/json", api.json.clone()));
    }
    essences
        .find_map(|essence| match essence.as_str() {
            "application/json" | "application/*" | "*/*" => Some(reply::typed("application/json", api.json.clone())),
            "application/yaml" => Some(reply::typed("application/yaml", api.yaml.clone())),
            _ => None,
        })
        .ok_or(Error::Accept)
}

/// This document as JSON.
#[utoipa::path(get, path = "/openapi.json", tag = "common", responses((status = 200, description = "The OpenAPI document", body = serde_json::Value)))]
async fn openapi(State(api): Surface) -> Response {
    reply::typed("application/json", api.json.clone())
}
