use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::units;

/// `[erasure]`: how erasures are carried out here.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ErasureTable {
    /// How long the node beside us keeps payloads in its cache: an erasure says "purged" no earlier.
    #[serde(with = "units::duration")]
    pub node_cache: Duration,
}

impl Default for ErasureTable {
    /// GoQuorum keeps payloads for five minutes.
    fn default() -> Self {
        Self { node_cache: Duration::from_mins(5) }
    }
}
