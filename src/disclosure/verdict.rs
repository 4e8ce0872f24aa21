use super::Refused;
use super::error::form;
use super::request::is_text;
use crate::crypto::Broken;
use crate::crypto::hash::sha256;
use crate::crypto::sign::{Signature, VerifyKey, statement};
use crate::types::NetworkId;
use crate::wire::DecodeError;
use crate::wire::strict::{Fields, Form, canonical};

/// What the signature of a verdict is for.
const PURPOSE: &str = "celosia disclosure-verdict 1";
const FORM: &str = "verdict";
const FIELDS: u64 = 7;

/// What an officer says of one request and one list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verdict {
    /// Which network.
    pub network: NetworkId,
    /// [`super::case_digest`]: of what.
    pub case: [u8; 32],
    /// The officer's signing key, as the policy lists it.
    pub officer: VerifyKey,
    /// Approved, or refused.
    pub approves: bool,
    /// Why, in the officer's words.
    pub text: String,
    /// When, milliseconds since the Unix epoch.
    pub time: u64,
    /// Until when the approval stands, milliseconds since the Unix epoch.
    pub until: u64,
}

/// A verdict and its officer's signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedVerdict {
    /// What it says.
    pub verdict: Verdict,
    /// The officer's.
    pub signature: Signature,
}

impl Verdict {
    /// Signs it with what signs for the officer.
    pub fn sign(self, sign: impl FnOnce(&[u8]) -> Signature) -> SignedVerdict {
        let signature = sign(&self.statement());
        SignedVerdict { verdict: self, signature }
    }

    fn statement(&self) -> Vec<u8> {
        statement(PURPOSE, &self.network, &self.fields(FIELDS).finish())
    }

    fn fields(&self, count: u64) -> Form {
        Form::of(count, 256 + self.text.len())
            .bytes(self.network.as_bytes())
            .bytes(&self.case)
            .bytes(self.officer.as_bytes())
            .truth(self.approves)
            .text(&self.text)
            .number(self.time)
            .number(self.until)
    }
}

impl SignedVerdict {
    /// Reads what [`SignedVerdict::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        read(bytes).map_err(form(FORM))
    }

    /// `[network, case, officer, approves, text, time, until, signature]`.
    pub fn encode(&self) -> Vec<u8> {
        self.verdict.fields(FIELDS + 1).bytes(&self.signature).finish()
    }

    /// SHA-256 of its bytes: its name in the record of the view.
    pub fn digest(&self) -> [u8; 32] {
        sha256(&[&self.encode()])
    }

    /// Whether the signature is the named officer's. The caller compares network, case and committee.
    pub fn verify(&self) -> Result<(), Refused> {
        let key = &self.verdict.officer;
        key.verify(&self.verdict.statement(), &self.signature).map_err(|Broken| Refused::VerdictSignature)
    }
}

fn read(bytes: &[u8]) -> Result<SignedVerdict, DecodeError> {
    let mut fields = Fields::of(bytes, FORM, FIELDS + 1)?;
    let verdict = Verdict {
        network: NetworkId::new(fields.array("network")?),
        case: fields.array("case")?,
        officer: VerifyKey::new(fields.array("officer")?),
        approves: fields.truth("decision")?,
        text: fields.word("text")?,
        time: fields.number("time")?,
        until: fields.number("until")?,
    };
    if !is_text(&verdict.text) {
        return Err(DecodeError::Value("text"));
    }
    if verdict.approves && verdict.time >= verdict.until {
        return Err(DecodeError::Value("until"));
    }
    let signed = SignedVerdict { verdict, signature: fields.array("signature")? };
    canonical(bytes, &signed.encode(), FORM)?;
    Ok(signed)
}
