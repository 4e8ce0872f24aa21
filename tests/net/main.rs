//! Transports with real sockets and real certificates.

mod gates;
mod listeners;
mod peers;
mod slow;
mod stopping;
mod support;
mod tls;
mod unix;
