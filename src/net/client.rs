//! The HTTP/1.1 client: pooled, bounded in time and in bytes, never redirected. Peers and the command line use the same one.

mod connector;
mod exchange;
mod target;

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request};

pub use connector::Connector;
pub use exchange::{Answer, ClientError, Exchange, Http, Opened};
pub use target::{Target, TargetError};

/// Answers of our own surfaces are not longer than this by default.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// A client of one server, over TCP, TLS or a Unix socket.
#[derive(Clone, Debug)]
pub struct Client {
    http: Http,
    base: String,
    budget: Duration,
}

impl Client {
    /// A client of a target. `tls` says whom to trust where the target is `https`; each exchange may last `budget`.
    pub fn new(target: &Target, tls: Option<std::sync::Arc<super::tls::ClientTls>>, budget: Duration) -> Self {
        let connector = match target {
            Target::Unix(path) => Connector::unix(path.clone(), budget),
            Target::Url(_) => Connector::network(tls, budget),
        };
        Self { http: Http::new(connector), base: target.base(), budget }
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Result<Answer, ClientError> {
        self.send(Request::get(self.url(path)), Bytes::new()).await
    }

    /// `DELETE path`.
    pub async fn delete(&self, path: &str) -> Result<Answer, ClientError> {
        self.send(Request::delete(self.url(path)), Bytes::new()).await
    }

    /// `POST path` with a body.
    pub async fn post(&self, path: &str, media_type: &str, body: impl Into<Bytes>) -> Result<Answer, ClientError> {
        self.send(Request::post(self.url(path)).header(CONTENT_TYPE, media_type), body.into()).await
    }

    /// Any request: `(name, value)` pairs are its headers.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer, ClientError> {
        let start = Request::builder().method(method).uri(self.url(path));
        let request = headers.iter().fold(start, |request, (name, value)| request.header(*name, *value));
        self.send(request, body).await
    }

    /// Any request, with an answer that is read piece by piece; none may take longer than `patience`.
    pub async fn open(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
        patience: Duration,
    ) -> Result<Opened, ClientError> {
        let start = Request::builder().method(method).uri(self.url(path));
        let request = headers.iter().fold(start, |request, (name, value)| request.header(*name, *value));
        let request = request.body(Full::new(body)).map_err(|_| ClientError::Invalid)?;
        self.http.open(request, patience).await
    }

    async fn send(&self, request: hyper::http::request::Builder, body: Bytes) -> Result<Answer, ClientError> {
        let request = request.body(Full::new(body)).map_err(|_| ClientError::Invalid)?;
        self.http.exchange(request, &Exchange { budget: self.budget, max_body: MAX_BODY, repeat: false }).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}/{}", self.base, path.trim_start_matches('/'))
    }
}
