//! The right edge of a growing tree: the tiles that are not full yet. It is all that appending needs, however large the tree is.

use super::hash::{self, Hash};
use super::tile::{self, Kind, Tile, WIDTH};
use super::tree;

/// The open tiles of a tree, lowest level first, and the open entry bundle.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Edge {
    size: u64,
    entries: Vec<Vec<u8>>,
    levels: Vec<Vec<Hash>>,
}

impl Edge {
    /// The edge of the empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// The edge of a tree of `size` leaves out of its open tiles and bundle, as `hashes` and `entries` read them. Nothing is verified: compare [`Edge::root`].
    pub fn read<E>(
        size: u64,
        mut hashes: impl FnMut(Tile) -> Result<Vec<Hash>, E>,
        entries: impl FnOnce(Tile) -> Result<Vec<Vec<u8>>, E>,
    ) -> Result<Self, E> {
        let mut edge = Self { size, entries: Vec::new(), levels: Vec::new() };
        if let Some(tile) = open_tile(Kind::Entries, size, size) {
            edge.entries = entries(tile)?;
        }
        let (mut nodes, mut level) = (size, 0);
        while nodes > 0 {
            let open = open_tile(Kind::Hashes(level), nodes, size);
            edge.levels.push(open.map_or_else(|| Ok(Vec::new()), &mut hashes)?);
            (nodes, level) = (nodes / WIDTH as u64, level + 1);
        }
        Ok(edge)
    }

    /// Leaves of the tree.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds an entry and hands out each file that is full with it.
    pub fn push(&mut self, entry: &[u8], full: &mut impl FnMut(Tile, Vec<u8>)) {
        let mut index = self.size / WIDTH as u64;
        self.size += 1;
        self.entries.push(entry.to_vec());
        if self.entries.len() == WIDTH {
            full(Tile::full(Kind::Entries, index), tile::encode_entries(self.entries.iter().map(Vec::as_slice)));
            self.entries.clear();
        }
        let mut node = hash::leaf(entry);
        for level in 0.. {
            if self.levels.len() == usize::from(level) {
                self.levels.push(Vec::with_capacity(WIDTH));
            }
            let row = &mut self.levels[usize::from(level)];
            row.push(node);
            if row.len() < WIDTH {
                return;
            }
            full(Tile::full(Kind::Hashes(level), index), tile::encode_hashes(row));
            node = hash::fold(row);
            row.clear();
            index /= WIDTH as u64;
        }
    }

    /// The partial files that a checkpoint of this size needs.
    pub fn partials(&self) -> Vec<(Tile, Vec<u8>)> {
        let mut files = Vec::new();
        if let Some(tile) = open_tile(Kind::Entries, self.size, self.size) {
            files.push((tile, tile::encode_entries(self.entries.iter().map(Vec::as_slice))));
        }
        let mut nodes = self.size;
        for (level, row) in (0..).zip(&self.levels) {
            if let Some(tile) = open_tile(Kind::Hashes(level), nodes, self.size) {
                files.push((tile, tile::encode_hashes(row)));
            }
            nodes /= WIDTH as u64;
        }
        files
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        let mut peaks = Vec::new();
        for row in self.levels.iter().rev() {
            let mut rest = row.as_slice();
            while !rest.is_empty() {
                let (peak, after) = rest.split_at(1 << rest.len().ilog2());
                peaks.push(hash::fold(peak));
                rest = after;
            }
        }
        tree::join(peaks)
    }
}

/// The tile of a level with `nodes` nodes that is not full, if there is one.
fn open_tile(kind: Kind, nodes: u64, size: u64) -> Option<Tile> {
    Tile::of_tree(kind, nodes / WIDTH as u64, size)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn the_edge_has_the_root_of_the_definition_and_survives_its_files() {
        let (mut edge, mut leaves, mut files) = (Edge::new(), Vec::new(), BTreeMap::new());
        for n in 0..70_000_u32 {
            edge.push(&n.to_be_bytes(), &mut |tile, bytes| assert_eq!(files.insert(tile, bytes), None));
            leaves.push(hash::leaf(&n.to_be_bytes()));
            if n % 9_973 == 0 || (250..260).contains(&n) || (65_530..65_540).contains(&n) {
                assert_eq!(edge.root(), hash::fold(&leaves), "{n}");
                let partials: BTreeMap<_, _> = edge.partials().into_iter().collect();
                let hashes = |tile: Tile| Ok::<_, Infallible>(tile::decode_hashes(&partials[&tile], tile.width).expect("a tile"));
                let entries = |tile: Tile| {
                    let entries = tile::decode_entries(&partials[&tile], tile.width).expect("a bundle");
                    Ok(entries.into_iter().map(<[u8]>::to_vec).collect())
                };
                let read = Edge::read(edge.size(), hashes, entries).expect("infallible");
                assert_eq!((read.root(), read.partials()), (edge.root(), edge.partials()), "{n}");
            }
        }
        // The example of the specification.
        let count = |kind| files.keys().filter(|tile| tile.kind == kind).count();
        assert_eq!((count(Kind::Hashes(0)), count(Kind::Hashes(1)), count(Kind::Entries)), (273, 1, 273));
        let widths: Vec<_> = edge.partials().into_iter().map(|(tile, _)| (tile.kind, tile.width)).collect();
        assert_eq!(widths, [(Kind::Entries, 112), (Kind::Hashes(0), 112), (Kind::Hashes(1), 17), (Kind::Hashes(2), 1)]);
        assert_eq!(Edge::new().root(), hash::empty());
    }
}
