use std::path::Path;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;

use super::disk::{Disk, blocking};
use super::log::{CHECKPOINT, Log};
use super::{JournalError, Signer, Source};
use crate::translog::checkpoint::Checkpoint;
use crate::translog::edge::Edge;
use crate::translog::note::{Note, NoteKey};
use crate::translog::tile::Tile;

/// Rows that are read and written at once.
const CHUNK: u64 = 8_192;
/// Rows before the checkpoint that are compared with the log at start. A store that was put back and grew on differs from there to the end.
const COMPARED: u64 = 4_096;

/// A checkpoint that is on the disk.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Published {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// What it says, signed.
    pub note: Note,
}

/// Puts the rows of the store into the log, in their order, and signs checkpoints.
///
/// However the process ends, the next one goes on from the checkpoint on the disk: files come before the checkpoint that needs them, the same
/// rows give the same files, and there are never two checkpoints of one size.
pub struct Sequencer {
    disk: Arc<Disk>,
    log: Log,
    key: NoteKey,
    source: Arc<dyn Source>,
    signer: Arc<dyn Signer>,
    state: Mutex<State>,
    published: ArcSwapOption<Published>,
}

#[derive(Default)]
struct State {
    /// The right edge of the log on the disk.
    edge: Edge,
    /// A checkpoint that was signed and may or may not be on the disk: a peer may have read it, so no other one of its size is signed.
    signed: Option<Published>,
}

impl Sequencer {
    /// Opens the journal in a folder, makes it where there is none, and compares its checkpoint with the rows of the store.
    /// `origin` is [`crate::translog::checkpoint::origin`].
    pub async fn open(
        folder: &Path,
        origin: String,
        source: Arc<dyn Source>,
        signer: Arc<dyn Signer>,
    ) -> Result<Self, JournalError> {
        let disk = Arc::new(Disk::open_alone(folder)?);
        let key = NoteKey { name: origin, key: signer.verify_key() };
        let log = Log::new(folder);
        let published = log.checkpoint()?.map(|text| Checkpoint::open_text(&text, &key)).transpose();
        let published = published.map_err(JournalError::Checkpoint)?;
        let published = published.map(|(checkpoint, note)| Arc::new(Published { checkpoint, note }));
        let sequencer =
            Self { disk, log, key, source, signer, state: Mutex::default(), published: ArcSwapOption::new(published.clone()) };
        if let Some(published) = published {
            sequencer.state.lock().await.edge = sequencer.resume(&published.checkpoint).await?;
        }
        Ok(sequencer)
    }

    /// Sequences what is new and publishes a checkpoint; `None` if nothing is new. To be called about once a second.
    /// `keys` counts the punctures of the node's key trees; it must have been read before the call.
    pub async fn advance(&self, keys: Option<u64>) -> Result<Option<Arc<Published>>, JournalError> {
        let mut state = self.state.lock().await;
        let size = self.source.size().await.map_err(JournalError::Source)?;
        if size < state.edge.size() {
            return Err(JournalError::StoreOlder { rows: size, size: state.edge.size() });
        }
        let published = self.published.load().as_ref().and_then(|published| published.checkpoint.keys);
        match (keys, published) {
            (Some(ours), Some(published)) if ours < published => return Err(JournalError::KeysOlder { ours, published }),
            _ if size == state.edge.size() => return Ok(None),
            _ => {}
        }
        let mut edge = state.edge.clone();
        while edge.size() < size {
            let full = self.read_on(&mut edge, size).await?;
            self.keep(full, true).await?;
        }
        self.keep(edge.partials(), false).await?;
        let signed = match state.signed.take().filter(|signed| signed.checkpoint.size == size) {
            Some(signed) => signed,
            None => self.sign(&edge, keys).await?,
        };
        let (disk, text) = (Arc::clone(&self.disk), signed.note.to_string());
        state.signed = Some(signed.clone());
        blocking(move || disk.replace(CHECKPOINT, text.as_bytes())).await?;
        let published = Arc::new(signed);
        *state = State { edge, signed: None };
        self.published.store(Some(Arc::clone(&published)));
        Ok(Some(published))
    }

    /// The newest checkpoint; `None` before the first.
    pub fn published(&self) -> Option<Arc<Published>> {
        self.published.load_full()
    }

    /// The files, for proofs and for peers that copy the log.
    pub const fn log(&self) -> &Log {
        &self.log
    }

