//! Transports: listeners, the client to other members, TLS, who may call, and how it all stops.
//!
//! One accept loop serves Unix sockets, TCP and TLS; one client reaches peers and our own sockets. Routes live in `api`.

pub mod admin;
pub mod client;
pub mod native;
pub mod peers;
pub mod tls;
pub mod whitelist;

mod activity;
mod caller;
mod connection;
mod error;
mod listen;
mod owner;
mod serve;
mod shutdown;
mod unix;

pub use caller::{Caller, PeerCertificate};
pub use error::NetError;
pub use listen::{Endpoint, Listener};
pub use owner::Owner;
pub use serve::{Limits, serve};
pub use shutdown::{Outcome, Shutdown};
