//! What a data protection officer asks of a node, governed or not: tags, exports, the radius of a breach, what is due (`docs/rights.md`).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use bytes::Bytes;
use futures_util::stream;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::door::guarded;
use super::network::Failed;
use super::{Access, Act, Actor, Refusal, Role};
use crate::api::model::TagsJson;
use crate::services::{Error, Loss, Node};
use crate::types::{Address, ItemId, MemberId};

const LINES: &str = "application/jsonl";
/// Longest body of a question, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// The routes, behind the door where there is one. Without one, those that tell of people are closed.
pub fn routes(node: &Arc<Node>, access: Option<&Arc<Access>>) -> Router {
    let parts: [(Router<Arc<Node>>, Act); 5] = [
        (Router::new().route("/subjects/export", post(export)), Act::ExportSubject),
        (Router::new().route("/ropa", get(ropa)), Act::ExportRecords),
        (Router::new().route("/breach-radius", get(radius)), Act::BreachRadius),
        (Router::new().route("/tags/{id}", get(tags).put(tag)), Act::Tag),
        (Router::new().route("/retention/due", get(due)), Act::ReadRetention),
    ];
    guarded(node, access, parts.map(|(router, act)| (router.layer(DefaultBodyLimit::max(MAX_BODY)), act)))
}

/// Who is asked about, and whether the payloads themselves are wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    subject: String,
    #[serde(default)]
    payloads: bool,
}

/// Everything about a subject, one JSON object a line. In the body, not in the path: those end up in logs.
async fn export(State(node): State<Arc<Node>>, actor: Actor, Json(wanted): Json<Wanted>) -> Result<Response, Refusal> {
    let token = node.subject_token(&wanted.subject).await?;
    let (first, export) = node.export_subject(&wanted.subject, wanted.payloads).await?;
    let details = json!({ "subject-token": token, "items": first["items"], "payloads": wanted.payloads });
    actor.tell(Role::Dpo, Act::ExportSubject, "done", details).await;
    let head = stream::iter([Ok(text(&[first]))]);
    let rest = stream::try_unfold(export, |mut export| async move {
        Ok::<_, Error>(export.next().await?.map(|lines| (text(&lines), export)))
    });
    Ok(lines(Body::from_stream(stream::StreamExt::chain(head, rest))))
}

async fn ropa(State(node): State<Arc<Node>>) -> Result<Json<Value>, Failed> {
    node.records_of_processing().await.map(Json).map_err(Failed)
}

/// One of the three.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lost {
    key: Option<Address>,
    member: Option<MemberId>,
    #[serde(default)]
    disk: bool,
}

async fn radius(
    State(node): State<Arc<Node>>,
    actor: Option<Extension<Actor>>,
    Query(lost): Query<Lost>,
) -> Result<Response, Failed> {
    let loss = match (lost.key, lost.member, lost.disk) {
        (Some(key), None, false) => Loss::Key(key),
        (None, Some(member), false) => Loss::Member(member),
        (None, None, true) => Loss::Disk,
        _ => return Err(Failed(Error::Message("name what was lost: one of key, member, disk=true"))),
    };
    let with_subjects = actor.is_some_and(|actor| actor.0.roles().contains(&Role::Dpo));
    let radius = node.breach_radius(loss, with_subjects).await.map_err(Failed)?;
    let all = stream::try_unfold(radius, |mut radius| async move {
        Ok::<_, Error>(radius.next().await?.map(|lines| (text(&lines), radius)))
    });
    Ok(lines(Body::from_stream(all)))
}

async fn tags(State(node): State<Arc<Node>>, _: Actor, Path(id): Path<String>) -> Result<Json<TagsJson>, Refusal> {
    let tags = node.tags_of(item(&id)?).await?;
    Ok(Json(tags.unwrap_or_default().into()))
}

async fn tag(State(node): State<Arc<Node>>, _: Actor, Path(id): Path<String>, body: Bytes) -> Result<StatusCode, Refusal> {
    let tags = serde_json::from_slice::<TagsJson>(&body).ok().filter(|_| TagsJson::is_object(&body));
    let tags = tags.ok_or(Error::Message("not tags: a JSON object of class, purpose, basis, retention, contract, subjects"))?;
    node.tag(item(&id)?, tags.read(Timestamp::now()).map_err(Error::from)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Most {
    #[serde(default = "thousand")]
    limit: usize,
}

fn thousand() -> usize {
    1_000
}

async fn due(State(node): State<Arc<Node>>, Query(Most { limit }): Query<Most>) -> Result<Response, Failed> {
    let due = node.due_now(limit.min(100_000)).await.map_err(Failed)?;
    Ok(lines(Body::from(text(&due))))
}

fn item(text: &str) -> Result<ItemId, Error> {
    text.parse().map_err(|_| Error::BadRequest("not an id of a payload or document: base64 of 64 or 32 bytes".into()))
}

/// One JSON object a line.
fn text(lines: &[Value]) -> Bytes {
    let mut text: Vec<String> = lines.iter().map(ToString::to_string).collect();
    text.push(String::new());
    text.join("\n").into()
}

fn lines(body: Body) -> Response {
    ([(CONTENT_TYPE, LINES)], body).into_response()
}
