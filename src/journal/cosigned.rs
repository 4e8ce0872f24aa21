use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::disk::{self, Disk, blocking};
use super::{JournalError, Published};
use crate::translog::checkpoint::Checkpoint;
use crate::translog::cosignature::Witness;
use crate::translog::note::{Note, NoteKey, NoteSignature};

/// Name of the file in the journal's folder.
const FILE: &str = "cosigned";
/// Checkpoints for which cosignatures are awaited at one time: witnesses answer late.
const AWAITED: usize = 16;

/// The newest checkpoint of our own log that enough witnesses have cosigned: a note in the file `cosigned`.
pub struct Cosigned {
    disk: Arc<Disk>,
    log: NoteKey,
    quorum: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    newest: Option<Gathering>,
    awaited: VecDeque<Gathering>,
}

/// A checkpoint and one cosignature of each witness.
#[derive(Clone)]
struct Gathering {
    published: Published,
    lines: BTreeMap<(String, [u8; 4]), NoteSignature>,
}

impl Cosigned {
    /// Opens the file in the journal's folder, if there is one. `log` is our own name and key.
    pub fn open(folder: &Path, log: NoteKey, quorum: usize) -> Result<Self, JournalError> {
        let disk = Arc::new(Disk::open(folder)?);
        let newest = match disk::read(&folder.join(FILE))? {
            Some(bytes) => Some(Gathering::read(&String::from_utf8_lossy(&bytes), &log)?),
            None => None,
        };
        Ok(Self { disk, log, quorum, state: Mutex::new(State { newest, awaited: VecDeque::new() }) })
    }

    /// Waits for cosignatures on a checkpoint. The oldest that is awaited makes place.
    pub async fn expect(&self, published: &Published) {
        let mut state = self.state.lock().await;
        if state.awaited.iter().any(|awaited| awaited.published == *published) {
            return;
        }
        if state.awaited.len() == AWAITED {
            state.awaited.pop_front();
        }
        state.awaited.push_back(Gathering { published: published.clone(), lines: BTreeMap::new() });
    }

    /// Takes a cosignature. False if it is on none of the checkpoints that are awaited, or not this witness's.
    pub async fn add(&self, witness: &Witness, line: NoteSignature) -> Result<bool, JournalError> {
        let mut state = self.state.lock().await;
        let State { newest, awaited } = &mut *state;
        let found = newest.iter_mut().chain(awaited.iter_mut());
        let found = found.into_iter().find(|it| witness.verifies_line(it.published.note.text(), &line).is_some());
        let Some(gathering) = found else { return Ok(false) };
        gathering.lines.insert((line.name.clone(), line.key_id), line);
        let (size, complete) = (gathering.published.checkpoint.size, gathering.clone());
        let newest = state.newest.as_ref().map_or(0, |newest| newest.published.checkpoint.size);
        if size < newest || (size > newest && complete.lines.len() < self.quorum.max(1)) {
            return Ok(true);
        }
        let (disk, text) = (Arc::clone(&self.disk), complete.note().to_string());
        blocking(move || disk.replace(FILE, text.as_bytes())).await?;
        state.awaited.retain(|awaited| awaited.published.checkpoint.size > size);
        state.newest = Some(complete);
        Ok(true)
    }

    /// The newest checkpoint with its cosignatures.
    pub async fn newest(&self) -> Option<Note> {
        self.state.lock().await.newest.as_ref().map(Gathering::note)
    }

    /// Name and key of the log.
    pub const fn log(&self) -> &NoteKey {
        &self.log
    }
}

impl Gathering {
    /// Lines that are not the log's are kept under their name and key id: whoever reads the note verifies them.
    fn read(text: &str, log: &NoteKey) -> Result<Self, JournalError> {
        let (checkpoint, note) = Checkpoint::open_text(text, log).map_err(JournalError::Checkpoint)?;
        let (own, others): (Vec<_>, Vec<_>) =
            note.signatures().iter().cloned().partition(|line| log.verifies_line(note.text(), line));
        let mut published = Note::new(note.text().to_owned()).map_err(|error| JournalError::Checkpoint(error.into()))?;
        for line in own {
            published.add(line);
        }
        let lines = others.into_iter().map(|line| ((line.name.clone(), line.key_id), line)).collect();
        Ok(Self { published: Published { checkpoint, note: published }, lines })
    }

    fn note(&self) -> Note {
        let mut note = self.published.note.clone();
        self.lines.values().for_each(|line| note.add(line.clone()));
        note
    }
}

#[cfg(test)]
mod tests;
