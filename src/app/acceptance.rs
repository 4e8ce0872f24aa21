//! The operators' decisions to go on after this node was put back. Each begins another log, so that the gap stays visible to everybody.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::StartError;

/// One line a decision.
const FILE: &str = "accepted-rollbacks.jsonl";

/// A decision: who, why, when, and the number of the log that begins with it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Acceptance {
    /// Number of the new log.
    pub(crate) number: u64,
    /// Who decided.
    pub(crate) actor: String,
    /// Why.
    pub(crate) reason: String,
    /// When (RFC 3339).
    pub(crate) at: String,
}

/// All decisions, oldest first.
pub(crate) struct Acceptances(Vec<Acceptance>);

impl Acceptances {
    /// Reads them from the journal's folder.
    pub(crate) fn read(journal: &Path) -> Result<Self, StartError> {
        let path = journal.join(FILE);
        let failed = |source| StartError::DataFolder { path: path.clone(), source };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self(Vec::new())),
            Err(error) => return Err(failed(error)),
        };
        let lines = text.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        lines.map(Self).map_err(|error| failed(io::Error::new(io::ErrorKind::InvalidData, error)))
    }

    /// Number of the log in use, from 1.
    pub(crate) fn number(&self) -> u64 {
        1 + self.0.len() as u64
    }

    /// The newest decision.
    pub(crate) fn last(&self) -> Option<Acceptance> {
        self.0.last().cloned()
    }

    /// Folder of the log in use, and whether it begins now.
    pub(crate) fn folder(&self, journal: &Path) -> (bool, PathBuf) {
        let folder = if self.0.is_empty() { journal.join("log") } else { journal.join(format!("log-{}", self.number())) };
        (!folder.exists(), folder)
    }

    /// Writes another decision down, durably. The node must be started again.
    pub(crate) fn add(journal: &Path, actor: &str, reason: &str) -> Result<u64, StartError> {
        let number = Self::read(journal)?.number() + 1;
        Self::write(journal, number..=number, actor, reason)
    }

    /// Writes down that `logs` logs are lost, where nothing is left of them.
    pub(crate) fn begin(journal: &Path, logs: u64, actor: &str, reason: &str) -> Result<u64, StartError> {
        Self::write(journal, 2..=logs + 1, actor, reason)
    }

    /// A line for each number, all of them or none. The last number.
    fn write(journal: &Path, numbers: RangeInclusive<u64>, actor: &str, reason: &str) -> Result<u64, StartError> {
        let (last, at) = (*numbers.end(), jiff::Timestamp::now().to_string());
        let path = journal.join(FILE);
        let write = || -> io::Result<()> {
            let mut lines = String::new();
            for number in numbers {
                let line = Acceptance { number, actor: actor.to_owned(), reason: reason.to_owned(), at: at.clone() };
                lines.push_str(&serde_json::to_string(&line)?);
                lines.push('\n');
            }
            fs::create_dir_all(journal)?;
            let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
            file.write_all(lines.as_bytes())?;
            file.sync_all()
        };
        write().map_err(|source| StartError::DataFolder { path: path.clone(), source })?;
        Ok(last)
    }
}

#[cfg(test)]
mod tests;
