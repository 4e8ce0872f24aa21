//! A receipt: a signed header and the signed acknowledgements of its recipients, as one file that is verified offline
//! (`docs/celosia-1.md` section 8).

use super::DecodeError;
use super::ack::SignedAck;
use super::header::{self, Header};
use super::strict::{Fields, Form, canonical};
use crate::crypto::hash::sha256;
use crate::crypto::sign::{Signature, VerifyKey};
use crate::types::MemberId;

const FORM: &str = "receipt";
const FORMAT: &str = "celosia-receipt-1";
/// Longest header that a receipt holds.
const MAX_HEADER: usize = 4 * 1024 * 1024;

/// Who sent what to whom, and who took it. Holds no payload and no key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Receipt {
    /// What the sender said.
    pub header: Header,
    /// The sender's signature on the header's bytes.
    pub signature: Signature,
    /// What its recipients said, in no order.
    pub acks: Vec<SignedAck>,
}

/// Why a receipt proves nothing.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ReceiptError {
    /// An acknowledgement of another payload, header or network.
    #[error("the acknowledgement of {0} is of another payload")]
    Foreign(MemberId),
    /// No key of a member is known.
    #[error("no signing key of {0} is known: give the directory of that time")]
    NoKey(MemberId),
    /// A member has not made the signature that bears its name.
    #[error("the signature of {0} does not verify")]
    Signature(MemberId),
    /// A member's acknowledgement is there twice.
    #[error("{0} acknowledges twice")]
    Twice(MemberId),
}

impl Receipt {
    /// Reads what [`Receipt::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(bytes, FORM, 4)?;
        if fields.word::<String>("format")? != FORMAT {
            return Err(DecodeError::Value("format"));
        }
        let receipt = Self {
            header: Header::decode(fields.bytes("header", MAX_HEADER)?)?,
            signature: fields.array("signature")?,
            acks: fields.list("acknowledgements", |fields| SignedAck::decode(fields.bytes("acknowledgement", MAX_HEADER)?))?,
        };
        canonical(bytes, &receipt.encode(), FORM)?;
        Ok(receipt)
    }

    /// `["celosia-receipt-1", header, signature, [acknowledgement …]]`, header and acknowledgements as byte strings.
    pub fn encode(&self) -> Vec<u8> {
        let header = self.header.encode();
        let form = Form::of(4, 128 + header.len() + 450 * self.acks.len()).text(FORMAT).bytes(&header).bytes(&self.signature);
        let list = form.list(self.acks.len() as u64);
        self.acks.iter().fold(list, |form, ack| form.bytes(&ack.encode())).finish()
    }

    /// Verifies every signature with the keys that `keys_of` has for a member and a time, in milliseconds since the Unix epoch.
    pub fn verify(&self, keys_of: impl Fn(&MemberId, u64) -> Vec<VerifyKey>) -> Result<(), ReceiptError> {
        let is_signed = |member: &MemberId, time: u64, verify: &dyn Fn(&VerifyKey) -> bool| {
            let keys = keys_of(member, time);
            if keys.is_empty() {
                return Err(ReceiptError::NoKey(member.clone()));
            }
            if keys.iter().any(verify) { Ok(()) } else { Err(ReceiptError::Signature(member.clone())) }
        };
        let header = self.header.encode();
        is_signed(&self.header.member, self.header.time, &|key| {
            header::verify(&self.header.network, &header, &self.signature, key).is_ok()
        })?;
        let digest = sha256(&[&header]);
        let mut seen = std::collections::BTreeSet::new();
        for signed in &self.acks {
            let ack = &signed.ack;
            if (ack.network, ack.id, ack.header) != (self.header.network, self.header.id, digest) {
                return Err(ReceiptError::Foreign(ack.member.clone()));
            }
            if !seen.insert(&ack.member) {
                return Err(ReceiptError::Twice(ack.member.clone()));
            }
            is_signed(&ack.member, ack.time, &|key| signed.verify(key).is_ok())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
