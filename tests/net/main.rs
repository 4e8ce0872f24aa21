//! Transports with real sockets and real certificates.

#![allow(unreachable_pub, clippy::unwrap_used, reason = "tests")]

mod gates;
mod listeners;
mod native;
mod peers;
mod slow;
mod stopping;
mod support;
mod tls;
mod unix;
