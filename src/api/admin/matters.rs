//! Cases that people handle, notices of violations, indicators for auditors.

use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::acts::json;
use super::door::{Who, guarded, name};
use super::{Access, Act, Refusal, Role};
use crate::matter::{Attachment, Level, Matter, MatterId, MatterKind, Outcome, Step};
use crate::services::{Indicators, NewMatter, Node};
use crate::types::MemberId;

/// Cases of one page.
const PAGE: usize = 1_000;

/// The routes, behind the door where there is one.
pub fn routes(node: &Arc<Node>, access: Option<&Arc<Access>>) -> Router {
    let reading =
        Router::new().route("/cases", get(list)).route("/cases/{case}", get(show)).route("/indicators", get(indicators));
    let opening = Router::new().route("/cases", post(open)).route("/cases/{case}/attach", post(step::<Attached>));
    let handling = Router::new()
        .route("/cases/{case}/assign", post(step::<Assigned>))
        .route("/cases/{case}/decide", post(step::<Decided>))
        .route("/cases/{case}/close", post(step::<Closed>))
        .route("/cases/{case}/reopen", post(step::<Reopened>))
        .route("/cases/{case}/acknowledge", post(step::<Acknowledged>));
    let parts = [(reading, Act::ReadCases), (opening, Act::OpenCase), (handling, Act::HandleCase)];
    guarded(node, access, parts)
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Assigned {
    to: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decided {
    outcome: Outcome,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reopened {
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Closed {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Acknowledged {}

/// What a body says of a case.
trait Said: DeserializeOwned + Send + 'static {
    fn step(self, who: &Who) -> Step;
}

impl Said for Attached {
    fn step(self, _: &Who) -> Step {
        let Self { name, bytes, sha256 } = self;
        Step::Attach(Attachment { name, bytes, sha256, at: 0, by: String::new() })
    }
}

impl Said for Assigned {
    fn step(self, _: &Who) -> Step {
        Step::Assign(self.to)
    }
}

impl Said for Decided {
    fn step(self, _: &Who) -> Step {
        Step::Decide(self.outcome, self.text)
    }
}

impl Said for Closed {
    fn step(self, _: &Who) -> Step {
        Step::Close
    }
}

impl Said for Reopened {
    fn step(self, _: &Who) -> Step {
        Step::Reopen(self.text)
    }
}

impl Said for Acknowledged {
    fn step(self, who: &Who) -> Step {
        Step::Acknowledge(level(who))
    }
}

async fn step<T: Said>(
    State(node): State<Arc<Node>>,
    Path(case): Path<String>,
    who: Who,
    request: Request,
) -> Result<Json<Matter>, Refusal> {
    let said: T = json(request).await?;
    Ok(Json(node.step_matter(parse(&case)?, said.step(&who), name(&who)).await?))
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

fn parse(case: &str) -> Result<MatterId, Refusal> {
    case.parse().map_err(|error| Refusal::ActMalformed(format!("a case's name: {error}")))
}
