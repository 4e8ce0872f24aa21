//! What a holder gives: for each payload sigma and nonce, the ciphertext, and header and acknowledgements; all but the ciphertext sealed to the
//! grant's key.

use super::error::form;
use super::request::GrantId;
use super::{Docket, Refused, case_digest};
use crate::crypto::hash::payload_id;
use crate::crypto::sign::{Signature, VerifyKey, statement};
use crate::types::{MemberId, NetworkId, PayloadId, is_hidden};
use crate::wire::DecodeError;
use crate::wire::strict::{Fields, Form, canonical};

/// What the signature of a release is for.
const PURPOSE: &str = "celosia disclosure-release 2";
/// What the signature of a reason is for.
const REASON: &str = "celosia disclosure-withheld 1";
const SIGMA: &[u8] = b"celosia disclosure sigma 1\0";
const FORM: &str = "release";
const FIELDS: u64 = 7;
/// Longest ciphertext, in bytes.
const MAX_CIPHERTEXT: usize = 1 << 29;
/// Longest sealed provenance, in bytes.
const MAX_PROVENANCE: usize = 64 << 20;
/// Longest words of why something is not released, in bytes.
const MAX_WORDS: usize = 1_024;

/// HPKE's info of what a holder seals: for one list of one grant.
pub fn sigma_info(case: &[u8; 32]) -> Vec<u8> {
    [SIGMA, case].concat()
}

/// The head of a release: whose, of which view.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Release {
    /// Which network.
    pub network: NetworkId,
    /// Which grant.
    pub grant: GrantId,
    /// [`case_digest`].
    pub case: [u8; 32],
    /// Who releases.
    pub member: MemberId,
    /// Which view, from 1.
    pub view: u32,
    /// When, milliseconds since the Unix epoch.
    pub time: u64,
    /// How many items follow.
    pub items: u64,
}

/// A head and its member's signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedRelease {
    /// What it says.
    pub release: Release,
    /// The member's on [`Release::statement`].
    pub signature: Signature,
}

impl Release {
    /// What is signed.
    pub fn statement(&self) -> Vec<u8> {
        statement(PURPOSE, &self.network, &self.fields(FIELDS).finish())
    }

    fn fields(&self, count: u64) -> Form {
        Form::of(count, 256)
            .bytes(self.network.as_bytes())
            .bytes(&self.grant.0)
            .bytes(&self.case)
            .text(self.member.as_str())
            .number(self.view)
            .number(self.time)
            .number(self.items)
    }
}

impl SignedRelease {
    /// Reads what [`SignedRelease::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        read_head(bytes).map_err(form(FORM))
    }

    /// `[network, grant, case, member, view, time, items, signature]`.
    pub fn encode(&self) -> Vec<u8> {
        self.release.fields(FIELDS + 1).bytes(&self.signature).finish()
    }

    /// Whether it is of this list, and its holder's.
    pub fn verify(&self, docket: &Docket, key: &VerifyKey) -> Result<(), Refused> {
        let release = &self.release;
        if release.network != docket.network {
            return Err(Refused::Network(FORM));
        }
        if release.grant != docket.grant || release.case != case_digest(docket) || release.member != docket.member {
            return Err(Refused::OtherCase(FORM));
        }
        key.verify(&release.statement(), &self.signature).map_err(|_| Refused::Signature(FORM))
    }
}

fn read_head(bytes: &[u8]) -> Result<SignedRelease, DecodeError> {
    let mut fields = Fields::of(bytes, FORM, FIELDS + 1)?;
    let release = Release {
        network: NetworkId::new(fields.array("network")?),
        grant: GrantId(fields.array("grant")?),
        case: fields.array("case")?,
        member: fields.word("member")?,
        view: fields.number("view")?,
        time: fields.number("time")?,
        items: fields.number("items")?,
    };
    let signed = SignedRelease { release, signature: fields.array("signature")? };
    canonical(bytes, &signed.encode(), FORM)?;
    Ok(signed)
}

