//! `GET /events`: Server-Sent Events (WHATWG HTML, section 9.2).
//!
//! Threat: a reader that does not read. Entries are fetched when the connection has taken the ones before, a batch at a time, so a slow
//! reader costs one batch; one that takes nothing for half a minute is cut off by the listener.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Uri};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::signed::Signed;
use super::{EventItem, Feed};
use crate::api::error::Error;
use crate::api::request::RequestError;
use crate::api::{Api, Surface};

/// Entries that are fetched at once.
const BATCH: usize = 64;
/// A line is sent at least this often, so that both ends and what lies between know that the connection lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// What a browser sends when it connects again.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The route.
pub(crate) fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::default().routes(routes!(events))
}

/// What happened to payloads here, from a place in the journal on, as a stream that does not end. Each event is signed.
#[utoipa::path(get, path = "/events", operation_id = "events", tag = "application",
    params(("after" = Option<u64>, Query, description = "Index of the last event that is known; absent: from the beginning"),
        ("last-event-id" = Option<u64>, Header, description = "The same, as a browser sends it when it connects again; it counts before `after`")),
    responses((status = 200, description = "Events: `id` is the index, `event` the kind, `data` an object with id, timestamp, signature and payload", body = String, content_type = "text/event-stream"),
        (status = 400, description = "An index that is none", body = String, content_type = "text/plain"),
        (status = 404, description = "This node has no journal", body = String, content_type = "text/plain"),
        (status = 503, description = "Too many streams", body = String, content_type = "text/plain")))]
async fn events(State(api): Surface, request: Request) -> Result<Response, Error> {
    let feed = api.events.as_ref().ok_or(Error::Path)?;
    feed.open(request.uri(), request.headers().get(LAST_EVENT_ID)).await
}

impl Feed {
    /// Opens a stream.
    pub(super) async fn open(self: &Arc<Self>, uri: &Uri, last: Option<&HeaderValue>) -> Result<Response, Error> {
        let cursor = cursor(uri.query(), last)?;
        // Who knows more than the journal has would wait in silence for what is new.
        if cursor > self.events.end().await? {
            let problem = "the journal ends before it: this node was put back to an older state";
            return Err(RequestError::field("after", problem).into());
        }
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Error::Overloaded)?;
        let reader = Reader {
            feed: Arc::clone(self),
            cursor,
            told: cursor,
            ready: VecDeque::new(),
            beat: Instant::now() + HEARTBEAT,
            greeted: false,
            _place: place,
        };
        let lines = stream::unfold(reader, |mut reader| async move {
            let text = reader.next().await?;
            reader.beat = Instant::now() + HEARTBEAT;
            Some((Ok::<_, Infallible>(Bytes::from(text)), reader))
        });
        let mut response = Response::new(Body::from_stream(lines));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Ok(response)
    }
}

/// Where to begin: behind the last event that is known.
fn cursor(query: Option<&str>, last: Option<&HeaderValue>) -> Result<u64, RequestError> {
    let known = |name: &str, text: Option<&str>| {
        let index = text.and_then(|text| text.parse::<u64>().ok()).and_then(|index| index.checked_add(1));
        index.ok_or_else(|| RequestError::field(name, "not the index of an event"))
    };
    // An empty one is what a browser has before the first event.
    if let Some(last) = last.filter(|last| !last.is_empty()) {
        return known("last-event-id", last.to_str().ok());
    }
    let pairs = query.unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let after = pairs.filter(|(name, _)| *name == "after").map(|(_, value)| value).next();
    after.map_or(Ok(0), |after| known("after", Some(after)))
}

/// One stream.
struct Reader {
    feed: Arc<Feed>,
    /// The next index to look at.
    cursor: u64,
    /// What the other end knows the cursor to be.
    told: u64,
    ready: VecDeque<EventItem>,
    beat: Instant,
    greeted: bool,
    _place: OwnedSemaphorePermit,
}

impl Reader {
    /// The next text to send; `None` ends the stream.
    async fn next(&mut self) -> Option<String> {
        if !self.greeted {
            self.greeted = true;
            return Some("retry: 2000\n\n".to_owned());
        }
        loop {
            while let Some(item) = self.ready.pop_front() {
                self.cursor = item.index.saturating_add(1);
                if let Some(kind) = item.kind {
                    self.told = self.cursor;
                    let signed = Signed::new(&item, kind, self.feed.sign.as_ref()).await;
                    let signed =
                        signed.inspect_err(|error| tracing::warn!(%error, "a stream of events ends: no signature")).ok()?;
                    // An object of texts and a number always serialises, on one line.
                    let data = serde_json::to_string(&signed).ok()?;
                    return Some(format!("id: {}\nevent: {kind}\ndata: {data}\n\n", item.index));
                }
            }
            if self.feed.shutdown.has_begun() {
                return None;
            }
            if Instant::now() >= self.beat {
                return Some(self.heartbeat());
            }
            match self.feed.events.since(self.cursor, BATCH).await {
                Ok(items) if items.is_empty() => {}
                Ok(items) => {
                    self.ready = items.into();
                    continue;
                }
                Err(error) => {
                    tracing::warn!(%error, "a stream of events ends: the journal cannot be read");
                    return None;
                }
            }
            tokio::select! {
                () = self.feed.shutdown.begun() => return None,
                () = tokio::time::sleep_until(self.beat) => return Some(self.heartbeat()),
                () = self.feed.events.wait(self.cursor) => {}
            }
        }
    }

    /// A comment; with the cursor, where entries that are not for applications have moved it (an `id` without data is remembered and starts no event).
    fn heartbeat(&mut self) -> String {
        let mut text = ":\n".to_owned();
        if self.told < self.cursor {
            self.told = self.cursor;
            // Writing to a text cannot fail.
            let _ = writeln!(text, "id: {}", self.cursor - 1);
        }
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_begins_behind_what_is_known() {
        let begin = |query: Option<&str>, last: Option<&'static str>| {
            cursor(query, last.map(HeaderValue::from_static).as_ref()).map_err(|error| error.to_string())
        };
        assert_eq!(begin(None, None), Ok(0));
        assert_eq!(begin(Some("after=0"), None), Ok(1));
        assert_eq!(begin(Some("x=1&after=41&after=7"), None), Ok(42));
        assert_eq!(begin(Some("after=3"), Some("9")), Ok(10));
        assert_eq!(begin(Some("after=3"), Some("")), Ok(4));
        for (query, last) in [
            (Some("after="), None),
            (Some("after=-1"), None),
            (Some("after=x"), None),
            (Some("after=18446744073709551615"), None),
            (None, Some("nine")),
            (None, Some("9 ")),
        ] {
            assert!(begin(query, last).is_err(), "{query:?} {last:?}");
        }
    }
}
