use std::fmt;

use bytes::Bytes;

/// A leaf of a key tree: where one payload's shred key is derived.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct LeafRef {
    /// Number of the tree.
    pub tree: u32,
    /// Index of the leaf in it.
    pub leaf: u32,
}

/// A data key and its metadata, sealed under a leaf: `version (1) ‖ tree (4) ‖ leaf (4) ‖ nonce (24) ‖ ciphertext ‖ tag (16)`, big-endian.
#[derive(Clone, Eq, PartialEq)]
pub struct SealedHead(Bytes);

/// First byte of every sealed head of this format.
pub(crate) const HEAD_VERSION: u8 = 1;
const PREFIX: usize = 9;

impl SealedHead {
    /// Takes stored bytes; `None` if they are no sealed head of a known version.
    pub fn from_bytes(bytes: Bytes) -> Option<Self> {
        let long_enough = bytes.len() >= PREFIX + crate::crypto::aead::NONCE + crate::crypto::aead::TAG;
        (long_enough && bytes[0] == HEAD_VERSION).then_some(Self(bytes))
    }

    /// Joins a leaf and what was sealed under it.
    pub(crate) fn new(leaf: LeafRef, sealed: &[u8]) -> Self {
        let mut bytes = Self::prefix(leaf).to_vec();
        bytes.extend_from_slice(sealed);
        Self(bytes.into())
    }

    /// Version and leaf as they stand in front: part of the associated data, so a head cannot be moved to another leaf.
    pub(crate) fn prefix(leaf: LeafRef) -> [u8; PREFIX] {
        let mut prefix = [HEAD_VERSION; PREFIX];
        prefix[1..5].copy_from_slice(&leaf.tree.to_be_bytes());
        prefix[5..].copy_from_slice(&leaf.leaf.to_be_bytes());
        prefix
    }

    /// Under which leaf it is sealed.
    pub fn leaf(&self) -> LeafRef {
        let word = |at: usize| u32::from_be_bytes([self.0[at], self.0[at + 1], self.0[at + 2], self.0[at + 3]]);
        LeafRef { tree: word(1), leaf: word(5) }
    }

    /// Nonce, ciphertext and tag.
    pub(crate) fn sealed(&self) -> &[u8] {
        &self.0[PREFIX..]
    }

    /// The stored form.
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }
}

impl fmt::Debug for SealedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedHead({:?}, {} bytes)", self.leaf(), self.0.len())
    }
}