/// One payload of a release.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Released {
    /// It is given.
    Given {
        /// Which.
        id: PayloadId,
        /// Sigma and nonce, sealed to the grant's key with [`sigma_info`] and the label.
        sealed: Vec<u8>,
        /// What the chain's id is the hash of.
        ciphertext: Vec<u8>,
        /// [`super::Provenance::seal`]: header and acknowledgements.
        provenance: Vec<u8>,
    },
    /// It is not given, and why.
    Withheld {
        /// Which.
        id: PayloadId,
        /// Why: it was erased or blocked since, and under which reference.
        why: String,
        /// The holder's on [`Released::reason`].
        signature: Signature,
    },
}

impl Released {
    /// Which payload.
    pub const fn id(&self) -> PayloadId {
        match self {
            Self::Given { id, .. } | Self::Withheld { id, .. } => *id,
        }
    }

    /// Words as a reason has them: one line, without what is hidden, at most [`MAX_WORDS`].
    pub fn words(words: &str) -> String {
        let mut clean = String::with_capacity(words.len().min(MAX_WORDS));
        for c in words.trim().chars().map(|c| if is_hidden(c) { ' ' } else { c }) {
            if clean.len() + c.len_utf8() > MAX_WORDS {
                break;
            }
            clean.push(c);
        }
        let clean = clean.trim();
        if clean.is_empty() { "no reason is kept".into() } else { clean.into() }
    }

    /// What a holder signs of a payload that it does not give in a view.
    ///
    /// Threat: whoever carries a release puts an erasure that never was in the place of a payload.
    pub fn reason(docket: &Docket, view: u32, id: &PayloadId, why: &str) -> Vec<u8> {
        let form = Form::of(4, 128 + why.len()).bytes(&case_digest(docket)).number(view).bytes(id.as_bytes()).text(why);
        statement(REASON, &docket.network, &form.finish())
    }

    /// What anybody can tell without the key of the grant: that a ciphertext is the one that the chain's id names, and that a reason is the
    /// word of the docket's member on a view. `keys` are the member's, of now and of before.
    pub fn check(&self, docket: &Docket, view: u32, keys: &[VerifyKey]) -> Result<(), Refused> {
        match self {
            Self::Given { id, ciphertext, .. } if payload_id(ciphertext) != *id => Err(Refused::Ciphertext(*id)),
            _ => self.check_reason(docket, view, keys),
        }
    }

    /// Whether the reason, if it is one, is the word of the docket's member on a view. `keys` are the member's, of now and of before.
    pub fn check_reason(&self, docket: &Docket, view: u32, keys: &[VerifyKey]) -> Result<(), Refused> {
        let Self::Withheld { id, why, signature } = self else { return Ok(()) };
        let statement = Self::reason(docket, view, id, why);
        let is_signed = keys.iter().any(|key| key.verify(&statement, signature).is_ok());
        if is_signed { Ok(()) } else { Err(Refused::Signature("reason")) }
    }

    /// Reads what [`Released::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        read(bytes).map_err(form("released payload"))
    }

    /// `[id, sealed, ciphertext, provenance]`, or `[id, why, signature]`.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Withheld { id, why, signature } => {
                Form::of(3, 192 + why.len()).bytes(id.as_bytes()).text(why).bytes(signature).finish()
            }
            Self::Given { id, sealed, ciphertext, provenance } => {
                let form = Form::of(4, 512 + ciphertext.len() + provenance.len());
                form.bytes(id.as_bytes()).bytes(sealed).bytes(ciphertext).bytes(provenance).finish()
            }
        }
    }
}

fn read(bytes: &[u8]) -> Result<Released, DecodeError> {
    let (count, mut fields) = Fields::any(bytes, FORM)?;
    let id = PayloadId::new(fields.array("payload id")?);
    let released = match count {
        3 => {
            let why: String = fields.word("words")?;
            // Threat: words that move a terminal's cursor and write over what was said before.
            if why != Released::words(&why) {
                return Err(DecodeError::Value("words"));
            }
            Released::Withheld { id, why, signature: fields.array("signature")? }
        }
        4 => {
            let sealed = fields.bytes("sigma", 512)?.to_vec();
            let ciphertext = fields.bytes("ciphertext", MAX_CIPHERTEXT)?.to_vec();
            Released::Given { id, sealed, ciphertext, provenance: fields.bytes("provenance", MAX_PROVENANCE)?.to_vec() }
        }
        _ => return Err(DecodeError::Length(FORM)),
    };
    canonical(bytes, &released.encode(), FORM)?;
    Ok(released)
}
