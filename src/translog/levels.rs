//! A whole tree in memory, for lists of which many paths are shown: n hashes to build, a few for a path.

use std::convert::Infallible;

use super::hash::{self, Hash};
use super::tree;

/// The nodes of a tree, level by level: leaves first.
#[derive(Clone, Debug)]
pub struct Levels(Vec<Vec<Hash>>);

impl Levels {
    /// Of its leaves.
    pub fn new(leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(last) = levels.last().filter(|level| level.len() > 1) {
            // What is left over at the end has no sibling, and stands one level higher as it is.
            let next = last.chunks(2).map(hash::fold).collect();
            levels.push(next);
        }
        Self(levels)
    }

    /// PATH(index): from the leaf's sibling up. Empty if there is no such leaf.
    pub fn path(&self, index: u64) -> Vec<Hash> {
        let node = |node: tree::Node| {
            let level = self.0.get(usize::from(node.level));
            let at = usize::try_from(node.index).unwrap_or(usize::MAX);
            // Every node that a path of this tree asks for is in it.
            Ok::<_, Infallible>(level.and_then(|level| level.get(at)).copied().unwrap_or_default())
        };
        let Ok(path) = tree::inclusion(index, self.0[0].len() as u64, &mut { node });
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_trees_of_every_size_lead_to_the_root() {
        for size in (0..70).chain([100_000]) {
            let leaves: Vec<Hash> = (0..size as u64).map(|at| hash::leaf(&at.to_be_bytes())).collect();
            let (root, levels) = (hash::fold(&leaves), Levels::new(leaves.clone()));
            // Folding anew for each would take minutes.
            let paths: Vec<_> = (0..size as u64).map(|at| levels.path(at)).collect();
            for at in (0..size).step_by(size / 70 + 1) {
                assert_eq!(
                    tree::verify_inclusion(&leaves[at], at as u64, size as u64, &root, &paths[at]),
                    Ok(()),
                    "{at} of {size}"
                );
            }
            assert!(levels.path(size as u64).is_empty());
        }
    }
}
