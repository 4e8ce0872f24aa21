//! The admin surface: `GET /metrics`, `/live`, `/ready`, `/status`. It has a listener of its own, on loopback by default.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

use super::Shutdown;

/// Media type of the OpenMetrics text format.
const METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Where the admin surface takes its answers from.
#[async_trait]
pub trait AdminSource: Send + Sync + 'static {
    /// All metrics, in the OpenMetrics text format.
    async fn metrics(&self) -> String;

    /// What `celosia status` shows: counts and addresses, no secret.
    async fn status(&self) -> serde_json::Value;
}

/// A latch: ready once every part that was named has been released.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<BTreeSet<&'static str>>>);

/// One part that readiness waits for; dropping it releases the latch as well.
#[derive(Debug)]
pub struct Pending {
    readiness: Readiness,
    part: &'static str,
}

impl Readiness {
    /// A latch that waits for nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Readiness waits for this part until the answer is dropped.
    #[must_use = "dropping it releases the latch"]
    pub fn wait_for(&self, part: &'static str) -> Pending {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(part);
        Pending { readiness: self.clone(), part }
    }

    /// The parts that are not ready.
    pub fn missing(&self) -> Vec<&'static str> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.readiness.0.lock().unwrap_or_else(PoisonError::into_inner).remove(self.part);
    }
}

#[derive(Clone)]
struct Probes {
    readiness: Readiness,
    shutdown: Shutdown,
}

/// The routes of the admin surface, open to whoever reaches it.
pub fn router(source: Arc<dyn AdminSource>, readiness: Readiness, shutdown: Shutdown) -> Router {
    probes(readiness, shutdown).merge(figures(source))
}

/// `/live` and `/ready`: they tell nothing of the node but whether it works.
pub fn probes(readiness: Readiness, shutdown: Shutdown) -> Router {
    Router::new().route("/live", get(live)).route("/ready", get(ready)).with_state(Probes { readiness, shutdown })
}

/// `/metrics` and `/status`.
pub fn figures(source: Arc<dyn AdminSource>) -> Router {
    Router::new().route("/metrics", get(metrics)).route("/status", get(status)).with_state(source)
}

async fn metrics(State(source): State<Arc<dyn AdminSource>>) -> Response {
    ([(CONTENT_TYPE, METRICS_TYPE)], source.metrics().await).into_response()
}

async fn live() -> &'static str {
    "live\n"
}

async fn ready(State(probes): State<Probes>) -> Response {
    let missing = probes.readiness.missing();
    if probes.shutdown.has_begun() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response();
    }
    if missing.is_empty() {
        return "ready\n".into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, format!("waiting for {}\n", missing.join(", "))).into_response()
}

async fn status(State(source): State<Arc<dyn AdminSource>>) -> Json<serde_json::Value> {
    Json(source.status().await)
}
