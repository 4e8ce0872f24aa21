//! What Celosias of one directory say to each other: deliveries, documents, gossip, on one connection for each pair.

mod peers;

pub use peers::{NativeAddress, NativePeers};
