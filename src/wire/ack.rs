//! What a recipient signs once it has a payload durably (`docs/celosia-1.md` section 7).
//!
//! Payloads that are taken together are acknowledged with one signature, on the root of a Merkle tree over the acknowledgements (RFC 9162
//! hashing). Each of them carries its path, so it is verified alone and says nothing of the others.

use super::DecodeError;
use super::strict::{Fields, Form, canonical};
use crate::crypto::Broken;
use crate::crypto::sign::{Signature, VerifyKey, statement};
use crate::translog::hash::{self, Hash};
use crate::translog::tree;
use crate::types::{Address, MemberId, NetworkId, PayloadId};

/// What the signature of an acknowledgement is for.
pub const PURPOSE: &str = "celosia ack 1";

const FORM: &str = "acknowledgement";
const FIELDS: u64 = 7;

/// An acknowledgement: this member has that payload.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Ack {
    /// Which network.
    pub network: NetworkId,
    /// Which payload.
    pub id: PayloadId,
    /// SHA-256 of the header's bytes: under which terms it was taken.
    pub header: [u8; 32],
    /// Who took it.
    pub member: MemberId,
    /// For which addresses of theirs.
    pub addresses: Vec<Address>,
    /// When, milliseconds since the Unix epoch.
    pub time: u64,
    /// Whether it is on their disk.
    pub durable: bool,
}

/// Longest path: of a tree of 2^16 acknowledgements.
const MAX_PATH: usize = 16;

/// An acknowledgement and its member's signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedAck {
    /// What it says.
    pub ack: Ack,
    /// Its place among those that were signed together.
    pub index: u64,
    /// How many they were.
    pub size: u64,
    /// The way from it to the root.
    pub path: Vec<Hash>,
    /// The member's on [`root_statement`].
    pub signature: Signature,
}

/// What is signed of acknowledgements that are given together.
pub fn root_statement(network: &NetworkId, root: &Hash) -> Vec<u8> {
    statement(PURPOSE, network, root)
}

/// Joins acknowledgements of one member under the signature that `sign` makes of their root's statement. None gives none.
pub fn join(acks: Vec<Ack>, root: &Hash, signature: Signature) -> Vec<SignedAck> {
    let leaves: Vec<Hash> = acks.iter().map(Ack::leaf).collect();
    let size = leaves.len() as u64;
    let path_of = |index: u64| {
        let Ok(path) = tree::inclusion(index, size, &mut |node| Ok::<_, std::convert::Infallible>(subtree(&leaves, node)));
        path
    };
    debug_assert_eq!(*root, root_of(&leaves), "the signed root is theirs");
    acks.into_iter().zip(0..).map(|(ack, index)| SignedAck { ack, index, size, path: path_of(index), signature }).collect()
}

/// The root over acknowledgements.
pub fn root(acks: &[Ack]) -> Hash {
    root_of(&acks.iter().map(Ack::leaf).collect::<Vec<_>>())
}

fn root_of(leaves: &[Hash]) -> Hash {
    let Ok(root) = tree::root(leaves.len() as u64, &mut |node| Ok::<_, std::convert::Infallible>(subtree(leaves, node)));
    root
}

/// Hash of a full subtree.
fn subtree(leaves: &[Hash], node: tree::Node) -> Hash {
    let (width, index) = (1_usize << node.level, usize::try_from(node.index).unwrap_or(usize::MAX));
    let from = width.saturating_mul(index).min(leaves.len());
    let leaves = &leaves[from..(from + width).min(leaves.len())];
    if leaves.is_empty() { hash::empty() } else { hash::fold(leaves) }
}

impl Ack {
    /// Its leaf.
    pub fn leaf(&self) -> Hash {
        hash::leaf(&self.fields(FIELDS).finish())
    }

    fn fields(&self, count: u64) -> Form {
        Form::of(count, 320 + 34 * self.addresses.len())
            .bytes(self.network.as_bytes())
            .bytes(self.id.as_bytes())
            .bytes(&self.header)
            .text(self.member.as_str())
            .each(self.addresses.iter().map(Address::as_bytes))
            .number(self.time)
            .truth(self.durable)
    }
}

impl SignedAck {
    /// Reads what [`SignedAck::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(bytes, FORM, FIELDS + 4)?;
        let ack = Ack {
            network: NetworkId::new(fields.array("network")?),
            id: PayloadId::new(fields.array("payload id")?),
            header: fields.array("header")?,
            member: fields.word("member")?,
            addresses: fields.list("addresses", |fields| fields.array("addresses").map(Address::new))?,
            time: fields.number("time")?,
            durable: fields.truth("durable")?,
        };
        let (index, size) = (fields.number("index")?, fields.number("size")?);
        let path = fields.list("path", |fields| fields.array("path"))?;
        if path.len() > MAX_PATH {
            return Err(DecodeError::Value("path"));
        }
        let signed = Self { ack, index, size, path, signature: fields.array("signature")? };
        canonical(bytes, &signed.encode(), FORM)?;
        Ok(signed)
    }

    /// `[network, payload id, SHA-256 of the header, member, addresses, time, durable, index, size, path, signature]`.
    pub fn encode(&self) -> Vec<u8> {
        let form = self.ack.fields(FIELDS + 4).number(self.index).number(self.size).each(self.path.iter());
        form.bytes(&self.signature).finish()
    }

    /// The root that is signed.
    pub fn root(&self) -> Result<Hash, Broken> {
        tree::root_of(&self.ack.leaf(), self.index, self.size, &self.path).map_err(|_| Broken)
    }

    /// Whether the signature is `key`'s. The caller compares network, payload, header and member.
    pub fn verify(&self, key: &VerifyKey) -> Result<(), Broken> {
        key.verify(&root_statement(&self.ack.network, &self.root()?), &self.signature)
    }
}
