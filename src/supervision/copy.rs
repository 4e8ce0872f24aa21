//! What a supervisor is sent of a payload that it supervises without receiving it: who sent what class to whom, under which rules, and when.
//! Never the data key.

use crate::crypto::Broken;
use crate::crypto::secret::Secret;
use crate::crypto::sign::{Signature, VerifyKey};
use crate::types::{Address, NetworkId};
use crate::wire::strict::{Fields, Form, canonical};
use crate::wire::{Audience, DecodeError, Header, header};

const FORM: &str = "supervision copy";
const FIELDS: u64 = 6;
const VERSION: u8 = 1;

/// Longest header, in bytes: 65,536 recipients under state validation.
const MAX_HEADER: usize = 4 << 20;
/// Recipients of one payload, at most.
pub const MAX_OPENINGS: usize = 1 << 16;

/// A copy as it crosses. Nobody has checked it yet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SupervisionCopy {
    /// The header's bytes, as its sender signed them.
    pub header: Vec<u8>,
    /// The sender's signature on them.
    pub signature: Signature,
    /// What the salts and the fill of the audience are made of: with it and the recipients the whole tree is made again.
    ///
    /// Threat: a sender shows its supervisor some of the recipients. The root is signed, and no other list has it.
    pub seed: [u8; 32],
    /// Everyone whom it was sent to, the sender included, in the order of the tree's making.
    pub recipients: Vec<Address>,
    /// A delivery whose box holds sigma in place of the data key, with the ciphertext (mode S2); empty under S1.
    pub sealed: Vec<u8>,
}

/// A copy whose signature and recipients hold.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Copied {
    /// The header.
    pub header: Header,
    /// Everyone whom it was sent to.
    pub recipients: Vec<Address>,
}

impl SupervisionCopy {
    /// Reads what [`SupervisionCopy::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(bytes, FORM, FIELDS)?;
        if fields.number::<u8>("version")? != VERSION {
            return Err(DecodeError::Value("version"));
        }
        let copy = Self {
            header: fields.bytes("header", MAX_HEADER)?.to_vec(),
            signature: fields.array("signature")?,
            seed: fields.array("seed")?,
            recipients: fields.list("recipients", |fields| fields.array("recipient").map(Address::new))?,
            sealed: fields.bytes("sealed", usize::MAX)?.to_vec(),
        };
        if copy.recipients.is_empty() || copy.recipients.len() > MAX_OPENINGS {
            return Err(DecodeError::Value("recipients"));
        }
        canonical(bytes, &copy.encode(), FORM)?;
        Ok(copy)
    }

    /// `[version, header, signature, seed, [recipient …], sealed]`.
    pub fn encode(&self) -> Vec<u8> {
        let size = 256 + self.header.len() + 34 * self.recipients.len() + self.sealed.len();
        Form::of(FIELDS, size)
            .number(VERSION)
            .bytes(&self.header)
            .bytes(&self.signature)
            .bytes(&self.seed)
            .each(self.recipients.iter().map(Address::as_bytes))
            .bytes(&self.sealed)
            .finish()
    }

    /// Checks the signature of the member that sent it, the network, and that the recipients are all that the header's audience holds.
    pub fn check(&self, network: &NetworkId, key: &VerifyKey) -> Result<Copied, Broken> {
        header::verify(network, &self.header, &self.signature, key)?;
        let header = Header::decode(&self.header).map_err(|_| Broken)?;
        let audience = Audience::new(&Secret::from_slice(&self.seed).ok_or(Broken)?, self.recipients.iter()).ok_or(Broken)?;
        if header.network != *network || audience.root() != header.audience {
            return Err(Broken);
        }
        Ok(Copied { header, recipients: self.recipients.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sign::SigningKey;
    use crate::types::{Class, PayloadId, Privacy};

    fn made(network: NetworkId, key: &SigningKey, recipients: Vec<Address>) -> SupervisionCopy {
        let seed = [5; 32];
        let audience = Audience::new(&Secret::from_slice(&seed).expect("32 bytes"), recipients.iter()).expect("few");
        let header = Header {
            network,
            suite: header::SUITE,
            policy: 1,
            day: 20_000,
            class: Class::Business,
            time: 1,
            sender: recipients[0],
            member: "acme".parse().expect("an id"),
            id: PayloadId::new([8; 64]),
            privacy: Privacy::default(),
            recipients: None,
            audience: audience.root(),
            escrow: None,
        };
        let header = header.encode();
        let signature = key.sign(&header::signed(&network, &header));
        SupervisionCopy { header, signature, seed, recipients, sealed: Vec::new() }
    }

    #[test]
    fn a_copy_tells_every_recipient_or_is_none() {
        let (network, key) = (NetworkId::new([1; 32]), SigningKey::from_seed(&Secret::from_slice(&[7; 32]).expect("32 bytes")));
        let all = vec![Address::new([1; 32]), Address::new([2; 32]), Address::new([3; 32])];
        let copy = made(network, &key, all.clone());
        let bytes = copy.encode();
        assert_eq!(SupervisionCopy::decode(&bytes), Ok(copy.clone()));
        for cut in 0..bytes.len() {
            assert!(SupervisionCopy::decode(&bytes[..cut]).is_err());
        }
        assert_eq!(copy.check(&network, &key.verify_key()).expect("sound").recipients, all);
        let fewer = SupervisionCopy { recipients: all[..2].to_vec(), ..copy.clone() };
        let another = SupervisionCopy { seed: [6; 32], ..copy.clone() };
        let altered = SupervisionCopy { header: made(network, &key, all[..1].to_vec()).header, ..copy.clone() };
        for wrong in [fewer, another, altered] {
            assert!(wrong.check(&network, &key.verify_key()).is_err());
        }
        assert!(copy.check(&NetworkId::new([2; 32]), &key.verify_key()).is_err(), "of another network");
    }
}
