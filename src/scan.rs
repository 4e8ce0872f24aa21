//! Looking for what must be gone: bytes of a payload and its keys, in every encoding that a log, a file or a memory image may hold.
//!
//! Matching alone lives here; what walks through files is `celosia scan`.

mod encode;
mod matcher;
mod needles;

use std::fmt;

use crate::types::{Code, Coded};

pub use encode::Encoding;
pub use matcher::{Hit, Matcher, Stream};
pub use needles::{Needles, WINDOW};

/// What a needle is a piece of.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum What {
    /// Acknowledgements beside a payload, sealed.
    Beside,
    /// What is known of a document beside its chunks, sealed.
    Card,
    /// The ciphertext.
    Ciphertext,
    /// The key that the ciphertext is sealed with, unwrapped.
    DataKey,
    /// The index row of an id: number, time and nonce before a sealed head.
    IndexRow,
    /// A record of the journal about the payload.
    JournalRecord,
    /// The salt of such a record.
    JournalSalt,
    /// The key of the tree that the data key is wrapped under.
    LeafKey,
    /// Sender, recipients and rules, in the clear.
    Metadata,
    /// The nonce of the ciphertext.
    Nonce,
    /// The payload in the clear.
    Plaintext,
    /// Data key and metadata, wrapped.
    SealedHead,
    /// Tags of the payload, sealed.
    Tag,
}

impl What {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Beside,
        Self::Card,
        Self::Ciphertext,
        Self::DataKey,
        Self::IndexRow,
        Self::JournalRecord,
        Self::JournalSalt,
        Self::LeafKey,
        Self::Metadata,
        Self::Nonce,
        Self::Plaintext,
        Self::SealedHead,
        Self::Tag,
    ];

    /// Its name in reports and needle files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Beside => "acknowledgements",
            Self::Card => "document card",
            Self::Ciphertext => "ciphertext",
            Self::DataKey => "data key",
            Self::IndexRow => "index row",
            Self::JournalRecord => "journal record",
            Self::JournalSalt => "journal salt",
            Self::LeafKey => "leaf key",
            Self::Metadata => "metadata",
            Self::Nonce => "nonce",
            Self::Plaintext => "plaintext",
            Self::SealedHead => "sealed head",
            Self::Tag => "tags",
        }
    }

    /// The part that has a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|what| what.name() == name)
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why there is nothing to search with. None of these shows a byte of a needle.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// Shorter than [`needles::SHORTEST`] bytes, or with hardly two different ones: it would be found everywhere.
    #[error("there is nothing to search for: at least 8 bytes are needed, not all alike")]
    NoNeedles,
    /// Not a needle file.
    #[error("this is no needle file that `celosia scan --save` wrote")]
    NotNeedles,
    /// More than one search can hold.
    #[error("there are too many needles for one search")]
    TooMany,
}

impl Coded for ScanError {
    fn code(&self) -> Code {
        match self {
            Self::NoNeedles => Code(1360),
            Self::NotNeedles => Code(1361),
            Self::TooMany => Code(1362),
        }
    }
}
