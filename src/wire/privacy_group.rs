//! Privacy groups as peers push and stores keep them, and their ids.

use std::collections::HashSet;

use bytes::Bytes;
use sha3::{Digest as _, Keccak256};

use super::DecodeError;
use super::reader::{PREFIX, Reader};
use super::writer::Writer;
use crate::types::{Address, GroupId};

/// What kind of group it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum GroupKind {
    /// Made by Orion's clients of a list of recipients.
    Legacy,
    /// Made by name, exchanged between members.
    Pantheon,
    /// Keys of one node that share a private state; never exchanged.
    Resident,
}

/// Whether the group still is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum GroupState {
    /// It is.
    Active,
    /// A member deleted it.
    Deleted,
}

/// A privacy group.
///
/// On the wire: `name ‖ description ‖ list of members ‖ seed ‖ kind ‖ state`, all length-prefixed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EncodedGroup {
    /// Its name.
    pub name: String,
    /// For people.
    pub description: String,
    /// Its members.
    pub members: Vec<Address>,
    /// Makes two pantheon groups of the same members two; empty for the other kinds.
    pub seed: Vec<u8>,
    /// Its kind.
    pub kind: GroupKind,
    /// Its state.
    pub state: GroupState,
}

impl EncodedGroup {
    /// Reads a group; trailing bytes are ignored.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        Ok(Self {
            name: reader.text("name")?,
            description: reader.text("description")?,
            members: reader.list("members", PREFIX + Address::LEN, |reader| reader.array("member").map(Address::new))?,
            seed: reader.bytes("seed")?.to_vec(),
            kind: match reader.bytes("type")? {
                b"LEGACY" => GroupKind::Legacy,
                b"PANTHEON" => GroupKind::Pantheon,
                b"RESIDENT" => GroupKind::Resident,
                _ => return Err(DecodeError::Value("type")),
            },
            state: match reader.bytes("state")? {
                b"ACTIVE" => GroupState::Active,
                b"DELETED" => GroupState::Deleted,
                _ => return Err(DecodeError::Value("state")),
            },
        })
    }

    /// Writes a group.
    pub fn encode(&self) -> Bytes {
        let texts = self.name.len() + self.description.len() + self.seed.len();
        let mut writer = Writer::with_capacity(80 + texts + 40 * self.members.len());
        writer.bytes(self.name.as_bytes());
        writer.bytes(self.description.as_bytes());
        writer.list(self.members.iter().map(|key| key.as_bytes().as_slice()));
        writer.bytes(&self.seed);
        writer.bytes(self.kind.name().as_bytes());
        writer.bytes(match self.state {
            GroupState::Active => b"ACTIVE",
            GroupState::Deleted => b"DELETED",
        });
        writer.finish()
    }
}

impl GroupKind {
    /// The kind's name on every surface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Legacy => "LEGACY",
            Self::Pantheon => "PANTHEON",
            Self::Resident => "RESIDENT",
        }
    }
}

/// Id of a legacy group: Keccak-256 over the RLP list of its distinct members, in Tessera's order.
pub fn legacy_id(members: &[Address]) -> GroupId {
    id(members, None)
}

/// Id of a pantheon group: as [`legacy_id`], with the seed as the last item of the list.
pub fn pantheon_id(members: &[Address], seed: &[u8]) -> GroupId {
    id(members, Some(seed))
}

/// The same for every group of the same members, so that groups are found by them.
pub fn lookup_id(members: &[Address]) -> GroupId {
    const SUFFIX: [u8; 20] = *b"\x53\x75\xba\x87\x1e\x5c\x3d\x0f\x1d\x05\x5b\x5d\xa0\xac\x02\xea\x03\x5b\xed\x38";
    id(members, Some(&SUFFIX))
}

fn id(members: &[Address], last: Option<&[u8]>) -> GroupId {
    let mut seen = HashSet::with_capacity(members.len());
    let mut distinct: Vec<&Address> = members.iter().filter(|member| seen.insert(**member)).collect();
    distinct.sort_by_key(|member| java_hash(member.as_bytes()));
    let mut items = Vec::with_capacity(33 * distinct.len() + last.map_or(0, |item| item.len() + 9));
    for item in distinct.into_iter().map(|member| member.as_bytes().as_slice()).chain(last) {
        rlp_string(&mut items, item);
    }
    let mut head = Vec::with_capacity(9);
    rlp_head(&mut head, 0xc0, items.len());
    GroupId(Keccak256::new().chain_update(&head).chain_update(&items).finalize().to_vec())
}

/// Java's `Arrays.hashCode(byte[])`, by which Tessera sorts members.
fn java_hash(bytes: &[u8]) -> i32 {
    bytes.iter().fold(1i32, |hash, byte| hash.wrapping_mul(31).wrapping_add(i32::from(byte.cast_signed())))
}

/// A string of Ethereum's RLP (Yellow Paper, appendix B).
fn rlp_string(out: &mut Vec<u8>, bytes: &[u8]) {
    if !matches!(bytes, [0..0x80]) {
        rlp_head(out, 0x80, bytes.len());
    }
    out.extend_from_slice(bytes);
}

/// `offset + length` in one byte up to 55; beyond, `offset + 55 + bytes of the length`, then the length without leading zeros.
fn rlp_head(out: &mut Vec<u8>, offset: u8, length: usize) {
    if let Ok(short @ 0..=55) = u8::try_from(length) {
        out.push(offset + short);
        return;
    }
    let mut digits: Vec<u8> = length.to_be_bytes().into_iter().skip_while(|digit| *digit == 0).collect();
    out.push(offset + 55 + u8::try_from(digits.len()).expect("a usize has at most 8 bytes"));
    out.append(&mut digits);
}
