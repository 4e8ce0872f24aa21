//! `GET /supervision/stream`: what a supervisor sees, as Server-Sent Events (WHATWG HTML, section 9.2).
//!
//! Threat: a reader that does not read. A page is fetched when the connection has taken the one before.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;

use crate::net::Shutdown;
use crate::services::Node;
use crate::types::Coded as _;

/// A line is sent at least this often.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// One stream.
pub(super) struct Reader {
    pub(super) node: Arc<Node>,
    pub(super) shutdown: Shutdown,
    /// The next place to look at.
    pub(super) next: u64,
    pub(super) greeted: bool,
    pub(super) _place: OwnedSemaphorePermit,
}

impl Reader {
    /// The stream as an answer.
    pub(super) fn respond(self) -> Response {
        let lines = stream::unfold(self, |mut reader| async move {
            let text = reader.text().await?;
            Some((Ok::<_, Infallible>(Bytes::from(text)), reader))
        });
        let mut response = Response::new(Body::from_stream(lines));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// The next text; `None` ends the stream.
    async fn text(&mut self) -> Option<String> {
        if !self.greeted {
            self.greeted = true;
            return Some("retry: 2000\n\n".to_owned());
        }
        loop {
            let page = match self.node.watch(self.next).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::info!(code = %error.code(), "a stream of supervision ends");
                    return None;
                }
            };
            let moved = page.next > self.next;
            self.next = page.next;
            if !page.seen.is_empty() {
                let event = |seen: &crate::services::Seen| {
                    let data = serde_json::to_string(seen).unwrap_or_default();
                    format!("id: {}\nevent: seen\ndata: {data}\n\n", seen.place)
                };
                return Some(page.seen.iter().map(event).collect());
            }
            if moved {
                continue;
            }
            tokio::select! {
                () = self.shutdown.begun() => return None,
                () = self.node.watch_for(self.next) => {}
                () = tokio::time::sleep(HEARTBEAT) => return Some(":\n\n".to_owned()),
            }
        }
    }
}
