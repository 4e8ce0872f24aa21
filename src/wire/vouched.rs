//! What supervisors said of a payload, in front of its delivery to the others (`docs/protocol.md`): a co-signature, acknowledgements, and for
//! a payload in Tessera's suite the signed header that they are of.

use bytes::Bytes;

use super::audience::Opening;
use super::strict::{Fields, Form, canonical};
use super::{DecodeError, Header, header};
use crate::crypto::Broken;
use crate::crypto::hash::sha256;
use crate::crypto::sign::{Signature, VerifyKey};
use crate::types::{Address, NetworkId};

const FORM: &str = "words of supervisors";
const FIELDS: u64 = 3;
const STATED: u64 = 3;

/// Acknowledgements of one payload, at most: as many supervisors as a scope may name.
pub const MAX_ACKS: usize = 256;
/// Longest acknowledgement or co-signature, in bytes.
const MAX_WORD: usize = 16 << 10;
/// Longest header, in bytes: 65,536 recipients under state validation.
const MAX_HEADER: usize = 4 << 20;
const MAX_OPENING: usize = 1 << 10;

/// Words of supervisors. Nobody has checked them yet.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Vouched {
    /// A signed co-signature (mode S4).
    pub cosignature: Option<Vec<u8>>,
    /// Signed acknowledgements: of a copy under S1 and S2, of the payload under S3.
    pub acks: Vec<Vec<u8>>,
    /// The header of a payload whose suite has none.
    pub stated: Option<Stated>,
}

/// The header that the sender of a payload in Tessera's suite made for its supervisors, shown to a recipient.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stated {
    /// Its bytes.
    pub header: Vec<u8>,
    /// The sender's signature on them.
    pub signature: Signature,
    /// That the recipient is among those whom the supervisors were told of.
    pub opening: Opening,
}

impl Vouched {
    /// Whether nobody said anything.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// `length (4, big-endian) ‖ [co-signature / null, [acknowledgement …], [header, signature, opening] / null] ‖ body`.
    pub fn before(&self, body: &[u8]) -> Vec<u8> {
        let words = self.encode();
        let length = u32::try_from(words.len()).unwrap_or(u32::MAX).to_be_bytes();
        [&length[..], &words, body].concat()
    }

    /// The words in front of a body, and the body.
    pub fn split(bytes: &Bytes) -> Result<(Self, Bytes), DecodeError> {
        let length = bytes.first_chunk::<4>().ok_or(DecodeError::Truncated(FORM))?;
        let end = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX).saturating_add(4);
        let words = bytes.get(4..end).ok_or(DecodeError::Truncated(FORM))?;
        Ok((Self::decode(words)?, bytes.slice(end..)))
    }

    /// Reads what [`Vouched::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(bytes, FORM, FIELDS)?;
        let cosignature = fields.option("co-signature", |fields| Ok(fields.bytes("co-signature", MAX_WORD)?.to_vec()))?;
        let count = fields.open("acknowledgements")?;
        if count > MAX_ACKS as u64 {
            return Err(DecodeError::Length("acknowledgements"));
        }
        let ack = |_| Ok(fields.bytes("acknowledgement", MAX_WORD)?.to_vec());
        let acks = (0..count).map(ack).collect::<Result<_, DecodeError>>()?;
        let stated = fields.option("header", |fields| {
            fields.nested("header", STATED)?;
            let header = fields.bytes("header", MAX_HEADER)?.to_vec();
            let signature = fields.array("signature")?;
            let mut rest = fields.bytes("opening", MAX_OPENING)?;
            let opening = Opening::take(&mut rest).filter(|_| rest.is_empty()).ok_or(DecodeError::Value("opening"))?;
            Ok(Stated { header, signature, opening })
        })?;
        let read = Self { cosignature, acks, stated };
        canonical(bytes, &read.encode(), FORM)?;
        Ok(read)
    }

    /// The words alone.
    pub fn encode(&self) -> Vec<u8> {
        let size = 64 + self.acks.iter().map(|ack| ack.len() + 3).sum::<usize>();
        let mut form = Form::of(FIELDS, size);
        form = match &self.cosignature {
            Some(cosignature) => form.bytes(cosignature),
            None => form.null(),
        };
        form = self.acks.iter().fold(form.list(self.acks.len() as u64), |form, ack| form.bytes(ack));
        match &self.stated {
            Some(Stated { header, signature, opening }) => {
                let mut shown = Vec::with_capacity(opening.size());
                opening.put(&mut shown);
                form.list(STATED).bytes(header).bytes(signature).bytes(&shown)
            }
            None => form.null(),
        }
        .finish()
    }
}

impl Stated {
    /// The header and its digest, if its member's key signed it and `recipient` is in its audience.
    ///
    /// Threat: a sender tells its supervisors of other recipients than it has. Each sees that it is among them.
    pub fn check(&self, network: &NetworkId, key: &VerifyKey, recipient: &Address) -> Result<(Header, [u8; 32]), Broken> {
        header::verify(network, &self.header, &self.signature, key)?;
        let header = Header::decode(&self.header).map_err(|_| Broken)?;
        let is_shown = self.opening.address == *recipient && self.opening.proves(&header.audience);
        if header.network == *network && is_shown { Ok((header, sha256(&[&self.header]))) } else { Err(Broken) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Vouched {
        let opening = Opening { address: Address::new([1; 32]), salt: [2; 16], index: 3, path: vec![[4; 32]; 3] };
        let stated = Some(Stated { header: vec![5; 300], signature: [6; 64], opening });
        Vouched { cosignature: Some(vec![7; 200]), acks: vec![vec![8; 250], Vec::new()], stated }
    }

    #[test]
    fn words_come_back_and_the_body_behind_them() {
        for words in [Vouched::default(), full()] {
            assert_eq!(Vouched::decode(&words.encode()), Ok(words.clone()));
            let bytes = Bytes::from(words.before(b"a delivery"));
            assert_eq!(Vouched::split(&bytes), Ok((words.clone(), Bytes::from_static(b"a delivery"))));
            for cut in 0..words.encode().len() + 4 {
                assert!(Vouched::split(&bytes.slice(..cut)).is_err(), "{cut}");
            }
        }
        assert!(Vouched::default().is_empty() && !full().is_empty());
    }

    #[test]
    fn they_are_bounded() {
        let many = |count| Vouched { acks: vec![Vec::new(); count], ..Vouched::default() }.encode();
        assert!(Vouched::decode(&many(MAX_ACKS)).is_ok());
        assert_eq!(Vouched::decode(&many(MAX_ACKS + 1)), Err(DecodeError::Length("acknowledgements")));
        let long = Vouched { acks: vec![vec![0; MAX_WORD + 1]], ..Vouched::default() }.encode();
        assert!(Vouched::decode(&long).is_err());
        assert!(Vouched::decode(&[&full().encode()[..], &[0]].concat()).is_err(), "trailing bytes");
        assert!(Vouched::split(&Bytes::from_static(&[0xff; 8])).is_err());
    }
}
