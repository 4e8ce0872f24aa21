use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::admin::{Actor, Refusal};
use crate::governance::Accepted;
use crate::services::{Error, GovernanceStatus, Node};
use crate::translog::note::{MAX_NOTE, Note};
use crate::types::{Coded as _, PayloadId};

/// Media type of a signed document.
const NOTE: &str = "application/vnd.celosia.note";
/// Media type of a receipt.
const CBOR: &str = "application/cbor";

pub(super) fn publishing() -> Router<Arc<Node>> {
    Router::new().route("/governance/documents", post(publish)).layer(DefaultBodyLimit::max(MAX_NOTE))
}

pub(super) fn reading() -> Router<Arc<Node>> {
    Router::new()
        .route("/governance/documents", get(documents))
        .route("/governance/status", get(status))
        .route("/governance/traffic", get(traffic))
        .route("/receipts/{id}", get(receipt))
}

/// An error as JSON, with its code.
pub(in crate::api::admin) struct Failed(pub(in crate::api::admin) Error);

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let status = match &self.0 {
            Error::NotFound(_) | Error::NoReceipt(_) | Error::NotGoverned | Error::NotAMember(_) => StatusCode::NOT_FOUND,
            Error::Document(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Error::BadRequest(_) | Error::Message(_) => StatusCode::BAD_REQUEST,
            error => crate::api::error::service_status(error),
        };
        let body = json!({ "code": self.0.code().to_string(), "message": self.0.to_string() });
        let mut response = (status, Json(body)).into_response();
        if let Ok(code) = self.0.code().to_string().try_into() {
            response.headers_mut().insert("celosia-error", code);
        }
        response
    }
}

/// Threat: a page elsewhere makes a browser with a client certificate bring texts, and the journal names the person. No page can send these
/// types unasked (Fetch standard, CORS-safelisted request headers); looked at before it is asked who calls.
pub(super) async fn note_type(request: Request, next: Next) -> Response {
    let media = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim();
    if [NOTE, "application/octet-stream"].iter().any(|known| essence.eq_ignore_ascii_case(known)) {
        next.run(request).await
    } else {
        Refusal::NoteType.into_response()
    }
}

/// Takes a signed document from anybody: a governor, a mail, another node.
async fn publish(State(node): State<Arc<Node>>, actor: Option<Extension<Actor>>, body: String) -> Result<Json<Value>, Failed> {
    let note = Note::parse(&body).map_err(|error| Failed(Error::BadRequest(format!("not a signed document: {error}"))))?;
    let name = actor.as_ref().map_or("admin", |actor| actor.0.name());
    let accepted = node.publish(note, name).await.map_err(Failed)?;
    let version = node.governance_status().map_err(Failed)?.version;
    let (outcome, ignored) = match accepted {
        Accepted::Known => ("known", Vec::new()),
        Accepted::Merged => ("merged", Vec::new()),
        Accepted::New { ignored } => ("new", ignored),
    };
    Ok(Json(json!({ "version": version, "accepted": true, "outcome": outcome, "ignored": ignored })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    #[serde(default)]
    after: u64,
}

async fn documents(State(node): State<Arc<Node>>, Query(After { after }): Query<After>) -> Result<Json<Vec<String>>, Failed> {
    let asked = crate::wire::native::DocumentsAfter { version: after, directory: 0 };
    Ok(Json(node.documents(asked).map_err(Failed)?.notes))
}

async fn status(State(node): State<Arc<Node>>) -> Result<Json<GovernanceStatus>, Failed> {
    node.governance_status().map(Json).map_err(Failed)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Days {
    #[serde(default = "week")]
    days: u64,
}

fn week() -> u64 {
    7
}

/// What was sent from here in the last days, as a dry run of a policy needs it: one JSON object a line.
async fn traffic(State(node): State<Arc<Node>>, Query(Days { days }): Query<Days>) -> Result<Response, Failed> {
    let mut lines: Vec<String> = node.traffic(days).await.map_err(Failed)?.iter().map(ToString::to_string).collect();
    lines.push(String::new());
    let lines = lines.join("\n");
    Ok(([(CONTENT_TYPE, "application/jsonl")], lines).into_response())
}

async fn receipt(State(node): State<Arc<Node>>, Path(id): Path<String>) -> Result<Response, Failed> {
    let id: PayloadId = id.parse().map_err(|error| Failed(Error::BadRequest(format!("a payload's id: {error}"))))?;
    let receipt = node.receipt(id).await.map_err(Failed)?;
    Ok(([(CONTENT_TYPE, CBOR)], receipt.encode()).into_response())
}
