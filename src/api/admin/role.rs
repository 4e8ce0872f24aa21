use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What a person may be on the admin surface. One person may hold several.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Runs the node.
    Operator,
    /// Answers for personal data.
    Dpo,
    /// Approves disclosures, one of n.
    Officer,
    /// Signs directory and policy, one of n.
    Governor,
    /// A third party that checks.
    Auditor,
    /// Follows a scope in real time.
    Supervisor,
    /// Looks at figures: monitoring.
    Observer,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Operator, Self::Dpo, Self::Officer, Self::Governor, Self::Auditor, Self::Supervisor, Self::Observer];

    /// Its name in configurations, tokens and the journal.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Dpo => "dpo",
            Self::Officer => "officer",
            Self::Governor => "governor",
            Self::Auditor => "auditor",
            Self::Supervisor => "supervisor",
            Self::Observer => "observer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "expected operator, dpo, officer, governor, auditor, supervisor or observer";
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or(expected)
    }
}
