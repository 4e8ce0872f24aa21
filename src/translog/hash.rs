//! Hashing of leaves and nodes (RFC 6962 section 2.1), with SHA-256.

use data_encoding::BASE64;

use crate::crypto::hash::sha256;

/// Hash of a leaf or of a node.
pub type Hash = [u8; 32];

/// MTH({}): the root of the empty tree.
pub fn empty() -> Hash {
    sha256(&[])
}

/// SHA-256(0x00 ‖ entry).
pub fn leaf(entry: &[u8]) -> Hash {
    sha256(&[&[0], entry])
}

/// SHA-256(0x01 ‖ left ‖ right). The first byte keeps a node from being shown as a leaf.
pub fn node(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// MTH of consecutive subtrees of one size: `nodes` is not empty.
pub fn fold(nodes: &[Hash]) -> Hash {
    match nodes {
        [] => empty(),
        [one] => *one,
        _ => {
            let (left, right) = nodes.split_at(nodes.len().next_power_of_two() / 2);
            node(&fold(left), &fold(right))
        }
    }
}

/// A hash in base64, as checkpoints and proofs write it.
pub fn to_base64(hash: &Hash) -> String {
    BASE64.encode(hash)
}

/// Reads a hash in base64.
pub fn from_base64(text: &str) -> Option<Hash> {
    crate::types::base64(text.as_bytes()).ok()?.try_into().ok()
}

/// A decimal number as the formats write it: no sign, no leading zero, at most 2^63 - 1.
pub fn number(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|number| is_plain && *number <= i64::MAX.unsigned_abs())
}
