//! Cases that people handle, notices of violations, indicators for auditors.

use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;

use super::acts::json;
use super::{Access, Act, Actor, Refusal, Role};
use crate::matter::{Attachment, Level, Matter, MatterId, MatterKind, Outcome, Step};
use crate::services::{Indicators, NewMatter, Node};
use crate::types::MemberId;

/// Cases of one page.
const PAGE: usize = 1_000;

type Who = Option<Extension<Actor>>;

/// The routes, behind the door where there is one.
pub fn routes(node: &Arc<Node>, access: Option<&Arc<Access>>) -> Router {
    let reading =
        Router::new().route("/cases", get(list)).route("/cases/{case}", get(show)).route("/indicators", get(indicators));
    let opening = Router::new().route("/cases", post(open)).route("/cases/{case}/attach", post(attach));
    let handling = Router::new()
        .route("/cases/{case}/assign", post(assign))
        .route("/cases/{case}/decide", post(decide))
        .route("/cases/{case}/close", post(close))
        .route("/cases/{case}/reopen", post(reopen))
        .route("/cases/{case}/acknowledge", post(acknowledge));
    let parts = [(reading, Act::ReadCases), (opening, Act::OpenCase), (handling, Act::HandleCase)];
    let parts = parts.map(|(router, act)| {
        let router: Router = router.with_state(Arc::clone(node));
        match access {
            Some(access) => access.guard(router, act),
            None => router,
        }
    });
    parts.into_iter().fold(Router::new(), Router::merge)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    after: Option<MatterId>,
}

async fn list(State(node): State<Arc<Node>>, Query(After { after }): Query<After>) -> Result<Json<Vec<Matter>>, Refusal> {
    Ok(Json(node.matters_after(after, PAGE).await?))
}

async fn show(State(node): State<Arc<Node>>, Path(case): Path<String>) -> Result<Json<Matter>, Refusal> {
    Ok(Json(node.matter(parse(&case)?).await?))
}

async fn indicators(State(node): State<Arc<Node>>) -> Result<Json<Indicators>, Refusal> {
    Ok(Json(node.indicators().await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Opened {
    kind: MatterKind,
    title: String,
    member: Option<MemberId>,
}

async fn open(State(node): State<Arc<Node>>, who: Who, request: Request) -> Result<(StatusCode, Json<Matter>), Refusal> {
    let Opened { kind, title, member } = json(request).await?;
    let matter = node.open_matter(NewMatter { kind, title, member }, name(&who)).await?;
    Ok((StatusCode::CREATED, Json(matter)))
}

/// The digest of a file, never the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attached {
    name: String,
    bytes: u64,
    sha256: String,
}

async fn attach(
    State(node): State<Arc<Node>>,
    Path(case): Path<String>,
    who: Who,
    request: Request,
) -> Result<Json<Matter>, Refusal> {
    let Attached { name: file, bytes, sha256 } = json(request).await?;
    let file = Attachment { name: file, bytes, sha256, at: 0, by: String::new() };
    step(&node, &case, Step::Attach(file), &who).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Assigned {
    to: String,
}

async fn assign(
    State(node): State<Arc<Node>>,
    Path(case): Path<String>,
    who: Who,
    request: Request,
) -> Result<Json<Matter>, Refusal> {
    let Assigned { to } = json(request).await?;
    step(&node, &case, Step::Assign(to), &who).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decided {
    outcome: Outcome,
    text: String,
}

async fn decide(
    State(node): State<Arc<Node>>,
    Path(case): Path<String>,
    who: Who,
    request: Request,
) -> Result<Json<Matter>, Refusal> {
    let Decided { outcome, text } = json(request).await?;
    step(&node, &case, Step::Decide(outcome, text), &who).await
}

/// Nothing is said beyond the path.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn close(
    State(node): State<Arc<Node>>,
    Path(case): Path<String>,
    who: Who,
    request: Request,
) -> Result<Json<Matter>, Refusal> {
    let Nothing {} = json(request).await?;
    step(&node, &case, Step::Close, &who).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reopened {
    text: String,
}

async fn reopen(
    State(node): State<Arc<Node>>,
    Path(case): Path<String>,
    who: Who,
    request: Request,
) -> Result<Json<Matter>, Refusal> {
    let Reopened { text } = json(request).await?;
    step(&node, &case, Step::Reopen(text), &who).await
}

async fn acknowledge(
    State(node): State<Arc<Node>>,
    Path(case): Path<String>,
    who: Who,
    request: Request,
) -> Result<Json<Matter>, Refusal> {
    let Nothing {} = json(request).await?;
    step(&node, &case, Step::Acknowledge(level(&who)), &who).await
}

/// The highest level that somebody stands on. Where nobody can be told from anybody, whoever is on this machine is all of them.
fn level(who: &Who) -> Level {
    let Some(Extension(actor)) = who else { return Level::Governor };
    let has = |role| actor.roles().contains(&role);
    if has(Role::Governor) {
        Level::Governor
    } else if has(Role::Dpo) {
        Level::Dpo
    } else {
        Level::Operator
    }
}

async fn step(node: &Node, case: &str, step: Step, who: &Who) -> Result<Json<Matter>, Refusal> {
    Ok(Json(node.step_matter(parse(case)?, step, name(who)).await?))
}

fn parse(case: &str) -> Result<MatterId, Refusal> {
    case.parse().map_err(|error| Refusal::ActMalformed(format!("a case's name: {error}")))
}

fn name(who: &Who) -> &str {
    who.as_ref().map_or("admin", |who| who.0.name())
}
