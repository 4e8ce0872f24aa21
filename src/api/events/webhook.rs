//! Webhooks: events are posted to a URL in order, each until it is taken, over restarts of either side.
//!
//! Threats: a receiver that hangs, or answers without end (bounded in time and bytes); one that redirects us elsewhere (a redirect is a
//! failure); one that is gone (after three days it is tried once an hour; the journal keeps what it missed, so nothing piles up here).

mod bookmark;
mod pause;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use hyper::{HeaderMap, Request};
use url::Url;

use super::signed::Signed;
use super::{EventItem, EventKind, Events, Sign};
use crate::net::Shutdown;
use crate::net::client::{ClientError, Connector, Exchange, Http};
use crate::net::tls::ClientTls;
use crate::services;
use crate::types::{Code, Coded};
use bookmark::Bookmark;
use pause::Pauses;

/// Entries that are fetched at once.
const BATCH: usize = 64;
/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// Longest answer in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// One receiver.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// Where events are posted.
    pub url: Url,
    /// Which kinds; empty: all.
    pub kinds: Vec<EventKind>,
    /// TLS towards it.
    pub tls: Option<Arc<ClientTls>>,
    /// The pause after the first failure; it doubles up to an hour.
    pub first_pause: Duration,
}

/// Why a webhook cannot begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The file that remembers how far a webhook is.
    #[error("cannot use {path}, which remembers how far a webhook is: {source}")]
    Bookmark {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The journal does not say where it ends.
    #[error(transparent)]
    Journal(#[from] services::Error),
}

impl Coded for WebhookError {
    fn code(&self) -> Code {
        match self {
            Self::Bookmark { .. } => Code(2331),
            Self::Journal(error) => error.code(),
        }
    }
}

/// Starts a webhook; it ends when the shutdown begins. A new one begins with what happens from now on; one that is known goes on where it was.
pub async fn start(
    settings: WebhookSettings,
    folder: &Path,
    events: Arc<dyn Events>,
    sign: Arc<dyn Sign>,
    shutdown: &Shutdown,
) -> Result<(), WebhookError> {
    let end = events.end().await?;
    let path = bookmark::path(folder, &settings.url);
    let opened = Bookmark::open(path.clone(), end);
    let mut bookmark = opened.map_err(|source| WebhookError::Bookmark { path, source })?;
    if bookmark.cursor() > end {
        tracing::warn!(
            end,
            known = bookmark.cursor(),
            "the journal was put back to an older state; its webhook goes on where it ends now"
        );
        bookmark.advance(end);
        bookmark.save();
    }
    let http = Http::new(Connector::network(settings.tls.clone(), PATIENCE));
    let pauses = Pauses::new(settings.first_pause);
    shutdown.spawn(Webhook { settings, events, sign, http, bookmark, pauses }.run());
    Ok(())
}

struct Webhook {
    settings: WebhookSettings,
    events: Arc<dyn Events>,
    sign: Arc<dyn Sign>,
    http: Http,
    bookmark: Bookmark,
    pauses: Pauses,
}

impl Webhook {
    async fn run(mut self) {
        loop {
            match self.events.since(self.bookmark.cursor(), BATCH).await {
                Ok(items) if items.is_empty() => self.events.wait(self.bookmark.cursor()).await,
                Ok(items) => self.deliver(items).await,
                Err(error) => {
                    tracing::warn!(%error, "a webhook waits: the journal cannot be read");
                    tokio::time::sleep(self.pauses.longer(None)).await;
                }
            }
        }
    }

    /// Posts entries in order. The bookmark is moved behind each, and is on the disk before the next batch and before each pause.
    async fn deliver(&mut self, items: Vec<EventItem>) {
        for item in items {
            if let Some(kind) = item.kind.filter(|kind| self.wants(*kind)) {
                self.post_until_taken(&item, kind).await;
            }
            self.bookmark.advance(item.index.saturating_add(1));
        }
        self.bookmark.save();
    }

    fn wants(&self, kind: EventKind) -> bool {
        self.settings.kinds.is_empty() || self.settings.kinds.contains(&kind)
    }

    async fn post_until_taken(&mut self, item: &EventItem, kind: EventKind) {
        let begun = Instant::now();
        loop {
            let Err((why, asked)) = self.post(item, kind).await else {
                self.pauses.reset();
                return;
            };
            self.bookmark.save();
            let pause = self.pauses.longer(asked);
            let host = self.settings.url.host_str().unwrap_or_default();
            if self.pauses.is_given_up() {
                tracing::error!(host, index = item.index, why, "a webhook has failed for three days; it is tried once an hour");
            } else {
                tracing::warn!(host, index = item.index, why, ?pause, since = ?begun.elapsed(), "a webhook was not taken");
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// One attempt. An error says why, and how long the receiver asks us to wait.
    async fn post(&self, item: &EventItem, kind: EventKind) -> Result<(), (String, Option<Duration>)> {
        let signed = Signed::new(item, kind, self.sign.as_ref()).await.map_err(|error| (error.to_string(), None))?;
        let request = Request::post(self.settings.url.as_str())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("celosia/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", &signed.id)
            .header("webhook-timestamp", signed.timestamp)
            .header("webhook-signature", &signed.signature)
            .body(Full::new(Bytes::from(signed.payload)));
        let request = request.map_err(|_| (ClientError::Invalid.to_string(), None))?;
        let bounds = Exchange { budget: PATIENCE, max_body: MAX_BODY, repeat: true };
        match self.http.exchange(request, &bounds).await {
            Ok(answer) if answer.status.is_success() => Ok(()),
            Ok(answer) => Err((format!("status {}", answer.status.as_u16()), asked(&answer.headers))),
            Err(error) => Err((error.to_string(), None)),
        }
    }
}

/// `Retry-After` in seconds (RFC 9110 section 10.2.3).
fn asked(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
