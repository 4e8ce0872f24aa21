//! A blocking HTTP/1.1 client for tests: one request, one connection, nothing shared with the program under test.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

pub(crate) const JSON: &str = "application/vnd.tessera-2.1+json";
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

/// One exchange over a Unix socket; `None` if the connection fails or ends early.
pub(crate) fn unix(socket: &Path, method: &str, path: &str, media: &str, body: &[u8]) -> Option<Answer> {
    let stream = UnixStream::connect(socket).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    exchange(stream, method, path, media, body)
}

/// One exchange over TCP.
pub(crate) fn tcp(address: &str, method: &str, path: &str, media: &str, body: &[u8]) -> Option<Answer> {
    let stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    exchange(stream, method, path, media, body)
}

fn exchange(mut stream: impl Read + Write, method: &str, path: &str, media: &str, body: &[u8]) -> Option<Answer> {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: c\r\nConnection: close\r\nAccept: {media}\r\nContent-Type: {media}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).ok()?;
    // Whoever refuses a body may close before it is written; the answer is then there all the same.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let split = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..split]).into_owned();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let body = answer.split_off(split + 4);
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    (length.is_none_or(|length| length == body.len())).then_some(Answer { status, head, body })
}
