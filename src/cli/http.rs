//! A one-shot HTTP client for the command line: one request on one connection, Unix socket or plain TCP on this machine.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::handshake;
use hyper::{Request, Response, StatusCode, body::Incoming, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

/// Nothing that the command line asks for is larger.
const MOST_BYTES: usize = 64 << 20;
/// Longer than any honest answer takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a surface is reached: `unix:/path`, `/path` or `http://host:port`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Place {
    /// A socket file.
    Socket(PathBuf),
    /// `host:port` without TLS.
    Tcp(String),
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The body as text, on one line.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).trim().to_owned()
    }

    /// The body as JSON, if the status is a success.
    pub(crate) fn json(&self) -> anyhow::Result<serde_json::Value> {
        if !self.status.is_success() {
            bail!("{}: {}", self.status, self.text());
        }
        serde_json::from_slice(&self.body).context("the answer is not JSON")
    }
}

impl Place {
    /// `GET path`.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.call("GET", path, None).await
    }

    /// One request; a body is sent as JSON.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<&serde_json::Value>) -> anyhow::Result<Answer> {
        match body {
            Some(json) => self.request(method, path, Some("application/json"), json.to_string().into()).await,
            None => self.request(method, path, None, Bytes::new()).await,
        }
    }

    /// `POST /push` of an encoded payload.
    pub(crate) async fn push(&self, encoded: Bytes) -> anyhow::Result<Answer> {
        self.request("POST", "/push", Some("application/octet-stream"), encoded).await
    }

    async fn request(&self, method: &str, path: &str, media: Option<&str>, body: Bytes) -> anyhow::Result<Answer> {
        let host = match self {
            Self::Socket(_) => "localhost",
            Self::Tcp(address) => address,
        };
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, host);
        if let Some(media) = media {
            request = request.header(header::CONTENT_TYPE, media);
        }
        let request = request.body(Full::new(body))?;
        let answer = tokio::time::timeout(PATIENCE, self.exchange(request)).await;
        answer.with_context(|| format!("{self} took too long"))?.with_context(|| format!("no answer from {self}"))
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> anyhow::Result<Answer> {
        let response = match self {
            Self::Socket(path) => send(UnixStream::connect(path).await?, request).await?,
            Self::Tcp(address) => send(TcpStream::connect(address).await?, request).await?,
        };
        let status = response.status();
        let body = Limited::new(response.into_body(), MOST_BYTES).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!("the answer broke off: {error}"))?;
        Ok(Answer { status, body: body.to_bytes() })
    }
}

async fn send<S>(stream: S, request: Request<Full<Bytes>>) -> anyhow::Result<Response<Incoming>>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    // It ends with the connection, when the body has been read.
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}

impl FromStr for Place {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(address) = text.strip_prefix("http://") {
            return Ok(Self::Tcp(address.trim_end_matches('/').to_owned()));
        }
        let path = text.strip_prefix("unix:").unwrap_or(text);
        if path.is_empty() || text.contains("://") {
            return Err("expected unix:/path or http://host:port (plain HTTP: the surface that this machine reaches)");
        }
        Ok(Self::Socket(path.into()))
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(address) => write!(f, "http://{address}"),
        }
    }
}

/// Runs one command to its end.
pub(crate) fn block_on<T>(task: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start the runtime")?.block_on(task)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places() {
        for (text, shown) in [
            ("unix:/a/tm.ipc", Some("unix:/a/tm.ipc")),
            ("/a/tm.ipc", Some("unix:/a/tm.ipc")),
            ("http://127.0.0.1:9003/", Some("http://127.0.0.1:9003")),
            ("https://127.0.0.1:9003", None),
            ("unix:", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<Place>().ok().map(|place| place.to_string()).as_deref(), shown, "{text}");
        }
    }

    #[test]
    fn nobody_there_is_an_error_that_names_the_place() {
        let error = block_on(async { "unix:/nowhere/tm.ipc".parse::<Place>().unwrap().get("/upcheck").await }).unwrap_err();
        assert!(format!("{error:#}").contains("no answer from unix:/nowhere/tm.ipc"), "{error:#}");
    }
}
