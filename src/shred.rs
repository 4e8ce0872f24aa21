//! The key trees and the root that they are kept under: what makes an erasure reach every copy.
//!
//! Specified in `docs/key-tree.md`. Threat: a deleted payload that a backup, a snapshot or an SSD remnant still opens.

mod disk;
mod forest;
mod head;
mod look;
mod root;
mod rotation;
mod tree;

use crate::types::{Code, Coded};

pub use forest::Forest;
pub use head::{LeafRef, SealedHead};
pub use look::look;
pub use root::{Destroyed, FileRoot, Pkcs11Root, Pkcs11Settings, RootError, RootKey, RootKind, VaultRoot, VaultSettings};
pub use rotation::{RootStatus, Rotation};

/// What goes wrong with key trees. Paths are named, never key bytes.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShredError {
    /// A sealed head or tree state that does not verify.
    #[error("{0} does not verify: it was altered, or belongs to another root")]
    Broken(String),
    /// The leaf is punctured.
    #[error("the key was destroyed")]
    Destroyed,
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Another process fills the trees of this folder.
    #[error("key folder {0} is in use by another process: stop it first")]
    Locked(String),
    /// A key file that others can read.
    #[error("{0} is readable by others: set its mode to 0600")]
    Loose(String),
    /// A file is sealed under a root generation that is not here.
    #[error("root generation {0} is not here: it was destroyed, or its file belongs to another folder")]
    NoGeneration(u32),
    /// A key service or a token does not do what the root needs.
    #[error(transparent)]
    Root(#[from] RootError),
    /// One rotation at a time.
    #[error("the root is being rotated already")]
    Rotating,
    /// A record names a tree that is not here.
    #[error("key tree {0} is missing: restore the key folder that belongs to this store")]
    Missing(u32),
}

impl Coded for ShredError {
    fn code(&self) -> Code {
        match self {
            Self::Broken(_) => Code(4101),
            Self::Destroyed => Code(4102),
            Self::Io { .. } => Code(4103),
            Self::Loose(_) => Code(4104),
            Self::Missing(_) => Code(4105),
            Self::Locked(_) => Code(4106),
            Self::Root(error) => error.code(),
            Self::NoGeneration(_) => Code(4115),
            Self::Rotating => Code(4116),
        }
    }
}
