//! The capsule of a payload: what binds it to the payload ([`Label`]), and how it stands in a header ([`Carried`]). The capsule itself is
//! [`crate::crypto::threshold`]'s (`docs/threshold.md`).

use bytes::Bytes;
use zeroize::Zeroizing;

use crate::crypto::Broken;
use crate::crypto::hpke::{self, BoxKey};
use crate::crypto::nacl::Nonce;
use crate::crypto::secret::Secret;
use crate::crypto::threshold::{Capsule, GroupKey, Prepared};
use crate::types::{Address, Class, MemberId, NetworkId, PayloadId};
use crate::wire::DecodeError;
use crate::wire::header::Header;
use crate::wire::strict::{Fields, Form, canonical};

const NAME: &str = "celosia escrow label 1";
const FORM: &str = "escrow label";
const FIELDS: u64 = 10;

/// The suite of a payload in Tessera's envelope; [`crate::wire::header::SUITE`] is the other.
pub const TESSERA: u8 = 0;

/// A committee's key and its epoch: what capsules are made for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct EscrowKey {
    /// The epoch.
    pub epoch: u64,
    /// The key.
    pub key: GroupKey,
}

/// What a capsule is bound to. Whoever opens it learns for which payload, of whom, under which rules.
///
/// Threat: officers are shown a capsule under a harmless name, or an old one again. The label is in the capsule's proof, in each officer's
/// answer and in the wrapped key: under another label nothing opens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Label {
    /// Which network.
    pub network: NetworkId,
    /// [`TESSERA`] or [`crate::wire::header::SUITE`].
    pub suite: u8,
    /// Version of the policy: the header's; in Tessera's suite the one in force where the capsule was made.
    pub policy: u64,
    /// Epoch of the committee's key.
    pub epoch: u64,
    /// The class, as declared.
    pub class: Class,
    /// The sender's name; `None` if no member has its address.
    pub member: Option<MemberId>,
    /// Whose key sent it.
    pub sender: Address,
    /// The header's day; in Tessera's suite that of the making of the capsule. Counted from 1970-01-01 UTC.
    pub day: u32,
    /// Which payload.
    pub id: PayloadId,
}

impl Label {
    /// The label of a payload of the suite celosia-1.
    pub fn of(header: &Header, epoch: u64) -> Self {
        let Header { network, suite, policy, day, class, sender, ref member, id, .. } = *header;
        Self { network, suite, policy, epoch, class, member: Some(member.clone()), sender, day, id }
    }

    /// The one encoding: what the capsule is made with.
    pub fn encode(&self) -> Vec<u8> {
        Form::of(FIELDS, 256)
            .text(NAME)
            .bytes(self.network.as_bytes())
            .number(self.suite)
            .number(self.policy)
            .number(self.epoch)
            .number(self.class.number())
            .text(self.member.as_ref().map_or("", MemberId::as_str))
            .bytes(self.sender.as_bytes())
            .number(self.day)
            .bytes(self.id.as_bytes())
            .finish()
    }

    /// Reads a label. Total; takes the one encoding and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(bytes, FORM, FIELDS)?;
        if fields.word::<String>("name")? != NAME {
            return Err(DecodeError::Value("name"));
        }
        let label = Self {
            network: NetworkId::new(fields.array("network")?),
            suite: fields.number("suite")?,
            policy: fields.number("policy")?,
            epoch: fields.number("epoch")?,
            class: Class::from_number(fields.number("class")?).ok_or(DecodeError::Value("class"))?,
            member: match fields.word::<String>("member")?.as_str() {
                "" => None,
                name => Some(name.parse().map_err(|_| DecodeError::Value("member"))?),
            },
            sender: Address::new(fields.array("sender")?),
            day: fields.number("day")?,
            id: PayloadId::new(fields.array("payload id")?),
        };
        canonical(bytes, &label.encode(), FORM)?;
        Ok(label)
    }
}

/// A capsule as it stands in a header: `epoch (8, big-endian) ‖ capsule`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Carried {
    /// Epoch of the committee's key that it is made for.
    pub epoch: u64,
    /// The capsule.
    pub capsule: Capsule,
}

impl Carried {
    /// Bytes in a header.
    pub const LEN: usize = 8 + Capsule::LEN;

