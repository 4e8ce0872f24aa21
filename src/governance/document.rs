use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::{Directory, DocumentHash, MAX_NAME, MAX_VERSION, Policy, Supervision, directory, policy, print};
use crate::crypto::hash::sha256;
use crate::translog::note::{MAX_NOTE, Note, NoteError};
use crate::types::{Code, Coded, NetworkId};

/// What every document begins with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Head {
    /// The network.
    pub network: NetworkId,
    /// Counts over both kinds, from 1.
    pub version: u64,
    /// Hash of the document of the version before, whichever kind. Absent in version 1.
    pub previous: Option<DocumentHash>,
    /// The policy whose governors sign. Absent in version 1.
    pub policy: Option<u64>,
    /// When it was written, in whole seconds.
    pub issued: Timestamp,
}

impl Head {
    /// Rules of the head by itself.
    pub(super) fn check(&self) -> Result<(), DocumentError> {
        if !(1..=MAX_VERSION).contains(&self.version) {
            return Err(DocumentError::value("version", "1 to 1000000000"));
        }
        if self.issued.subsec_nanosecond() != 0 {
            return Err(DocumentError::value("issued", "whole seconds in UTC, such as \"2026-01-31T12:00:00Z\""));
        }
        match (self.version, self.previous, self.policy) {
            (1, None, None) => Ok(()),
            (1, ..) => Err(DocumentError::value("previous", "version 1 has neither previous nor policy")),
            (_, Some(_), Some(policy)) if policy < self.version && policy > 0 => Ok(()),
            (_, Some(_), Some(_)) => Err(DocumentError::value("policy", "an earlier version, that of the policy in force")),
            _ => Err(DocumentError::value("previous", "every version after 1 has previous and policy")),
        }
    }
}

/// A document of the charter.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one or two in a process")]
pub enum Document {
    /// Who is in the network.
    Directory(Directory),
    /// Its rules.
    Policy(Policy),
}

/// Why a text is no document.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DocumentError {
    /// Too few officers, or too few entities.
    #[error(
        "committee {committee}: {threshold} of {of} officers of {entities} entities; at least two approve, and as many entities as approve have officers"
    )]
    Committee {
        /// Purpose and epoch.
        committee: String,
        /// Officers needed.
        threshold: u64,
        /// Officers.
        of: u64,
        /// Legal entities among them.
        entities: u64,
    },
    /// A word that two entries have.
    #[error("the {what} of \"{second}\" is that of \"{first}\" already: each belongs to one entry alone")]
    Duplicate {
        /// What they share.
        what: &'static str,
        /// Who has it.
        first: String,
        /// Who has it too.
        second: String,
    },
    /// The first line names no format that this version knows.
    #[error("its first line is neither format = \"celosia-policy-1\" nor format = \"celosia-directory-1\"")]
    Format,
    /// The network's id is not the digest of the genesis table.
    #[error("its network id is not the digest of its genesis table: the genesis table of a network never changes")]
    Genesis,
    /// Not the one spelling that a document has.
    #[error("line {0} is not in canonical form: documents are written by `celosia governance propose`, never by hand")]
    NotCanonical(usize),
    /// Not a signed note.
    #[error("not a signed note: {0}")]
    Note(#[from] NoteError),
    /// Escrow without officers.
    #[error("scopes[{scope}] asks for supervision {mode}, and the policy has no committee of purpose \"escrow\"")]
    NoEscrow {
        /// Which scope, from 0.
        scope: usize,
        /// The mode.
        mode: Supervision,
    },
    /// Supervision without supervisors.
    #[error("scopes[{scope}] asks for supervision {mode} and names no supervisor")]
    NoSupervisor {
        /// Which scope, from 0.
        scope: usize,
        /// The mode.
        mode: Supervision,
    },
    /// Shares that do not belong to the key.
    #[error(
        "the officers' shares of committee {committee} do not belong to its key: take the table that the key generation wrote"
    )]
    Shares {
        /// Purpose and epoch.
        committee: String,
    },
    /// Not TOML.
    #[error("line {line} is not TOML: {reason}")]
    Syntax {
        /// Which line, from 1.
        line: usize,
        /// Why.
        reason: String,
    },
    /// Half of the governors or fewer, or more than there are.
    #[error("a threshold of {threshold} of {of} governors: more than half are needed, so that two quorums share a governor")]
    Threshold {
        /// Signatures asked for.
        threshold: u64,
        /// Governors.
        of: u64,
    },
    /// A field that the format does not have.
    #[error("unknown field {0}: nothing is passed over in a document")]
    UnknownField(String),
    /// A field that is missing or has a value that it cannot have.
    #[error("{field}: {reason}")]
    Value {
        /// Where.
        field: String,
        /// Why.
        reason: String,
    },
}

