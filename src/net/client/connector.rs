use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::time::Instant;
use tokio_rustls::client::TlsStream;
use tower::Service;

use crate::net::tls::ClientTls;

/// Opens connections for the pool.
#[derive(Clone, Debug)]
pub struct Connector {
    route: Route,
    time: Duration,
}

#[derive(Clone, Debug)]
enum Route {
    Unix(Arc<Path>),
    Network(Option<Arc<ClientTls>>),
}

impl Connector {
    /// Every connection goes to one socket. A connection must stand within `time`.
    pub fn unix(path: PathBuf, time: Duration) -> Self {
        Self { route: Route::Unix(path.into()), time }
    }

    /// Connections go where the URL says; `https` needs the TLS settings. Name look-up, connection and handshake together take at most `time`.
    pub fn network(tls: Option<Arc<ClientTls>>, time: Duration) -> Self {
        Self { route: Route::Network(tls), time }
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Wire>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<TokioIo<Wire>>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { route, time } = self.clone();
        Box::pin(async move {
            let connected = tokio::time::timeout(time, connect(route, &uri, time)).await;
            connected.map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "no connection in time"))?.map(TokioIo::new)
        })
    }
}

async fn connect(route: Route, uri: &Uri, time: Duration) -> io::Result<Wire> {
    let tls = match route {
        Route::Unix(path) => return UnixStream::connect(path).await.map(Wire::Unix),
        Route::Network(tls) => tls,
    };
    let host = uri.host().ok_or(io::ErrorKind::InvalidInput)?.trim_matches(['[', ']']);
    let secure = uri.scheme_str() == Some("https");
    let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
    let stream = connect_tcp(host, port, time).await?;
    stream.set_nodelay(true)?;
    if !secure {
        return Ok(Wire::Tcp(stream));
    }
    let tls = tls.ok_or_else(|| io::Error::other("https without TLS settings: configure TLS for the client"))?;
    let handshake = tls.connect(host, stream).await;
    let handshake = handshake.inspect_err(|error| tracing::warn!(host, port, %error, "a TLS handshake with a server failed"));
    handshake.map(|stream| Wire::Tls(Box::new(stream)))
}

/// Tries the addresses of a host in turn. Each gets its share of the time, so that one that never answers does not use it up.
async fn connect_tcp(host: &str, port: u16, time: Duration) -> io::Result<TcpStream> {
    let deadline = Instant::now() + time;
    let addresses: Vec<SocketAddr> = lookup_host((host, port)).await?.collect();
    let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
    for address in addresses {
        let share = deadline.saturating_duration_since(Instant::now()) / left.max(1);
        left = left.saturating_sub(1);
        match tokio::time::timeout(share, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}

/// A connection to a server.
#[derive(Debug)]
pub enum Wire {
    /// Plain TCP.
    Tcp(TcpStream),
    /// TLS over TCP.
    Tls(Box<TlsStream<TcpStream>>),
    /// A Unix socket.
    Unix(UnixStream),
}

impl Connection for Wire {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

macro_rules! delegate {
    ($self:expr, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Wire::Tcp(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
            Wire::Tls(stream) => {
                let $stream = Pin::new(stream.as_mut());
                $call
            }
            Wire::Unix(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
        }
    };
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        delegate!(self, stream => stream.poll_read(cx, buffer))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        delegate!(self, stream => stream.poll_write(cx, bytes))
    }

    fn poll_write_vectored(self: Pin<&mut Self>, cx: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        delegate!(self, stream => stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
            Self::Unix(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, stream => stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self, stream => stream.poll_shutdown(cx))
    }
}
