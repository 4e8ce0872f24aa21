use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::MatterError;
use super::words::{UnknownWord, words};

words! {
    /// Who must be told. Each level stands above the one before.
    Level {
        /// Who runs the node.
        Operator = "operator",
        /// Who answers for personal data.
        Dpo = "dpo",
        /// Who signs the network's rules.
        Governor = "governor",
    }
}

impl Level {
    /// The level above; the last has none.
    pub const fn above(self) -> Option<Self> {
        match self {
            Self::Operator => Some(Self::Dpo),
            Self::Dpo => Some(Self::Governor),
            Self::Governor => None,
        }
    }
}

/// A notice that waits for somebody to say that they know.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Notice {
    /// Whom it is for now.
    pub level: Level,
    /// When it climbs, milliseconds since the Unix epoch; at the last level: when it is overdue.
    pub due: u64,
    /// How often it climbed.
    pub climbed: u32,
    /// When it was acknowledged, milliseconds since the Unix epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<u64>,
    /// By whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<String>,
}

impl Notice {
    /// A notice that climbs `within` milliseconds.
    pub fn new(level: Level, now: u64, within: u64) -> Self {
        Self { level, due: now.saturating_add(within), climbed: 0, acknowledged: None, acknowledged_by: None }
    }

    /// Whether it waits for somebody.
    pub const fn is_open(&self) -> bool {
        self.acknowledged.is_none()
    }

    /// Whether nobody answered in time.
    pub const fn is_overdue(&self, now: u64) -> bool {
        self.is_open() && self.due <= now
    }

    /// Climbs if its time has come. A node that was off for weeks climbs one level, not all: each gets its time. At the last level it stays,
    /// overdue, for everybody to see.
    pub fn climb(&mut self, now: u64, within: u64) -> bool {
        if !self.is_overdue(now) {
            return false;
        }
        let Some(above) = self.level.above() else { return false };
        (self.level, self.due, self.climbed) = (above, now.saturating_add(within), self.climbed + 1);
        true
    }

    /// Somebody of a level says that they know.
    ///
    /// Threat: whoever caused a violation acknowledges it once it has climbed above them.
    pub(super) fn acknowledge(&mut self, level: Level, by: &str, now: u64) -> Result<(), MatterError> {
        if let Some(before) = &self.acknowledged_by {
            return Err(MatterError::Acknowledged(before.clone()));
        }
        if level < self.level {
            return Err(MatterError::Level(self.level));
        }
        (self.acknowledged, self.acknowledged_by) = (Some(now), Some(by.to_owned()));
        Ok(())
    }
}
