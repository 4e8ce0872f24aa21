//! One HTTP/2 connection for each member, made when it is needed and shared by everything that is said to it.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http2::{self, SendRequest};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::Mutex as AsyncMutex;

use super::server::{CONNECTION_WINDOW, FRAME, STREAM_WINDOW};
use super::{NativeTls, Pin};
use crate::services::{NativeAddress, NativePeers, PeerError};
use crate::types::MemberId;

/// Connection and handshake.
const CONNECT_TIME: Duration = Duration::from_secs(2);
/// How often a silent connection is asked for a sign of life, and how long it has.
const PING: Duration = Duration::from_secs(20);
const PONG: Duration = Duration::from_secs(5);
/// How long a connection is kept that nobody uses.
const IDLE_TIME: Duration = Duration::from_mins(1);
/// Longest answer.
const MAX_ANSWER: usize = 80 << 20;
/// Characters of a peer's error text that are kept.
const MESSAGE_CHARS: usize = 200;

type Line = SendRequest<Full<Bytes>>;

/// Connections to other members.
pub struct NativePool {
    tls: Arc<NativeTls>,
    slots: Mutex<HashMap<MemberId, Arc<Slot>>>,
}

/// The connection to one member at one place with one key.
struct Slot {
    address: NativeAddress,
    used: Mutex<Instant>,
    line: AsyncMutex<Option<Line>>,
}

impl NativePool {
    /// A pool without connections yet. Those that nobody uses for a minute are closed: a thousand members are not a thousand connections.
    pub fn new(tls: Arc<NativeTls>) -> Arc<Self> {
        let pool = Arc::new(Self { tls, slots: Mutex::default() });
        let watched = Arc::downgrade(&pool);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(IDLE_TIME / 2).await;
                let Some(pool) = watched.upgrade() else { return };
                let is_used = |slot: &Slot| slot.used.lock().unwrap_or_else(PoisonError::into_inner).elapsed() < IDLE_TIME;
                pool.slots.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, slot| is_used(slot));
            }
        });
        pool
    }

    fn slot(&self, to: &NativeAddress) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        match slots.get(&to.member) {
            Some(slot) if slot.address == *to => {
                *slot.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
                Arc::clone(slot)
            }
            // Another key or place: the old connection ends with its last user.
            _ => {
                let slot = Arc::new(Slot { address: to.clone(), used: Mutex::new(Instant::now()), line: AsyncMutex::new(None) });
                slots.insert(to.member.clone(), Arc::clone(&slot));
                slot
            }
        }
    }

    /// A line that is open. Waiters share one handshake.
    async fn line(&self, slot: &Slot) -> io::Result<Line> {
        let mut line = slot.line.lock().await;
        if let Some(open) = line.as_ref().filter(|open| !open.is_closed()) {
            return Ok(open.clone());
        }
        let connected = tokio::time::timeout(CONNECT_TIME, connect(&self.tls, &slot.address)).await;
        let open = connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        *line = Some(open.clone());
        Ok(open)
    }

    async fn exchange(&self, to: &NativeAddress, path: &str, body: Bytes) -> Result<Bytes, PeerError> {
        let offline = || PeerError::Offline(to.endpoint.clone());
        let slot = self.slot(to);
        let mut again = true;
        let answer = loop {
            let mut line = self.line(&slot).await.map_err(|error| {
                tracing::debug!(member = %to.member, %error, "no native connection");
                offline()
            })?;
            let request = Request::post(format!("https://member.invalid{path}")).body(Full::new(body.clone()));
            let request = request.map_err(|_| offline())?;
            match line.try_send_request(request).await {
                Ok(answer) => break answer,
                Err(mut error) => {
                    // Not sent at all (the connection had just ended): once more.
                    if again && error.take_message().is_some() {
                        again = false;
                        continue;
                    }
                    tracing::debug!(member = %to.member, error = %error.into_error(), "a native exchange failed");
                    return Err(offline());
                }
            }
        };
        read(to, answer).await
    }
}

async fn read(to: &NativeAddress, answer: Response<hyper::body::Incoming>) -> Result<Bytes, PeerError> {
    let status = answer.status();
    let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
    let body = body.map_err(|_| PeerError::Malformed(to.endpoint.clone()))?.to_bytes();
    if status == StatusCode::OK {
        return Ok(body);
    }
    let text = String::from_utf8_lossy(&body);
    let message = text.chars().filter(|c| !c.is_control()).take(MESSAGE_CHARS).collect();
    Err(PeerError::Refused { url: to.endpoint.clone(), status: status.as_u16(), message })
}

async fn connect(tls: &NativeTls, to: &NativeAddress) -> io::Result<Line> {
    let url = to.endpoint.url();
    let host = url.host_str().ok_or(io::ErrorKind::InvalidInput)?.trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or(443);
    let stream = TcpStream::connect((host, port)).await?;
    stream.set_nodelay(true)?;
    let pin: Pin = to.pin;
    let stream = tls.connect(stream, pin).await.inspect_err(|error| {
        tracing::warn!(member = %to.member, %error, "a native handshake failed: the directory names another key, or we are not let in");
    })?;
    let mut engine = http2::Builder::new(TokioExecutor::new());
    engine
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PONG)
        .keep_alive_while_idle(true);
    let (line, connection) = engine.handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a native connection ended early");
        }
    });
    Ok(line)
}

#[async_trait]
impl NativePeers for NativePool {
    async fn call(&self, to: &NativeAddress, path: &'static str, body: Bytes, budget: Duration) -> Result<Bytes, PeerError> {
        match tokio::time::timeout(budget, self.exchange(to, path, body)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(PeerError::Offline(to.endpoint.clone())),
        }
    }

    fn keep_only(&self, stays: &dyn Fn(&NativeAddress) -> bool) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.retain(|_, slot| stays(&slot.address));
    }
}
