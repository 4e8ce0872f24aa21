//! Supervision: orders to stop at every node; what a supervisor sees, signs and asks for, at its own.

mod stream;

use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::acts::json;
use super::door::{Who, guarded, name};
use super::{Access, Act, Refusal};
use crate::net::Shutdown;
use crate::services::{CaughtUp, NewStop, Node, Queued, Seen, Spread, StopView};
use crate::supervision::{StopNumber, StopScope};
use crate::types::PayloadId;

/// Streams at once; each holds one connection.
const MOST_STREAMS: usize = 16;

type Desk = State<Arc<Shared>>;

struct Shared {
    node: Arc<Node>,
    shutdown: Shutdown,
    places: Arc<Semaphore>,
}

/// The routes, behind the door where there is one. Streams end when the shutdown begins.
pub fn routes(node: &Arc<Node>, access: Option<&Arc<Access>>, shutdown: &Shutdown) -> Router {
    let shared =
        Arc::new(Shared { node: Arc::clone(node), shutdown: shutdown.clone(), places: Arc::new(Semaphore::new(MOST_STREAMS)) });
    let watching = Router::new().route("/supervision/seen", get(seen)).route("/supervision/stream", get(watch));
    let cosigning = Router::new().route("/supervision/queue", get(queue)).route("/supervision/queue/{id}", post(cosign));
    let parts = [
        (Router::new().route("/stops", get(list)), Act::ReadStops),
        (Router::new().route("/stops", post(stop)), Act::Stop),
        (Router::new().route("/stops/{number}/lift", post(lift)), Act::LiftStop),
        (watching, Act::Watch),
        (Router::new().route("/supervision/catch-up", post(catch_up)), Act::CatchUp),
        (cosigning, Act::Cosign),
    ];
    guarded(&shared, access, parts)
}

async fn list(State(desk): Desk) -> Result<Json<Vec<StopView>>, Refusal> {
    Ok(Json(desk.node.stops()?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    scope: StopScope,
    #[serde(default)]
    creations: Vec<PayloadId>,
    authority: String,
    text: String,
}

async fn stop(State(desk): Desk, who: Who, request: Request) -> Result<(StatusCode, Json<Spread>), Refusal> {
    let Asked { scope, mut creations, authority, text } = json(request).await?;
    creations.sort_unstable();
    creations.dedup();
    let malformed = || Refusal::ActMalformed("`creations` are at most 64 payloads that made the contract of the scope".into());
    let scope = scope.with_creations(creations).ok_or_else(malformed)?;
    let spread = desk.node.order_stop(NewStop { scope, authority, text }, name(&who)).await?;
    Ok((StatusCode::CREATED, Json(spread)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    text: String,
}

async fn lift(State(desk): Desk, Path(number): Path<String>, who: Who, request: Request) -> Result<Json<Spread>, Refusal> {
    let Why { text } = json(request).await?;
    let number: StopNumber = number.parse().map_err(|error| Refusal::ActMalformed(format!("the number of an order: {error}")))?;
    Ok(Json(desk.node.lift_stop(number, text, name(&who)).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct From {
    /// The place of the last one that is known.
    after: Option<u64>,
}

/// A page of what was seen: JSON, and where to go on in `next`.
async fn seen(State(desk): Desk, Query(From { after }): Query<From>) -> Result<Json<Page>, Refusal> {
    let page = desk.node.watch(after.map_or(0, |after| after.saturating_add(1))).await?;
    Ok(Json(Page { seen: page.seen, next: page.next }))
}

#[derive(serde::Serialize)]
struct Page {
    seen: Vec<Seen>,
    next: u64,
}

async fn watch(State(desk): Desk, Query(From { after }): Query<From>, headers: HeaderMap) -> Result<Response, Refusal> {
    desk.node.may_watch()?;
    let last = headers.get("last-event-id").and_then(|last| last.to_str().ok()).filter(|last| !last.is_empty());
    let last = match last {
        Some(last) => {
            Some(last.parse::<u64>().map_err(|_| Refusal::ActMalformed("last-event-id is not the place of an event".into()))?)
        }
        None => after,
    };
    let place = Arc::clone(&desk.places).try_acquire_owned();
    let place = place.map_err(|_| Refusal::NotApplicable("as many streams are open as may be"))?;
    let reader = stream::Reader {
        node: Arc::clone(&desk.node),
        shutdown: desk.shutdown.clone(),
        next: last.map_or(0, |last| last.saturating_add(1)),
        greeted: false,
        _place: place,
    };
    Ok(reader.respond())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Since {
    scope: StopScope,
    /// Milliseconds since the Unix epoch.
    since: u64,
}

async fn catch_up(State(desk): Desk, who: Who, request: Request) -> Result<Json<CaughtUp>, Refusal> {
    let Since { scope, since } = json(request).await?;
    Ok(Json(desk.node.catch_up(scope, since, name(&who)).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Questions {
    #[serde(default)]
    waiting: bool,
    after: Option<PayloadId>,
}

async fn queue(State(desk): Desk, Query(asked): Query<Questions>) -> Result<Json<Vec<Queued>>, Refusal> {
    desk.node.may_watch()?;
    let queued = if asked.waiting { desk.node.cosign_waiting().await? } else { desk.node.cosign_queue(asked.after).await? };
    Ok(Json(queued))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    approve: bool,
    /// Why it is refused; the sender is told.
    reason: Option<String>,
}

async fn cosign(State(desk): Desk, Path(id): Path<String>, who: Who, request: Request) -> Result<Json<Queued>, Refusal> {
    let Word { approve, reason } = json(request).await?;
    let id: PayloadId = id.parse().map_err(|error| Refusal::ActMalformed(format!("a payload's id: {error}")))?;
    let reason = match (approve, reason) {
        (true, None) => None,
        (false, Some(reason)) => Some(reason),
        _ => return Err(Refusal::ActMalformed("a refusal has a `reason`, an approval has none".into())),
    };
    desk.node.may_watch()?;
    Ok(Json(desk.node.answer_cosign(id, reason, name(&who)).await?))
}
