//! Tiles and entry bundles (C2SP tlog-tiles, height 8): where they lie, and what is in them.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::hash::{self, Hash};
use super::tree::Node;

/// Hashes of a full tile, entries of a full bundle.
pub const WIDTH: usize = 256;
/// log2 of [`WIDTH`].
const HEIGHT: u8 = 8;
/// Highest level of a tile in a tree of less than 2^63 leaves.
const MAX_LEVEL: u8 = 63;

/// What a file of the log holds.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// The entries themselves.
    Entries,
    /// Hashes at a level: 0 has leaf hashes, the next level roots of full tiles.
    Hashes(u8),
}

/// One file of the log: `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Tile {
    /// Entries, or hashes of a level.
    pub kind: Kind,
    /// Which of its level, from 0.
    pub index: u64,
    /// Hashes or entries in it: 1 to 256; fewer than 256 is a partial tile.
    pub width: u16,
}

/// Why a path or the bytes of a file are refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TileError {
    /// An entry bundle that breaks off, or has another number of entries than its name says.
    #[error("the bundle does not have the entries that its name says")]
    Bundle,
    /// Another number of bytes than its name says.
    #[error("it has {actual} bytes where {expected} are needed")]
    Length {
        /// Bytes that its name demands.
        expected: usize,
        /// Bytes that it has.
        actual: usize,
    },
    /// Not the path of a tile, in the one form that a tile has.
    #[error("not the path of a tile")]
    Path,
}

impl Tile {
    /// Full tile or bundle.
    pub const fn full(kind: Kind, index: u64) -> Self {
        Self { kind, index, width: 256 }
    }

    /// The tile of a kind and index as a tree of `size` leaves has it; `None` if it has none there.
    pub fn of_tree(kind: Kind, index: u64, size: u64) -> Option<Self> {
        let shift = match kind {
            Kind::Entries => 0,
            Kind::Hashes(level) => u32::from(HEIGHT) * u32::from(level),
        };
        let nodes = size.checked_shr(shift).unwrap_or(0);
        let width = nodes.saturating_sub(index.checked_mul(WIDTH as u64)?).min(WIDTH as u64);
        Some(Self { kind, index, width: u16::try_from(width).ok().filter(|width| *width > 0)? })
    }

    /// Whether nothing will ever be added to it.
    pub const fn is_full(&self) -> bool {
        self.width as usize == WIDTH
    }

    /// The folder of the partial forms of this tile.
    pub fn partials(&self) -> String {
        format!("{}.p", Self::full(self.kind, self.index))
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::Entries => f.write_str("tile/entries/")?,
            Kind::Hashes(level) => write!(f, "tile/{level}/")?,
        }
        let digits = self.index.to_string();
        let padded = format!("{}{digits}", "0".repeat((3 - digits.len() % 3) % 3));
        let groups = padded.len() / 3;
        for group in 0..groups {
            let is_last = group + 1 == groups;
            write!(
                f,
                "{}{}{}",
                if is_last { "" } else { "x" },
                &padded[3 * group..3 * group + 3],
                if is_last { "" } else { "/" }
            )?;
        }
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

impl FromStr for Tile {
    type Err = TileError;

    /// Takes only the one form that [`Tile`] prints.
    fn from_str(path: &str) -> Result<Self, TileError> {
        let read = || {
            let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
            let kind = match kind {
                "entries" => Kind::Entries,
                level => Kind::Hashes(level.parse().ok().filter(|level| *level <= MAX_LEVEL)?),
            };
            let (number, width) = match rest.split_once(".p/") {
                Some((number, width)) => (number, width.parse().ok().filter(|width| (1..256).contains(width))?),
                None => (rest, 256),
            };
            let mut index = 0_u64;
            for group in number.split('/') {
                let digits = group.strip_prefix('x').unwrap_or(group);
                let value: u64 = digits.parse().ok().filter(|_| digits.len() == 3)?;
                index = index.checked_mul(1000)?.checked_add(value)?;
            }
            Some(Self { kind, index, width })
        };
        read().filter(|tile| tile.to_string() == path).ok_or(TileError::Path)
    }
}

/// Bytes of a tile: its hashes, one after the other.
pub fn encode_hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.concat()
}

/// Reads a tile of `width` hashes.
pub fn decode_hashes(bytes: &[u8], width: u16) -> Result<Vec<Hash>, TileError> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    let expected = usize::from(width) * 32;
    if bytes.len() != expected || !rest.is_empty() {
        return Err(TileError::Length { expected, actual: bytes.len() });
    }
    Ok(hashes.to_vec())
}

/// Bytes of an entry bundle: each entry behind its length in two bytes, big-endian. An entry of 2^16 bytes or more is cut: ours have 32.
pub fn encode_entries<'a>(entries: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        let length = u16::try_from(entry.len()).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&entry[..usize::from(length)]);
    }
    bytes
}

/// Reads a bundle of `width` entries.
pub fn decode_entries(bytes: &[u8], width: u16) -> Result<Vec<&[u8]>, TileError> {
    let (mut rest, mut entries) = (bytes, Vec::with_capacity(usize::from(width)));
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let entry = after.split_at_checked(usize::from(u16::from_be_bytes(*length)));
        let (entry, after) = entry.filter(|_| entries.len() < usize::from(width)).ok_or(TileError::Bundle)?;
        entries.push(entry);
        rest = after;
    }
    if rest.is_empty() && entries.len() == usize::from(width) { Ok(entries) } else { Err(TileError::Bundle) }
}

/// The bytes of a partial tile or bundle out of those of the full one that took its place.
pub fn cut(tile: Tile, full: &[u8]) -> Result<Vec<u8>, TileError> {
    let width = usize::from(tile.width);
    match tile.kind {
        Kind::Entries => Ok(encode_entries(decode_entries(full, 256)?.into_iter().take(width))),
        Kind::Hashes(_) => Ok(encode_hashes(&decode_hashes(full, 256)?[..width.min(WIDTH)])),
    }
}

/// Reads complete subtrees of a tree of `size` leaves out of its tiles, and keeps the tiles that it fetched.
pub struct Reader<F> {
    size: u64,
    fetch: F,
    tiles: BTreeMap<Tile, Vec<Hash>>,
}

impl<F> Reader<F> {
    /// A reader of the tiles of a tree of `size` leaves.
    pub const fn new(size: u64, fetch: F) -> Self {
        Self { size, fetch, tiles: BTreeMap::new() }
    }

    /// The hash of a subtree. `absent` is the error for one that the tree does not have.
    pub fn read<E>(&mut self, node: Node, absent: impl Fn() -> E) -> Result<Hash, E>
    where
        F: FnMut(Tile) -> Result<Vec<Hash>, E>,
    {
        let (level, below) = (node.level / HEIGHT, node.level % HEIGHT);
        let first = node.index.checked_shl(below.into()).ok_or_else(&absent)?;
        let index = first / WIDTH as u64;
        let tile = Tile::of_tree(Kind::Hashes(level), index, self.size).ok_or_else(&absent)?;
        let hashes = match self.tiles.entry(tile) {
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::btree_map::Entry::Vacant(entry) => entry.insert((self.fetch)(tile)?),
        };
        let start = usize::try_from(first % WIDTH as u64).map_err(|_| absent())?;
        hashes.get(start..start + (1 << below)).map(hash::fold).ok_or_else(absent)
    }
}

#[cfg(test)]
mod tests;
