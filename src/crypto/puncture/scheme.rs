use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::{Zeroize as _, Zeroizing};

use super::DEPTH;
use crate::crypto::secret::Secret;

/// How seeds of `N` bytes follow from each other, and leaf keys from them. A node is named by its depth and its index in its level.
pub(super) trait Scheme<const N: usize> {
    /// The seeds of both children of a node, the left one first.
    fn children(&self, seed: &Secret<N>, depth: u8, index: u32) -> [Secret<N>; 2];

    /// The seed of one child.
    fn child(&self, seed: &Secret<N>, depth: u8, index: u32, right: bool) -> Secret<N>;

    /// The key of a leaf from the seed of its node at depth 32.
    fn leaf_key(&self, seed: &Secret<N>, leaf: u32) -> Secret<32>;
}

/// The first version: `HMAC-SHA-256(seed, label)`, 256 bits everywhere, nothing bound to a place.
#[derive(Debug)]
pub(super) struct First;

impl First {
    const CHILD: [&[u8]; 2] = [b"celosia/key-tree/1/left", b"celosia/key-tree/1/right"];
    const LEAF: &[u8] = b"celosia/key-tree/1/leaf";
}

impl Scheme<32> for First {
    fn children(&self, seed: &Secret<32>, _: u8, _: u32) -> [Secret<32>; 2] {
        Self::CHILD.map(|label| whole(hmac(seed.expose(), &[label])))
    }

    fn child(&self, seed: &Secret<32>, _: u8, _: u32, right: bool) -> Secret<32> {
        whole(hmac(seed.expose(), &[Self::CHILD[usize::from(right)]]))
    }

    fn leaf_key(&self, seed: &Secret<32>, _: u32) -> Secret<32> {
        whole(hmac(seed.expose(), &[Self::LEAF]))
    }
}

/// The second version: `HMAC-SHA-256(tree key ‖ seed, label ‖ depth ‖ index)`, whose halves are the children of 128 bits, or whose whole is
/// the leaf key.
///
/// Threat: one guess of a seed is tried against all forgotten seeds, of all trees, at once. It cannot be: the tree's key of 256 bits and the
/// node's place go into every derivation, so a guess is about one node of one tree.
#[derive(Debug)]
pub(super) struct Second {
    pub(super) key: Secret<32>,
}

impl Second {
    const LABEL: &[u8] = b"celosia/key-tree/2";

    pub(super) fn new(key: Secret<32>) -> Self {
        Self { key }
    }

    fn derive(&self, seed: &Secret<16>, depth: u8, index: u32) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 48]);
        key[..32].copy_from_slice(self.key.expose());
        key[32..].copy_from_slice(seed.expose());
        hmac(&*key, &[Self::LABEL, &[depth], &index.to_be_bytes()])
    }
}

impl Scheme<16> for Second {
    fn children(&self, seed: &Secret<16>, depth: u8, index: u32) -> [Secret<16>; 2] {
        let both = self.derive(seed, depth, index);
        [half(&both, false), half(&both, true)]
    }

    fn child(&self, seed: &Secret<16>, depth: u8, index: u32, right: bool) -> Secret<16> {
        half(&self.derive(seed, depth, index), right)
    }

    fn leaf_key(&self, seed: &Secret<16>, leaf: u32) -> Secret<32> {
        whole(self.derive(seed, DEPTH, leaf))
    }
}

fn half(both: &[u8; 32], right: bool) -> Secret<16> {
    let from = if right { &both[16..] } else { &both[..16] };
    Secret::init_with(|seed| seed.copy_from_slice(from))
}

fn whole(bytes: Zeroizing<[u8; 32]>) -> Secret<32> {
    Secret::init_with(|secret| secret.copy_from_slice(&*bytes))
}

/// HMAC-SHA-256 (RFC 2104).
fn hmac(key: &[u8], message: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in message {
        mac.update(part);
    }
    let mut out: [u8; 32] = mac.finalize().into_bytes().into();
    let kept = Zeroizing::new(out);
    out.zeroize();
    kept
}
