use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use super::DEPTH;
use super::scheme::Scheme;
use crate::crypto::secret::Secret;

/// Depth of the node that is remembered: 65,536 leaves lie below it.
const WAY: u8 = 16;
/// Leaves of a whole tree.
pub(super) const LEAVES: u64 = 1 << DEPTH;

/// Seeds of `N` bytes of disjoint subtrees, and how more follow from them.
#[derive(Debug)]
pub(super) struct Cover<S, const N: usize> {
    pub(super) scheme: S,
    /// By first leaf.
    pub(super) subtrees: BTreeMap<u32, Subtree<N>>,
    /// The last node passed at depth [`WAY`]: leaves in use are neighbours, so half of the way down is mostly known. Forgotten by a puncture.
    way: Mutex<Option<(u32, Secret<N>)>>,
}

#[derive(Debug)]
pub(super) struct Subtree<const N: usize> {
    pub(super) depth: u8,
    pub(super) seed: Secret<N>,
}

impl<const N: usize> Subtree<N> {
    /// Index of the last leaf of a subtree that begins at `first`.
    pub(super) fn last(&self, first: u32) -> u32 {
        first | span(self.depth)
    }
}

/// Leaves of a subtree less one.
pub(super) fn span(depth: u8) -> u32 {
    u32::MAX.checked_shr(u32::from(depth)).unwrap_or(0)
}

impl<S: Scheme<N>, const N: usize> Cover<S, N> {
    pub(super) fn new(scheme: S, subtrees: BTreeMap<u32, Subtree<N>>) -> Self {
        Self { scheme, subtrees, way: Mutex::default() }
    }

    /// A whole tree.
    pub(super) fn whole(scheme: S, seed: Secret<N>) -> Self {
        Self::new(scheme, BTreeMap::from([(0, Subtree { depth: 0, seed })]))
    }

    pub(super) fn punctured(&self) -> u64 {
        let covered: u64 = self.subtrees.values().map(|subtree| u64::from(span(subtree.depth)) + 1).sum();
        LEAVES - covered
    }

    /// The punctured leaves, in runs as long as can be, in order.
    pub(super) fn runs(&self) -> Vec<Range<u64>> {
        let mut runs = Vec::new();
        let mut next = 0;
        for (first, subtree) in &self.subtrees {
            let first_leaf = u64::from(*first);
            if next < first_leaf {
                runs.push(next..first_leaf);
            }
            next = u64::from(subtree.last(*first)) + 1;
        }
        if next < LEAVES {
            runs.push(next..LEAVES);
        }
        runs
    }

    pub(super) fn derive(&self, leaf: u32) -> Option<Secret<32>> {
        let (_, subtree) = self.covering(leaf)?;
        let seed = match subtree.depth {
            0..WAY => self.descend(self.half_way(subtree, leaf), WAY..DEPTH, leaf),
            depth => self.descend(subtree.seed.duplicate(), depth..DEPTH, leaf),
        };
        Some(self.scheme.leaf_key(&seed, leaf))
    }

    /// The seed at depth [`WAY`] above a leaf of the subtree.
    fn half_way(&self, subtree: &Subtree<N>, leaf: u32) -> Secret<N> {
        let first = leaf & !span(WAY);
        let mut way = self.way.lock().unwrap_or_else(PoisonError::into_inner);
        match &*way {
            Some((known, seed)) if *known == first => seed.duplicate(),
            _ => {
                let seed = self.descend(subtree.seed.duplicate(), subtree.depth..WAY, leaf);
                *way = Some((first, seed.duplicate()));
                seed
            }
        }
    }

    pub(super) fn is_alive(&self, leaf: u32) -> bool {
        self.covering(leaf).is_some()
    }

    pub(super) fn puncture(&mut self, leaf: u32) -> bool {
        let Some((first, _)) = self.covering(leaf) else { return false };
        *self.way.get_mut().unwrap_or_else(PoisonError::into_inner) = None;
        let Some(Subtree { mut depth, mut seed }) = self.subtrees.remove(&first) else { return false };
        while depth < DEPTH {
            let [left, right] = self.scheme.children(&seed, depth, index(leaf, depth));
            let sibling;
            (seed, sibling) = if bit(leaf, depth) { (right, left) } else { (left, right) };
            depth += 1;
            let path_first = leaf & !span(depth);
            let sibling_first = path_first ^ span(depth).wrapping_add(1);
            self.subtrees.insert(sibling_first, Subtree { depth, seed: sibling });
        }
        true
    }

    fn covering(&self, leaf: u32) -> Option<(u32, &Subtree<N>)> {
        let (first, subtree) = self.subtrees.range(..=leaf).next_back()?;
        (leaf <= subtree.last(*first)).then_some((*first, subtree))
    }

    /// From the seed of the node above a leaf at the first depth to that at the end.
    fn descend(&self, seed: Secret<N>, depths: Range<u8>, leaf: u32) -> Secret<N> {
        depths.fold(seed, |seed, depth| self.scheme.child(&seed, depth, index(leaf, depth), bit(leaf, depth)))
    }
}

/// Which child of a node at `depth` leads to the leaf: the leaf's bits, most significant first.
fn bit(leaf: u32, depth: u8) -> bool {
    leaf >> (DEPTH - 1 - depth) & 1 == 1
}

/// Index, in its level, of the node at `depth` above the leaf.
fn index(leaf: u32, depth: u8) -> u32 {
    leaf.checked_shr(u32::from(DEPTH - depth)).unwrap_or(0)
}
