use std::path::Path;

use zeroize::Zeroizing;

use super::{LeafRef, RootKey, SealedHead, ShredError};

/// The key trees of a store: one open for new payloads, older ones for what they sealed.
///
/// All methods block (a file is written on [`Forest::open`], [`Forest::puncture`] and when a day begins); `seal_new`, `open` and `reseal` touch memory only.
pub struct Forest {}

impl Forest {
    /// Loads every tree of a folder and begins a new one, durable before it is used.
    pub fn open(_folder: &Path, _root: Box<dyn RootKey>) -> Result<Self, ShredError> {
        unimplemented!()
    }

    /// Seals a head under the next leaf, bound to `aad`.
    pub fn seal_new(&self, _aad: &[u8], _head: &[u8]) -> Result<SealedHead, ShredError> {
        unimplemented!()
    }

    /// Seals another head under a leaf in use.
    pub fn reseal(&self, _leaf: LeafRef, _aad: &[u8], _head: &[u8]) -> Result<SealedHead, ShredError> {
        unimplemented!()
    }

    /// Opens a head. [`ShredError::Destroyed`] if its leaf is punctured.
    pub fn open_head(&self, _aad: &[u8], _head: &SealedHead) -> Result<Zeroizing<Vec<u8>>, ShredError> {
        unimplemented!()
    }

    /// Punctures leaves; durable when it returns. A leaf that is punctured already is no error. Waiting callers share one rewrite of a tree.
    pub fn puncture(&self, _leaves: &[LeafRef]) -> Result<(), ShredError> {
        unimplemented!()
    }

    /// Whether a leaf can still be derived.
    pub fn is_alive(&self, _leaf: LeafRef) -> Result<bool, ShredError> {
        unimplemented!()
    }
}
