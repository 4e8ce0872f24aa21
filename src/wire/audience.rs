//! The audience of a payload: a tree over its recipients that proves to each that it was addressed, and tells it nobody else
//! (`docs/celosia-1.md` section 5).
//!
//! Threat: a recipient passes a payload on, so that the next believes its sender addressed it. It cannot: the signed header holds the
//! root, and an address that is not under it has no proof. Leaves are blinded and filled up to a power of two, at least eight: a proof tells
//! which of these powers the number of recipients is below, and nothing more.

use std::fmt;

use crate::crypto::hash::sha256;
use crate::crypto::secret::Secret;
use crate::types::{Address, MemberId};

/// Most levels of a tree: 65,536 recipients.
pub const MAX_DEPTH: usize = 16;

/// Fewest levels: up to eight recipients look alike.
const MIN_DEPTH: usize = 3;

/// Bytes of a salt.
pub const SALT: usize = 16;

/// The proof that an address is in an audience.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Opening {
    /// The address.
    pub address: Address,
    /// What blinds its leaf.
    pub salt: [u8; SALT],
    /// Which leaf it is.
    pub index: u32,
    /// The siblings on the way to the root.
    pub path: Vec<[u8; 32]>,
}

impl Opening {
    /// Bytes that [`Opening::put`] writes.
    pub fn size(&self) -> usize {
        Address::LEN + SALT + 5 + 32 * self.bounded().len()
    }

    /// Appends `address (32) ‖ salt (16) ‖ index (4, big-endian) ‖ levels (1) ‖ siblings (32 each)`.
    pub fn put(&self, out: &mut Vec<u8>) {
        let path = self.bounded();
        out.extend_from_slice(self.address.as_bytes());
        out.extend_from_slice(&self.salt);
        out.extend_from_slice(&self.index.to_be_bytes());
        out.push(path.len().try_into().unwrap_or_default());
        out.extend_from_slice(path.as_flattened());
    }

    /// The siblings that are written: a longer path proves nothing.
    fn bounded(&self) -> &[[u8; 32]] {
        &self.path[..self.path.len().min(MAX_DEPTH)]
    }

    /// Reads one off the front of `input`; `None` if there is none. Allocates what is really there.
    pub fn take(input: &mut &[u8]) -> Option<Self> {
        let (address, rest) = input.split_first_chunk::<{ Address::LEN }>()?;
        let (salt, rest) = rest.split_first_chunk::<SALT>()?;
        let (index, rest) = rest.split_first_chunk::<4>()?;
        let ([levels], rest) = rest.split_first_chunk::<1>()?;
        let levels = usize::from(*levels);
        if levels > MAX_DEPTH {
            return None;
        }
        let (path, rest) = rest.split_at_checked(32 * levels)?;
        *input = rest;
        let path = path.as_chunks::<32>().0.to_vec();
        Some(Self { address: Address::new(*address), salt: *salt, index: u32::from_be_bytes(*index), path })
    }

    /// Whether it opens the audience of a root.
    pub fn proves(&self, root: &[u8; 32]) -> bool {
        if self.path.len() > MAX_DEPTH || self.index >> self.path.len() != 0 {
            return false;
        }
        let start = (leaf(&self.salt, &self.address), self.index);
        let (top, _) = self.path.iter().fold(start, |(hash, at), sibling| {
            let above = if at & 1 == 0 { node(&hash, sibling) } else { node(sibling, &hash) };
            (above, at >> 1)
        });
        top == *root
    }
}

/// What a record keeps to prove whom it was addressed to.
#[derive(Clone, Eq, PartialEq)]
pub enum Proofs {
    /// At the sender: what salts and fill are made of, and the recipients with their members.
    Sent {
        /// The seed of the tree. It leaves the sender in a certificate of erasure alone, together with everyone in it.
        seed: [u8; 32],
        /// Everyone in it.
        recipients: Vec<(Address, MemberId)>,
    },
    /// At a recipient: the openings of its own addresses. At a sender that rebuilds its store: those of whoever returned it.
    Received(Vec<Opening>),
}

/// Without the seed: who knows it can ask of every address whether it was addressed.
impl fmt::Debug for Proofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent { recipients, .. } => write!(f, "Sent({} recipients)", recipients.len()),
            Self::Received(openings) => write!(f, "Received({} openings)", openings.len()),
        }
    }
}

/// The tree over an audience.
#[derive(Debug)]
pub struct Audience {
    /// Leaves first, then each level above, the root last.
    levels: Vec<Vec<[u8; 32]>>,
    seed: Secret<32>,
}

