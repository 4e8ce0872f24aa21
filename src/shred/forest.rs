use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use zeroize::Zeroizing;

use super::disk::lock;
use super::root::Root;
use super::rotation::{Log, Record};
use super::tree::Tree;
use super::{LeafRef, RootKey, SealedHead, ShredError};
use crate::crypto::aead;
use crate::crypto::secret::Secret;

/// Leaves of one tree before the next is begun: keeps its state small when payloads of it are erased one by one.
const MAX_LEAVES: u32 = 1 << 20;
const DAY: u64 = 24 * 60 * 60;

/// The key trees of a store: one open for new payloads, older ones for what they sealed.
///
/// All methods block: a file is written on [`Forest::puncture`], and on the first [`Forest::seal_new`] of a process, of a day and of 2^20 leaves.
/// Threat: a leaf used twice ties two payloads to one erasure. So the counter lives in memory, a tree is filled by one process only, and
/// the folder is locked.
pub struct Forest {
    pub(super) folder: PathBuf,
    pub(super) root: Root,
    trees: RwLock<BTreeMap<u32, Arc<Tree>>>,
    current: RwLock<Option<Arc<Current>>>,
    /// Held while a tree is begun: from its look at the root's generation until its file is durable.
    pub(super) begin: Mutex<()>,
    pub(super) rotations: Log,
    _lock: File,
}

struct Current {
    tree: Arc<Tree>,
    day: u64,
    next: AtomicU32,
}

impl Forest {
    /// Opens the forest of a folder. Trees are read when they are needed; a new one is begun, durably, with the first payload.
    ///
    /// A rotation that was cut off is not gone on with here: see [`Forest::finish_rotation`]. Until then trees of both generations open.
    pub fn open(folder: &Path, root: Box<dyn RootKey>) -> Result<Self, ShredError> {
        let lock = lock(folder)?;
        Tree::sweep(folder)?;
        let root = Root::open(root, !Tree::numbers(folder)?.is_empty())?;
        let rotations = Log::new(Record::read(folder, &root)?);
        Ok(Self {
            folder: folder.to_owned(),
            root,
            rotations,
            trees: RwLock::default(),
            current: RwLock::default(),
            begin: Mutex::default(),
            _lock: lock,
        })
    }

    /// Seals a head under the next leaf, bound to `aad`.
    pub fn seal_new(&self, aad: &[u8], head: &[u8]) -> Result<SealedHead, ShredError> {
        loop {
            let current = self.current(today())?;
            let leaf = current.next.fetch_add(1, Ordering::Relaxed);
            if leaf < MAX_LEAVES {
                return seal(&current.tree, leaf, aad, head);
            }
            // Full: the next turn begins a new tree. The counter cannot wrap: that many callers do not exist.
            let mut open = self.current.write().unwrap_or_else(PoisonError::into_inner);
            if open.as_ref().is_some_and(|other| Arc::ptr_eq(other, &current)) {
                *open = None;
            }
        }
    }

    /// Seals another head under a leaf in use.
    pub fn reseal(&self, leaf: LeafRef, aad: &[u8], head: &[u8]) -> Result<SealedHead, ShredError> {
        seal(&*self.tree(leaf.tree)?, leaf.leaf, aad, head)
    }

    /// Opens a head. [`ShredError::Destroyed`] if its leaf is punctured.
    pub fn open_head(&self, aad: &[u8], head: &SealedHead) -> Result<Zeroizing<Vec<u8>>, ShredError> {
        let leaf = head.leaf();
        let key = self.tree(leaf.tree)?.derive(leaf.leaf)?;
        aead::open(key.expose(), &bound(leaf, aad), head.sealed()).map_err(|_| ShredError::Broken("a sealed head".into()))
    }

    /// Punctures leaves; durable when it returns. A leaf that is punctured already is no error. Waiting callers share one rewrite of a tree.
    pub fn puncture(&self, leaves: &[LeafRef]) -> Result<(), ShredError> {
        let mut by_tree = BTreeMap::<u32, Vec<u32>>::new();
        for leaf in leaves {
            by_tree.entry(leaf.tree).or_default().push(leaf.leaf);
        }
        for (tree, leaves) in by_tree {
            self.tree(tree)?.puncture(&leaves, &self.folder, &self.root)?;
        }
        Ok(())
    }

    /// Whether a leaf can still be derived.
    pub fn is_alive(&self, leaf: LeafRef) -> Result<bool, ShredError> {
        Ok(self.tree(leaf.tree)?.is_alive(leaf.leaf))
    }

    /// How many leaves were punctured in all trees: it only rises, unless the folder was put back.
    pub fn punctures(&self) -> Result<u64, ShredError> {
        Tree::numbers(&self.folder)?.into_iter().try_fold(0, |sum, id| Ok(sum + self.tree(id)?.punctured()))
    }

    fn current(&self, day: u64) -> Result<Arc<Current>, ShredError> {
        let fresh = || {
            let open = self.current.read().unwrap_or_else(PoisonError::into_inner);
            open.as_ref().filter(|current| current.day == day).cloned()
        };
        if let Some(current) = fresh() {
            return Ok(current);
        }
        let _one = self.begin.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(current) = fresh() {
            return Ok(current);
        }
        let tree = Arc::new(Tree::begin(&self.folder, &self.root, day)?);
        self.trees.write().unwrap_or_else(PoisonError::into_inner).insert(tree.id(), Arc::clone(&tree));
        let current = Arc::new(Current { tree, day, next: AtomicU32::new(0) });
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&current));
        Ok(current)
    }

    /// As at the end of a day: the next payload begins another tree.
    #[cfg(test)]
    pub(super) fn end_tree(&self) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(super) fn tree(&self, id: u32) -> Result<Arc<Tree>, ShredError> {
        if let Some(tree) = self.trees.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(Arc::clone(tree));
        }
        let loaded = Arc::new(Tree::load(&self.folder, &self.root, id)?);
        let mut trees = self.trees.write().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::clone(trees.entry(id).or_insert(loaded)))
    }
}

fn seal(tree: &Tree, leaf: u32, aad: &[u8], head: &[u8]) -> Result<SealedHead, ShredError> {
    let leaf = LeafRef { tree: tree.id(), leaf };
    let key: Secret<32> = tree.derive(leaf.leaf)?;
    Ok(SealedHead::new(leaf, &aead::seal(key.expose(), &bound(leaf, aad), head)))
}

/// The associated data: the head's own prefix, so that it cannot be moved to another leaf, and the caller's words.
pub(super) fn bound(leaf: LeafRef, aad: &[u8]) -> Vec<u8> {
    [SealedHead::prefix(leaf).as_slice(), aad].concat()
}

fn today() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / DAY
}

#[cfg(test)]
mod tests;
