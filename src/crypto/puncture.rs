//! The puncturable key tree: 2^32 leaf keys from one seed, any of which can be destroyed for ever (specified in `docs/key-tree.md`).
//!
//! Goldreich, Goldwasser, Micali, "How to construct random functions" (1986); puncturing after Aviram, Gellert, Jager (2019).
//! Threat: whoever holds the state after a puncture, and everything else that we keep, derives the punctured leaf.

use zeroize::Zeroizing;

use super::secret::Secret;

mod cover;
mod scheme;
mod state;

use cover::Cover;
use scheme::{First, Second};

/// Levels between root and leaves.
pub const DEPTH: u8 = 32;

/// How a tree derives its seeds and writes its state. A tree keeps its version for life: in another one its leaves would have other keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Version {
    /// Seeds of 256 bits. Trees of this version are read, punctured and sealed anew; none is begun.
    First,
    /// Seeds of 128 bits, each bound to its tree and its place: a state of less than half the size.
    Second,
}

/// The live part of a tree: seeds of disjoint subtrees that together hold exactly the leaves not punctured.
#[derive(Debug)]
pub struct KeyTree(Kind);

#[derive(Debug)]
enum Kind {
    First(Cover<First, 32>),
    Second(Cover<Second, 16>),
}

impl KeyTree {
    /// A whole tree of the second version from fresh random bytes.
    pub fn random() -> Self {
        Self::whole(Secret::random(), Secret::random())
    }

    /// A whole tree of the second version from its key and its root's seed.
    pub fn whole(key: Secret<32>, seed: Secret<16>) -> Self {
        Self(Kind::Second(Cover::whole(Second::new(key), seed)))
    }

    /// Its version.
    pub fn version(&self) -> Version {
        match &self.0 {
            Kind::First(_) => Version::First,
            Kind::Second(_) => Version::Second,
        }
    }

    /// How many leaves were punctured: those that no seed covers.
    pub fn punctured(&self) -> u64 {
        match &self.0 {
            Kind::First(cover) => cover.punctured(),
            Kind::Second(cover) => cover.punctured(),
        }
    }

    /// The key of a leaf; `None` if it was punctured.
    pub fn derive(&self, leaf: u32) -> Option<Secret<32>> {
        match &self.0 {
            Kind::First(cover) => cover.derive(leaf),
            Kind::Second(cover) => cover.derive(leaf),
        }
    }

    /// Whether a leaf can still be derived.
    pub fn is_alive(&self, leaf: u32) -> bool {
        match &self.0 {
            Kind::First(cover) => cover.is_alive(leaf),
            Kind::Second(cover) => cover.is_alive(leaf),
        }
    }

    /// Destroys a leaf: its subtree's seed gives way to the seeds of the siblings on the leaf's path. False if it was punctured before.
    pub fn puncture(&mut self, leaf: u32) -> bool {
        match &mut self.0 {
            Kind::First(cover) => cover.puncture(leaf),
            Kind::Second(cover) => cover.puncture(leaf),
        }
    }

    /// Live subtrees.
    pub fn len(&self) -> usize {
        match &self.0 {
            Kind::First(cover) => cover.subtrees.len(),
            Kind::Second(cover) => cover.subtrees.len(),
        }
    }

    /// Whether every leaf is punctured.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of the encoded state.
    pub fn encoded_len(&self) -> usize {
        match &self.0 {
            Kind::First(cover) => state::first_len(cover),
            Kind::Second(cover) => state::second_len(cover),
        }
    }

    /// The state as it is sealed, in the form of the tree's version.
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        match &self.0 {
            Kind::First(cover) => state::encode_first(cover),
            Kind::Second(cover) => state::encode_second(cover),
        }
    }

    /// Reads what [`encode`](Self::encode) wrote; `None` for anything else. A state has one encoding only, and takes no more memory than a
    /// small multiple of its length.
    pub fn decode(version: Version, bytes: &[u8]) -> Option<Self> {
        Some(Self(match version {
            Version::First => Kind::First(state::decode_first(bytes)?),
            Version::Second => Kind::Second(state::decode_second(bytes)?),
        }))
    }
}

#[cfg(test)]
mod tests;
