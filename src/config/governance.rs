use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::units;
use crate::types::{MemberId, NetworkId};

/// `[governance]`: this node is a member of a network with a directory and a policy. Without it everything is as in a Tessera network.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Governance {
    /// The network's id, as `celosia governance init` printed it.
    pub network: NetworkId,
    /// Our name in the directory.
    pub member: MemberId,
    /// Folder of the documents; `governance` below the data folder if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// The node's Ed25519 signing key: a key file, locked or not (`celosia governance member-keygen`). Where the enclave is a process of
    /// its own, it stands in that one's configuration alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_key_file: Option<PathBuf>,
    /// File with the password of a locked signing key; its first line counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_password_file: Option<PathBuf>,
    /// PEM: the certificate whose key the directory pins.
    pub cert: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
    /// How often a member is asked for news.
    #[serde(default = "gossip_interval", with = "units::duration")]
    pub gossip_interval: Duration,
}

fn gossip_interval() -> Duration {
    Duration::from_secs(5)
}
