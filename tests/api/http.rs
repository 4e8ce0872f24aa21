//! HTTP by hand: tests see the bytes.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// Long enough that only a defect reaches it.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const JSON: &str = "application/json";
pub(crate) const V2_1: &str = "application/vnd.tessera-2.1+json";
pub(crate) const V3: &str = "application/vnd.tessera-3.0+json";
pub(crate) const V4: &str = "application/vnd.tessera-4.0+json";
pub(crate) const OCTETS: &str = "application/octet-stream";

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection that stays open, as GoQuorum keeps it.
pub(crate) struct Connection(Box<dyn Stream>);

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) reason: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// A request to be written.
pub(crate) struct Request {
    line: String,
    headers: String,
    body: Vec<u8>,
}

pub(crate) fn get(path: &str) -> Request {
    request("GET", path)
}

pub(crate) fn post(path: &str, media: &str, body: impl Into<Vec<u8>>) -> Request {
    request("POST", path).with("Content-Type", media).body(body)
}

pub(crate) fn request(method: &str, path: &str) -> Request {
    Request { line: format!("{method} {path} HTTP/1.1\r\n"), headers: "Host: c\r\n".into(), body: Vec::new() }
}

impl Request {
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.extend([name, ": ", value, "\r\n"]);
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let head = format!("{}{}Content-Length: {}\r\n\r\n", self.line, self.headers, self.body.len());
        [head.as_bytes(), &self.body].concat()
    }
}

impl Connection {
    pub(crate) async fn unix(path: &Path) -> Self {
        Self(Box::new(UnixStream::connect(path).await.unwrap()))
    }

    pub(crate) async fn tcp(address: std::net::SocketAddr) -> Self {
        Self(Box::new(TcpStream::connect(address).await.unwrap()))
    }

    pub(crate) async fn send(&mut self, request: &Request) -> Answer {
        let has_body = !request.line.starts_with("HEAD");
        self.exchange(&request.bytes(), has_body).await
    }

    /// Writes bytes as they are and reads one answer.
    pub(crate) async fn raw(&mut self, bytes: &[u8]) -> Answer {
        self.exchange(bytes, true).await
    }

    async fn exchange(&mut self, bytes: &[u8], has_body: bool) -> Answer {
        self.0.write_all(bytes).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let byte = timeout(PATIENCE, self.0.read_u8()).await.expect("an answer").expect("the connection stays open");
            head.push(byte);
        }
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.trim_end().split("\r\n");
        let mut status = lines.next().unwrap().splitn(3, ' ').skip(1);
        let headers: Vec<(String, String)> =
            lines.map(|line| line.split_once(": ").unwrap()).map(|(name, value)| (name.to_lowercase(), value.into())).collect();
        let mut answer = Answer {
            status: status.next().unwrap().parse().unwrap(),
            reason: status.next().unwrap_or_default().into(),
            headers,
            body: Vec::new(),
        };
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        if has_body {
            answer.body.resize(length, 0);
            timeout(PATIENCE, self.0.read_exact(&mut answer.body)).await.expect("the whole body").unwrap();
        }
        answer
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(header, _)| header == name).map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn media(&self) -> &str {
        self.header("content-type").unwrap_or_default()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// A string member of a JSON answer.
    pub(crate) fn member(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_else(|| panic!("no {name} in {self:?}")).to_owned()
    }
}
