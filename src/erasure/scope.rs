use serde::{Deserialize, Serialize};

use crate::types::{Address, Class, ItemId};

/// What an erasure, a hold or an export is about.
///
/// A subject's pseudonym is personal data: whoever prints, journals or stores a scope says its kind and how many items it has, not its words.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "by", content = "of")]
pub enum Scope {
    /// These payloads and documents.
    Items(Vec<ItemId>),
    /// Whatever is tagged with a data subject's pseudonym.
    Subject(String),
    /// Whatever is kept for a purpose.
    Purpose(String),
    /// Whatever belongs to a contract: its address as it was tagged, `0x` and 40 hexadecimal digits.
    Contract(String),
    /// Whatever one of our keys or of another member's sent or was sent.
    Key(Address),
    /// Whatever is of a class.
    Class(Class),
}

impl Scope {
    /// Its kind, which says nothing of anybody.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Items(_) => "items",
            Self::Subject(_) => "subject",
            Self::Purpose(_) => "purpose",
            Self::Contract(_) => "contract",
            Self::Key(_) => "key",
            Self::Class(_) => "class",
        }
    }
}
