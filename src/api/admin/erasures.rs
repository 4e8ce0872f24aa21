//! Erasure cases: what a scope reaches, asked for, answered, followed, certified. Deciding to erase is an act of two people where
//! `[access]` is configured (`celosia acts`), and one call where it is not.

use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

use super::acts::json;
use super::door::{Who, guarded, name};
use super::{Access, Act, Refusal};
use crate::erasure::{Case, CaseId, Exception, Ground, Scope};
use crate::services::{NewCase, Node, Reach};

/// Cases of one page.
const PAGE: usize = 1_000;
/// Media type of a certificate: a line of JSON and a line of base64.
const CERTIFICATE: &str = "text/plain; charset=utf-8";

/// The routes, behind the door where there is one.
pub fn routes(node: &Arc<Node>, access: Option<&Arc<Access>>) -> Router {
    let reading = Router::new()
        .route("/erasures", get(list))
        .route("/erasures/{case}", get(show))
        .route("/erasures/{case}/certificate", get(certificate));
    let asking = Router::new().route("/erasures", post(request)).route("/erasures/reach", post(reach));
    let answering = Router::new().route("/erasures/{case}/refuse", post(refuse)).route("/erasures/{case}/extend", post(extend));
    let parts = [(reading, Act::ReadErasures), (asking, Act::RequestErasure), (answering, Act::AnswerErasure)];
    let routes = guarded(node, access, parts);
    match access {
        // Threat: one person erases what is evidence. Where people can be told apart, two of them are needed.
        Some(_) => routes,
        None => routes.merge(Router::new().route("/erasures/{case}/erase", post(erase)).with_state(Arc::clone(node))),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    after: Option<CaseId>,
}

async fn list(State(node): State<Arc<Node>>, Query(After { after }): Query<After>) -> Result<Json<Vec<Case>>, Refusal> {
    Ok(Json(node.erasures(after, PAGE).await?))
}

async fn show(State(node): State<Arc<Node>>, Path(case): Path<String>) -> Result<Json<Case>, Refusal> {
    Ok(Json(node.erasure(parse(&case)?).await?))
}

async fn certificate(State(node): State<Arc<Node>>, Path(case): Path<String>) -> Result<Response, Refusal> {
    let file = node.certificate(parse(&case)?).await?;
    Ok(([(CONTENT_TYPE, CERTIFICATE)], file).into_response())
}

/// What falls under a scope.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    scope: Scope,
    ground: Ground,
    #[serde(default)]
    urgent: bool,
}

async fn request(State(node): State<Arc<Node>>, who: Who, request: Request) -> Result<(StatusCode, Json<Case>), Refusal> {
    let Asked { scope, ground, urgent } = json(request).await?;
    let case = node.request_erasure(NewCase { scope, ground, urgent }, name(&who)).await?;
    Ok((StatusCode::CREATED, Json(case)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Looked {
    scope: Scope,
}

async fn reach(State(node): State<Arc<Node>>, request: Request) -> Result<Json<Reach>, Refusal> {
    let Looked { scope } = json(request).await?;
    Ok(Json(node.reach(&scope).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    exception: Exception,
    text: String,
    /// Milliseconds since the Unix epoch.
    until: u64,
}

async fn refuse(
    State(node): State<Arc<Node>>,
    Path(case): Path<String>,
    who: Who,
    request: Request,
) -> Result<Json<Case>, Refusal> {
    let Refused { exception, text, until } = json(request).await?;
    Ok(Json(node.refuse_erasure(parse(&case)?, exception, &text, until, name(&who)).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Extended {
    text: String,
}

async fn extend(
    State(node): State<Arc<Node>>,
    Path(case): Path<String>,
    who: Who,
    request: Request,
) -> Result<Json<Case>, Refusal> {
    let Extended { text } = json(request).await?;
    Ok(Json(node.extend_erasure(parse(&case)?, &text, name(&who)).await?))
}

/// Nothing is said beyond the path.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decided {}

async fn erase(
    State(node): State<Arc<Node>>,
    Path(case): Path<String>,
    who: Who,
    request: Request,
) -> Result<Json<Case>, Refusal> {
    let Decided {} = json(request).await?;
    Ok(Json(node.decide_erasure(parse(&case)?, name(&who)).await?))
}

fn parse(case: &str) -> Result<CaseId, Refusal> {
    case.parse().map_err(|error| Refusal::ActMalformed(format!("a case's name: {error}")))
}
