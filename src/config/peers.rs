use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ClientTls, units};
use crate::types::PeerUrl;

/// `[peers]`: the other members, and how this node meets them.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Peers {
    /// Members to greet at the start; they name the others.
    pub urls: Vec<PeerUrl>,
    /// Learn of members that are not in `urls`. Off: their party info is refused (403).
    pub discovery: bool,
    /// Refuse callers (401) whose host is not one of `urls`.
    pub whitelist: bool,
    /// How often each peer is polled.
    #[serde(with = "units::duration")]
    pub poll_interval: Duration,
    /// Peers must prove that they hold the keys that they announce.
    pub validate_keys: bool,
    /// Longest that a delivery to one peer may take. GoQuorum gives up on a send after 5 s.
    #[serde(with = "units::duration")]
    pub budget: Duration,
    /// `[peers.tls]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ClientTls>,
}

impl Default for Peers {
    fn default() -> Self {
        Self {
            urls: Vec::new(),
            discovery: true,
            whitelist: false,
            poll_interval: Duration::from_secs(5),
            validate_keys: false,
            budget: Duration::from_millis(3750),
            tls: None,
        }
    }
}
