//! Supervision: orders to stop at every node; what a supervisor does, at its own.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use serde::Deserialize;

use super::acts::json;
use super::{Access, Act, Actor, Refusal};
use crate::services::{NewStop, Node, Spread, StopView};
use crate::supervision::{StopNumber, StopScope};
use crate::types::PayloadId;

type Who = Option<Extension<Actor>>;

/// The routes, behind the door where there is one.
pub fn routes(node: &Arc<Node>, access: Option<&Arc<Access>>) -> Router {
    let parts = [
        (Router::new().route("/stops", get(list)), Act::ReadStops),
        (Router::new().route("/stops", post(stop)), Act::Stop),
        (Router::new().route("/stops/{number}/lift", post(lift)), Act::LiftStop),
    ];
    let parts = parts.map(|(router, act)| {
        let router: Router = router.with_state(Arc::clone(node));
        match access {
            Some(access) => access.guard(router, act),
            None => router,
        }
    });
    parts.into_iter().fold(Router::new(), Router::merge)
}

async fn list(State(node): State<Arc<Node>>) -> Result<Json<Vec<StopView>>, Refusal> {
    Ok(Json(node.stops()?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    scope: StopScope,
    #[serde(default)]
    creations: Vec<PayloadId>,
    authority: String,
    text: String,
}

async fn stop(State(node): State<Arc<Node>>, who: Who, request: Request) -> Result<(StatusCode, Json<Spread>), Refusal> {
    let Asked { scope, mut creations, authority, text } = json(request).await?;
    creations.sort_unstable();
    creations.dedup();
    let malformed = || Refusal::ActMalformed("`creations` are at most 64 payloads that made the contract of the scope".into());
    let scope = scope.with_creations(creations).ok_or_else(malformed)?;
    let spread = node.order_stop(NewStop { scope, authority, text }, name(&who)).await?;
    Ok((StatusCode::CREATED, Json(spread)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Why {
    text: String,
}

async fn lift(
    State(node): State<Arc<Node>>,
    Path(number): Path<String>,
    who: Who,
    request: Request,
) -> Result<Json<Spread>, Refusal> {
    let Why { text } = json(request).await?;
    let number: StopNumber = number.parse().map_err(|error| Refusal::ActMalformed(format!("the number of an order: {error}")))?;
    Ok(Json(node.lift_stop(number, text, name(&who)).await?))
}

fn name(who: &Who) -> &str {
    who.as_ref().map_or("admin", |who| who.0.name())
}
