//! What `celosia verify` checks, from bytes alone: a checkpoint, an inclusion, a consistency, a whole log.

use std::collections::BTreeSet;

use super::checkpoint::{Checkpoint, CheckpointError};
use super::commitment::Commitment;
use super::cosignature::Witness;
use super::edge::Edge;
use super::hash::Hash;
use super::note::{Note, NoteKey};
use super::proof::{Proof, ProofError};
use super::tile::{self, Kind, Reader, Tile, TileError, WIDTH};
use super::tree::{self, TreeError};
use crate::types::{Code, Coded};

/// The first thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Wrong {
    /// The checkpoint, or its signature.
    #[error("the checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// An entry that is no commitment.
    #[error("{file}: entry {index} has {length} bytes, a commitment has 32")]
    Entry {
        /// Which bundle.
        file: String,
        /// Which entry of the log, from 0.
        index: u64,
        /// Its bytes.
        length: usize,
    },
    /// A file of the log.
    #[error("{file}: {why}")]
    File {
        /// Which file.
        file: String,
        /// What is wrong with it.
        why: TileError,
    },
    /// A hash of a tile is not the one of what lies below it.
    #[error("{file}: hash {at} is not the one of {below}")]
    Hash {
        /// Which tile.
        file: String,
        /// Which hash of the tile, from 0.
        at: usize,
        /// The entry or tile that it should be the hash of.
        below: String,
    },
    /// A file is missing.
    #[error("{0} is missing: the log is cut short")]
    Missing(String),
    /// A partial tile or bundle is not the beginning of the full one.
    #[error("{0} is not the beginning of what came after it")]
    Partial(String),
    /// An inclusion proof.
    #[error("the proof: {0}")]
    Proof(#[from] ProofError),
    /// Fewer witnesses than asked for.
    #[error("{have} of the given witnesses cosigned it, {need} are needed")]
    Quorum {
        /// Witnesses with a valid cosignature.
        have: usize,
        /// Witnesses that are needed.
        need: usize,
    },
    /// The entries lead to another root than the checkpoint's.
    #[error("its {size} entries lead to another root than that of the checkpoint: one of them is of another history")]
    Root {
        /// Entries.
        size: u64,
    },
    /// The log does not go on from an older checkpoint.
    #[error("the log does not go on from the checkpoint of {size} entries: it forked")]
    Since {
        /// Entries of the older checkpoint.
        size: u64,
    },
    /// Two checkpoints do not belong to one history.
    #[error("the newer checkpoint does not go on from the older: {0}")]
    Tree(#[from] TreeError),
    /// Something cannot be read: nothing is said of the log.
    #[error("{0}")]
    Unreadable(String),
}

impl Coded for Wrong {
    fn code(&self) -> Code {
        match self {
            Self::Unreadable(_) => Code(4242),
            _ => Code(4241),
        }
    }
}

/// The files of a copied log. An error is what cannot be read, in words.
pub trait Files {
    /// A tile or bundle, `None` if it is not there.
    fn file(&mut self, tile: Tile) -> Result<Option<Vec<u8>>, String>;

    /// The widths of the partial forms of a tile that are there.
    fn partials(&mut self, tile: Tile) -> Result<Vec<u16>, String>;
}

/// A checkpoint: signed by the log, and cosigned by so many of the witnesses. Answers who did.
pub fn checkpoint(text: &str, key: &NoteKey, witnesses: &[Witness], quorum: usize) -> Result<(Checkpoint, Vec<String>), Wrong> {
    let (checkpoint, note) = Checkpoint::open_text(text, key)?;
    Ok((checkpoint, cosigners(&note, witnesses, quorum)?))
}

/// That an entry is in the log, under a checkpoint that so many of the witnesses cosigned. Answers its place.
pub fn inclusion(
    text: &str,
    key: &NoteKey,
    entry: &Commitment,
    witnesses: &[Witness],
    quorum: usize,
) -> Result<(u64, Checkpoint, Vec<String>), Wrong> {
    let proof: Proof = text.parse()?;
    let checkpoint = proof.verify(key, entry)?;
    Ok((proof.index, checkpoint, cosigners(&proof.checkpoint, witnesses, quorum)?))
}

/// That a newer checkpoint goes on from an older one, by the tiles of the newer.
pub fn consistency(old: &Checkpoint, new: &Checkpoint, files: &mut impl Files) -> Result<Vec<Hash>, Wrong> {
    if old.origin != new.origin {
        return Err(CheckpointError::Other.into());
    }
    let mut reader = Reader::new(new.size, |tile| hashes(files, tile));
    let mut read = |node| reader.read(node, || Wrong::Missing("tile".into()));
    let proof = tree::consistency(old.size, new.size, &mut read)?;
    tree::verify_consistency((old.size, &old.root), (new.size, &new.root), &proof)?;
    Ok(proof)
}

/// A whole log: every entry, every tile, every partial form, the root of the checkpoint, and that it goes on from an older checkpoint.
pub fn log(checkpoint: &Checkpoint, since: Option<&Checkpoint>, files: &mut impl Files) -> Result<(), Wrong> {
    let (size, mut edge) = (checkpoint.size, Edge::new());
    if let Some(since) = since.filter(|since| since.size > size) {
        return Err(TreeError::Order { old: since.size, new: size }.into());
    }
    let is_since = |edge: &Edge| since.is_none_or(|since| since.size != edge.size() || since.root == edge.root());
    let broken = || Wrong::Since { size: since.map_or(0, |since| since.size) };
    if !is_since(&edge) {
        return Err(broken());
    }
    while edge.size() < size {
        let bundle = Tile::of_tree(Kind::Entries, edge.size() / WIDTH as u64, size);
        let bundle = bundle.ok_or_else(|| Wrong::Missing("tile/entries".into()))?;
        let (bytes, mut full) = (bytes(files, bundle)?, Vec::new());
        for entry in decode(bundle, tile::decode_entries(&bytes, bundle.width))? {
            if entry.len() != size_of::<Commitment>() {
                return Err(Wrong::Entry { file: bundle.to_string(), index: edge.size(), length: entry.len() });
            }
            edge.push(entry, &mut |tile, bytes| full.push((tile, bytes)));
            if !is_since(&edge) {
                return Err(broken());
            }
        }
        full.iter().try_for_each(|(tile, bytes)| compare(*tile, bytes, files))?;
    }
    edge.partials().iter().try_for_each(|(tile, bytes)| compare(*tile, bytes, files))?;
    if edge.root() == checkpoint.root { Ok(()) } else { Err(Wrong::Root { size }) }
}

fn cosigners(note: &Note, witnesses: &[Witness], quorum: usize) -> Result<Vec<String>, Wrong> {
    let valid = witnesses.iter().filter(|witness| witness.verifies(note).is_some());
    // A witness that is given twice counts once, and so does one key under two names.
    let mut keys = BTreeSet::new();
    let names: Vec<_> = valid.filter(|witness| keys.insert(witness.key)).map(|witness| witness.name.clone()).collect();
    if names.len() < quorum { Err(Wrong::Quorum { have: names.len(), need: quorum }) } else { Ok(names) }
}

/// The bytes of a tile; a partial one that is gone is cut out of the full one.
fn bytes(files: &mut impl Files, tile: Tile) -> Result<Vec<u8>, Wrong> {
    if let Some(bytes) = files.file(tile).map_err(Wrong::Unreadable)? {
        return Ok(bytes);
    }
    let full = Tile::full(tile.kind, tile.index);
    let there = if tile.is_full() { None } else { files.file(full).map_err(Wrong::Unreadable)? };
    let there = there.ok_or_else(|| Wrong::Missing(tile.to_string()))?;
    decode(full, tile::cut(tile, &there))
}

fn hashes(files: &mut impl Files, tile: Tile) -> Result<Vec<Hash>, Wrong> {
    let bytes = bytes(files, tile)?;
    decode(tile, tile::decode_hashes(&bytes, tile.width))
}

fn decode<T>(tile: Tile, read: Result<T, TileError>) -> Result<T, Wrong> {
    read.map_err(|why| Wrong::File { file: tile.to_string(), why })
}

/// Compares a tile with what its entries give, and its partial forms with it. Those that are longer belong to no checkpoint yet.
fn compare(tile: Tile, expected: &[u8], files: &mut impl Files) -> Result<(), Wrong> {
    if let Kind::Hashes(level) = tile.kind {
        let there = hashes(files, tile)?;
        let (expected, _) = expected.as_chunks::<32>();
        if let Some(at) = there.iter().zip(expected).position(|(there, expected)| there != expected) {
            return Err(Wrong::Hash { file: tile.to_string(), at, below: below(level, tile.index, at) });
        }
    }
    for width in files.partials(tile).map_err(Wrong::Unreadable)? {
        let partial = Tile { width, ..tile };
        if width >= tile.width {
            continue;
        }
        let there = files.file(partial).map_err(Wrong::Unreadable)?;
        if there.is_some_and(|there| !is_beginning(partial, &there, expected)) {
            return Err(Wrong::Partial(partial.to_string()));
        }
    }
    Ok(())
}

/// Whether a partial form has its own number of hashes or entries, and those of the longer one.
fn is_beginning(partial: Tile, there: &[u8], longer: &[u8]) -> bool {
    let is_whole = match partial.kind {
        Kind::Entries => tile::decode_entries(there, partial.width).is_ok(),
        Kind::Hashes(_) => there.len() == usize::from(partial.width) * size_of::<Hash>(),
    };
    is_whole && longer.starts_with(there)
}

fn below(level: u8, index: u64, at: usize) -> String {
    let number = index * WIDTH as u64 + at as u64;
    match level.checked_sub(1) {
        None => format!("entry {number}"),
        Some(below) => Tile::full(Kind::Hashes(below), number).to_string(),
    }
}

/// A commitment or a salt in hexadecimal.
pub fn hex32(text: &str) -> Option<Hash> {
    data_encoding::HEXLOWER_PERMISSIVE.decode(text.trim().as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests;
