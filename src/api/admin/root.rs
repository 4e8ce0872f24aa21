//! `GET /root`, `POST /root/rotate`: the root of the key trees.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::acts::json as json_body;
use super::{Access, Act, Actor, Refusal, Role};
use crate::services::Node;
use crate::shred::Rotation;

/// The routes, behind the door where there is one.
pub fn routes(node: &Arc<Node>, access: Option<&Arc<Access>>) -> Router {
    let reading = Router::new().route("/root", get(status)).with_state(Arc::clone(node));
    let rotating = Router::new().route("/root/rotate", post(rotate)).with_state(Arc::clone(node));
    match access {
        Some(access) => access.guard(reading, Act::ReadStatus).merge(access.guard(rotating, Act::RotateRoot)),
        None => reading.merge(rotating),
    }
}

/// The root, its last rotation, and when the next is planned.
async fn status(State(node): State<Arc<Node>>) -> Result<Json<Value>, Refusal> {
    let status = node.root_status().await?;
    let mut answer = json!(status);
    answer["next-rotation"] = json!(node.next_rotation());
    Ok(Json(answer))
}

/// Nothing is said beyond the path.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {}

/// Answers when the older generations are destroyed.
async fn rotate(
    State(node): State<Arc<Node>>,
    actor: Option<Extension<Actor>>,
    request: Request,
) -> Result<Json<Rotation>, Refusal> {
    let Asked {} = json_body(request).await?;
    let name = actor.as_ref().map_or("admin", |actor| actor.0.name());
    Ok(Json(node.rotate_root(name, Role::Operator.name()).await?))
}
