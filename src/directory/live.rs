use std::sync::{Arc, Mutex, PoisonError, RwLock};

use jiff::Timestamp;
use tokio::sync::watch;

use super::{CharterFolder, FolderError};
use crate::governance::{Accepted, Charter};
use crate::translog::note::Note;

/// The charter that this node is on, shared: readers take a snapshot, one writer at a time goes forward.
pub struct LiveCharter {
    now: RwLock<Arc<Charter>>,
    folder: Mutex<CharterFolder>,
    version: watch::Sender<u64>,
}

impl LiveCharter {
    /// Begins with what is kept.
    pub fn new(folder: CharterFolder) -> Self {
        let charter = Arc::new(folder.charter().clone());
        let (version, _) = watch::channel(charter.version());
        Self { now: RwLock::new(charter), folder: Mutex::new(folder), version }
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
    pub fn take(&self, note: &Note, clock: Timestamp) -> Result<Accepted, FolderError> {
        let mut folder = self.folder.lock().unwrap_or_else(PoisonError::into_inner);
        let accepted = folder.accept(note, clock)?;
        if accepted != Accepted::Known {
            let next = Arc::new(folder.charter().clone());
            let version = next.version();
            *self.now.write().unwrap_or_else(PoisonError::into_inner) = next;
            self.version.send_replace(version);
        }
        Ok(accepted)
    }
}
