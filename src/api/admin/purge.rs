//! Purging on demand: what was erased leaves the files now, not at the next regular pass.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::acts::json as json_body;
use super::{Access, Act, Refusal};
use crate::services::Node;
use crate::store::Purged;

/// How long a caller waits for the end: less than clients do. A purge goes on without them.
const PATIENCE: Duration = Duration::from_secs(5);

/// `GET` and `POST /erasure/purge`.
pub fn routes(node: &Arc<Node>, access: Option<&Arc<Access>>) -> Router {
    let route = || Router::new().route("/erasure/purge", post(purge).get(state)).with_state(Arc::clone(node));
    match access {
        Some(access) => access.guard(route(), Act::Purge),
        None => route(),
    }
}

/// Nothing is said beyond the path.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {}

/// Begins a purge. 200 with its figures if it ends within five seconds, else 202: `GET` tells the end.
async fn purge(State(node): State<Arc<Node>>, request: Request) -> Result<Response, Refusal> {
    let Asked {} = json_body(request).await?;
    let purging = {
        let node = Arc::clone(&node);
        tokio::spawn(async move { node.purge().await })
    };
    match tokio::time::timeout(PATIENCE, purging).await {
        Ok(Ok(outcome)) => Ok(Json(figures(&outcome?)).into_response()),
        Ok(Err(_)) | Err(_) => Ok((StatusCode::ACCEPTED, Json(view(&node))).into_response()),
    }
}

async fn state(State(node): State<Arc<Node>>) -> Json<Value> {
    Json(view(&node))
}

fn view(node: &Node) -> Value {
    let purges = node.purges();
    let last = purges.last().map(|last| {
        let mut view = figures(&last.purged);
        view["began"] = json!(last.began);
        view["time"] = json!(last.time);
        view
    });
    json!({
        "running": purges.is_running(),
        "due": node.store().purge_due(),
        "done": purges.done.value(),
        "failed": purges.failed.value(),
        "last": last,
    })
}

fn figures(purged: &Purged) -> Value {
    let Purged { bytes_before, bytes_after, families, days, millis } = purged;
    json!({ "bytes-before": bytes_before, "bytes-after": bytes_after, "families": families, "days": days, "millis": millis })
}
