//! The puncturable key tree: 2^32 leaf keys from one seed, any of which can be destroyed for ever (specified in `docs/key-tree.md`).
//!
//! Goldreich, Goldwasser, Micali, "How to construct random functions" (1986); puncturing after Aviram, Gellert, Jager (2019).
//! Threat: whoever holds the state after a puncture, and everything else that we keep, derives the punctured leaf.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

use super::secret::Secret;

/// Levels between root and leaves.
pub const DEPTH: u8 = 32;
/// Depth of the node that is remembered: 65,536 leaves lie below it.
const WAY: u8 = 16;

const CHILD: [&[u8]; 2] = [b"celosia/key-tree/1/left", b"celosia/key-tree/1/right"];
const LEAF: &[u8] = b"celosia/key-tree/1/leaf";
/// Bytes of one encoded subtree: depth, first leaf, seed.
const ENTRY: usize = 1 + 4 + 32;

/// The live part of a tree: seeds of disjoint subtrees that together hold exactly the leaves not punctured.
#[derive(Debug)]
pub struct KeyTree {
    /// By first leaf.
    subtrees: BTreeMap<u32, Subtree>,
    /// The last node passed at depth [`WAY`]: leaves in use are neighbours, so half of the way down is mostly known. Forgotten by a puncture.
    way: Mutex<Option<(u32, Secret<32>)>>,
}

#[derive(Debug)]
struct Subtree {
    depth: u8,
    seed: Secret<32>,
}

impl Subtree {
    /// Index of the last leaf of a subtree that begins at `first`.
    fn last(&self, first: u32) -> u32 {
        first | span(self.depth)
    }
}

/// Leaves of a subtree less one.
fn span(depth: u8) -> u32 {
    u32::MAX.checked_shr(u32::from(depth)).unwrap_or(0)
}

impl KeyTree {
    /// A whole tree from a fresh random seed.
    pub fn random() -> Self {
        Self::from_seed(Secret::random())
    }

    /// A whole tree from its root seed.
    pub fn from_seed(seed: Secret<32>) -> Self {
        Self { subtrees: BTreeMap::from([(0, Subtree { depth: 0, seed })]), way: Mutex::default() }
    }

    /// How many leaves were punctured: those that no seed covers.
    pub fn punctured(&self) -> u64 {
        let covered: u64 = self.subtrees.values().map(|subtree| u64::from(span(subtree.depth)) + 1).sum();
        (1 << DEPTH) - covered
    }

    /// The key of a leaf; `None` if it was punctured.
    pub fn derive(&self, leaf: u32) -> Option<Secret<32>> {
        let (_, subtree) = self.covering(leaf)?;
        let seed = match subtree.depth {
            0..WAY => descend(self.half_way(subtree, leaf), WAY..DEPTH, leaf),
            depth => descend(subtree.seed.duplicate(), depth..DEPTH, leaf),
        };
        Some(prf(&seed, LEAF))
    }

    /// The seed at depth [`WAY`] above a leaf of the subtree.
    fn half_way(&self, subtree: &Subtree, leaf: u32) -> Secret<32> {
        let first = leaf & !span(WAY);
        let mut way = self.way.lock().unwrap_or_else(PoisonError::into_inner);
        match &*way {
            Some((known, seed)) if *known == first => seed.duplicate(),
            _ => {
                let seed = descend(subtree.seed.duplicate(), subtree.depth..WAY, leaf);
                *way = Some((first, seed.duplicate()));
                seed
            }
        }
    }

    /// Whether a leaf can still be derived.
    pub fn is_alive(&self, leaf: u32) -> bool {
        self.covering(leaf).is_some()
    }

    /// Destroys a leaf: its subtree's seed gives way to the seeds of the siblings on the leaf's path. False if it was punctured before.
    pub fn puncture(&mut self, leaf: u32) -> bool {
        let Some((first, _)) = self.covering(leaf) else { return false };
        *self.way.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
        let Some(Subtree { mut depth, mut seed }) = self.subtrees.remove(&first) else { return false };
        while depth < DEPTH {
            let side = bit(leaf, depth);
            let sibling = child(&seed, !side);
            seed = child(&seed, side);
            depth += 1;
            let path_first = leaf & !span(depth);
            let sibling_first = path_first ^ span(depth).wrapping_add(1);
            self.subtrees.insert(sibling_first, Subtree { depth, seed: sibling });
        }
        true
    }

    /// Live subtrees.
    pub fn len(&self) -> usize {
        self.subtrees.len()
    }

    /// Whether every leaf is punctured.
    pub fn is_empty(&self) -> bool {
        self.subtrees.is_empty()
    }

    /// Bytes of the encoded state.
    pub fn encoded_len(&self) -> usize {
        4 + self.subtrees.len() * ENTRY
    }

    /// `count (4) ‖ count × (depth (1) ‖ first leaf (4) ‖ seed (32))`, big-endian, by first leaf.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(self.encoded_len()));
        out.extend_from_slice(&u32::try_from(self.subtrees.len()).unwrap_or(u32::MAX).to_be_bytes());
        for (first, subtree) in &self.subtrees {
            out.push(subtree.depth);
            out.extend_from_slice(&first.to_be_bytes());
            out.extend_from_slice(subtree.seed.expose());
        }
        out
    }

    /// Reads what [`encode`](Self::encode) wrote: ordered, disjoint, aligned; `None` for anything else.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (count, entries) = bytes.split_first_chunk::<4>()?;
        let (chunks, rest) = entries.as_chunks::<ENTRY>();
        if !rest.is_empty() || usize::try_from(u32::from_be_bytes(*count)).ok()? != chunks.len() {
            return None;
        }
        let mut subtrees = BTreeMap::new();
        let mut next = 0_u64;
        for chunk in chunks {
            let depth = chunk[0];
            let first = u32::from_be_bytes([chunk[1], chunk[2], chunk[3], chunk[4]]);
            if depth > DEPTH || first & span(depth) != 0 || u64::from(first) < next {
                return None;
            }
            let subtree = Subtree { depth, seed: Secret::from_slice(&chunk[5..])? };
            next = u64::from(subtree.last(first)) + 1;
            subtrees.insert(first, subtree);
        }
        Some(Self { subtrees, way: Mutex::default() })
    }

    fn covering(&self, leaf: u32) -> Option<(u32, &Subtree)> {
        let (first, subtree) = self.subtrees.range(..=leaf).next_back()?;
        (leaf <= subtree.last(*first)).then_some((*first, subtree))
    }
}

/// Which child of a node at `depth` leads to the leaf: the leaf's bits, most significant first.
fn bit(leaf: u32, depth: u8) -> bool {
    leaf >> (DEPTH - 1 - depth) & 1 == 1
}

fn descend(seed: Secret<32>, depths: Range<u8>, leaf: u32) -> Secret<32> {
    depths.fold(seed, |seed, depth| child(&seed, bit(leaf, depth)))
}

fn child(seed: &Secret<32>, right: bool) -> Secret<32> {
    prf(seed, CHILD[usize::from(right)])
}

/// HMAC-SHA-256 (RFC 2104) under the seed.
fn prf(seed: &Secret<32>, label: &[u8]) -> Secret<32> {
    let mut mac = Hmac::<Sha256>::new_from_slice(seed.expose()).expect("HMAC takes a key of any length");
    mac.update(label);
    let mut out: [u8; 32] = mac.finalize().into_bytes().into();
    let secret = Secret::take(&mut out);
    out.zeroize();
    secret
}

#[cfg(test)]
mod tests;