impl DocumentError {
    pub(super) fn value(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Value { field: field.into(), reason: reason.into() }
    }
}

impl Coded for DocumentError {
    fn code(&self) -> Code {
        match self {
            Self::Note(_) => Code(6001),
            Self::Format => Code(6002),
            Self::Syntax { .. } => Code(6003),
            Self::NotCanonical(_) => Code(6004),
            Self::UnknownField(_) => Code(6005),
            Self::Value { .. } => Code(6006),
            Self::Duplicate { .. } => Code(6007),
            Self::Threshold { .. } => Code(6008),
            Self::Genesis => Code(6010),
            Self::NoEscrow { .. } => Code(6037),
            Self::NoSupervisor { .. } => Code(6038),
            Self::Committee { .. } => Code(6039),
            Self::Shares { .. } => Code(6048),
        }
    }
}

impl Document {
    /// Reads a document in its canonical form, the only one that is signed and accepted.
    pub fn parse(text: &str) -> Result<Self, DocumentError> {
        let document = Self::from_toml(text)?;
        let canonical = document.text();
        if canonical == text {
            return Ok(document);
        }
        let same = canonical.lines().zip(text.lines()).take_while(|(a, b)| a == b).count();
        Err(DocumentError::NotCanonical(same + 1))
    }

    /// Reads a document as people write it: any order, comments. For proposals.
    pub fn from_toml(text: &str) -> Result<Self, DocumentError> {
        if text.len() > MAX_NOTE {
            return Err(NoteError::TooLong.into());
        }
        let first = text.lines().next().unwrap_or_default();
        let format = first.strip_prefix("format = \"").and_then(|rest| rest.strip_suffix('"'));
        let document = match format {
            Some(Policy::FORMAT) => {
                let mut policy = Policy::from(read::<policy::Written>(text)?);
                policy.normalise();
                policy.check()?;
                Self::Policy(policy)
            }
            Some(Directory::FORMAT) => {
                let mut directory = Directory::from(read::<directory::Written>(text)?);
                directory.normalise();
                directory.check()?;
                Self::Directory(directory)
            }
            _ => return Err(DocumentError::Format),
        };
        Ok(document)
    }

    /// Reads the document of a note. Whose signatures it bears is for [`super::Charter::accept`].
    pub fn of_note(note: &Note) -> Result<Self, DocumentError> {
        Self::parse(note.text())
    }

    /// The canonical text.
    pub fn text(&self) -> String {
        match self {
            Self::Directory(directory) => print::directory(directory),
            Self::Policy(policy) => print::policy(policy),
        }
    }

    /// A note of it, without signatures.
    pub fn to_note(&self) -> Result<Note, NoteError> {
        Note::new(self.text())
    }

    /// SHA-256 of the canonical text.
    pub fn hash(&self) -> DocumentHash {
        hash(&self.text())
    }

    /// Network, version, and what they build on.
    pub const fn head(&self) -> &Head {
        match self {
            Self::Directory(directory) => &directory.head,
            Self::Policy(policy) => &policy.head,
        }
    }

    /// `policy` or `directory`.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Directory(_) => "directory",
            Self::Policy(_) => "policy",
        }
    }
}

/// SHA-256 of a document's text.
pub(super) fn hash(text: &str) -> DocumentHash {
    DocumentHash::new(sha256(&[text.as_bytes()]))
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, DocumentError> {
    let syntax = |error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = 1 + before.matches('\n').count();
        DocumentError::Syntax { line, reason: error.message().to_owned() }
    };
    let document = toml::Deserializer::parse(text).map_err(syntax)?;
    serde_path_to_error::deserialize(document).map_err(|error| {
        let field = error.path().to_string();
        let reason = error.into_inner().message().to_owned();
        // Serde's path ends with the unknown field itself.
        if reason.starts_with("unknown field") {
            DocumentError::UnknownField(field)
        } else {
            DocumentError::Value { field, reason }
        }
    })
}

/// A name for people: no control characters, and none that turn or hide what the signers read.
pub(super) fn is_printable(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len()) && text.trim() == text && !text.chars().any(crate::types::is_hidden)
}

/// Sorts a list and drops what it has twice.
pub(super) fn sorted<T: Ord>(list: &mut Vec<T>) {
    list.sort_unstable();
    list.dedup();
}

#[cfg(test)]
mod tests;