    /// The bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.epoch.to_be_bytes()[..], &self.capsule.to_bytes()].concat()
    }

    /// The epoch that they name. Whether a capsule follows is for [`Self::from_bytes`].
    pub fn epoch_of(bytes: &[u8]) -> Option<u64> {
        bytes.first_chunk::<8>().filter(|_| bytes.len() == Self::LEN).map(|epoch| u64::from_be_bytes(*epoch))
    }

    /// Reads them; `None` if they are no capsule. Total.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (epoch, capsule) = bytes.split_first_chunk::<8>()?;
        Some(Self { epoch: u64::from_be_bytes(*epoch), capsule: Capsule::try_from(capsule).ok()? })
    }
}

/// What a node has of a payload for the committee, without sigma.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Escrowed {
    /// What the capsule is bound to.
    pub label: Label,
    /// The capsule.
    pub capsule: Capsule,
}

/// The same with sigma, as a sealed head keeps it. Without sigma the capsule opens for nobody, so erasure of the head is erasure of both.
#[derive(Debug)]
pub struct Held {
    /// What the committee may see.
    pub escrowed: Escrowed,
    /// What it does not have.
    pub sigma: Secret<32>,
}

impl Held {
    /// Makes the capsule of a data key under a fresh sigma.
    pub fn make(key: &Prepared, data_key: &Secret<32>, label: Label) -> Self {
        let sigma = Secret::random();
        let capsule = Capsule::make(key, data_key, &sigma, &label.encode());
        Self { escrowed: Escrowed { label, capsule }, sigma }
    }

    /// `sigma (32) ‖ nonce (24)`, sealed by HPKE with the label as associated data: what a mandate takes away from a holder.
    pub fn release(&self, nonce: &Nonce, to: &BoxKey, info: &[u8]) -> Result<Bytes, Broken> {
        let mut plain = Zeroizing::new([0; 56]);
        plain[..32].copy_from_slice(self.sigma.expose());
        plain[32..].copy_from_slice(nonce);
        hpke::seal(to, info, &self.escrowed.label.encode(), &*plain).map(Bytes::from)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn label() -> Label {
        Label {
            network: NetworkId::new([5; 32]),
            suite: TESSERA,
            policy: 4,
            epoch: 2,
            class: Class::Special,
            member: Some("banco-azul".parse().expect("a name")),
            sender: Address::new([7; 32]),
            day: 20_454,
            id: PayloadId::new([9; 64]),
        }
    }

    #[test]
    fn a_label_has_one_encoding() {
        for label in [label(), Label { member: None, ..label() }] {
            let bytes = label.encode();
            assert_eq!(Label::decode(&bytes), Ok(label));
            for cut in 0..bytes.len() {
                assert!(Label::decode(&bytes[..cut]).is_err(), "{cut}");
            }
            let longer = [&bytes[..], &[0]].concat();
            assert!(Label::decode(&longer).is_err());
        }
        let other = Label { epoch: 3, ..label() };
        assert_ne!(other.encode(), label().encode());
    }

    #[test]
    fn a_carried_capsule_reads_the_same_and_garbage_is_none() {
        let key = GroupKey::from_bytes(GENERATOR).expect("a point");
        let held = Held::make(&Prepared::new(&key), &Secret::random(), label());
        let carried = Carried { epoch: 2, capsule: held.escrowed.capsule.clone() };
        let bytes = carried.to_bytes();
        assert_eq!(bytes.len(), Carried::LEN);
        assert_eq!(Carried::from_bytes(&bytes), Some(carried));
        assert!(held.escrowed.capsule.is_sound(&key, &label().encode()));
        for cut in 0..bytes.len() {
            assert_eq!(Carried::from_bytes(&bytes[..cut]), None, "{cut}");
        }
        assert_eq!(Carried::from_bytes(&[0xff; Carried::LEN]), None);
    }

    /// The base point of RFC 9496: a committee whose key everybody has.
    const GENERATOR: [u8; 32] = [
        0xe2, 0xf2, 0xae, 0x0a, 0x6a, 0xbc, 0x4e, 0x71, 0xa8, 0x84, 0xa9, 0x61, 0xc5, 0x00, 0x51, 0x5f, 0x58, 0xe3, 0x0b, 0x6a,
        0xa5, 0x82, 0xdd, 0x8d, 0xb6, 0xa6, 0x59, 0x45, 0xe0, 0x8d, 0x2d, 0x76,
    ];
}
