//! Roots and proofs of a Merkle tree (RFC 6962 section 2.1, RFC 9162 section 2.1), made from a reader of complete subtrees.

use super::hash::{self, Hash};

/// A complete subtree: leaves `index · 2^level` to `(index + 1) · 2^level`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Node {
    /// 0 is a leaf.
    pub level: u8,
    /// How many such subtrees lie left of it.
    pub index: u64,
}

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum TreeError {
    /// The old tree is larger than the new one.
    #[error("a tree of {old} leaves is no part of one of {new}")]
    Order {
        /// Leaves of the old tree.
        old: u64,
        /// Leaves of the new tree.
        new: u64,
    },
    /// The tree has no such leaf.
    #[error("a tree of {size} leaves has no leaf {index}")]
    NoLeaf {
        /// Which leaf, from 0.
        index: u64,
        /// Leaves of the tree.
        size: u64,
    },
    /// The hashes lead to another root.
    #[error("the proof does not lead to the root")]
    Root,
    /// The proof has too many hashes, or too few.
    #[error("the proof has the wrong number of hashes")]
    Length,
}

/// Most hashes of one proof of a tree of less than 2^63 leaves.
pub const MAX_PROOF: usize = 64;

/// MTH(D\[0:size\]).
pub fn root<E>(size: u64, read: &mut (impl FnMut(Node) -> Result<Hash, E> + ?Sized)) -> Result<Hash, E> {
    if size == 0 { Ok(hash::empty()) } else { range(0, size, read) }
}

/// PATH(index, D\[0:size\]): from the leaf's sibling up. Empty if the tree has no such leaf.
pub fn inclusion<E>(index: u64, size: u64, read: &mut (impl FnMut(Node) -> Result<Hash, E> + ?Sized)) -> Result<Vec<Hash>, E> {
    let (mut low, mut high, mut path) = (0, size, Vec::new());
    if index >= size {
        return Ok(path);
    }
    while high - low > 1 {
        let middle = low + split(high - low);
        if index < middle {
            path.push(range(middle, high, read)?);
            high = middle;
        } else {
            path.push(range(low, middle, read)?);
            low = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// PROOF(old, D\[0:new\]). Empty if `old` is 0 or not smaller than `new`.
pub fn consistency<E>(old: u64, new: u64, read: &mut (impl FnMut(Node) -> Result<Hash, E> + ?Sized)) -> Result<Vec<Hash>, E> {
    let (mut low, mut high, mut proof) = (0, new, Vec::new());
    if old == 0 || old >= new {
        return Ok(proof);
    }
    // SUBPROOF: down to the subtree that ends where the old tree ends; the verifier knows its hash only if it is the old tree itself.
    while old != high {
        let middle = low + split(high - low);
        if old <= middle {
            proof.push(range(middle, high, read)?);
            high = middle;
        } else {
            proof.push(range(low, middle, read)?);
            low = middle;
        }
    }
    if low != 0 {
        proof.push(range(low, high, read)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Whether a leaf hash stands at `index` of the tree (RFC 9162 section 2.1.3.2).
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, root: &Hash, path: &[Hash]) -> Result<(), TreeError> {
    if root_of(leaf, index, size, path)? == *root { Ok(()) } else { Err(TreeError::Root) }
}

/// The root of the tree of `size` leaves in which a path leads up from `index`.
pub fn root_of(leaf: &Hash, index: u64, size: u64, path: &[Hash]) -> Result<Hash, TreeError> {
    if index >= size {
        return Err(TreeError::NoLeaf { index, size });
    }
    let (mut at, mut last, mut have) = (index, size - 1, *leaf);
    for sibling in path {
        if last == 0 {
            return Err(TreeError::Length);
        }
        if at & 1 == 1 || at == last {
            have = hash::node(sibling, &have);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            have = hash::node(&have, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    if last == 0 { Ok(have) } else { Err(TreeError::Length) }
}

/// Whether the old tree is a prefix of the new one (RFC 9162 section 2.1.4.2). Every tree goes on from the empty one.
pub fn verify_consistency(old: (u64, &Hash), new: (u64, &Hash), proof: &[Hash]) -> Result<(), TreeError> {
    let ((first, first_root), (second, second_root)) = (old, new);
    if first > second {
        return Err(TreeError::Order { old: first, new: second });
    }
    if first == second || first == 0 {
        let fits = if first == 0 { *first_root == hash::empty() } else { true };
        let same = first != second || first_root == second_root;
        return match proof {
            [] if fits && same => Ok(()),
            [] => Err(TreeError::Root),
            _ => Err(TreeError::Length),
        };
    }
    // An old tree that is one complete subtree stands for itself.
    let itself: &[Hash] = if first.is_power_of_two() { std::slice::from_ref(first_root) } else { &[] };
    let mut hashes = itself.iter().chain(proof);
    let (mut at, mut last) = (first - 1, second - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    let start = *hashes.next().ok_or(TreeError::Length)?;
    let (mut have_first, mut have_second) = (start, start);
    for sibling in hashes {
        if last == 0 {
            return Err(TreeError::Length);
        }
        if at & 1 == 1 || at == last {
            have_first = hash::node(sibling, &have_first);
            have_second = hash::node(sibling, &have_second);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            have_second = hash::node(&have_second, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    match last {
        0 if have_first == *first_root && have_second == *second_root => Ok(()),
        0 => Err(TreeError::Root),
        _ => Err(TreeError::Length),
    }
}

/// MTH(D\[low:high\]), where `low` begins a subtree at least as large: complete subtrees, folded from the right.
fn range<E>(low: u64, high: u64, read: &mut (impl FnMut(Node) -> Result<Hash, E> + ?Sized)) -> Result<Hash, E> {
    let (mut at, mut peaks) = (low, Vec::new());
    while at < high {
        let level = (high - at).ilog2();
        peaks.push(read(Node { level: u8::try_from(level).unwrap_or(u8::MAX), index: at >> level })?);
        at += 1 << level;
    }
    Ok(join(peaks))
}

/// The root over complete subtrees of falling size.
pub(super) fn join(mut peaks: Vec<Hash>) -> Hash {
    let Some(last) = peaks.pop() else { return hash::empty() };
    peaks.iter().rev().fold(last, |right, left| hash::node(left, &right))
}

/// The largest power of two below `n`, for n > 1.
fn split(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

#[cfg(test)]
mod tests;
