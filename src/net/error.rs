use std::io;
use std::path::PathBuf;

use crate::types::{Code, Coded};

/// Why a surface cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NetError {
    /// The TCP address is taken.
    #[error("address {0} is in use: stop the program that listens there, or configure another port")]
    AddressInUse(String),
    /// The host name of a listener does not resolve.
    #[error("cannot resolve {host} to listen on it: {source}")]
    Resolve {
        /// The name.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// The TCP address cannot be bound for another reason.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// Which address.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// A program answers on the socket.
    #[error("socket {0} is in use: another program answers on it; stop it, or configure another path")]
    SocketInUse(PathBuf),
    /// Something that is no socket lies at the path.
    #[error("{0} exists and is not a socket: move it away, or configure another path")]
    NotASocket(PathBuf),
    /// The path does not fit a socket address (Linux: 107 bytes).
    #[error("socket path {path} is {length} bytes long where at most {max} fit: configure a shorter path")]
    PathTooLong {
        /// Which path.
        path: PathBuf,
        /// Its bytes.
        length: usize,
        /// Bytes that fit.
        max: usize,
    },
    /// The socket file cannot be made.
    #[error("cannot make socket {path}: {source}")]
    Socket {
        /// Which path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The configured owner of a socket does not exist here.
    #[error("no {kind} named {name} on this machine: configure an existing one, or its number")]
    UnknownOwner {
        /// `user` or `group`.
        kind: &'static str,
        /// The name.
        name: String,
    },
}

impl Coded for NetError {
    fn code(&self) -> Code {
        match self {
            Self::AddressInUse(_) => Code(1201),
            Self::Resolve { .. } => Code(1202),
            Self::Bind { .. } => Code(1203),
            Self::SocketInUse(_) => Code(1204),
            Self::NotASocket(_) => Code(1205),
            Self::PathTooLong { .. } => Code(1206),
            Self::Socket { .. } => Code(1207),
            Self::UnknownOwner { .. } => Code(1208),
        }
    }
}
