//! One accept loop: handshake, HTTP/2, and an eye on the directory.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower::Service as _;

use super::{NativeTls, Pin};
use crate::net::listen::Socket;
use crate::net::{Caller, Listener, Shutdown};
use crate::types::MemberId;

/// How long a handshake may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// Handshakes and connections at once: a few for each of some thousand members.
const CONNECTIONS: usize = 8_192;
/// Connections of one member: one is enough, some more may still be dying.
const OF_MEMBER: usize = 16;
/// Pause after the system refused to accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often a silent connection is asked for a sign of life, and how long it has.
const PING: Duration = Duration::from_secs(20);
const PONG: Duration = Duration::from_secs(10);
/// Flow control (RFC 9113 section 5.2): a batch of deliveries without a wait for a window.
pub(super) const STREAM_WINDOW: u32 = 4 << 20;
pub(super) const CONNECTION_WINDOW: u32 = 8 << 20;
pub(super) const FRAME: u32 = 64 << 10;
/// Requests of one member at once.
const STREAMS: u32 = 256;

/// The member that calls. In the extensions of every request of the native surface.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NativeCaller(pub MemberId);

struct Shared {
    tls: Arc<NativeTls>,
    router: Router,
    changed: watch::Receiver<u64>,
    shutdown: Shutdown,
    /// Connections of each member.
    open: Mutex<HashMap<MemberId, usize>>,
}

/// One connection of a member, counted while it lasts.
struct Counted<'a> {
    shared: &'a Shared,
    member: MemberId,
}

impl Shared {
    /// Threat: one member opens connections until nobody else's find room, or the process has no file descriptor left.
    fn count(&self, member: &MemberId) -> Option<Counted<'_>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(member.clone()).or_default();
        if *count >= OF_MEMBER {
            return None;
        }
        *count += 1;
        Some(Counted { shared: self, member: member.clone() })
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        let mut open = self.shared.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.member) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.member);
            }
        }
    }
}

/// Serves the native surface until the shutdown begins. `changed` tells of a new directory. Returns at once.
pub fn serve(listener: Listener, tls: Arc<NativeTls>, router: Router, changed: watch::Receiver<u64>, shutdown: &Shutdown) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let shared = Arc::new(Shared { tls, router, changed, shutdown: shutdown.clone(), open: Mutex::default() });
    for socket in listener.sockets {
        let Socket::Tcp(listener) = socket else { continue };
        shutdown.tasks.spawn(accept(listener, Arc::clone(&places), Arc::clone(&shared)));
    }
}

async fn accept(listener: TcpListener, places: Arc<Semaphore>, shared: Arc<Shared>) {
    let stop = shared.shutdown.stop.clone();
    loop {
        let Some(accepted) = stop.run_until_cancelled(listener.accept()).await else { return };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "cannot accept native connections; callers wait");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let inner = Arc::clone(&shared);
        shared.shutdown.tasks.spawn(async move {
            connection(stream, address.ip().to_canonical(), &inner).await;
            drop(place);
        });
    }
}

async fn connection(stream: TcpStream, address: IpAddr, shared: &Arc<Shared>) {
    // Latency over batching: frames are whole messages.
    let _ = stream.set_nodelay(true);
    let accepted = tokio::select! {
        () = shared.shutdown.stop.cancelled() => return,
        accepted = tokio::time::timeout(HANDSHAKE_TIME, shared.tls.accept(stream)) => accepted,
    };
    let (stream, pin, member) = match accepted {
        Ok(Ok(accepted)) => accepted,
        Ok(Err(error)) => return tracing::info!(%address, %error, "a native handshake failed: not a member, or not TLS 1.3"),
        Err(_) => return tracing::debug!(%address, "a native handshake took too long"),
    };
    let Some(_counted) = shared.count(&member) else {
        return tracing::debug!(%member, "a member has as many connections as it may: another is closed");
    };
    let (serving, caller) = (Arc::clone(shared), member.clone());
    let service = service_fn(move |request| answer(Arc::clone(&serving), request, pin, caller.clone(), address));
    let mut engine = http2::Builder::new(TokioExecutor::new());
    engine
        .timer(TokioTimer::new())
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(FRAME)
        .max_concurrent_streams(STREAMS)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PONG);
    let mut serving = std::pin::pin!(engine.serve_connection(TokioIo::new(stream), service));
    let mut changed = shared.changed.clone();
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = serving.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%member, %error, "a native connection ended early");
                }
                return;
            }
            () = shared.shutdown.cut.cancelled() => return,
            () = shared.shutdown.stop.cancelled(), if !stopping => {
                stopping = true;
                serving.as_mut().graceful_shutdown();
            }
            news = changed.changed() => {
                let stays = shared.tls.admission().admitted(&pin).is_some_and(|now| now == member);
                if !stays {
                    return tracing::warn!(%member, "a connection was cut: the directory no longer lets this member in");
                }
                if news.is_err() {
                    // Nobody is left to change the directory: only at shutdown.
                    changed = shared.changed.clone();
                    shared.shutdown.stop.cancelled().await;
                }
            }
        }
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: Request<Incoming>,
    pin: Pin,
    member: MemberId,
    address: IpAddr,
) -> Result<Response<Body>, Infallible> {
    // Between the news and the cut there is a moment: no request is begun in it.
    if shared.tls.admission().admitted(&pin).is_none_or(|now| now != member) {
        let mut refused = Response::new(Body::from("the directory does not let this member in"));
        *refused.status_mut() = StatusCode::FORBIDDEN;
        return Ok(refused);
    }
    let mut request = request.map(Body::new);
    request.extensions_mut().insert(Caller { address: Some(address), certificate: None });
    request.extensions_mut().insert(NativeCaller(member));
    shared.router.clone().call(request).await
}
