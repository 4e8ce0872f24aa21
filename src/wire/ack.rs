//! What a recipient signs once it has a payload durably (`docs/celosia-1.md` section 7).

use super::DecodeError;
use super::strict::{Fields, Form, canonical};
use crate::crypto::Broken;
use crate::crypto::sign::{Signature, VerifyKey, statement};
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

/// An acknowledgement and its member's signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedAck {
    /// What it says.
    pub ack: Ack,
    /// The member's on [`Ack::statement`].
    pub signature: Signature,
}

impl Ack {
    /// What is signed.
    pub fn statement(&self) -> Vec<u8> {
        statement(PURPOSE, &self.network, &self.fields(FIELDS).finish())
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
        let mut fields = Fields::of(bytes, FORM, FIELDS + 1)?;
        let ack = Ack {
            network: NetworkId::new(fields.array("network")?),
            id: PayloadId::new(fields.array("payload id")?),
            header: fields.array("header")?,
            member: fields.word("member")?,
            addresses: fields.list("addresses", |fields| fields.array("addresses").map(Address::new))?,
            time: fields.number("time")?,
            durable: fields.truth("durable")?,
        };
        let signed = Self { ack, signature: fields.array("signature")? };
        canonical(bytes, &signed.encode(), FORM)?;
        Ok(signed)
    }

    /// `[network, payload id, SHA-256 of the header, member, addresses, time, durable, signature]`.
    pub fn encode(&self) -> Vec<u8> {
        self.ack.fields(FIELDS + 1).bytes(&self.signature).finish()
    }

    /// Whether the signature is `key`'s. The caller compares network, payload, header and member.
    pub fn verify(&self, key: &VerifyKey) -> Result<(), Broken> {
        key.verify(&self.ack.statement(), &self.signature)
    }
}
