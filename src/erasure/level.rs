use std::fmt;

use serde::{Deserialize, Serialize};

/// How far an erasure has gone at a holder. Each level holds what those before it say.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Level {
    /// Unreadable: the key is punctured, and that is durable.
    E1 = 1,
    /// Purged: ciphertext, indexes and journal contents are gone from the live files.
    E2 = 2,
    /// Backup-safe: the root that older copies of the key trees were sealed under is destroyed.
    E3 = 3,
}

impl Level {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::E1, Self::E2, Self::E3];

    /// Its number on the wire.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The level of a number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.number() == number)
    }

    /// What it means, in a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::E1 => "unreadable",
            Self::E2 => "purged",
            Self::E3 => "backup-safe",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "E{} ({})", self.number(), self.word())
    }
}