    /// Name and key of this log.
    pub const fn key(&self) -> &NoteKey {
        &self.key
    }

    /// The edge of the checkpoint on the disk, if the store has the rows that it was made of.
    async fn resume(&self, checkpoint: &Checkpoint) -> Result<Edge, JournalError> {
        let (rows, size) = (self.source.size().await.map_err(JournalError::Source)?, checkpoint.size);
        if rows < size {
            return Err(JournalError::StoreOlder { rows, size });
        }
        let read = Edge::read(size, |tile| self.log.hashes(tile), |tile| self.log.bundle(tile));
        match read {
            Ok(edge) if edge.root() == checkpoint.root => {
                self.compare(size).await?;
                Ok(edge)
            }
            // Files that the checkpoint stands on are gone or damaged: the rows have it all, if they are the same.
            Ok(_) | Err(JournalError::Broken { .. }) => self.rebuild(checkpoint).await,
            Err(error) => Err(error),
        }
    }

    /// Compares the newest rows with the log.
    async fn compare(&self, size: u64) -> Result<(), JournalError> {
        let mut at = size.saturating_sub(COMPARED);
        while at < size {
            let limit = usize::try_from(size - at).unwrap_or(usize::MAX);
            let rows = self.source.commitments(at, limit).await.map_err(JournalError::Source)?;
            let entries = match self.log.entries(at, rows.len(), size) {
                Err(JournalError::Broken { .. }) => return Ok(()),
                entries => entries?,
            };
            if rows.is_empty()
                || rows.len() != entries.len()
                || !rows.iter().zip(&entries).all(|(row, entry)| row[..] == entry[..])
            {
                return Err(JournalError::StoreOther { size });
            }
            at += rows.len() as u64;
        }
        Ok(())
    }

    /// Makes the files of a checkpoint anew. The root is compared before anything is written.
    async fn rebuild(&self, checkpoint: &Checkpoint) -> Result<Edge, JournalError> {
        let mut dry = Edge::new();
        while dry.size() < checkpoint.size {
            self.read_on(&mut dry, checkpoint.size).await?;
        }
        if dry.root() != checkpoint.root {
            return Err(JournalError::StoreOther { size: checkpoint.size });
        }
        let mut edge = Edge::new();
        while edge.size() < checkpoint.size {
            let full = self.read_on(&mut edge, checkpoint.size).await?;
            self.keep(full, false).await?;
        }
        self.keep(edge.partials(), false).await?;
        Ok(edge)
    }

    /// Adds the next rows, and answers the files that are full with them.
    async fn read_on(&self, edge: &mut Edge, size: u64) -> Result<Vec<(Tile, Vec<u8>)>, JournalError> {
        let limit = usize::try_from((size - edge.size()).min(CHUNK)).unwrap_or(usize::MAX);
        let rows = self.source.commitments(edge.size(), limit).await.map_err(JournalError::Source)?;
        if rows.is_empty() || rows.len() > limit {
            let text = format!("{} rows from row {} on, where 1 to {limit} were asked for", rows.len(), edge.size());
            return Err(JournalError::Source(text.into()));
        }
        let mut full = Vec::new();
        for row in rows {
            edge.push(&row, &mut |tile, bytes| full.push((tile, bytes)));
        }
        Ok(full)
    }

    async fn keep(&self, files: Vec<(Tile, Vec<u8>)>, drop_partials: bool) -> Result<(), JournalError> {
        let disk = Arc::clone(&self.disk);
        blocking(move || {
            disk.keep(&files)?;
            if drop_partials { disk.drop_partials(&files) } else { Ok(()) }
        })
        .await
    }

    async fn sign(&self, edge: &Edge, keys: Option<u64>) -> Result<Published, JournalError> {
        let checkpoint =
            Checkpoint { origin: self.key.name.clone(), size: edge.size(), root: edge.root(), keys, extensions: Vec::new() };
        let mut note = Note::new(checkpoint.to_string()).map_err(|error| JournalError::Signer(error.into()))?;
        let signature = self.signer.sign(note.text().as_bytes()).await.map_err(JournalError::Signer)?;
        note.add(self.key.line(&signature));
        if !self.key.verifies(&note) {
            return Err(JournalError::Signer("the signature is of another key".into()));
        }
        Ok(Published { checkpoint, note })
    }
}

#[cfg(test)]
pub(super) mod faults;
#[cfg(test)]
pub(super) mod tests;
