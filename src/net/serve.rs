use std::io;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::connection::{Crowd, Shared, drive};
use super::listen::{Listener, Socket};
use super::tls::ServerTls;
use super::{Caller, PeerCertificate, Shutdown};

/// Pause after the system refused to accept (no file descriptors left): the backlog keeps the callers meanwhile.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How often idle connections are asked to make room while a caller waits for a place.
const ASK_AGAIN: Duration = Duration::from_millis(250);

/// How long a TLS handshake may take.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// What callers of a surface may take up.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once. Beyond it we stop accepting, and callers wait in the backlog; nobody is reset.
    pub connections: usize,
    /// Bytes of a request's head; more is answered with 431.
    pub head_bytes: usize,
    /// Bytes that are read ahead of a body for each connection.
    pub buffer_bytes: usize,
    /// How long a head may take, from its first byte.
    pub head_time: Option<Duration>,
    /// How long a body or an answer may stand still.
    pub stall_time: Option<Duration>,
    /// While every place is taken, a connection that has been idle for a second or more makes room for the next caller.
    pub idle_yields: bool,
}

impl Limits {
    /// The node surface: the caller is our own node, and no connection of its is ever closed by us.
    pub const fn node() -> Self {
        Self {
            connections: 4_096,
            head_bytes: 64 * 1024,
            buffer_bytes: 256 * 1024,
            head_time: None,
            stall_time: None,
            idle_yields: false,
        }
    }

    /// A surface that strangers reach.
    pub const fn open() -> Self {
        Self {
            head_time: Some(Duration::from_secs(15)),
            stall_time: Some(Duration::from_secs(30)),
            idle_yields: true,
            ..Self::node()
        }
    }
}

/// Serves a router on a listener until the shutdown begins. Returns at once; the work is tracked by the shutdown.
pub fn serve(listener: Listener, router: Router, limits: Limits, shutdown: &Shutdown) {
    let places = Arc::new(Semaphore::new(limits.connections.clamp(1, Semaphore::MAX_PERMITS)));
    let shared = Arc::new(Shared { router, limits, shutdown: shutdown.clone(), crowd: Crowd::default() });
    let Listener { sockets, tls, file } = listener;
    let file = Arc::new(file);
    for socket in sockets {
        let accepting = Accepting { tls: tls.clone(), places: Arc::clone(&places), shared: Arc::clone(&shared) };
        let file = Arc::clone(&file);
        shutdown.tasks.spawn(async move {
            accepting.run(socket).await;
            drop(file); // the last loop to end removes the socket file
        });
    }
}

struct Accepting {
    tls: Option<Arc<ServerTls>>,
    places: Arc<Semaphore>,
    shared: Arc<Shared>,
}

impl Accepting {
    async fn run(self, socket: Socket) {
        let stop = self.shared.shutdown.stop.clone();
        while let Some(turn) = stop.run_until_cancelled(self.turn(&socket)).await {
            match turn {
                Ok(()) => {}
                Err(error) if is_callers_fault(&error) => {}
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections; callers wait");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    /// Accepts one connection, and serves it as soon as there is a place. Until then nobody else is accepted.
    async fn turn(&self, socket: &Socket) -> io::Result<()> {
        let stream = accept(socket).await?;
        if let Some(place) = self.place().await {
            self.spawn(stream, place);
        }
        Ok(())
    }

    /// A place for one more connection, once there is one.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(place);
        }
        let mut waiting = pin!(Arc::clone(&self.places).acquire_owned());
        loop {
            self.shared.crowd.ask();
            if let Ok(place) = tokio::time::timeout(ASK_AGAIN, waiting.as_mut()).await {
                return place.ok();
            }
        }
    }

    fn spawn(&self, stream: Stream, place: OwnedSemaphorePermit) {
        let (tls, shared) = (self.tls.clone(), Arc::clone(&self.shared));
        self.shared.shutdown.tasks.spawn(async move {
            match stream {
                Stream::Unix(stream) => drive(stream, Caller::default(), &shared).await,
                Stream::Tcp(stream, address) => serve_tcp(stream, address, tls, &shared).await,
            }
            drop(place);
        });
    }
}

enum Stream {
    Unix(tokio::net::UnixStream),
    Tcp(TcpStream, IpAddr),
}

async fn accept(socket: &Socket) -> io::Result<Stream> {
    match socket {
        Socket::Unix(listener) => accept_unix(listener).await,
        Socket::Tcp(listener) => accept_tcp(listener).await,
    }
}

async fn accept_unix(listener: &UnixListener) -> io::Result<Stream> {
    let (stream, _) = listener.accept().await?;
    Ok(Stream::Unix(stream))
}

async fn accept_tcp(listener: &TcpListener) -> io::Result<Stream> {
    let (stream, address) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok(Stream::Tcp(stream, address.ip().to_canonical()))
}

async fn serve_tcp(stream: TcpStream, address: IpAddr, tls: Option<Arc<ServerTls>>, shared: &Shared) {
    let mut caller = Caller { address: Some(address), certificate: None };
    let Some(tls) = tls else { return drive(stream, caller, shared).await };
    let handshake = tokio::time::timeout(HANDSHAKE_TIME, tls.accept(stream));
    let done = tokio::select! {
        () = shared.shutdown.stop.cancelled() => return,
        done = handshake => done,
    };
    match done {
        Ok(Ok(stream)) => {
            let chain = stream.get_ref().1.peer_certificates();
            caller.certificate = chain.and_then(|chain| chain.first()).and_then(PeerCertificate::read);
            drive(stream, caller, shared).await;
        }
        Ok(Err(error)) => tracing::info!(%address, %error, "a TLS handshake failed"),
        Err(_) => tracing::debug!(%address, "a TLS handshake took too long"),
    }
}

/// The caller left before it was accepted: no reason to pause.
fn is_callers_fault(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, InvalidInput, NotConnected};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | InvalidInput | NotConnected)
}
