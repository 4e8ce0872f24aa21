use std::path::Path;

use zeroize::Zeroizing;

use super::forest::bound;
use super::root::Root;
use super::tree::Tree;
use super::{RootKey, SealedHead, ShredError};
use crate::crypto::aead;
use crate::crypto::secret::Secret;

/// The leaf key of a head and what it seals, read from the files of a key folder without its lock: beside a running node, for who looks
/// for what must be gone.
pub fn look(
    folder: &Path,
    root: Box<dyn RootKey>,
    aad: &[u8],
    head: &SealedHead,
) -> Result<(Secret<32>, Zeroizing<Vec<u8>>), ShredError> {
    let leaf = head.leaf();
    // Where there are trees there is a root: none is made.
    let root = Root::open(root, true)?;
    let key = Tree::load(folder, &root, leaf.tree)?.derive(leaf.leaf)?;
    let opened = aead::open(key.expose(), &bound(leaf, aad), head.sealed());
    Ok((key, opened.map_err(|_| ShredError::Broken("a sealed head".into()))?))
}
