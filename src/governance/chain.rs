//! A network's documents on their way to somebody who has nothing but its id: texts in the order in which they are taken, superseded
//! directories as what changed from one to the next.

use data_encoding::BASE64;
use jiff::Timestamp;

use super::former::Sent;
use super::{Charter, Delta, DeltaError, DocumentError, Refusal};
use crate::translog::note::Note;
use crate::types::{Code, Coded};

/// What the text of a change begins with. No note begins so.
const CHANGE: &str = "celosia-directory-change-1 ";

/// Why documents are no chain.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ChainError {
    /// A change that cannot be applied.
    #[error(transparent)]
    Delta(#[from] DeltaError),
    /// There is no document.
    #[error("there is none")]
    Empty,
    /// A document that is not taken.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Coded for ChainError {
    fn code(&self) -> Code {
        match self {
            Self::Delta(error) => error.code(),
            Self::Empty => Code(6026),
            Self::Refused(refusal) => refusal.code(),
        }
    }
}

impl Charter {
    /// Everything that others need to check what this network's members signed at `since` (milliseconds since the Unix epoch) or later: all
    /// policies, the newest directory, and the superseded ones that show keys and addresses of that time, as far as they were seen here.
    ///
    /// Threat: of a case over one year, members of a large network would be sent the changes of all years.
    pub fn documents(&self, since: u64) -> Vec<String> {
        let policies = self.policies().map(|signed| (signed.content.head.version, signed.note.to_string()));
        let directories = self.directories(since).into_iter().map(|(version, sent)| (version, text(&sent)));
        let mut all: Vec<_> = policies.chain(directories).collect();
        all.sort_by_key(|(version, _)| *version);
        all.into_iter().map(|(_, text)| text).collect()
    }

    /// The charter of documents: a chain from the network's beginning, whose digest is the network's id. The caller compares the id.
    pub fn of_documents(documents: &[String], now: Timestamp) -> Result<Self, ChainError> {
        let (first, rest) = documents.split_first().ok_or(ChainError::Empty)?;
        let mut charter = Self::begin(&note(first)?)?;
        for text in rest {
            match text.strip_prefix(CHANGE) {
                None => charter.accept(&note(text)?, now)?,
                Some(change) => charter.accept_change(&read(change)?, now)?,
            };
        }
        Ok(charter)
    }
}

fn note(text: &str) -> Result<Note, Refusal> {
    Note::parse(text).map_err(|error| DocumentError::from(error).into())
}

fn read(change: &str) -> Result<Delta, DeltaError> {
    let bytes = crate::types::base64(change.as_bytes()).map_err(|_| DeltaError::Malformed("not base64"))?;
    Delta::decode(&bytes)
}

fn text(sent: &Sent) -> String {
    match sent {
        Sent::Whole(note) => note.to_string(),
        Sent::Changed(delta) => format!("{CHANGE}{}", BASE64.encode(&delta.encode())),
    }
}
