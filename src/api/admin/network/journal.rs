use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};

use super::documents::Failed;
use crate::services::{Error, Node};
use crate::types::PayloadId;

const TEXT: &str = "text/plain; charset=utf-8";
/// Rows of one piece of an export.
const PAGE: usize = 1_000;

pub(super) fn reading() -> Router<Arc<Node>> {
    Router::new()
        .route("/journal", get(summary))
        .route("/journal/checkpoint", get(checkpoint))
        .route("/journal/proof", get(proof))
        .route("/journal/about/{id}", get(about))
        .route("/journal/tile/{*path}", get(tile))
}

pub(super) fn exporting() -> Router<Arc<Node>> {
    Router::new().route("/journal/export", get(export))
}

/// Name and key of the log, its size, what witnesses have cosigned, whether the node serves.
async fn summary(State(node): State<Arc<Node>>) -> Result<Json<Value>, Failed> {
    let chronicle = node.chronicle().map_err(Failed)?;
    let published = chronicle.published();
    let cosigned = chronicle.cosigned().await;
    Ok(Json(json!({
        "log": chronicle.key().name,
        "key": chronicle.key().to_string(),
        "size": published.as_ref().map_or(0, |published| published.checkpoint.size),
        "keys": published.as_ref().and_then(|published| published.checkpoint.keys),
        "cosigned": cosigned.map(|note| note.to_string()),
        "halted": node.governed().and_then(|governed| governed.halted()),
    })))
}

/// The newest checkpoint: the newest that witnesses have cosigned with `?cosigned=true`.
async fn checkpoint(State(node): State<Arc<Node>>, Query(wanted): Query<Wanted>) -> Result<Response, Failed> {
    let chronicle = node.chronicle().map_err(Failed)?;
    let note =
        if wanted.cosigned { chronicle.cosigned().await } else { chronicle.published().map(|published| published.note.clone()) };
    Ok(match note {
        Some(note) => ([(CONTENT_TYPE, TEXT)], note.to_string()).into_response(),
        None => (StatusCode::NOT_FOUND, "no checkpoint yet\n").into_response(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(default)]
    cosigned: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Index {
    index: u64,
}

/// A C2SP tlog-proof of one row, against the newest checkpoint.
async fn proof(State(node): State<Arc<Node>>, Query(Index { index }): Query<Index>) -> Result<Response, Failed> {
    let proof = node.journal_proof(index).await.map_err(Failed)?;
    Ok(([(CONTENT_TYPE, TEXT)], proof).into_response())
}

/// The rows about a payload.
async fn about(State(node): State<Arc<Node>>, Path(id): Path<String>) -> Result<Json<Vec<Value>>, Failed> {
    let id: PayloadId = id.parse().map_err(|error| Failed(Error::BadRequest(format!("a payload's id: {error}"))))?;
    node.journal_about(&id).await.map(Json).map_err(Failed)
}

/// The files of the log, as in its folder: tiles and entry bundles.
async fn tile(State(node): State<Arc<Node>>, Path(path): Path<String>) -> Result<Response, Failed> {
    let Ok(tile) = format!("tile/{path}").parse() else { return Ok(StatusCode::NOT_FOUND.into_response()) };
    let file = node.chronicle().map_err(Failed)?.log().file(tile);
    Ok(match file {
        Ok(bytes) => ([(CONTENT_TYPE, "application/octet-stream")], bytes).into_response(),
        Err(_) => StatusCode::NOT_FOUND.into_response(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct From {
    #[serde(default)]
    from: u64,
}

/// All rows from an index on as JSON Lines: index, commitment, and salt and record where they were not erased.
async fn export(State(node): State<Arc<Node>>, Query(From { from }): Query<From>) -> Result<Response, Failed> {
    node.chronicle().map_err(Failed)?;
    let lines = stream::try_unfold((node, from), |(node, from)| async move {
        let rows = node.journal_rows(from, PAGE).await?;
        let next = from + rows.len() as u64;
        let mut lines: Vec<String> = rows.iter().map(ToString::to_string).collect();
        lines.push(String::new());
        let text = lines.join("\n");
        Ok::<_, Error>((next > from).then(|| (Bytes::from(text), (node, next))))
    });
    Ok(([(CONTENT_TYPE, "application/jsonl")], Body::from_stream(lines)).into_response())
}
