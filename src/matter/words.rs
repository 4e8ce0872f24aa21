use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::Level;
use crate::types::ParseError;

/// The random name of a matter: 16 bytes, 32 hexadecimal digits in text.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MatterId(pub [u8; 16]);

impl fmt::Display for MatterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl FromStr for MatterId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| ParseError::Hex)?;
        let actual = bytes.len();
        bytes.try_into().map(Self).map_err(|_| ParseError::Length { expected: 16, actual })
    }
}

crate::types::as_text!(MatterId);

/// A word that is none of those expected.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected one of: {0}")]
pub struct UnknownWord(pub String);

/// Enums whose values are words in texts, requests and rows.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $value:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $value,)+
        }

        impl $name {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$value),+];

            /// Its word.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                let all = || Self::ALL.iter().map(|word| word.name()).collect::<Vec<_>>().join(", ");
                Self::ALL.iter().find(|word| word.name() == text).copied().ok_or_else(|| UnknownWord(all()))
            }
        }
    };
}
pub(super) use words;

words! {
    /// What a matter is.
    MatterKind {
        /// A rule of the network was broken or would have been: a node noticed it.
        Violation = "violation",
        /// Something has to be done otherwise than the rules say.
        Exception = "exception",
        /// Whoever is affected complains.
        Grievance = "grievance",
        /// Something is looked at because it is time.
        Review = "review",
    }
}

words! {
    /// How far a matter is.
    MatterState {
        /// Nobody looks after it yet.
        Opened = "opened",
        /// Somebody does.
        Assigned = "assigned",
        /// It is decided; what follows from it may be left to do.
        Decided = "decided",
        /// Nothing is left to do.
        Closed = "closed",
    }
}

words! {
    /// How a matter ended.
    Outcome {
        /// It was as it was said.
        Upheld = "upheld",
        /// It was not.
        Dismissed = "dismissed",
        /// It was, and was made good.
        Remedied = "remedied",
        /// Somebody else decides: an authority, a court, another member.
        Referred = "referred",
    }
}

impl MatterKind {
    /// Who is told first.
    pub const fn first_told(self) -> Level {
        match self {
            Self::Violation => Level::Operator,
            Self::Exception | Self::Grievance | Self::Review => Level::Dpo,
        }
    }
}
