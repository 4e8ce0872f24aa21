//! The root that tree states are sealed under, in generations: R_1, R_2, …
//!
//! A generation is a key of 32 random bytes. [`RootKey`] says where it lies while the program is not running: in a file, or wrapped by
//! Vault, OpenBao or a PKCS #11 token. In the running program it lies in locked memory, so that sealing never waits for a network.

mod error;
mod file;
mod pkcs11;
mod vault;
mod wrapped;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::sync::{PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use self::error::RootError;
pub use self::file::FileRoot;
pub use self::pkcs11::{Pkcs11Root, Pkcs11Settings};
pub use self::vault::{VaultRoot, VaultSettings};
use super::ShredError;
use crate::crypto::aead;
use crate::crypto::secret::Secret;
use crate::enclave::memory::{LockedKey, LockedMemory};

/// What keeps a root.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RootKind {
    /// Files of mode 0600.
    #[default]
    File,
    /// A key of a PKCS #11 token for each generation.
    Pkcs11,
    /// HashiCorp Vault or OpenBao: a version of a transit key for each generation.
    Vault,
}

impl RootKind {
    /// Its name in the configuration and in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Pkcs11 => "pkcs11",
            Self::Vault => "vault",
        }
    }
}

impl fmt::Display for RootKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for RootKind {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::File, Self::Pkcs11, Self::Vault]
            .into_iter()
            .find(|kind| kind.name() == text)
            .ok_or("expected file, pkcs11 or vault")
    }
}

/// The word of whoever kept it that a generation is gone, and what it cannot promise.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Destroyed {
    /// Which one.
    pub generation: u32,
    /// In words, for a person and for a certificate. Names keys and versions, never key bytes.
    pub word: String,
}

/// Where the generations of a store root lie. All methods block; none is called while callers of the forest wait.
pub trait RootKey: Send + Sync {
    /// What kind of place.
    fn kind(&self) -> RootKind;

    /// Which place, for people. No secret is in it.
    fn place(&self) -> String;

    /// Folder of the files of this root; those of a [`FileRoot`] that it replaces lie there, too.
    fn folder(&self) -> &Path;

    /// Every generation of this kind that is there.
    fn unlock(&self) -> Result<BTreeMap<u32, Secret<32>>, ShredError>;

    /// Makes a generation; durable when it returns. What an attempt before left of it is replaced.
    fn make(&self, generation: u32) -> Result<Secret<32>, ShredError>;

    /// Destroys a generation for ever. One that is gone already is no error.
    fn destroy(&self, generation: u32) -> Result<String, ShredError>;
}

/// The generations of a store root, unlocked.
pub(super) struct Root {
    configured: Box<dyn RootKey>,
    /// Where generations lie that were made before another kind was configured.
    file: FileRoot,
    memory: LockedMemory,
    ring: RwLock<Ring>,
}

#[derive(Default)]
struct Ring {
    newest: u32,
    keys: BTreeMap<u32, LockedKey>,
    /// Those that lie in files although another kind is configured.
    in_files: Vec<u32>,
}

impl Root {
    /// Unlocks the generations, or makes the first one where there are no trees yet.
    ///
    /// Threat: a root that got lost is replaced without a word, and everything kept is unreadable. Where there are trees, there must be a root.
    pub(super) fn open(configured: Box<dyn RootKey>, has_trees: bool) -> Result<Self, ShredError> {
        let file = FileRoot::at(configured.folder());
        wrapped::refuse_others(configured.folder(), configured.kind())?;
        let root = Self { configured, file, memory: LockedMemory::new(), ring: RwLock::default() };
        if root.configured.kind() != RootKind::File {
            let older = root.file.unlock()?;
            root.write().in_files = older.keys().copied().collect();
            root.keep(older);
        }
        root.keep(root.configured.unlock()?);
        if root.generation() == 0 {
            if has_trees {
                return Err(root.file.lost());
            }
            root.next()?;
        }
        Ok(root)
    }

    fn keep(&self, keys: BTreeMap<u32, Secret<32>>) {
        let mut ring = self.write();
        for (generation, key) in keys {
            ring.newest = ring.newest.max(generation);
            let key = self.memory.keep(key);
            ring.keys.insert(generation, key);
        }
    }

    /// Makes the next generation: what is sealed from now on is sealed under it.
    pub(super) fn next(&self) -> Result<u32, ShredError> {
        let next = self.generation().checked_add(1).ok_or_else(|| ShredError::Broken("the last root generation".into()))?;
        let key = self.configured.make(next)?;
        self.keep(BTreeMap::from([(next, key)]));
        Ok(next)
    }

    /// Destroys a generation where it lies, then in memory.
    pub(super) fn destroy(&self, generation: u32) -> Result<Destroyed, ShredError> {
        let in_file = self.read().in_files.contains(&generation);
        let word = if in_file { self.file.destroy(generation) } else { self.configured.destroy(generation) }?;
        self.write().keys.remove(&generation);
        Ok(Destroyed { generation, word })
    }

    /// The generation that is sealed under.
    pub(super) fn generation(&self) -> u32 {
        self.read().newest
    }

    /// All that can be opened, the oldest first.
    pub(super) fn generations(&self) -> Vec<u32> {
        self.read().keys.keys().copied().collect()
    }

    /// Whether another kind is configured than the one that keeps the newest generation: a rotation moves the root there.
    pub(super) fn is_to_move(&self) -> bool {
        let ring = self.read();
        ring.in_files.contains(&ring.newest)
    }

    pub(super) fn kind(&self) -> RootKind {
        if self.is_to_move() { RootKind::File } else { self.configured.kind() }
    }

    pub(super) fn place(&self) -> String {
        if self.is_to_move() { self.file.place() } else { self.configured.place() }
    }

    /// Seals a state under a generation, bound to `aad`.
    pub(super) fn seal(&self, generation: u32, aad: &[u8], state: &[u8]) -> Result<Vec<u8>, ShredError> {
        let ring = self.read();
        let key = ring.keys.get(&generation).ok_or(ShredError::NoGeneration(generation))?;
        Ok(aead::seal(key.expose(), aad, state))
    }

    /// Opens a state sealed under `generation`, with the same `aad`.
    pub(super) fn open_state(&self, generation: u32, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, ShredError> {
        let ring = self.read();
        let key = ring.keys.get(&generation).ok_or(ShredError::NoGeneration(generation))?;
        let broken = |_| ShredError::Broken(format!("a file under root generation {generation}"));
        aead::open(key.expose(), aad, sealed).map_err(broken)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, Ring> {
        self.ring.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, Ring> {
        self.ring.write().unwrap_or_else(PoisonError::into_inner)
    }
}
