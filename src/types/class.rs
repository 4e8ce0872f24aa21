use std::fmt;
use std::str::FromStr;

use super::ParseError;

/// What a payload holds, as its sender declares it. What is not declared is personal.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Class {
    /// May be known to all.
    Public = 0,
    /// Business data without natural persons.
    Business = 1,
    /// Personal data (GDPR art. 4).
    #[default]
    Personal = 2,
    /// Special categories (GDPR art. 9).
    Special = 3,
}

impl Class {
    /// All of them, from the least to the most delicate.
    pub const ALL: [Self; 4] = [Self::Public, Self::Business, Self::Personal, Self::Special];

    /// Its number on the wire.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The class of a number; `None` for one of a later version.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.number() == number)
    }

    /// Its name, as written in policies and headers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Business => "business",
            Self::Personal => "personal",
            Self::Special => "special",
        }
    }
}

impl FromStr for Class {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|class| class.name() == text).ok_or(ParseError::Class)
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

super::as_text!(Class);
