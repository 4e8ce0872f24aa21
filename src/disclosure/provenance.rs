//! Who sent a released payload and who acknowledged it: header and acknowledgements, sealed to the auditor.
//!
//! Threat: whoever carries a release (mail, a stick, the holder's own proxy) reads who dealt with whom. What is in the clear of a payload is
//! its id, which is on the chain, and a ciphertext.

use super::Refused;
use super::error::form;
use super::file::{Frame, frame, head};
use crate::crypto::hpke::{self, BoxKey};
use crate::crypto::secret::Secret;
use crate::crypto::sign::Signature;
use crate::types::PayloadId;
use crate::wire::strict::{Fields, Form, canonical};
use crate::wire::{DecodeError, SignedAck};

const INFO: &[u8] = b"celosia disclosure provenance 1\0";
const FORM: &str = "provenance";
/// Longest header or acknowledgement, in bytes.
const MAX_PART: usize = 4 << 20;
/// What is sealed is a multiple of so many bytes.
///
/// Threat: the length of what is sealed counts the recipients.
const STEP: usize = 2_048;

/// Header and acknowledgements of a payload, as its holder keeps them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Provenance {
    /// The sender's header and its signature. Of what came from a Tessera the holder's own word on the rules that it keeps, or nothing.
    pub header: Option<(Vec<u8>, Signature)>,
    /// Acknowledgements of recipients, where the holder has them.
    pub acks: Vec<SignedAck>,
}

impl Provenance {
    /// Reads what [`Provenance::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        read(bytes).map_err(form(FORM))
    }

    /// `[header or null, signature or null, [acknowledgement …]]`.
    pub fn encode(&self) -> Vec<u8> {
        let of = Form::of(3, 512 + 450 * self.acks.len());
        let form = match &self.header {
            Some((header, signature)) => of.bytes(header).bytes(signature),
            None => of.null().null(),
        };
        self.acks.iter().fold(form.list(self.acks.len() as u64), |form, ack| form.bytes(&ack.encode())).finish()
    }

    /// Sealed by HPKE to the key of a grant, for one payload of one list: `info = "celosia disclosure provenance 1" ‖ 0`, associated data
    /// `case ‖ id`, content a byte string of [`Provenance::encode`] and zeros up to a multiple of 2,048 bytes.
    pub fn seal(&self, to: &BoxKey, case: &[u8; 32], id: &PayloadId) -> Result<Vec<u8>, Refused> {
        let mut plain = frame(&self.encode());
        plain.resize(plain.len().next_multiple_of(STEP), 0);
        hpke::seal(to, INFO, &aad(case, id), &plain).map_err(|_| Refused::Form("request", "its box key is unusable".into()))
    }

    /// Opens what [`Provenance::seal`] made.
    pub fn open(private: &Secret<32>, case: &[u8; 32], id: &PayloadId, sealed: &[u8]) -> Result<Self, Refused> {
        let plain = hpke::open(private, INFO, &aad(case, id), sealed).map_err(|_| Refused::Provenance(*id))?;
        let Frame::Of { head, content } = head(&plain)? else { return Err(Refused::Provenance(*id)) };
        let end = head.saturating_add(content);
        let bytes = plain.get(head..end).ok_or(Refused::Provenance(*id))?;
        if end.next_multiple_of(STEP) != plain.len() || plain[end..].iter().any(|byte| *byte != 0) {
            return Err(Refused::Provenance(*id));
        }
        Self::decode(bytes)
    }
}

fn aad(case: &[u8; 32], id: &PayloadId) -> Vec<u8> {
    [&case[..], id.as_bytes()].concat()
}

fn read(bytes: &[u8]) -> Result<Provenance, DecodeError> {
    let mut fields = Fields::of(bytes, FORM, 3)?;
    let header = fields.option("header", |fields| Ok(fields.bytes("header", MAX_PART)?.to_vec()))?;
    let signature = fields.option("signature", |fields| fields.array("signature"))?;
    if header.is_some() != signature.is_some() {
        return Err(DecodeError::Value("signature"));
    }
    let acks = fields.list("acknowledgements", |fields| SignedAck::decode(fields.bytes("acknowledgement", MAX_PART)?))?;
    let provenance = Provenance { header: header.zip(signature), acks };
    canonical(bytes, &provenance.encode(), FORM)?;
    Ok(provenance)
}
