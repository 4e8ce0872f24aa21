//! The surfaces over real sockets: real nodes, real store, real enclave, real deliveries between two members.

mod calls;
mod documents;
mod http;
mod network;
mod peers;
mod recorded;
mod refused;
