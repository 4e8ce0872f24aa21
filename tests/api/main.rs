//! The surfaces over real sockets: real nodes, real store, real enclave, real deliveries between two members.

#![allow(clippy::unwrap_used, reason = "tests")]

mod calls;
mod documents;
mod groups;
mod http;
mod network;
mod peers;
mod recorded;
mod refused;
