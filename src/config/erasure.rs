use std::path::PathBuf;
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
    /// Items that are not here and that one member may have ordered to be erased before they come: each leaves a row for ever.
    pub max_guards: u64,
    /// File of the law that applies here. Absent: the GDPR alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<PathBuf>,
}

/// `[holds]`: who can open what is blocked.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct HoldsTable {
    /// File of the hold committee, `committee.toml` of its ceremony. Where the policy has a hold committee, that one counts. Absent, and
    /// none in the policy: nothing can be blocked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub committee: Option<PathBuf>,
}

/// `[cases]`: what people handle.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct CasesTable {
    /// How long somebody has to acknowledge a notice before it goes to the next level: operator, dpo, governor.
    #[serde(with = "units::duration")]
    pub acknowledge_within: Duration,
}

impl Default for CasesTable {
    /// A working day and a night.
    fn default() -> Self {
        Self { acknowledge_within: Duration::from_hours(24) }
    }
}

impl Default for ErasureTable {
    /// GoQuorum keeps payloads for five minutes.
    fn default() -> Self {
        Self { node_cache: Duration::from_mins(5), max_guards: 1_000_000, profile: None }
    }
}
