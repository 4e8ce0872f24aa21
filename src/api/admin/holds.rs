//! Holds and blocks: placed, shown, exported for the committee, answered. Releasing is an act of two people where `[access]` is configured
//! (`celosia acts`), and one call where it is not.

use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::Value;

use super::acts::{json, json_up_to};
use super::door::{Nothing, Who, guarded, name};
use super::{Access, Act, Refusal};
use crate::erasure::{Hold, HoldAnswer, HoldId, HoldKind, HoldRequest, Scope};
use crate::services::{NewHold, Node};

/// Holds of one page.
const PAGE: usize = 1_000;
/// Longest answer of the committee: some hundred thousand envelopes.
const MAX_ANSWER: usize = 128 << 20;

/// The routes, behind the door where there is one.
pub fn routes(node: &Arc<Node>, access: Option<&Arc<Access>>) -> Router {
    let reading = Router::new().route("/holds", get(list)).route("/holds/{hold}", get(show));
    let placing = Router::new()
        .route("/holds", post(place))
        .route("/holds/{hold}/export", post(export))
        .route("/holds/{hold}/answer", post(answer).layer(axum::extract::DefaultBodyLimit::disable()));
    let parts = [(reading, Act::ReadHolds), (placing, Act::PlaceHold)];
    let routes = guarded(node, access, parts);
    match access {
        // Threat: one person makes readable, or lets be erased, what a court wants kept. Where people can be told apart, two of them are needed.
        Some(_) => routes,
        None => routes.merge(Router::new().route("/holds/{hold}/release", post(release)).with_state(Arc::clone(node))),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    after: Option<HoldId>,
}

async fn list(State(node): State<Arc<Node>>, Query(After { after }): Query<After>) -> Result<Json<Vec<Hold>>, Refusal> {
    Ok(Json(node.holds_after(after, PAGE).await?))
}

async fn show(State(node): State<Arc<Node>>, Path(hold): Path<String>) -> Result<Json<Hold>, Refusal> {
    Ok(Json(node.hold(parse(&hold)?).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    kind: HoldKind,
    ground: String,
    reference: String,
    /// Milliseconds since the Unix epoch.
    until: u64,
    scope: Scope,
}

async fn place(State(node): State<Arc<Node>>, who: Who, request: Request) -> Result<(StatusCode, Json<Hold>), Refusal> {
    let Asked { kind, ground, reference, until, scope } = json(request).await?;
    let hold = node.place_hold(NewHold { kind, ground, reference, until, scope }, name(&who)).await?;
    Ok((StatusCode::CREATED, Json(hold)))
}

async fn export(
    State(node): State<Arc<Node>>,
    Path(hold): Path<String>,
    who: Who,
    request: Request,
) -> Result<Json<HoldRequest>, Refusal> {
    let Nothing {} = json(request).await?;
    Ok(Json(node.export_hold(parse(&hold)?, name(&who)).await?))
}

async fn answer(State(node): State<Arc<Node>>, Path(hold): Path<String>, request: Request) -> Result<Json<Value>, Refusal> {
    let answer: HoldAnswer = json_up_to(request, MAX_ANSWER).await?;
    let (answers, needed) = node.answer_hold(parse(&hold)?, answer).await?;
    Ok(Json(serde_json::json!({ "answers": answers, "needed": needed })))
}

async fn release(
    State(node): State<Arc<Node>>,
    Path(hold): Path<String>,
    who: Who,
    request: Request,
) -> Result<Json<Hold>, Refusal> {
    let Nothing {} = json(request).await?;
    Ok(Json(node.release_hold(parse(&hold)?, name(&who)).await?))
}

fn parse(hold: &str) -> Result<HoldId, Refusal> {
    hold.parse().map_err(|error| Refusal::ActMalformed(format!("a hold's name: {error}")))
}
