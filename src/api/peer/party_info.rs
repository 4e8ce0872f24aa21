use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::capabilities;
use crate::api::error::Error;
use crate::api::model::{HolderEntry, PartyInfoAnswer as PartyInfoJson, PeerEntry};
use crate::api::request::MediaType;
use crate::api::{Api, Surface, body, reply};
use crate::services::{PartyInfoAnswer, PartyInfoFrom};
use crate::types::Codec;
use crate::wire::{EncodedPayload, PartyInfo};

/// Longest announcement: keys and URLs of some thousand members.
const MAX_INFO: usize = 1 << 20;
/// Longest challenge: a UUID in a box, with room.
const MAX_CHALLENGE: usize = 64 * 1024;

pub(super) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::default().routes(routes!(told, announced)).routes(routes!(validate))
}

/// Who is where, as this node knows it.
#[utoipa::path(get, path = "/partyinfo", tag = "peer", responses((status = 200, description = "Keys and URLs", body = PartyInfoJson)))]
async fn told(State(api): Surface) -> Response {
    let keys = api.node.known_keys();
    let mut seen = BTreeSet::new();
    let answer = PartyInfoJson {
        url: api.node.settings().own_url.clone(),
        peers: api.node.known_urls().into_iter().map(|url| PeerEntry { url }).collect(),
        keys: keys.into_iter().filter(|(key, _)| seen.insert(*key)).map(|(key, url)| HolderEntry { key, url }).collect(),
    };
    reply::json(MediaType::Json, &answer)
}

/// Learns from an announcement.
#[utoipa::path(post, path = "/partyinfo", tag = "peer",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "This node's URL, or nothing where keys are validated", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 403, description = "Discovery is off and the peer is not configured", body = String, content_type = "text/plain"),
        (status = 500, description = "It does not decode, or no key could be proved", body = String, content_type = "text/plain")))]
async fn announced(State(api): Surface, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let capabilities = capabilities(&parts.headers);
    let info = PartyInfo::decode(&body::read(body, MAX_INFO).await?)?;
    Ok(match api.node.party_info_received(PartyInfoFrom { info, capabilities }).await? {
        PartyInfoAnswer::EmptyInfo(info) => reply::octets(info.encode()),
        PartyInfoAnswer::Nothing => reply::octets(""),
    })
}

/// Proves that this node holds a key: opens a sealed UUID. Anything else that it opens is not told.
#[utoipa::path(post, path = "/partyinfo/validate", tag = "peer",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, description = "The UUID", body = String, content_type = "text/plain"),
        (status = 400, description = "Not a UUID", body = String, content_type = "text/plain")))]
async fn validate(State(api): Surface, request: Request) -> Result<Response, Error> {
    let bytes = body::read(request.into_body(), MAX_CHALLENGE).await?;
    let answer = api.node.answer_challenge(EncodedPayload::decode(Codec::Legacy, &bytes)?).await?;
    Ok(reply::text(answer))
}
