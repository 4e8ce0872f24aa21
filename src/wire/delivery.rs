//! What crosses between two nodes for one payload of the suite celosia-1 (`docs/celosia-1.md` section 6).

use bytes::Bytes;

use super::DecodeError;
use super::strict::{Fields, Form, canonical};
use crate::crypto::nacl::Nonce;
use crate::types::MemberId;

const FORM: &str = "delivery";
const FIELDS: u64 = 9;
const VERSION: u8 = 1;

/// Longest box, in bytes: room for the 65,536 recipients that a header may name.
pub const MAX_BOX: usize = 4 * 1024 * 1024;

/// One payload for one recipient member.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Delivery {
    /// Whose node sends it.
    pub member: MemberId,
    /// The public epoch key that it used.
    pub from: [u8; 32],
    /// The day of that key.
    pub day: u32,
    /// The recipient's public epoch key.
    pub to: [u8; 32],
    /// Nonce of the box.
    pub box_nonce: Nonce,
    /// The box: the data key, proofs and header, sealed between the two epoch keys.
    pub sealed: Bytes,
    /// Nonce of the ciphertext.
    pub nonce: Nonce,
    /// The ciphertext, the same for every recipient.
    pub ciphertext: Bytes,
}

impl Delivery {
    /// Reads a delivery. Total; box and ciphertext are slices of `bytes`, without a copy.
    pub fn decode(bytes: &Bytes) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(bytes, FORM, FIELDS)?;
        if fields.number::<u8>("version")? != VERSION {
            return Err(DecodeError::Value("version"));
        }
        let delivery = Self {
            member: fields.word("member")?,
            from: fields.array("sender's epoch key")?,
            day: fields.number("day")?,
            to: fields.array("recipient's epoch key")?,
            box_nonce: fields.array("nonce of the box")?,
            sealed: bytes.slice_ref(fields.bytes("box", MAX_BOX)?),
            nonce: fields.array("nonce")?,
            ciphertext: bytes.slice_ref(fields.bytes("ciphertext", usize::MAX)?),
        };
        // The ciphertext comes last: the rest is compared, so it need not be copied to see that this is the one encoding.
        let head = delivery.head();
        let (front, _) = bytes.split_at_checked(head.len()).ok_or(DecodeError::Value(FORM))?;
        canonical(front, &head, FORM)?;
        if bytes.len() != head.len() + delivery.ciphertext.len() {
            return Err(DecodeError::Value(FORM));
        }
        Ok(delivery)
    }

    /// The encoding in two parts, one after the other, so that the ciphertext is not copied.
    pub fn parts(&self) -> [Bytes; 2] {
        [self.head().into(), self.ciphertext.clone()]
    }

    /// The encoding in one piece.
    pub fn encode(&self) -> Bytes {
        self.parts().concat().into()
    }

    /// Bytes of the encoding, roughly.
    pub fn size_hint(&self) -> usize {
        256 + self.sealed.len() + self.ciphertext.len()
    }

    fn head(&self) -> Vec<u8> {
        Form::of(FIELDS, 256 + self.sealed.len())
            .number(VERSION)
            .text(self.member.as_str())
            .bytes(&self.from)
            .number(self.day)
            .bytes(&self.to)
            .bytes(&self.box_nonce)
            .bytes(&self.sealed)
            .bytes(&self.nonce)
            .before(self.ciphertext.len())
    }
}
