//! Rotation of the root: a new generation, every tree under it, the older ones destroyed. From then on every older copy of a tree file is
//! dead, wherever it lies.
//!
//! Order, and what a crash at each point leaves: the intention is written down (nothing has changed) → the generation is made (trees of
//! both open) → trees are rewritten one by one (the same) → each file's header is looked at → older generations are destroyed (all trees
//! are under the new one) → the end is written down. [`Forest::finish_rotation`] goes on from wherever it was cut off.

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::disk::{io_error, write_new};
use super::root::Root;
use super::tree::Tree;
use super::{Destroyed, Forest, RootKind, ShredError};

/// First bytes of the file.
const MAGIC: &[u8; 4] = b"CKR1";
const NAME: &str = "rotations.key";

/// A rotation that came to its end. What was punctured durably before `started_at` can be opened from no older copy.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Rotation {
    /// The newest generation before.
    pub from: u32,
    /// The generation made.
    pub to: u32,
    /// Milliseconds since the Unix epoch at which it began; 0 if that is not known.
    pub started_at: u64,
    /// Milliseconds since the Unix epoch at which the last older generation was gone.
    pub finished_at: u64,
    /// Trees that are under the new generation.
    pub trees: u64,
    /// The word for each generation that is gone.
    pub destroyed: Vec<Destroyed>,
}

/// How the root is.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct RootStatus {
    /// What keeps it.
    pub kind: RootKind,
    /// Where, without secrets.
    pub place: String,
    /// The generation that is sealed under.
    pub generation: u32,
    /// The oldest generation that opens: as `generation`, unless a rotation is under way or was cut off.
    pub oldest: u32,
    /// Trees in the folder.
    pub trees: u64,
    /// Leaves punctured in all of them.
    pub punctured: u64,
    /// Bytes of their states.
    pub state_bytes: u64,
    /// Milliseconds since the Unix epoch at which that generation began, as far as it is known.
    pub since: u64,
    /// Milliseconds since the Unix epoch at which the last completed rotation began; 0 if there was none.
    pub rotated_at: u64,
    /// The last completed rotation.
    pub last: Option<Rotation>,
}

/// What is written down of rotations, sealed under the newest generation: `magic (4) ‖ generation (4) ‖ sealed JSON`.
///
/// Threat: somebody makes the store claim a rotation that never was, and with it an erasure that reaches no backup. So it is sealed, and
/// what cannot be opened claims nothing.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(super) struct Record {
    /// When this record was begun.
    since: u64,
    pending: Option<Pending>,
    last: Option<Rotation>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
struct Pending {
    from: u32,
    to: u32,
    started_at: u64,
}

/// The record in memory, and who rotates.
pub(super) struct Log {
    record: RwLock<Record>,
    one: Mutex<()>,
}

impl Log {
    pub(super) fn new(record: Record) -> Self {
        Self { record: RwLock::new(record), one: Mutex::default() }
    }

    fn read(&self) -> Record {
        self.record.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Record {
    pub(super) fn read(folder: &Path, root: &Root) -> Result<Self, ShredError> {
        let path = folder.join(NAME);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(io_error(&path, error)),
        };
        let opened = || {
            let (header, sealed) = bytes.split_first_chunk::<8>()?;
            let generation = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
            let text = root.open_state(generation, header, sealed).ok()?;
            header.starts_with(MAGIC).then(|| serde_json::from_slice(&text).ok())?
        };
        Ok(opened().unwrap_or_else(|| {
            tracing::warn!("{} cannot be opened: this root counts as never rotated", path.display());
            Self::default()
        }))
    }

    fn write(&self, folder: &Path, root: &Root) -> Result<(), ShredError> {
        let generation = root.generation();
        let header = [MAGIC.as_slice(), &generation.to_be_bytes()].concat();
        // Numbers and strings always serialise.
        let text = serde_json::to_vec(self).unwrap_or_default();
        let sealed = root.seal(generation, &header, &text)?;
        write_new(&folder.join(NAME), &[header, sealed].concat())
    }
}

impl Forest {
    /// Makes a new generation, puts every tree under it, destroys the older ones. Blocks until that is done; punctures and seals go on
    /// meanwhile. A rotation that was cut off is brought to its end first.
    pub fn rotate(&self) -> Result<Rotation, ShredError> {
        let _one = self.rotations.one.try_lock().map_err(|_| ShredError::Rotating)?;
        if let Some(pending) = self.unfinished() {
            self.complete(pending)?;
        }
        self.rotate_now()
    }

