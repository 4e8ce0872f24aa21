//! The peer surface: Tessera's P2P API, and what Celosias say to each other beyond it.

mod group;
mod party_info;
mod push;
mod resend;

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;

use super::gate::{Gate, pass};
use super::{Api, Limits, common, openapi};
use crate::services::Capabilities;
use crate::types::VersionSet;

/// API versions that the caller speaks: one line each, or a comma list.
const VERSIONS_HEADER: HeaderName = HeaderName::from_static("tesserasupportedapiversions");
/// Says that this is a Celosia, and of which protocol version.
const CELOSIA_HEADER: HeaderName = HeaderName::from_static("celosia-version");

/// The routes. Discovery has no gate: a node that is busy is still to be found.
pub(crate) fn routes(limits: &Limits) -> OpenApiRouter<Arc<Api>> {
    let writes = Gate::new(limits.writes, limits.queue);
    let bulk = Gate::new(limits.reads, limits.queue);
    let pushed = push::routes().merge(group::routes()).route_layer(from_fn_with_state(writes, pass));
    let resent = resend::routes().route_layer(from_fn_with_state(bulk, pass));
    OpenApiRouter::with_openapi(openapi::titled("peer surface"))
        .merge(common::routes())
        .merge(pushed)
        .merge(resent)
        .merge(party_info::routes())
        .layer(map_response(introduce))
}

/// What the caller says of itself.
fn capabilities(headers: &HeaderMap) -> Capabilities {
    let lines = headers.get_all(VERSIONS_HEADER).iter().filter_map(|line| line.to_str().ok());
    Capabilities { versions: VersionSet::parse(lines), celosia: is_celosia(headers) }
}

fn is_celosia(headers: &HeaderMap) -> bool {
    headers.contains_key(CELOSIA_HEADER)
}

/// Every answer says what we speak.
async fn introduce(mut response: Response) -> Response {
    let headers = response.headers_mut();
    for name in VersionSet::ALL.header_names() {
        headers.append(VERSIONS_HEADER, HeaderValue::from_static(name));
    }
    headers.insert(CELOSIA_HEADER, HeaderValue::from_static("1"));
    response
}
