//! A mailbox for officers' ceremonies: plans opened, messages handed in and fetched. What counts of officers is their signatures, not who
//! brought them here (`docs/officers.md`).

use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::acts::json_up_to;
use super::door::{Who, guarded, name};
use super::{Access, Act, Refusal};
use crate::ceremony::CeremonyId;
use crate::services::{CeremonyView, Node, Posted, SaidPage};

/// Longest plan, in JSON.
const MAX_PLAN: usize = 256 * 1024;
/// Longest message, in JSON within JSON.
const MAX_MESSAGE: usize = 128 * 1024;

/// The routes, behind the door where there is one.
pub fn routes(node: &Arc<Node>, access: Option<&Arc<Access>>) -> Router {
    let reading = Router::new()
        .route("/ceremonies", get(list))
        .route("/ceremonies/{id}", get(show))
        .route("/ceremonies/{id}/committee", get(committee))
        .route("/ceremonies/{id}/messages", get(messages));
    let parts: [(Router<Arc<Node>>, Act); 3] = [
        (reading, Act::ReadCeremonies),
        (Router::new().route("/ceremonies", post(open)), Act::OpenCeremony),
        (Router::new().route("/ceremonies/{id}/messages", post(say)), Act::RelayCeremony),
    ];
    guarded(node, access, parts)
}

async fn list(State(node): State<Arc<Node>>) -> Result<Json<Vec<CeremonyView>>, Refusal> {
    Ok(Json(node.ceremonies()?))
}

async fn show(State(node): State<Arc<Node>>, Path(id): Path<String>) -> Result<Json<CeremonyView>, Refusal> {
    Ok(Json(node.ceremony(&parse(&id)?).await?))
}

async fn committee(State(node): State<Arc<Node>>, Path(id): Path<String>) -> Result<Json<Value>, Refusal> {
    Ok(Json(json!({ "committee": node.ceremony_committee(&parse(&id)?).await? })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// The plan's file.
    plan: String,
}

async fn open(State(node): State<Arc<Node>>, who: Who, request: Request) -> Result<(StatusCode, Json<Posted>), Refusal> {
    let Asked { plan } = json_up_to(request, MAX_PLAN).await?;
    Ok((StatusCode::CREATED, Json(node.open_ceremony(&plan, name(&who)).await?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    /// The place of the last message that is known.
    #[serde(default)]
    after: u64,
}

async fn messages(
    State(node): State<Arc<Node>>,
    Path(id): Path<String>,
    Query(After { after }): Query<After>,
) -> Result<Json<SaidPage>, Refusal> {
    Ok(Json(node.ceremony_messages(&parse(&id)?, after).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    /// The message's file.
    message: String,
}

async fn say(State(node): State<Arc<Node>>, Path(id): Path<String>, request: Request) -> Result<Json<Posted>, Refusal> {
    let Word { message } = json_up_to(request, MAX_MESSAGE).await?;
    Ok(Json(node.say_in_ceremony(parse(&id)?, message.as_bytes()).await?))
}

fn parse(id: &str) -> Result<CeremonyId, Refusal> {
    id.parse().map_err(|_| Refusal::ActMalformed("the number of a ceremony is 64 hexadecimal digits".into()))
}
