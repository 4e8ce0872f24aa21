//! What Celosias of one directory say to each other: deliveries, documents, gossip, on one connection for each pair.

mod outbox;
mod peers;
mod uploads;

pub use peers::{NativeAddress, NativePeers};
