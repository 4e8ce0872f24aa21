//! What a holder answers to an order, signed: for each item how far its erasure has gone, or why it is not erased (`docs/erasure.md` section 4).

use super::{Exception, Level};
use crate::crypto::Broken;
use crate::crypto::hash::sha256;
use crate::crypto::sign::{Signature, VerifyKey, statement};
use crate::types::{MemberId, NetworkId};
use crate::wire::DecodeError;
use crate::wire::strict::{Fields, Form, canonical};

/// What the signature of a receipt is for.
const RECEIPT_PURPOSE: &str = "celosia erasure-receipt 1";

/// Longest text of a refusal, in characters.
pub const MAX_TEXT: usize = 500;

const FORM: &str = "erasure receipt";
const FIELDS: u64 = 8;

/// What became of an item at a holder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// It was never here, and will not be taken.
    Absent,
    /// It is erased.
    Erased(Level),
    /// A hold stands before the erasure: it is unreadable, and erased when the hold ends.
    Held {
        /// When that is, milliseconds since the Unix epoch.
        until: u64,
    },
    /// The member that ordered it did not send it.
    NotControllers,
    /// It is not erased, for a reason of the law.
    Refused {
        /// Which.
        exception: Exception,
        /// In words.
        text: String,
        /// Until when it stands, milliseconds since the Unix epoch.
        until: u64,
    },
}

/// A holder's answer to an order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ErasureReceipt {
    /// Which network.
    pub network: NetworkId,
    /// SHA-256 of the signed order.
    pub order: [u8; 32],
    /// Who answers.
    pub member: MemberId,
    /// When, milliseconds since the Unix epoch.
    pub time: u64,
    /// For each item of the order, in its order.
    pub answers: Vec<Answer>,
    /// Until when a backup together with the root could still open what is erased: the root's next rotation, the largest number if none is
    /// planned; `None` once it cannot.
    pub recoverable_until: Option<u64>,
    /// What keeps the root: `file`, `vault`, `pkcs11`.
    pub root: String,
    /// What whoever keeps the root said of the destruction of the old one; empty below E3.
    pub word: String,
}

/// A receipt and its member's signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedErasureReceipt {
    /// What it says.
    pub receipt: ErasureReceipt,
    /// The member's on [`ErasureReceipt::statement`].
    pub signature: Signature,
}

impl Answer {
    /// The level reached, of an erased item.
    pub fn level(&self) -> Option<Level> {
        match self {
            Self::Erased(level) => Some(*level),
            _ => None,
        }
    }

    /// Whether nothing more is to come of it.
    pub fn is_final(&self) -> bool {
        !matches!(self, Self::Erased(Level::E1 | Level::E2) | Self::Held { .. })
    }

    fn write(&self, form: Form) -> Form {
        match self {
            Self::Absent => form.list(1).number(0_u8),
            Self::Erased(level) => form.list(2).number(1_u8).number(level.number()),
            Self::Held { until } => form.list(2).number(2_u8).number(*until),
            Self::NotControllers => form.list(1).number(3_u8),
            Self::Refused { exception, text, until } => {
                form.list(4).number(4_u8).text(exception.name()).text(text).number(*until)
            }
        }
    }

    fn read(fields: &mut Fields<'_>) -> Result<Self, DecodeError> {
        let count = fields.open("answer")?;
        let kind: u8 = fields.number("answer")?;
        match (count, kind) {
            (1, 0) => Ok(Self::Absent),
            (2, 1) => Level::from_number(fields.number("level")?).map(Self::Erased).ok_or(DecodeError::Value("level")),
            (2, 2) => Ok(Self::Held { until: fields.number("until")? }),
            (1, 3) => Ok(Self::NotControllers),
            (4, 4) => {
                let (exception, text) = (fields.word("exception")?, fields.word::<String>("text")?);
                if text.chars().count() > MAX_TEXT || text.chars().any(char::is_control) {
                    return Err(DecodeError::Value("text"));
                }
                Ok(Self::Refused { exception, text, until: fields.number("until")? })
            }
            _ => Err(DecodeError::Value("answer")),
        }
    }
}

impl ErasureReceipt {
    /// What is signed.
    pub fn statement(&self) -> Vec<u8> {
        statement(RECEIPT_PURPOSE, &self.network, &self.fields(FIELDS).finish())
    }

    /// The lowest level among erased items; `None` if nothing was erased.
    pub fn level(&self) -> Option<Level> {
        self.answers.iter().filter_map(Answer::level).min()
    }

    /// Whether nothing more is to come.
    pub fn is_final(&self) -> bool {
        self.answers.iter().all(Answer::is_final)
    }

    fn fields(&self, count: u64) -> Form {
        let form = Form::of(count, 320 + 4 * self.answers.len())
            .bytes(self.network.as_bytes())
            .bytes(&self.order)
            .text(self.member.as_str())
            .number(self.time)
            .list(self.answers.len() as u64);
        let form = self.answers.iter().fold(form, |form, answer| answer.write(form));
        let form = match self.recoverable_until {
            Some(until) => form.number(until),
            None => form.null(),
        };
        form.text(&self.root).text(&self.word)
    }
}

impl SignedErasureReceipt {
    /// Reads what [`SignedErasureReceipt::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(bytes, FORM, FIELDS + 1)?;
        let receipt = ErasureReceipt {
            network: NetworkId::new(fields.array("network")?),
            order: fields.array("order")?,
            member: fields.word("member")?,
            time: fields.number("time")?,
            answers: fields.list("answers", Answer::read)?,
            recoverable_until: fields.option("recoverable-until", |fields| fields.number("recoverable-until"))?,
            root: fields.word("root")?,
            word: fields.word("word")?,
        };
        let signed = Self { receipt, signature: fields.array("signature")? };
        canonical(bytes, &signed.encode(), FORM)?;
        Ok(signed)
    }

    /// `[network, order, member, time, [answer …], recoverable-until or null, root, word, signature]`; an answer is `[0]` absent, `[1, level]`
    /// erased, `[2, until]` held, `[3]` not the controller's, `[4, exception, text, until]` refused.
    pub fn encode(&self) -> Vec<u8> {
        self.receipt.fields(FIELDS + 1).bytes(&self.signature).finish()
    }

    /// SHA-256 of its bytes: what the holder's journal says of it.
    pub fn digest(&self) -> [u8; 32] {
        sha256(&[&self.encode()])
    }

    /// Whether the signature is `key`'s. The caller compares network, order and member.
    pub fn verify(&self, key: &VerifyKey) -> Result<(), Broken> {
        key.verify(&self.receipt.statement(), &self.signature)
    }
}

#[cfg(test)]
mod tests;
