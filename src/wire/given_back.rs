//! A payload of the suite celosia-1 that somebody who has it gives back, with what shows that it was taken before (`docs/protocol.md`).

use bytes::Bytes;

use super::strict::{Fields, Form, canonical};
use super::{DecodeError, Vouched};

const FORM: &str = "payload that is given back";
const FIELDS: u64 = 4;
const VERSION: u8 = 1;

/// Longest acknowledgement, in bytes: as long as any that travels ([`super::vouched`]).
const MAX_ACK: usize = 16 << 10;
/// Longest words of supervisors, in bytes.
const MAX_WORDS: usize = 8 << 20;

/// A payload that is given back. Nobody has checked it yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct GivenBack {
    /// The acknowledgement that the member whom it is given back to signed when it was delivered: it was judged then.
    pub ack: Option<Vec<u8>>,
    /// What supervisors said of it.
    pub words: Vouched,
    /// The delivery, as [`super::Delivery`] has it.
    pub delivery: Bytes,
}

impl GivenBack {
    /// A delivery alone: what members of before give back.
    pub fn bare(delivery: Bytes) -> Self {
        Self { ack: None, words: Vouched::default(), delivery }
    }

    /// Reads what [`GivenBack::encode`] wrote, and nothing else; the delivery is a slice of `bytes`.
    pub fn decode(bytes: &Bytes) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(bytes, FORM, FIELDS)?;
        if fields.number::<u8>("version")? != VERSION {
            return Err(DecodeError::Value("version"));
        }
        let ack = fields.option("acknowledgement", |fields| Ok(fields.bytes("acknowledgement", MAX_ACK)?.to_vec()))?;
        let words = Vouched::decode(fields.bytes("words of supervisors", MAX_WORDS)?)?;
        let delivery = bytes.slice_ref(fields.bytes("delivery", usize::MAX)?);
        let read = Self { ack, words, delivery };
        // The delivery comes last and is not compared: it is what it is.
        let head = read.head();
        let (front, rest) = bytes.split_at_checked(head.len()).ok_or(DecodeError::Value(FORM))?;
        canonical(front, &head, FORM)?;
        if rest.len() == read.delivery.len() { Ok(read) } else { Err(DecodeError::Value(FORM)) }
    }

    /// `[version, acknowledgement / null, words of supervisors, delivery]`.
    pub fn encode(&self) -> Vec<u8> {
        [self.head(), self.delivery.to_vec()].concat()
    }

    fn head(&self) -> Vec<u8> {
        let words = self.words.encode();
        let form = Form::of(FIELDS, 64 + words.len()).number(VERSION);
        let form = match &self.ack {
            Some(ack) => form.bytes(ack),
            None => form.null(),
        };
        form.bytes(&words).before(self.delivery.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_back_has_one_encoding() {
        let words = Vouched { cosignature: Some(vec![7; 200]), ..Vouched::default() };
        let full = GivenBack { ack: Some(vec![8; 250]), words, delivery: Bytes::from_static(b"a delivery") };
        for given in [full, GivenBack::bare(Bytes::from_static(b"a delivery"))] {
            let bytes = Bytes::from(given.encode());
            assert_eq!(GivenBack::decode(&bytes), Ok(given));
            for cut in 0..bytes.len() {
                assert!(GivenBack::decode(&bytes.slice(..cut)).is_err(), "{cut}");
            }
            assert!(GivenBack::decode(&[&bytes[..], &[0]].concat().into()).is_err(), "trailing");
            let another = [&[bytes[0], 2], &bytes[2..]].concat();
            assert!(GivenBack::decode(&another.into()).is_err(), "of another version");
        }
    }
}
