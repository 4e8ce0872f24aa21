use super::error::form;
use super::{Docket, Refused, Request, case_digest};
use crate::crypto::sign::{Signature, SigningKey, statement};
use crate::types::NetworkId;
use crate::wire::DecodeError;
use crate::wire::strict::{Fields, Form, canonical};

/// What the signature of a taking is for.
const PURPOSE: &str = "celosia disclosure-taking 1";
const FORM: &str = "taking";
const FIELDS: u64 = 4;

/// What is taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// The officers' shares.
    Shares,
    /// The release: a view.
    Release,
}

/// An auditor's word that it takes now what its grant is for.
///
/// Threat: whoever has the role at the node takes what was granted to another: uses up its views, puts views on record that it never had, and
/// reads the headers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Taking {
    /// Which network.
    pub network: NetworkId,
    /// [`case_digest`]: of which grant, and from which holder.
    pub case: [u8; 32],
    /// What of it.
    pub part: Part,
    /// When, milliseconds since the Unix epoch. Each is later than the one before it: none counts twice.
    pub time: u64,
}

/// A taking and its signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedTaking {
    /// What it says.
    pub taking: Taking,
    /// With the key of the grant's request.
    pub signature: Signature,
}

impl Taking {
    /// Signs it.
    pub fn sign(self, key: &SigningKey) -> SignedTaking {
        let signature = key.sign(&self.statement());
        SignedTaking { taking: self, signature }
    }

    fn statement(&self) -> Vec<u8> {
        statement(PURPOSE, &self.network, &self.fields(FIELDS).finish())
    }

    fn fields(&self, count: u64) -> Form {
        let part = match self.part {
            Part::Shares => 0_u64,
            Part::Release => 1,
        };
        Form::of(count, 160).bytes(self.network.as_bytes()).bytes(&self.case).number(part).number(self.time)
    }
}

impl SignedTaking {
    /// Reads what [`SignedTaking::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        let read = || -> Result<Self, DecodeError> {
            let mut fields = Fields::of(bytes, FORM, FIELDS + 1)?;
            let taking = Taking {
                network: NetworkId::new(fields.array("network")?),
                case: fields.array("case")?,
                part: match fields.number::<u64>("part")? {
                    0 => Part::Shares,
                    1 => Part::Release,
                    _ => return Err(DecodeError::Value("part")),
                },
                time: fields.number("time")?,
            };
            let signed = Self { taking, signature: fields.array("signature")? };
            canonical(bytes, &signed.encode(), FORM)?;
            Ok(signed)
        };
        read().map_err(form(FORM))
    }

    /// `[network, case, part, time, signature]`.
    pub fn encode(&self) -> Vec<u8> {
        self.taking.fields(FIELDS + 1).bytes(&self.signature).finish()
    }

    /// Whether it is of this list and this part, and signed by whoever made the request.
    pub fn verify(&self, request: &Request, docket: &Docket, part: Part) -> Result<(), Refused> {
        let taking = &self.taking;
        if taking.network != request.network {
            return Err(Refused::Network(FORM));
        }
        if taking.case != case_digest(docket) || taking.part != part {
            return Err(Refused::OtherCase(FORM));
        }
        request.key.verify(&taking.statement(), &self.signature).map_err(|_| Refused::Signature(FORM))
    }
}
