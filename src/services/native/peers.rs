use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::services::PeerError;
use crate::types::{MemberId, PeerUrl};

/// Where a member's native surface is, and the key that must answer there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NativeAddress {
    /// Who.
    pub member: MemberId,
    /// Where.
    pub endpoint: PeerUrl,
    /// SHA-256 of its certificate's SubjectPublicKeyInfo.
    pub pin: [u8; 32],
}

/// The way to the native surfaces of other members.
#[async_trait]
pub trait NativePeers: Send + Sync {
    /// `POST path`; the body of a success. Bounded by `budget`, connection included.
    async fn call(&self, to: &NativeAddress, path: &'static str, body: Bytes, budget: Duration) -> Result<Bytes, PeerError>;

    /// Lets go of every connection for which `stays` is false.
    fn keep_only(&self, stays: &dyn Fn(&NativeAddress) -> bool);
}
