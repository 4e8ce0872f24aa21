//! A node's X25519 key of one day, signed (`docs/celosia-1.md` section 2).

use super::DecodeError;
use super::strict::{Fields, Form, canonical};
use crate::crypto::Broken;
use crate::crypto::sign::{Signature, VerifyKey, statement};
use crate::types::{MemberId, NetworkId};

/// What the signature of an epoch key is for.
pub const PURPOSE: &str = "celosia epoch key 1";

const FORM: &str = "epoch key";

/// A signed statement: this is our key of that day.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EpochKey {
    /// Which network.
    pub network: NetworkId,
    /// Whose.
    pub member: MemberId,
    /// Days since 1970-01-01 UTC. It serves on this day and on the next.
    pub day: u32,
    /// The X25519 public key (RFC 7748).
    pub public: [u8; 32],
    /// The member's on [`EpochKey::statement`].
    pub signature: Signature,
}

impl EpochKey {
    /// Reads what [`EpochKey::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(bytes, FORM, 5)?;
        let key = Self {
            network: NetworkId::new(fields.array("network")?),
            member: fields.word("member")?,
            day: fields.number("day")?,
            public: fields.array("public key")?,
            signature: fields.array("signature")?,
        };
        canonical(bytes, &key.encode(), FORM)?;
        Ok(key)
    }

    /// `[network, member, day, public key, signature]`.
    pub fn encode(&self) -> Vec<u8> {
        self.fields(5).bytes(&self.signature).finish()
    }

    /// What is signed.
    pub fn statement(&self) -> Vec<u8> {
        statement(PURPOSE, &self.network, &self.fields(4).finish())
    }

    /// Whether the signature is `key`'s. The caller compares network and member.
    pub fn verify(&self, key: &VerifyKey) -> Result<(), Broken> {
        key.verify(&self.statement(), &self.signature)
    }

    /// Whether it serves on a day: its own and the one after. One day early, too, for clocks that disagree over midnight.
    pub fn serves_on(&self, day: u32) -> bool {
        self.day.abs_diff(day) <= 1
    }

    fn fields(&self, count: u64) -> Form {
        let form = Form::of(count, 256).bytes(self.network.as_bytes()).text(self.member.as_str());
        form.number(self.day).bytes(&self.public)
    }
}
