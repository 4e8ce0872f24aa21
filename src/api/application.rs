//! The application surface: Tessera's third-party API.

mod documents;
mod erasures;
mod tags;

use std::sync::Arc;

use axum::extract::State;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::gate::{Gate, pass};
use super::model::KeyList;
use super::request::MediaType;
use super::{Api, Limits, Surface, common, events, node, openapi, reply};

/// The routes.
pub(crate) fn routes(limits: &Limits) -> OpenApiRouter<Arc<Api>> {
    let writes = Gate::new(limits.writes, limits.queue);
    let reads = Gate::new(limits.reads, limits.queue);
    let writing = node::raw_routes().merge(tags::routes()).merge(erasures::routes());
    let kept = writing.route_layer(from_fn_with_state(writes, pass));
    let told =
        OpenApiRouter::default().routes(routes!(keys)).routes(routes!(known_keys)).route_layer(from_fn_with_state(reads, pass));
    OpenApiRouter::with_openapi(openapi::titled("application surface"))
        .merge(common::routes())
        .merge(events::routes())
        .merge(documents::routes(limits))
        .merge(kept)
        .merge(told)
}

/// This node's own public keys.
#[utoipa::path(get, path = "/keys", tag = "application", responses((status = 200, description = "The keys", body = KeyList)))]
async fn keys(State(api): Surface) -> Response {
    reply::json(MediaType::Json, &KeyList::new(api.node.own_keys().iter().copied()))
}

/// Every known public key in the network, this node's own included.
#[utoipa::path(get, path = "/partyinfo/keys", tag = "application", responses((status = 200, description = "The keys", body = KeyList)))]
async fn known_keys(State(api): Surface) -> Response {
    reply::json(MediaType::Json, &KeyList::new(api.node.known_keys().into_iter().map(|(key, _)| key)))
}
