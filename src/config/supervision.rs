use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::units;

/// `[supervision]`: co-signatures (mode S4).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct SupervisionTable {
    /// At a supervisor: who answers for payloads that wait for its co-signature.
    pub cosign: Cosign,
    /// At a sender: how long a send waits for a co-signature. The node beside us must wait as long.
    #[serde(with = "units::duration")]
    pub cosign_within: Duration,
}

/// Who answers for payloads that wait.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cosign {
    /// A person: `celosia supervisor cosign`.
    #[default]
    Manual,
    /// Nobody: each is signed as it comes, unless an order to stop stands before it.
    Automatic,
}

impl Default for SupervisionTable {
    fn default() -> Self {
        Self { cosign: Cosign::Manual, cosign_within: Duration::from_mins(1) }
    }
}
