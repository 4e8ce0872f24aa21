//! Routes of the node, application and peer surfaces: HTTP in, a verb of [`Node`] called, HTTP out.
//!
//! Bytes, media types and statuses are Tessera's, for its callers compare them; `docs/api.md` has the table and the few places where
//! Celosia differs, and why. The admin surface's figures are in [`crate::net`], its people in [`admin`].
#![allow(
    clippy::result_large_err,
    reason = "an error holds a recipient and an id; it is made once for a request and boxed by nobody"
)]

pub mod admin;
pub mod events;
pub mod request;

mod application;
mod body;
mod common;
mod cors;
mod error;
mod gate;
mod model;
mod native;
mod node;
mod openapi;
mod peer;
mod reply;

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use bytes::Bytes;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

pub use cors::Cors;
pub use native::native_router;
pub use openapi::document;

use crate::services::Node;

/// Where `/metrics` takes its text from.
#[async_trait]
pub trait Metrics: Send + Sync {
    /// All metrics in the Prometheus text format.
    async fn metrics(&self) -> String;
}

/// What a surface may take up at once.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest body of a request, in bytes. Payloads of several megabytes are usual: state dumps of contract extensions.
    pub body: usize,
    /// Requests that send, keep or erase, at once.
    pub writes: usize,
    /// Look-ups at once. Apart from the writes: a slow peer must not hold up block execution.
    pub reads: usize,
    /// How many may wait for their turn; beyond it 503. `None`: all wait (backpressure).
    pub queue: Option<usize>,
}

impl Limits {
    /// The node surface: the caller is our own node, which stops if it is refused. So it waits.
    pub const fn node() -> Self {
        Self { body: 64 * 1024 * 1024, writes: 256, reads: 1024, queue: None }
    }

    /// The application surface: overload is answered with 503 and Retry-After.
    pub const fn application() -> Self {
        Self { body: 64 * 1024 * 1024, writes: 64, reads: 64, queue: Some(256) }
    }

    /// The peer surface: a deliverer waits as long as its own budget lets it.
    pub const fn peer() -> Self {
        Self { body: 64 * 1024 * 1024, writes: 256, reads: 64, queue: None }
    }
}

/// How callers name this surface; the start of every `Location`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Origin {
    /// TCP in the clear.
    #[default]
    Http,
    /// TLS.
    Https,
    /// A Unix socket: always `http://localhost`.
    Unix,
}

/// What a surface is told at the start.
#[derive(Clone)]
pub struct Options {
    /// How callers name it.
    pub origin: Origin,
    /// What it may take up.
    pub limits: Limits,
    /// Which web pages may call it; none if absent.
    pub cors: Option<Cors>,
    /// The source of `/metrics`.
    pub metrics: Arc<dyn Metrics>,
    /// The source of `/events` on the application surface; without a journal there are none.
    pub events: Option<Arc<events::Feed>>,
}

/// The state of a surface's handlers.
pub(crate) struct Api {
    node: Arc<Node>,
    origin: Origin,
    limits: Limits,
    metrics: Arc<dyn Metrics>,
    events: Option<Arc<events::Feed>>,
    json: Bytes,
    yaml: Bytes,
}

/// A handler's way to its surface.
pub(crate) type Surface = axum::extract::State<Arc<Api>>;

/// The node surface (Tessera's Q2T): what GoQuorum calls.
pub fn node_router(node: Arc<Node>, options: Options) -> Router {
    build(node::routes(&options.limits), node, options)
}

/// The application surface (Tessera's ThirdParty).
pub fn application_router(node: Arc<Node>, options: Options) -> Router {
    build(application::routes(&options.limits), node, options)
}

/// The peer surface (Tessera's P2P).
pub fn peer_router(node: Arc<Node>, options: Options) -> Router {
    build(peer::routes(&options.limits), node, options)
}

/// Joins a surface's routes with their document and the layers that all have.
fn build(routes: OpenApiRouter<Arc<Api>>, node: Arc<Node>, options: Options) -> Router {
    let (paths, document) = routes.split_for_parts();
    let api = Arc::new(Api {
        node,
        origin: options.origin,
        limits: options.limits,
        metrics: options.metrics,
        events: options.events,
        json: openapi::json(&document).into(),
        yaml: openapi::yaml(&document).into(),
    });
    let surface = paths
        .fallback(common::no_such_path)
        .method_not_allowed_fallback(common::no_such_method)
        .with_state(api)
        .layer(CatchPanicLayer::custom(error::panicked));
    match &options.cors {
        Some(cors) => surface.layer(cors.layer()),
        None => surface,
    }
}
