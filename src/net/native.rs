//! The native surface: HTTP/2 (RFC 9113) over mutual TLS 1.3 between members of one directory, known by the pins of their keys.
//!
//! Threat: a certificate of an authority that was fooled, or a member that was expelled a minute ago. So nobody is trusted but the keys
//! that the directory names, at the handshake and again at every request; a change of the directory cuts what it no longer allows.

mod client;
mod pin;
mod server;
mod tls;

use crate::types::MemberId;

pub use client::NativePool;
pub use pin::pin_of;
pub use server::{NativeCaller, serve};
pub use tls::NativeTls;

/// SHA-256 of the SubjectPublicKeyInfo of a certificate (RFC 7469 section 2.4).
pub type Pin = [u8; 32];

/// Who may come in now.
pub trait Admission: Send + Sync + 'static {
    /// The member with this pin, if the directory lets it in.
    fn admitted(&self, pin: &Pin) -> Option<MemberId>;
}
