//! The node surface: Tessera's Q2T API, as GoQuorum 2 to 24 and older clients call it.

mod encoded;
mod groups;
mod legacy;
mod raw;
mod send;
mod transaction;

use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use utoipa_axum::router::OpenApiRouter;

use super::gate::{Gate, pass};
use super::{Api, Limits, common, openapi};

pub(crate) use raw::routes as raw_routes;

/// The routes. Look-ups have a gate of their own: GoQuorum stops when they are not answered.
pub(crate) fn routes(limits: &Limits) -> OpenApiRouter<Arc<Api>> {
    let writes = Gate::new(limits.writes, limits.queue);
    let reads = Gate::new(limits.reads, limits.queue);
    let writing = send::routes()
        .merge(raw::routes())
        .merge(encoded::routes())
        .merge(groups::routes())
        .merge(legacy::write_routes())
        .route_layer(from_fn_with_state(writes, pass));
    let reading = transaction::routes()
        .merge(legacy::read_routes())
        .merge(groups::read_routes())
        .route_layer(from_fn_with_state(reads, pass));
    OpenApiRouter::with_openapi(openapi::titled("node surface")).merge(common::routes()).merge(writing).merge(reading)
}
