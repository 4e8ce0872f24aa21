use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpSocket, UnixListener};

use super::tls::ServerTls;
use super::unix::{self, SocketFile};
use super::{NetError, Owner};

/// Callers that may wait to be accepted; the system caps it at `net.core.somaxconn`.
pub(super) const BACKLOG: u32 = 1_024;

/// Where a surface listens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Endpoint {
    /// A Unix socket.
    Unix {
        /// The socket file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// Its owner, if it is to be changed.
        owner: Owner,
    },
    /// A TCP port, on exactly the addresses that the host stands for.
    Tcp {
        /// Host name or address, without brackets.
        host: String,
        /// Port; 0 lets the system choose.
        port: u16,
    },
}

/// An open surface that nobody serves yet: callers wait in its backlog.
#[derive(Debug)]
pub struct Listener {
    pub(super) sockets: Vec<Socket>,
    pub(super) tls: Option<Arc<ServerTls>>,
    /// Removed when dropped, if still ours.
    pub(super) file: Option<SocketFile>,
}

#[derive(Debug)]
pub(super) enum Socket {
    Unix(UnixListener),
    Tcp(TcpListener),
}

impl Listener {
    /// Opens a surface. TLS is for TCP only.
    pub async fn bind(endpoint: &Endpoint, tls: Option<Arc<ServerTls>>) -> Result<Self, NetError> {
        match endpoint {
            Endpoint::Unix { path, mode, owner } => {
                let (listener, file) = unix::bind(path, *mode, owner).await?;
                Ok(Self { sockets: vec![Socket::Unix(listener)], tls: None, file: Some(file) })
            }
            Endpoint::Tcp { host, port } => {
                let sockets = bind_tcp(host, *port).await?.into_iter().map(Socket::Tcp).collect();
                Ok(Self { sockets, tls, file: None })
            }
        }
    }

    /// The TCP addresses, with the ports that the system chose; empty for a Unix socket.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets
            .iter()
            .filter_map(|socket| match socket {
                Socket::Tcp(listener) => listener.local_addr().ok(),
                Socket::Unix(_) => None,
            })
            .collect()
    }
}

/// Binds every address of the host: a `localhost` of both families is reachable by both.
async fn bind_tcp(host: &str, port: u16) -> Result<Vec<TcpListener>, NetError> {
    let resolve = |source| NetError::Resolve { host: host.to_owned(), source };
    let mut addresses: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await.map_err(resolve)?.collect();
    addresses.sort_by_key(SocketAddr::is_ipv6);
    addresses.dedup();
    let mut bound: Vec<TcpListener> = Vec::new();
    for mut address in addresses {
        if let Some(first) = bound.first().and_then(|listener| listener.local_addr().ok()) {
            address.set_port(first.port());
        }
        match bind_one(address) {
            Ok(listener) => bound.push(listener),
            // A machine without IPv6 may still name ::1 in its hosts file.
            Err(error) if !bound.is_empty() && error.kind() == io::ErrorKind::AddrNotAvailable => {}
            Err(error) => return Err(bind_error(address, error)),
        }
    }
    if bound.is_empty() {
        return Err(resolve(io::Error::new(io::ErrorKind::NotFound, "it has no address")));
    }
    Ok(bound)
}

fn bind_one(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?; // connections of a former run in TIME_WAIT do not keep the port
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn bind_error(address: SocketAddr, source: io::Error) -> NetError {
    if source.kind() == io::ErrorKind::AddrInUse {
        return NetError::AddressInUse(address.to_string());
    }
    NetError::Bind { address: address.to_string(), source }
}
