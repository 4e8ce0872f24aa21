use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::governance::{Accepted, Charter, Refusal};
use crate::translog::note::Note;
use crate::types::{Code, Coded};

/// Where accepted documents are kept, durably, before they are in force.
pub trait Keeper: Send {
    /// Keeps the signed document of a version.
    fn keep(&mut self, version: u64, kind: &str, note: &Note) -> Result<(), String>;
}

/// Why a document is not in force.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    /// The rules of the charter refuse it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It cannot be kept.
    #[error("a document that was accepted cannot be kept, so it is not in force: {0}")]
    Keep(String),
}

impl Coded for TakeError {
    fn code(&self) -> Code {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Keep(_) => Code(4110),
        }
    }
}

/// The charter that this node is on, shared: readers take a snapshot, one writer at a time goes forward.
pub struct LiveCharter {
    now: RwLock<Arc<Charter>>,
    keeper: Mutex<Box<dyn Keeper>>,
    version: watch::Sender<u64>,
}

impl LiveCharter {
    /// Begins with what is kept.
    pub fn new(charter: Charter, keeper: Box<dyn Keeper>) -> Self {
        let (version, _) = watch::channel(charter.version());
        Self { now: RwLock::new(Arc::new(charter)), keeper: Mutex::new(keeper), version }
    }

    /// As it is now.
    pub fn snapshot(&self) -> Arc<Charter> {
        Arc::clone(&self.now.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Tells of every new version.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// Takes a document: judged, kept durably, then in force. A refused one changes nothing. Blocks for the disk.
    pub fn take(&self, note: &Note, clock: Timestamp) -> Result<Accepted, TakeError> {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = Charter::clone(&self.snapshot());
        let accepted = next.accept(note, clock)?;
        if accepted == Accepted::Known {
            return Ok(accepted);
        }
        let version = document_version(note)?;
        let kept = next.note_of(version).unwrap_or(note);
        let kind = if next.policy_of(version).is_some() { "policy" } else { "directory" };
        keeper.keep(version, kind, kept).map_err(TakeError::Keep)?;
        let version = next.version();
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        self.version.send_replace(version);
        Ok(accepted)
    }
}

fn document_version(note: &Note) -> Result<u64, Refusal> {
    Ok(crate::governance::Document::of_note(note)?.head().version)
}