    /// Brings a rotation to its end that was cut off, and moves a root of files to the kind that is configured. `None`: nothing to do.
    pub fn finish_rotation(&self) -> Result<Option<Rotation>, ShredError> {
        let _one = self.rotations.one.try_lock().map_err(|_| ShredError::Rotating)?;
        if self.rotations.read().since == 0 {
            self.note(|record| record.since = now())?;
        }
        let finished = self.unfinished().map(|pending| self.complete(pending)).transpose()?;
        if self.root.is_to_move() { self.rotate_now().map(Some) } else { Ok(finished) }
    }

    /// The root and its trees.
    pub fn root_status(&self) -> Result<RootStatus, ShredError> {
        let trees = Tree::numbers(&self.folder)?;
        let (mut punctured, mut state_bytes) = (0, 0);
        for id in &trees {
            let tree = self.tree(*id)?;
            punctured += tree.punctured();
            state_bytes += tree.size();
        }
        let (generation, record) = (self.root.generation(), self.rotations.read());
        let last = record.last;
        Ok(RootStatus {
            kind: self.root.kind(),
            place: self.root.place(),
            generation,
            oldest: self.root.generations().first().copied().unwrap_or(generation),
            trees: trees.len() as u64,
            punctured,
            state_bytes,
            since: last.as_ref().map_or(record.since, |last| last.started_at.max(record.since)),
            rotated_at: last.as_ref().map_or(0, |last| last.started_at),
            last,
        })
    }

    fn rotate_now(&self) -> Result<Rotation, ShredError> {
        let from = self.root.generation();
        let pending = Pending { from, to: from.saturating_add(1), started_at: now() };
        self.note(|record| record.pending = Some(pending))?;
        self.root.next()?;
        self.complete(pending)
    }

    /// What was begun and did not come to its end. Where a generation was made by hand, nobody knows when.
    fn unfinished(&self) -> Option<Pending> {
        let (generations, record) = (self.root.generations(), self.rotations.read());
        let newest = self.root.generation();
        let known = record.pending.filter(|pending| pending.to == newest);
        let from = generations.iter().rev().nth(1).copied();
        let started_at = record.last.map_or(0, |last| last.started_at);
        known.or_else(|| from.map(|from| Pending { from, to: newest, started_at }))
    }

    fn complete(&self, pending: Pending) -> Result<Rotation, ShredError> {
        // Under the new generation from here on, for the older ones go.
        self.note(|record| record.pending = Some(pending))?;
        let newest = self.root.generation();
        // A tree that is being begun asked for the generation before this lock was free, and its file is there now; the next one is new.
        drop(self.begin.lock().unwrap_or_else(PoisonError::into_inner));
        let mut trees = 0;
        for id in Tree::numbers(&self.folder)? {
            trees += 1;
            if Tree::generation(&self.folder, id)? < newest {
                self.tree(id)?.reseal(&self.folder, &self.root)?;
            }
        }
        // Threat: a generation is destroyed that a tree still needs, and everything in it is lost. The files themselves are asked.
        for id in Tree::numbers(&self.folder)? {
            let found = Tree::generation(&self.folder, id)?;
            if found < newest {
                return Err(ShredError::Broken(format!("key tree {id}, still under root generation {found}")));
            }
        }
        let older = self.root.generations().into_iter().filter(|generation| *generation < newest);
        let destroyed = older.map(|generation| self.root.destroy(generation)).collect::<Result<_, _>>()?;
        let Pending { from, to, started_at } = pending;
        let done = Rotation { from, to, started_at, finished_at: now(), trees, destroyed };
        self.note(|record| (record.pending, record.last) = (None, Some(done.clone())))?;
        Ok(done)
    }

    fn note(&self, change: impl FnOnce(&mut Record)) -> Result<(), ShredError> {
        let mut record = self.rotations.read();
        change(&mut record);
        record.write(&self.folder, &self.root)?;
        *self.rotations.record.write().unwrap_or_else(PoisonError::into_inner) = record;
        Ok(())
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
