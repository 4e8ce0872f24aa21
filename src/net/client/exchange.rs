use std::error::Error as _;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{HeaderMap, Request, Response, StatusCode};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::Instant;

use super::Connector;
use crate::types::{Code, Coded};

/// Idle connections kept for each server.
const IDLE_CONNECTIONS: usize = 256;

/// How long one is kept: less than the 30 s after which Tessera's server (Jetty) closes it.
const IDLE_TIME: Duration = Duration::from_secs(20);

/// A server's answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// The reason phrase, if it is not the usual one.
    pub reason: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No connection, a broken one, or a TLS peer that is not trusted.
    #[error("no connection: {0}")]
    Connection(String),
    /// No answer within the budget.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
    /// The answer is longer than allowed, or its body breaks off.
    #[error("the answer breaks off or is longer than {0} bytes")]
    Body(usize),
    /// URL or header that cannot be sent.
    #[error("the request has a URL or a header that HTTP does not allow")]
    Invalid,
}

impl Coded for ClientError {
    fn code(&self) -> Code {
        match self {
            Self::Connection(_) => Code(3011),
            Self::TimedOut(_) => Code(3012),
            Self::Body(_) => Code(3013),
            Self::Invalid => Code(3014),
        }
    }
}

/// The bounds of one exchange.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Longest from first to last byte, connection included.
    pub budget: Duration,
    /// Longest answer body in bytes.
    pub max_body: usize,
    /// The request does no harm twice: it is sent once more if a pooled connection turns out to be dead.
    pub repeat: bool,
}

/// A pool of connections.
#[derive(Clone, Debug)]
pub struct Http {
    pool: legacy::Client<Connector, Full<Bytes>>,
}

impl Http {
    /// An empty pool.
    pub fn new(connector: Connector) -> Self {
        let pool = legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Self { pool }
    }

    /// Sends a request and reads the whole answer. A redirect is an answer like any other: it is not followed.
    pub async fn exchange(&self, request: Request<Full<Bytes>>, bounds: &Exchange) -> Result<Answer, ClientError> {
        let deadline = Instant::now() + bounds.budget;
        let answered = tokio::time::timeout_at(deadline, self.attempts(request, bounds)).await;
        answered.unwrap_or(Err(ClientError::TimedOut(bounds.budget)))
    }

    /// Sends a request; its answer is read by the caller.
    pub async fn open(&self, request: Request<Full<Bytes>>, budget: Duration) -> Result<Opened, ClientError> {
        let answered = tokio::time::timeout(budget, self.pool.request(request)).await;
        let response = answered.map_err(|_| ClientError::TimedOut(budget))?;
        let response = response.map_err(|error| ClientError::Connection(reason(&error)))?;
        Ok(Opened { status: response.status(), body: response.into_body(), budget })
    }

    async fn attempts(&self, request: Request<Full<Bytes>>, bounds: &Exchange) -> Result<Answer, ClientError> {
        let spare = bounds.repeat.then(|| request.clone());
        let response = match (self.pool.request(request).await, spare) {
            (Err(error), Some(spare)) if !error.is_connect() => {
                tracing::debug!(cause = reason(&error), "a pooled connection was dead; sent once more");
                self.pool.request(spare).await
            }
            (result, _) => result,
        };
        let response = response.map_err(|error| ClientError::Connection(reason(&error)))?;
        read(response, bounds.max_body).await
    }
}

/// An answer that is read piece by piece: an export may be of any length.
#[derive(Debug)]
pub struct Opened {
    /// HTTP status.
    pub status: StatusCode,
    body: Incoming,
    budget: Duration,
}

impl Opened {
    /// The next piece; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ClientError> {
        loop {
            let frame = tokio::time::timeout(self.budget, self.body.frame()).await;
            let Some(frame) = frame.map_err(|_| ClientError::TimedOut(self.budget))? else { return Ok(None) };
            let frame = frame.map_err(|error| ClientError::Connection(error.to_string()))?;
            if let Ok(piece) = frame.into_data() {
                return Ok(Some(piece));
            }
        }
    }
}

async fn read(response: Response<Incoming>, max: usize) -> Result<Answer, ClientError> {
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, max).collect().await.map_err(|_| ClientError::Body(max))?.to_bytes();
    let phrase = parts.extensions.get::<hyper::ext::ReasonPhrase>();
    let reason = phrase.map(|phrase| String::from_utf8_lossy(phrase.as_bytes()).into_owned());
    Ok(Answer { status: parts.status, headers: parts.headers, body, reason })
}

/// The innermost cause: the outer ones only say "error".
fn reason(error: &legacy::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let text = cause.to_string();
    if error.source().is_none() { error.to_string() } else { text }
}
