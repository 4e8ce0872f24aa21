//! Payloads that come back to this member after a loss (`docs/operations.md`): a recovery begins, and brings them one by one.

use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::routing::post;
use axum::{Extension, Json, Router};
use serde::Deserialize;

use super::acts::json;
use super::{Access, Act, Actor, Refusal};
use crate::crypto::hpke::BoxKey;
use crate::disclosure::{Frame, GrantId, Item, Provenance, SignedDocket, SignedRequest, frame_head};
use crate::services::{Begun, Brought, Node, ReturnParts, Rewrapped, Settled};
use crate::types::Address;

/// Longest list: of 200,000 payloads.
const MAX_LIST: usize = 8 << 20;
/// Longest payload, with its header and acknowledgements.
const MAX_PAYLOAD: usize = (1 << 29) + (32 << 20);
/// A sequence of CBOR byte strings (RFC 8742).
const SEQUENCE: &str = "application/cbor-seq";

struct Desk {
    node: Arc<Node>,
    /// Where people have roles, two of them want a recovery.
    needs_permit: bool,
}

/// The routes, behind the door where there is one.
pub fn routes(node: &Arc<Node>, access: Option<&Arc<Access>>) -> Router {
    let desk = Arc::new(Desk { node: Arc::clone(node), needs_permit: access.is_some() });
    let router = Router::new()
        .route("/recoveries/{grant}", post(begin).layer(DefaultBodyLimit::disable()))
        .route("/recoveries/{grant}/payloads", post(take).layer(DefaultBodyLimit::disable()))
        .with_state(Arc::clone(&desk));
    let rewrapping = Router::new().route("/keys/rewrap", post(rewrap)).with_state(desk);
    match access {
        Some(access) => access.guard(router, Act::Recover).merge(access.guard(rewrapping, Act::RewrapKeys)),
        None => router.merge(rewrapping),
    }
}

impl Desk {
    async fn permitted(&self, grant: GrantId) -> Result<(), Refusal> {
        if self.needs_permit { Ok(self.node.is_permitted(grant).await?) } else { Ok(()) }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct How {
    #[serde(default)]
    drill: bool,
    #[serde(default)]
    despite_silent: bool,
}

/// A sequence: request, docket, and the leaves of the list in one string.
async fn begin(
    State(desk): State<Arc<Desk>>,
    Path(grant): Path<String>,
    Query(how): Query<How>,
    request: Request,
) -> Result<Json<Begun>, Refusal> {
    let grant = parse(&grant)?;
    let body = sequence(request, MAX_LIST).await?;
    let [request, docket, leaves] = parted(&body)?;
    let parts = ReturnParts {
        request: SignedRequest::decode(request).map_err(crate::services::Error::from)?,
        docket: SignedDocket::decode(docket).map_err(crate::services::Error::from)?,
        leaves: leaves.as_chunks().0.to_vec(),
        is_drill: how.drill,
    };
    if parts.request.request.grant != grant || leaves.len() % 32 != 0 {
        return Err(malformed("the request is of another grant, or the list breaks off"));
    }
    // A drill changes nothing here.
    if !how.drill {
        desk.permitted(grant).await?;
    }
    Ok(Json(desk.node.begin_recovery(parts, how.despite_silent).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Under {
    /// The one-time key, base64.
    key: BoxKey,
}

/// A sequence: the item of the list, the keys sealed to the one-time key, the ciphertext, and header and acknowledgements.
async fn take(
    State(desk): State<Arc<Desk>>,
    Path(grant): Path<String>,
    Query(Under { key }): Query<Under>,
    request: Request,
) -> Result<Json<Settled>, Refusal> {
    let grant = parse(&grant)?;
    let body = sequence(request, MAX_PAYLOAD).await?;
    let [item, sealed, ciphertext, provenance] = parted(&body)?;
    let brought = Brought {
        item: Item::decode(item).map_err(crate::services::Error::from)?,
        sealed: sealed.to_vec(),
        ciphertext: ciphertext.to_vec(),
        provenance: Provenance::decode(provenance).map_err(crate::services::Error::from)?,
    };
    Ok(Json(desk.node.take_returned(grant, key, brought).await?))
}

/// Two keys of this member.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replaced {
    old: Address,
    new: Address,
}

async fn rewrap(
    State(desk): State<Arc<Desk>>,
    who: Option<Extension<Actor>>,
    request: Request,
) -> Result<Json<Rewrapped>, Refusal> {
    let Replaced { old, new } = json(request).await?;
    let by = who.as_ref().map_or("admin", |who| who.0.name());
    Ok(Json(desk.node.rewrap(old, new, by).await?))
}

async fn sequence(request: Request, most: usize) -> Result<Bytes, Refusal> {
    // A page elsewhere cannot make a browser send this type without asking us.
    if request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()) != Some(SEQUENCE) {
        return Err(malformed(&format!("the Content-Type must be {SEQUENCE}")));
    }
    let body = to_bytes(request.into_body(), most).await;
    body.map_err(|_| malformed(&format!("the body breaks off or is longer than {most} bytes")))
}

/// The strings of a sequence of exactly so many.
fn parted<const N: usize>(mut bytes: &[u8]) -> Result<[&[u8]; N], Refusal> {
    let wrong = || malformed(&format!("not a sequence of {N} byte strings"));
    let mut parts = [&[][..]; N];
    for part in &mut parts {
        let Ok(Frame::Of { head, content }) = frame_head(bytes) else { return Err(wrong()) };
        let whole = bytes.get(head..).and_then(|rest| rest.split_at_checked(content));
        (*part, bytes) = whole.ok_or_else(wrong)?;
    }
    if bytes.is_empty() { Ok(parts) } else { Err(wrong()) }
}

fn parse(grant: &str) -> Result<GrantId, Refusal> {
    grant.parse().map_err(|error| malformed(&format!("a grant's name: {error}")))
}

fn malformed(what: &str) -> Refusal {
    Refusal::ActMalformed(what.to_owned())
}
