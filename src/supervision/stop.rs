//! An order of a supervisor to stop new payloads of a scope, signed by its node.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;

use super::{StopScope, line};
use crate::crypto::Broken;
use crate::crypto::hash::sha256;
use crate::crypto::sign::{Signature, VerifyKey, statement};
use crate::types::{MemberId, NetworkId, ParseError};
use crate::wire::DecodeError;
use crate::wire::strict::{Fields, Form, canonical};

/// What the signature of an order is for.
const PURPOSE: &str = "celosia stop-order 1";
const FORM: &str = "stop order";
const FIELDS: u64 = 7;

/// The random name of an order: 16 bytes, 32 hexadecimal digits in text.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct StopNumber(pub [u8; 16]);

impl fmt::Display for StopNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl FromStr for StopNumber {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| ParseError::Hex)?;
        let actual = bytes.len();
        bytes.try_into().map(Self).map_err(|_| ParseError::Length { expected: 16, actual })
    }
}

crate::types::as_text!(StopNumber);

/// SHA-256 of what is signed of an order: which one, whatever somebody else calls by the same number.
pub type StopDigest = [u8; 32];

/// What a supervisor orders.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StopOrder {
    /// Which network.
    pub network: NetworkId,
    /// Its name.
    pub number: StopNumber,
    /// Who orders it.
    pub supervisor: MemberId,
    /// What is stopped.
    pub scope: StopScope,
    /// What it rests on: the number of a file or of a decision, in one line.
    pub authority: String,
    /// What senders are told, in one line.
    pub text: String,
    /// When it was given, milliseconds since the Unix epoch.
    pub issued: u64,
}

/// An order and its supervisor's signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedStop {
    /// What it says.
    pub order: StopOrder,
    /// The supervisor's on [`StopOrder::statement`].
    pub signature: Signature,
}

impl StopOrder {
    /// What is signed.
    pub fn statement(&self) -> Vec<u8> {
        statement(PURPOSE, &self.network, &self.fields(FIELDS).finish())
    }

    /// Which order it is.
    pub fn digest(&self) -> StopDigest {
        sha256(&[&self.statement()])
    }

    fn fields(&self, count: u64) -> Form {
        let form = Form::of(count, 512).bytes(self.network.as_bytes()).bytes(&self.number.0).text(self.supervisor.as_str());
        self.scope.write(form).text(&self.authority).text(&self.text).number(self.issued)
    }
}

impl SignedStop {
    /// Reads what [`SignedStop::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = Fields::of(bytes, FORM, FIELDS + 1)?;
        let order = StopOrder {
            network: NetworkId::new(fields.array("network")?),
            number: StopNumber(fields.array("number")?),
            supervisor: fields.word("supervisor")?,
            scope: StopScope::read(&mut fields)?,
            authority: line(&mut fields, "authority")?,
            text: line(&mut fields, "text")?,
            issued: fields.number("issued")?,
        };
        let signed = Self { order, signature: fields.array("signature")? };
        canonical(bytes, &signed.encode(), FORM)?;
        Ok(signed)
    }

    /// `[network, number, supervisor, [kind, value, [creation …]], authority, text, issued, signature]`.
    pub fn encode(&self) -> Vec<u8> {
        self.order.fields(FIELDS + 1).bytes(&self.signature).finish()
    }

    /// Whether the signature is `key`'s. The caller compares the network, and asks directory and policy who may order it.
    pub fn verify(&self, key: &VerifyKey) -> Result<(), Broken> {
        key.verify(&self.order.statement(), &self.signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::secret::Secret;
    use crate::crypto::sign::SigningKey;

    fn order() -> StopOrder {
        StopOrder {
            network: NetworkId::new([1; 32]),
            number: StopNumber([2; 16]),
            supervisor: "cnmv".parse().expect("an id"),
            scope: StopScope::All,
            authority: "EXP 12/2026".into(),
            text: "trading is suspended".into(),
            issued: 7,
        }
    }

    #[test]
    fn an_order_comes_back_and_nothing_else_does() {
        let key = SigningKey::from_seed(&Secret::from_slice(&[7; 32]).expect("32 bytes"));
        let order = order();
        let signed = SignedStop { signature: key.sign(&order.statement()), order };
        let bytes = signed.encode();
        assert_eq!(SignedStop::decode(&bytes), Ok(signed.clone()));
        assert!(signed.verify(&key.verify_key()).is_ok());
        for cut in 0..bytes.len() {
            assert!(SignedStop::decode(&bytes[..cut]).is_err());
        }
        assert!(SignedStop::decode(&[&bytes[..], &[0]].concat()).is_err());
        let altered = SignedStop {
            order: StopOrder { scope: StopScope::Class(crate::types::Class::Public), ..order_of(&signed) },
            ..signed
        };
        assert!(altered.verify(&key.verify_key()).is_err(), "a signature is of one scope");
    }

    fn order_of(signed: &SignedStop) -> StopOrder {
        signed.order.clone()
    }

    #[test]
    fn texts_are_one_line() {
        for (authority, text) in [("", "a"), ("a", " "), ("a\nb", "c"), ("a", &*"x".repeat(501))] {
            let order = StopOrder { authority: authority.into(), text: text.into(), ..order() };
            let bytes = SignedStop { order, signature: [0; 64] }.encode();
            assert!(SignedStop::decode(&bytes).is_err());
        }
    }
}
