//! `GET /acts`, `POST /acts`, `POST /acts/{id}/approve`, `POST /acts/{id}/withdraw`.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Act, Actor, PendingActs, Refusal, malformed};

/// Longest body in bytes.
const MAX_BODY: usize = 16 * 1024;

/// A request for a dangerous act.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    act: Act,
    #[serde(default)]
    arguments: Map<String, Value>,
    reason: String,
}

/// An approval or a withdrawal says nothing beyond its path.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Approval {}

/// The routes.
pub(in crate::api::admin) fn routes(acts: Arc<PendingActs>) -> Router {
    let routes = Router::new().route("/acts", get(list).post(request)).route("/acts/{id}/approve", post(approve));
    routes.route("/acts/{id}/withdraw", post(withdraw)).with_state(acts)
}

async fn list(State(acts): State<Arc<PendingActs>>, actor: Actor) -> Result<Json<Value>, Refusal> {
    actor.require(Act::ListActs).await?;
    Ok(Json(acts.list().await))
}

async fn request(
    State(acts): State<Arc<PendingActs>>,
    actor: Actor,
    request: Request,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let asked: Asked = json(request).await?;
    let view = acts.request(&actor, asked.act, Value::Object(asked.arguments), &asked.reason).await?;
    Ok((StatusCode::ACCEPTED, Json(view)))
}

async fn approve(
    State(acts): State<Arc<PendingActs>>,
    actor: Actor,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, Refusal> {
    let Approval {} = json(request).await?;
    acts.approve(&actor, &id).await.map(Json)
}

async fn withdraw(
    State(acts): State<Arc<PendingActs>>,
    actor: Actor,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<Value>, Refusal> {
    let Approval {} = json(request).await?;
    acts.withdraw(&actor, &id).await.map(Json)
}

/// A JSON body. The media type is asked for: a page elsewhere can make a browser send any other without asking us.
pub(in crate::api::admin) async fn json<T: DeserializeOwned>(request: Request) -> Result<T, Refusal> {
    json_up_to(request, MAX_BODY).await
}

/// The same, up to a length in bytes.
pub(in crate::api::admin) async fn json_up_to<T: DeserializeOwned>(request: Request, most: usize) -> Result<T, Refusal> {
    let media = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(malformed("the Content-Type must be application/json"));
    }
    let body = to_bytes(request.into_body(), most).await;
    let body = body.map_err(|_| Refusal::ActMalformed(format!("the body breaks off or is longer than {most} bytes")))?;
    serde_json::from_slice(&body).map_err(|error| Refusal::ActMalformed(error.to_string()))
}
