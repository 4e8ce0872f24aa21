//! A closed loop of clients, each with one kept-alive connection, each with one request in flight.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, UnixStream};

/// Where the load goes.
#[derive(Clone, Debug)]
pub(crate) enum Target {
    /// A Unix socket.
    Unix(PathBuf),
    /// `host:port` of a plain HTTP listener.
    Tcp(String),
}

impl Target {
    /// Reads `unix:/path`, `http://host:port` or a path.
    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        if let Some(rest) = text.strip_prefix("http://") {
            return Ok(Self::Tcp(rest.trim_end_matches('/').to_owned()));
        }
        if text.starts_with("https://") {
            bail!("the load speaks plain HTTP: name the node's Unix socket or an http:// address");
        }
        Ok(Self::Unix(PathBuf::from(text.strip_prefix("unix:").unwrap_or(text))))
    }

    async fn connect(&self) -> anyhow::Result<SendRequest<Full<Bytes>>> {
        let (sender, connection) = match self {
            Self::Unix(path) => {
                let stream = UnixStream::connect(path).await.with_context(|| format!("cannot connect to {}", path.display()))?;
                let (sender, connection) = handshake(TokioIo::new(stream)).await?;
                (sender, tokio::spawn(connection))
            }
            Self::Tcp(address) => {
                let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
                stream.set_nodelay(true)?;
                let (sender, connection) = handshake(TokioIo::new(stream)).await?;
                (sender, tokio::spawn(connection))
            }
        };
        drop(connection);
        Ok(sender)
    }
}

/// One request of the load.
#[derive(Clone, Debug)]
pub(crate) struct Shot {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) media: &'static str,
    pub(crate) body: Bytes,
    /// One header more.
    pub(crate) header: Option<(&'static str, &'static str)>,
}

impl Shot {
    fn request(self) -> anyhow::Result<Request<Full<Bytes>>> {
        let request = Request::builder()
            .method(self.method)
            .uri(self.path)
            .header(header::HOST, "c")
            .header(header::ACCEPT, self.media)
            .header(header::CONTENT_TYPE, self.media);
        let request = match self.header {
            Some((name, value)) => request.header(name, value),
            None => request,
        };
        Ok(request.body(Full::new(self.body))?)
    }
}

/// What a run measured.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Wall time of the run.
    pub(crate) elapsed: Duration,
    /// Answers with another status than expected, or none.
    pub(crate) failed: u64,
    /// Latency of every good answer, microseconds, sorted.
    pub(crate) micros: Vec<u32>,
    /// Bodies that the caller asked to keep.
    pub(crate) bodies: Vec<Bytes>,
}

impl Outcome {
    /// Good answers a second.
    pub(crate) fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a rate, for people")]
        let answers = self.micros.len() as f64;
        answers / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// The latency that `percent` of the answers do not exceed, microseconds.
    pub(crate) fn percentile(&self, percent: usize) -> u32 {
        let last = self.micros.len().saturating_sub(1);
        self.micros.get((self.micros.len() * percent / 100).min(last)).copied().unwrap_or_default()
    }
}

/// What a load looks like.
pub(crate) struct Plan {
    pub(crate) clients: usize,
    pub(crate) duration: Duration,
    pub(crate) expect: StatusCode,
    pub(crate) keep_bodies: bool,
}

/// Runs the load; `shot` makes the n-th request of a client.
pub(crate) async fn run<F>(target: &Target, plan: &Plan, shot: F) -> anyhow::Result<Outcome>
where
    F: Fn(usize, u64) -> Shot + Send + Sync + 'static,
{
    let shot = Arc::new(shot);
    let mut connections = Vec::with_capacity(plan.clients);
    for _ in 0..plan.clients {
        connections.push(target.connect().await?);
    }
    let begin = Instant::now();
    let end = begin + plan.duration;
    let (expect, keep) = (plan.expect, plan.keep_bodies);
    let tasks: Vec<_> = connections
        .into_iter()
        .enumerate()
        .map(|(client, connection)| {
            let shot = Arc::clone(&shot);
            tokio::spawn(async move { client_loop(connection, end, expect, keep, |n| shot(client, n)).await })
        })
        .collect();
    let mut total = Outcome::default();
    for task in tasks {
        let mut outcome = task.await??;
        total.failed += outcome.failed;
        total.micros.append(&mut outcome.micros);
        total.bodies.append(&mut outcome.bodies);
    }
    total.elapsed = begin.elapsed();
    total.micros.sort_unstable();
    Ok(total)
}

async fn client_loop(
    mut connection: SendRequest<Full<Bytes>>,
    end: Instant,
    expect: StatusCode,
    keep: bool,
    shot: impl Fn(u64) -> Shot,
) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::default();
    let mut n = 0;
    while Instant::now() < end {
        let request = shot(n).request()?;
        n += 1;
        let sent = Instant::now();
        connection.ready().await.context("the server closed a connection under load")?;
        let response = connection.send_request(request).await.context("no answer under load")?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        if status == expect {
            outcome.micros.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
            if keep {
                outcome.bodies.push(body);
            }
        } else {
            outcome.failed += 1;
        }
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_and_rate_come_from_the_good_answers() {
        let outcome = Outcome { elapsed: Duration::from_secs(2), micros: (1..=100).collect(), ..Outcome::default() };
        assert_eq!((outcome.percentile(50), outcome.percentile(99), outcome.percentile(100)), (51, 100, 100));
        assert!((outcome.rate() - 50.0).abs() < f64::EPSILON);
        assert_eq!(Outcome::default().percentile(50), 0);
    }
}