impl Audience {
    /// The tree of recipients under a seed of the sender. `None` beyond 2^[`MAX_DEPTH`] recipients.
    pub fn new<'a>(seed: &Secret<32>, recipients: impl ExactSizeIterator<Item = &'a Address>) -> Option<Self> {
        let width = recipients.len().next_power_of_two().max(1 << MIN_DEPTH);
        if width > 1 << MAX_DEPTH {
            return None;
        }
        let fill = u32::try_from(width - recipients.len()).ok()?;
        let mut leaves: Vec<_> = recipients.map(|address| leaf(&salt(seed, address), address)).collect();
        leaves.extend((0..fill).map(|i| sha256(&[b"celosia-1 fill", seed.expose(), &i.to_be_bytes()])));
        leaves.sort_unstable();
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            let above = below.as_chunks::<2>().0.iter().map(|[left, right]| node(left, right)).collect();
            levels.push(above);
        }
        Some(Self { levels, seed: seed.duplicate() })
    }

    /// The root.
    pub fn root(&self) -> [u8; 32] {
        self.levels.last().and_then(|level| level.first()).copied().unwrap_or_default()
    }

    /// The proof of an address; `None` if it is not in the audience.
    pub fn opening(&self, address: &Address) -> Option<Opening> {
        let salt = salt(&self.seed, address);
        let (leaves, above) = self.levels.split_first()?;
        let at = leaves.binary_search(&leaf(&salt, address)).ok()?;
        let siblings = std::iter::once(leaves).chain(above).take(self.levels.len() - 1).enumerate();
        let path = siblings.map(|(height, level)| level[(at >> height) ^ 1]).collect();
        Some(Opening { address: *address, salt, index: u32::try_from(at).ok()?, path })
    }
}

/// Salts need only be unknown to others: the seed is as long as a key, and every message under it has one length.
fn salt(seed: &Secret<32>, address: &Address) -> [u8; SALT] {
    let digest = sha256(&[b"celosia-1 salt", seed.expose(), address.as_bytes()]);
    std::array::from_fn(|i| digest[i])
}

fn leaf(salt: &[u8; SALT], address: &Address) -> [u8; 32] {
    sha256(&[&[0], salt, address.as_bytes()])
}

fn node(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    sha256(&[&[1], left, right])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(count: u16) -> Vec<Address> {
        (0..count).map(|i| Address::new(sha256(&[&i.to_be_bytes()]))).collect()
    }

    #[test]
    fn everyone_in_it_is_proved_and_nobody_else() {
        for count in [0, 1, 2, 3, 7, 8, 9, 16, 17, 300] {
            let (all, seed) = (addresses(count), Secret::random());
            let audience = Audience::new(&seed, all.iter()).expect("few");
            let root = audience.root();
            for address in &all {
                let opening = audience.opening(address).expect("a recipient");
                assert!(opening.proves(&root), "{count}");
                assert_eq!(opening.path.len(), usize::try_from(count.next_power_of_two().max(8).ilog2()).expect("small"));
                let stranger = Opening { address: Address::new([7; 32]), ..opening.clone() };
                let other = Opening { index: opening.index ^ 1, ..opening.clone() };
                let outside = Opening { index: opening.index + (1 << opening.path.len()), ..opening.clone() };
                let cut = Opening { path: opening.path[1..].to_vec(), index: opening.index >> 1, ..opening.clone() };
                assert!([stranger, other, outside, cut].iter().all(|forged| !forged.proves(&root)));
            }
            assert_eq!(audience.opening(&Address::new([7; 32])), None);
        }
        assert!(Audience::new(&Secret::random(), vec![Address::new([0; 32]); (1 << 16) + 1].iter()).is_none());
    }

    /// An inner node is no leaf: its hash begins with another byte, so no path can end halfway.
    #[test]
    fn proofs_of_up_to_eight_recipients_look_alike() {
        let (seed, all) = (Secret::random(), addresses(8));
        for count in 1..=8 {
            let audience = Audience::new(&seed, all[..count].iter()).expect("few");
            assert_eq!(audience.opening(&all[0]).expect("a recipient").path.len(), 3);
            assert_ne!(audience.root(), Audience::new(&Secret::random(), all[..count].iter()).expect("few").root());
        }
    }

    #[test]
    fn a_path_is_bounded() {
        let long = Opening { address: Address::new([0; 32]), salt: [0; SALT], index: 0, path: vec![[0; 32]; MAX_DEPTH + 1] };
        assert!(!long.proves(&[0; 32]));
    }
}
