//! What ends an order to stop, signed by a supervisor that may give such an order.

use super::{StopDigest, StopNumber, StopScope, line};
use crate::crypto::Broken;
use crate::crypto::sign::{Signature, VerifyKey, statement};
use crate::types::{MemberId, NetworkId};
use crate::wire::DecodeError;
use crate::wire::strict::{Fields, Form, canonical};

/// What the signature of a lift is for.
const PURPOSE: &str = "celosia stop-lift 1";
const FORM: &str = "lift";
const FIELDS: u64 = 7;

/// The end of an order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Lift {
    /// Which network.
    pub network: NetworkId,
    /// The order's name.
    pub number: StopNumber,
    /// Which order.
    pub stop: StopDigest,
    /// Its scope: who may lift it is known without the order. Compared with the order's where that is known.
    pub scope: StopScope,
    /// Who lifts it.
    pub supervisor: MemberId,
    /// Why, in one line.
    pub text: String,
    /// When it was given, milliseconds since the Unix epoch.
    pub issued: u64,
}

/// A lift and its supervisor's signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedLift {
    /// What it says.
    pub lift: Lift,
    /// The supervisor's on [`Lift::statement`].
    pub signature: Signature,
}

impl Lift {
    /// What is signed.
    pub fn statement(&self) -> Vec<u8> {
        statement(PURPOSE, &self.network, &self.fields(FIELDS).finish())
    }

    fn fields(&self, count: u64) -> Form {
        let form = Form::of(count, 512).bytes(self.network.as_bytes()).bytes(&self.number.0).bytes(&self.stop);
        self.scope.write(form).text(self.supervisor.as_str()).text(&self.text).number(self.issued)
    }
}

impl SignedLift {
    /// Reads what [`SignedLift::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(bytes, FORM, FIELDS + 1)?;
        let lift = Lift {
            network: NetworkId::new(fields.array("network")?),
            number: StopNumber(fields.array("number")?),
            stop: fields.array("stop")?,
            scope: StopScope::read(&mut fields)?,
            supervisor: fields.word("supervisor")?,
            text: line(&mut fields, "text")?,
            issued: fields.number("issued")?,
        };
        let signed = Self { lift, signature: fields.array("signature")? };
        canonical(bytes, &signed.encode(), FORM)?;
        Ok(signed)
    }

    /// `[network, number, stop, [kind, value, [creation …]], supervisor, text, issued, signature]`.
    pub fn encode(&self) -> Vec<u8> {
        self.lift.fields(FIELDS + 1).bytes(&self.signature).finish()
    }

    /// Whether the signature is `key`'s. The caller compares the network, and asks directory and policy who may lift it.
    pub fn verify(&self, key: &VerifyKey) -> Result<(), Broken> {
        key.verify(&self.lift.statement(), &self.signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lift_comes_back_and_nothing_else_does() {
        let lift = Lift {
            network: NetworkId::new([1; 32]),
            number: StopNumber([2; 16]),
            stop: [3; 32],
            scope: "contract:0x0101010101010101010101010101010101010101".parse().expect("a scope"),
            supervisor: "cnmv".parse().expect("an id"),
            text: "settled".into(),
            issued: 9,
        };
        let signed = SignedLift { lift, signature: [4; 64] };
        let bytes = signed.encode();
        assert_eq!(SignedLift::decode(&bytes), Ok(signed));
        for cut in 0..bytes.len() {
            assert!(SignedLift::decode(&bytes[..cut]).is_err());
        }
        assert!(super::super::SignedStop::decode(&bytes).is_err(), "a lift is no order");
    }
}
