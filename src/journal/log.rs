use std::path::{Path, PathBuf};

use super::JournalError;
use super::disk::{self, io_error};
use crate::translog::hash::Hash;
use crate::translog::note::Note;
use crate::translog::proof::Proof;
use crate::translog::tile::{self, Kind, Reader, Tile, TileError, WIDTH};
use crate::translog::tree;

/// Name of the checkpoint in the folder.
pub(super) const CHECKPOINT: &str = "checkpoint";

/// A log's folder, as the sequencer writes it and as anyone may copy it: `checkpoint` and `tile/`. Reading blocks on files.
///
/// `size` is everywhere the size of a checkpoint that the folder has files for: the newest, or an older one.
#[derive(Clone, Debug)]
pub struct Log {
    folder: PathBuf,
}

impl Log {
    /// The log in a folder.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The newest checkpoint, unverified; `None` if there is none yet.
    pub fn checkpoint(&self) -> Result<Option<String>, JournalError> {
        let path = self.folder.join(CHECKPOINT);
        let text = disk::read(&path)?.map(String::from_utf8).transpose();
        text.map_err(|_| io_error(&path, std::io::Error::new(std::io::ErrorKind::InvalidData, "not UTF-8")))
    }

    /// The bytes of a tile or bundle, as a peer fetches them. A partial one that is gone is cut out of the full one.
    pub fn file(&self, tile: Tile) -> Result<Vec<u8>, JournalError> {
        if let Some(bytes) = disk::read(&self.folder.join(tile.to_string()))? {
            return Ok(bytes);
        }
        let missing = || JournalError::Broken { file: tile.to_string(), why: "it is missing".into() };
        if tile.is_full() {
            return Err(missing());
        }
        let full = disk::read(&self.folder.join(Tile::full(tile.kind, tile.index).to_string()))?.ok_or_else(missing)?;
        tile::cut(tile, &full).map_err(|error| broken(tile, error))
    }

    /// Entries from number `from` on, at most `limit`: what a store that was put back lacks.
    pub fn entries(&self, from: u64, limit: usize, size: u64) -> Result<Vec<Vec<u8>>, JournalError> {
        let mut entries = Vec::new();
        let mut at = from;
        while at < size && entries.len() < limit {
            let Some(tile) = Tile::of_tree(Kind::Entries, at / WIDTH as u64, size) else { break };
            let bundle = self.bundle(tile)?;
            let skip = usize::try_from(at % WIDTH as u64).unwrap_or(WIDTH);
            entries.extend(bundle.into_iter().skip(skip).take(limit - entries.len()));
            at = from + entries.len() as u64;
        }
        Ok(entries)
    }

    /// The root of the first `old` leaves of the log.
    pub fn root(&self, old: u64, size: u64) -> Result<Hash, JournalError> {
        self.with(size, |read| tree::root(old, read))
    }

    /// The path from leaf `index` to the root at `size` leaves.
    pub fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, JournalError> {
        self.with(size, |read| tree::inclusion(index, size, read))
    }

    /// That the tree of `size` leaves goes on from the one of `old`.
    pub fn consistency(&self, old: u64, size: u64) -> Result<Vec<Hash>, JournalError> {
        self.with(size, |read| tree::consistency(old, size, read))
    }

    /// The proof of an entry as a file, under a checkpoint of `size` leaves.
    pub fn proof(&self, index: u64, size: u64, checkpoint: Note) -> Result<Proof, JournalError> {
        Ok(Proof { extra: None, index, path: self.inclusion(index, size)?, checkpoint })
    }

    /// A tile's hashes.
    pub(super) fn hashes(&self, tile: Tile) -> Result<Vec<Hash>, JournalError> {
        tile::decode_hashes(&self.file(tile)?, tile.width).map_err(|error| broken(tile, error))
    }

    /// A bundle's entries.
    pub(super) fn bundle(&self, tile: Tile) -> Result<Vec<Vec<u8>>, JournalError> {
        let bytes = self.file(tile)?;
        let entries = tile::decode_entries(&bytes, tile.width).map_err(|error| broken(tile, error))?;
        Ok(entries.into_iter().map(<[u8]>::to_vec).collect())
    }

    fn with<T>(
        &self,
        size: u64,
        work: impl FnOnce(&mut dyn FnMut(tree::Node) -> Result<Hash, JournalError>) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let mut reader = Reader::new(size, |tile| self.hashes(tile));
        let absent =
            || JournalError::Broken { file: "tile".into(), why: format!("a tree of {size} leaves does not have this node") };
        work(&mut |node| reader.read(node, absent))
    }
}

fn broken(tile: Tile, error: TileError) -> JournalError {
    JournalError::Broken { file: tile.to_string(), why: error.to_string() }
}
