use super::Refused;
use super::error::form;
use super::request::{GrantId, is_text};
use crate::crypto::sign::{Signature, VerifyKey, statement};
use crate::types::NetworkId;
use crate::wire::DecodeError;
use crate::wire::strict::{Fields, Form, canonical};

/// What the signature of a revocation is for.
const PURPOSE: &str = "celosia disclosure-revocation 1";
const FORM: &str = "revocation";
const FIELDS: u64 = 5;

/// One officer's word that a grant is over: a single one is enough to stop, as k were needed to begin.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Revocation {
    /// Which network.
    pub network: NetworkId,
    /// Which grant.
    pub grant: GrantId,
    /// The officer's signing key.
    pub officer: VerifyKey,
    /// Why.
    pub text: String,
    /// When, milliseconds since the Unix epoch.
    pub time: u64,
}

/// A revocation and its officer's signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedRevocation {
    /// What it says.
    pub revocation: Revocation,
    /// The officer's.
    pub signature: Signature,
}

impl Revocation {
    /// Signs it with what signs for the officer.
    pub fn sign(self, sign: impl FnOnce(&[u8]) -> Signature) -> SignedRevocation {
        let signature = sign(&self.statement());
        SignedRevocation { revocation: self, signature }
    }

    fn statement(&self) -> Vec<u8> {
        statement(PURPOSE, &self.network, &self.fields(FIELDS).finish())
    }

    fn fields(&self, count: u64) -> Form {
        Form::of(count, 192 + self.text.len())
            .bytes(self.network.as_bytes())
            .bytes(&self.grant.0)
            .bytes(self.officer.as_bytes())
            .text(&self.text)
            .number(self.time)
    }
}

impl SignedRevocation {
    /// Reads what [`SignedRevocation::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        let read = || -> Result<Self, DecodeError> {
            let mut fields = Fields::of(bytes, FORM, FIELDS + 1)?;
            let revocation = Revocation {
                network: NetworkId::new(fields.array("network")?),
                grant: GrantId(fields.array("grant")?),
                officer: VerifyKey::new(fields.array("officer")?),
                text: fields.word("text")?,
                time: fields.number("time")?,
            };
            if !is_text(&revocation.text) {
                return Err(DecodeError::Value("text"));
            }
            let signed = Self { revocation, signature: fields.array("signature")? };
            canonical(bytes, &signed.encode(), FORM)?;
            Ok(signed)
        };
        read().map_err(form(FORM))
    }

    /// `[network, grant, officer, text, time, signature]`.
    pub fn encode(&self) -> Vec<u8> {
        self.revocation.fields(FIELDS + 1).bytes(&self.signature).finish()
    }

    /// Whether it is of this grant, and of an officer among those that `is_officer` knows.
    pub fn verify(&self, network: &NetworkId, grant: GrantId, is_officer: impl Fn(&VerifyKey) -> bool) -> Result<(), Refused> {
        let revocation = &self.revocation;
        if revocation.network != *network {
            return Err(Refused::Network(FORM));
        }
        if revocation.grant != grant {
            return Err(Refused::OtherCase(FORM));
        }
        if !is_officer(&revocation.officer) {
            return Err(Refused::NotOfficer);
        }
        revocation.officer.verify(&revocation.statement(), &self.signature).map_err(|_| Refused::Signature(FORM))
    }
}
