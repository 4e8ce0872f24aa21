//! A blocking HTTP/1.1 client: one request, one connection, nothing shared with the programs under test.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// Longer than any answer may take, so that a hanging server fails the test instead of the run.
const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) const BYTES: &str = "application/octet-stream";
pub(crate) const JSON: &str = "application/json";
pub(crate) const JSON_2_1: &str = "application/vnd.tessera-2.1+json";
pub(crate) const JSON_4_0: &str = "application/vnd.tessera-4.0+json";

/// Where a server listens.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    Tcp(u16),
    Unix(PathBuf),
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    body: Vec<u8>,
    headers: Vec<(String, String)>,
    host: String,
    method: &'static str,
    path: String,
}

impl Request {
    pub(crate) fn new(method: &'static str, path: &str) -> Self {
        Self { body: Vec::new(), headers: Vec::new(), host: "localhost".into(), method, path: path.into() }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// A POST that asks for an answer of the same media type.
    pub(crate) fn post(path: &str, media: &str, body: &[u8]) -> Self {
        Self { body: body.to_vec(), ..Self::new("POST", path) }.header("Content-Type", media).header("Accept", media)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    pub(crate) fn host(mut self, host: &str) -> Self {
        self.host = host.into();
        self
    }

    /// `None` if the connection fails or ends before the whole answer.
    pub(crate) fn try_send(&self, target: &Target) -> Option<Answer> {
        match target {
            Target::Tcp(port) => {
                let stream = TcpStream::connect(("127.0.0.1", *port)).ok()?;
                stream.set_read_timeout(Some(PATIENCE)).ok()?;
                self.exchange(stream)
            }
            Target::Unix(path) => {
                let stream = UnixStream::connect(path).ok()?;
                stream.set_read_timeout(Some(PATIENCE)).ok()?;
                self.exchange(stream)
            }
        }
    }

    #[track_caller]
    pub(crate) fn send(&self, target: &Target) -> Answer {
        self.try_send(target).unwrap_or_else(|| panic!("no answer to {} {} at {target:?}", self.method, self.path))
    }

    fn exchange(&self, mut stream: impl Read + Write) -> Option<Answer> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.method, self.path, self.host);
        head.extend(self.headers.iter().flat_map(|(name, value)| [name, ": ", value, "\r\n"]));
        if self.method != "GET" || !self.body.is_empty() {
            head.extend(["Content-Length: ", &self.body.len().to_string(), "\r\n"]);
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).ok()?;
        // A server may refuse a body by its head and close: its answer still counts.
        let written = stream.write_all(&self.body);
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        let is_head = self.method == "HEAD";
        (written.is_ok() && read.is_ok() || !answer.is_empty()).then(|| Answer::parse(answer, is_head)).flatten()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) body: Vec<u8>,
    headers: Vec<(String, String)>,
    pub(crate) status: u16,
}

impl Answer {
    fn parse(mut bytes: Vec<u8>, is_head: bool) -> Option<Self> {
        let split = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let body = bytes.split_off(split + 4);
        let head = String::from_utf8_lossy(&bytes).into_owned();
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers =
            lines.filter_map(|line| line.split_once(':')).map(|(n, v)| (n.to_ascii_lowercase(), v.trim().into())).collect();
        let answer = Self { body, headers, status };
        let is_chunked = answer.header("transfer-encoding").is_some_and(|value| value.contains("chunked"));
        let body = if is_chunked { unchunk(&answer.body)? } else { answer.body.clone() };
        let length = answer.header("content-length").and_then(|length| length.parse::<usize>().ok());
        (is_head || length.is_none_or(|length| length == body.len())).then_some(Self { body, ..answer })
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The media type without its parameters.
    pub(crate) fn media(&self) -> &str {
        self.header("content-type").and_then(|value| value.split(';').next()).unwrap_or_default().trim()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.text()))
    }

    /// This answer, if it has that status.
    #[track_caller]
    pub(crate) fn must(self, status: u16) -> Self {
        assert!(self.status == status, "status {} instead of {status}, body {:?}", self.status, self.text());
        self
    }

    /// This answer, if its text contains that.
    #[track_caller]
    pub(crate) fn says(self, part: &str) -> Self {
        assert!(self.text().contains(part), "status {}, body {:?} without {part:?}", self.status, self.text());
        self
    }
}

fn unchunk(mut bytes: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = bytes.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(&bytes[..end]).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(bytes.get(end + 2..end + 2 + size)?);
        bytes = bytes.get(end + 4 + size..)?;
    }
}
