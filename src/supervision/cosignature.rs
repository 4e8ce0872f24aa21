//! A supervisor's word that a payload may go to its recipients.

use crate::crypto::Broken;
use crate::crypto::sign::{Signature, VerifyKey, statement};
use crate::types::{MemberId, NetworkId, PayloadId};
use crate::wire::DecodeError;
use crate::wire::strict::{Fields, Form, canonical};

/// What the signature is for.
const PURPOSE: &str = "celosia cosignature 1";
const FORM: &str = "cosignature";
const FIELDS: u64 = 5;

/// What a supervisor says of one payload.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cosignature {
    /// Which network.
    pub network: NetworkId,
    /// Who says it.
    pub supervisor: MemberId,
    /// Of which payload.
    pub id: PayloadId,
    /// SHA-256 of its header: sender, class, time and all else that was seen.
    pub header: [u8; 32],
    /// When, milliseconds since the Unix epoch.
    pub time: u64,
}

/// A cosignature and its supervisor's signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedCosignature {
    /// What it says.
    pub cosignature: Cosignature,
    /// The supervisor's on [`Cosignature::statement`].
    pub signature: Signature,
}

impl Cosignature {
    /// What is signed.
    pub fn statement(&self) -> Vec<u8> {
        statement(PURPOSE, &self.network, &self.fields(FIELDS).finish())
    }

    fn fields(&self, count: u64) -> Form {
        Form::of(count, 256)
            .bytes(self.network.as_bytes())
            .text(self.supervisor.as_str())
            .bytes(self.id.as_bytes())
            .bytes(&self.header)
            .number(self.time)
    }
}

impl SignedCosignature {
    /// Reads what [`SignedCosignature::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(bytes, FORM, FIELDS + 1)?;
        let cosignature = Cosignature {
            network: NetworkId::new(fields.array("network")?),
            supervisor: fields.word("supervisor")?,
            id: PayloadId::new(fields.array("payload id")?),
            header: fields.array("header")?,
            time: fields.number("time")?,
        };
        let signed = Self { cosignature, signature: fields.array("signature")? };
        canonical(bytes, &signed.encode(), FORM)?;
        Ok(signed)
    }

    /// `[network, supervisor, payload id, header, time, signature]`.
    pub fn encode(&self) -> Vec<u8> {
        self.cosignature.fields(FIELDS + 1).bytes(&self.signature).finish()
    }

    /// Whether the signature is `key`'s. The caller compares network, payload and header, and asks the policy whose word is wanted.
    pub fn verify(&self, key: &VerifyKey) -> Result<(), Broken> {
        key.verify(&self.cosignature.statement(), &self.signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::secret::Secret;
    use crate::crypto::sign::SigningKey;

    #[test]
    fn a_cosignature_comes_back_and_is_of_one_payload_under_one_header() {
        let key = SigningKey::from_seed(&Secret::from_slice(&[7; 32]).expect("32 bytes"));
        let cosignature = Cosignature {
            network: NetworkId::new([1; 32]),
            supervisor: "cnmv".parse().expect("an id"),
            id: PayloadId::new([2; 64]),
            header: [3; 32],
            time: 4,
        };
        let signed = SignedCosignature { signature: key.sign(&cosignature.statement()), cosignature };
        let bytes = signed.encode();
        assert_eq!(SignedCosignature::decode(&bytes), Ok(signed.clone()));
        for cut in 0..bytes.len() {
            assert!(SignedCosignature::decode(&bytes[..cut]).is_err());
        }
        assert!(signed.verify(&key.verify_key()).is_ok());
        let mut other = signed;
        other.cosignature.header = [9; 32];
        assert!(other.verify(&key.verify_key()).is_err());
    }
}
