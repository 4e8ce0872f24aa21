//! The header of a payload of the suite celosia-1: who sends what to whom under which rules, signed by the sender's node
//! (`docs/celosia-1.md` section 4).

use super::DecodeError;
use super::strict::{Fields, Form, canonical};
use crate::crypto::Broken;
use crate::crypto::sign::{Signature, VerifyKey, statement};
use crate::types::{Address, Affected, Class, GroupId, MemberId, NetworkId, PayloadId, Privacy, PrivacyFlag};

/// What the signature of a header is for.
pub const PURPOSE: &str = "celosia header 1";

/// The number of the suite celosia-1.
pub const SUITE: u8 = 1;

/// Longest escrow capsule, in bytes.
pub const MAX_ESCROW: usize = 1024;

const FORM: &str = "header";
const FIELDS: u64 = 13;
const MAX_TEXT: usize = 1024;
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// What a sender says of a payload. Only its recipients read it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Header {
    /// Which network.
    pub network: NetworkId,
    /// Which suite; [`SUITE`].
    pub suite: u8,
    /// Version of the policy that the sender followed.
    pub policy: u64,
    /// Day of its making, counted from 1970-01-01 UTC.
    pub day: u32,
    /// What it holds, as the sender declares.
    pub class: Class,
    /// When it was made, milliseconds since the Unix epoch.
    pub time: u64,
    /// Whose key sends it.
    pub sender: Address,
    /// Whose node signs it.
    pub member: MemberId,
    /// Which payload.
    pub id: PayloadId,
    /// Rules that travel with it.
    pub privacy: Privacy,
    /// All recipients: under private state validation, and only then.
    pub recipients: Option<Vec<Address>>,
    /// Root of the tree over the recipients ([`crate::wire::audience`]).
    pub audience: [u8; 32],
    /// Room for an escrow capsule, at most [`MAX_ESCROW`] bytes.
    pub escrow: Option<Vec<u8>>,
}

/// The day of a time: milliseconds since the Unix epoch, days since 1970-01-01.
pub fn day_of(time: u64) -> u32 {
    u32::try_from(time / DAY_MS).unwrap_or(u32::MAX)
}

impl Header {
    /// Reads a header. Total; takes the one encoding of a header and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(bytes, FORM, FIELDS)?;
        let header = Self {
            network: NetworkId::new(fields.array("network")?),
            suite: fields.number("suite")?,
            policy: fields.number("policy")?,
            day: fields.number("day")?,
            class: Class::from_number(fields.number("class")?).ok_or(DecodeError::Value("class"))?,
            time: fields.number("time")?,
            sender: Address::new(fields.array("sender")?),
            member: fields.word("member")?,
            id: PayloadId::new(fields.array("payload id")?),
            privacy: privacy(&mut fields)?,
            recipients: fields.option("recipients", |fields| addresses(fields, "recipients"))?,
            audience: fields.array("audience")?,
            escrow: fields.option("escrow", |fields| Ok(fields.bytes("escrow", MAX_ESCROW)?.to_vec()))?,
        };
        canonical(bytes, &header.encode(), FORM)?;
        if header.recipients.is_some() != (header.privacy.flag == PrivacyFlag::StateValidation) {
            return Err(DecodeError::Value("recipients"));
        }
        Ok(header)
    }

    /// The one encoding.
    pub fn encode(&self) -> Vec<u8> {
        let Privacy { flag, affected, exec_hash, mandatory, group } = &self.privacy;
        let listed = mandatory.len() + self.recipients.as_ref().map_or(0, Vec::len);
        let size = 400 + 132 * affected.len() + exec_hash.len() + 34 * listed + self.escrow.as_ref().map_or(0, Vec::len);
        let mut form = Form::of(FIELDS, size)
            .bytes(self.network.as_bytes())
            .number(self.suite)
            .number(self.policy)
            .number(self.day)
            .number(self.class.number())
            .number(self.time)
            .bytes(self.sender.as_bytes())
            .text(self.member.as_str())
            .bytes(self.id.as_bytes())
            .list(5)
            .number(flag.number())
            .list(affected.len() as u64);
        for Affected { id, hash } in affected {
            form = form.list(2).bytes(id.as_bytes()).bytes(hash);
        }
        form = form.bytes(exec_hash).each(mandatory.iter().map(Address::as_bytes));
        form = match group {
            Some(GroupId(id)) => form.bytes(id),
            None => form.null(),
        };
        form = match &self.recipients {
            Some(recipients) => form.each(recipients.iter().map(Address::as_bytes)),
            None => form.null(),
        };
        form = form.bytes(&self.audience);
        match &self.escrow {
            Some(capsule) => form.bytes(capsule),
            None => form.null(),
        }
        .finish()
    }
}

/// What is signed of a header's bytes.
pub fn signed(network: &NetworkId, header: &[u8]) -> Vec<u8> {
    statement(PURPOSE, network, header)
}

/// Whether a signature on a header's bytes is `key`'s.
pub fn verify(network: &NetworkId, header: &[u8], signature: &Signature, key: &VerifyKey) -> Result<(), Broken> {
    key.verify(&signed(network, header), signature)
}

fn addresses(fields: &mut Fields<'_>, field: &'static str) -> Result<Vec<Address>, DecodeError> {
    fields.list(field, |fields| fields.array(field).map(Address::new))
}

fn privacy(fields: &mut Fields<'_>) -> Result<Privacy, DecodeError> {
    fields.nested("privacy", 5)?;
    let number: u8 = fields.number("privacy flag")?;
    let flag = PrivacyFlag::from_number(number.into());
    if flag.number() != number {
        return Err(DecodeError::Value("privacy flag"));
    }
    let affected = fields.list("affected", |fields| {
        fields.nested("affected", 2)?;
        Ok(Affected { id: PayloadId::new(fields.array("affected")?), hash: fields.array("security hash")? })
    })?;
    super::payload::check_distinct(&affected)?;
    let exec_hash = fields.bytes("execution hash", MAX_TEXT)?.to_vec();
    let mandatory = addresses(fields, "mandatory recipients")?;
    let group = fields.option("privacy group", |fields| Ok(GroupId(fields.bytes("privacy group", MAX_TEXT)?.to_vec())))?;
    let privacy = Privacy { flag, affected, exec_hash, mandatory, group };
    privacy.check()?;
    Ok(privacy)
}
