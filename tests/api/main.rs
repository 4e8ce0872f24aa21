//! The surfaces over real sockets: real nodes, real store, real enclave, real deliveries between two members.

mod calls;
mod documents;
mod groups;
mod http;
mod network;
mod peers;
mod recorded;
mod refused;
