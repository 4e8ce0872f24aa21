use data_encoding::{BASE64, HEXLOWER};
use serde::{Deserialize, Serialize};

use super::{CeremonyError, CeremonyId, Plan};
use crate::crypto::hash::sha256;
use crate::crypto::sign::{Signature, SigningKey, VerifyKey, statement};
use crate::types::NetworkId;
use crate::wire::strict::{Fields, Form, canonical};

const FORMAT: &str = "celosia ceremony message 1";
/// Longest message, in bytes of its file.
pub(crate) const MAX_MESSAGE: usize = 64 * 1024;
/// Most entries of a list: a party each.
const MAX_PARTIES: usize = 64;

/// What one officer says in one round, signed: a file that whoever likes may carry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Message {
    /// Of which ceremony.
    pub ceremony: CeremonyId,
    /// 1 to 3.
    pub round: u8,
    /// Who says it.
    pub from: VerifyKey,
    /// What is said.
    pub body: Vec<u8>,
    /// On all of the above, with the body's digest: digest and signature alone prove what was said.
    pub signature: Signature,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Text {
    format: String,
    ceremony: String,
    round: u8,
    from: VerifyKey,
    body: String,
    signature: String,
}

impl Message {
    /// Signs what is said.
    pub fn sign(plan: &Plan, round: u8, key: &SigningKey, body: Vec<u8>) -> Self {
        let (ceremony, from) = (plan.id(), key.verify_key());
        let signature = key.sign(&signed(&plan.network, &ceremony, round, &from, &sha256(&[&body])));
        Self { ceremony, round, from, body, signature }
    }

    /// Whether the author signed it.
    pub(crate) fn is_signed(&self, network: &NetworkId) -> bool {
        let seen = Seen { digest: self.digest(), signature: self.signature };
        seen.is_signed(network, &self.ceremony, self.round, &self.from)
    }

    pub(crate) fn digest(&self) -> [u8; 32] {
        sha256(&[&self.body])
    }

    /// Reads a file.
    pub fn parse(json: &[u8]) -> Result<Self, CeremonyError> {
        if json.len() > MAX_MESSAGE {
            return Err(CeremonyError::Message("it is longer than 64 KiB"));
        }
        let text: Text = serde_json::from_slice(json).map_err(|_| CeremonyError::Message("it is not its JSON"))?;
        if text.format != FORMAT {
            return Err(CeremonyError::Message("the format is not \"celosia ceremony message 1\""));
        }
        let ceremony: CeremonyId = text.ceremony.parse()?;
        let body = crate::types::base64(text.body.as_bytes()).map_err(|_| CeremonyError::Message("the body is not base64"))?;
        let signature = crate::types::base64(text.signature.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        let signature = signature.ok_or(CeremonyError::Message("the signature is not 64 bytes in base64"))?;
        if !(1..=3).contains(&text.round) {
            return Err(CeremonyError::Message("a ceremony has rounds 1 to 3"));
        }
        Ok(Self { ceremony, round: text.round, from: text.from, body, signature })
    }

    /// The file.
    ///
    /// # Panics
    /// Never: strings and numbers have that form.
    pub fn to_json(&self) -> String {
        let text = Text {
            format: FORMAT.to_owned(),
            ceremony: self.ceremony.to_string(),
            round: self.round,
            from: self.from,
            body: BASE64.encode(&self.body),
            signature: BASE64.encode(&self.signature),
        };
        serde_json::to_string_pretty(&text).expect("strings and numbers have a JSON form")
    }

    /// Its name: no two messages of a ceremony share one.
    pub fn file_name(&self) -> String {
        let ceremony = self.ceremony.to_string();
        format!("{}-{}-{}.json", &ceremony[..12], self.round, &HEXLOWER.encode(self.from.as_bytes())[..12])
    }
}

fn signed(network: &NetworkId, ceremony: &CeremonyId, round: u8, from: &VerifyKey, digest: &[u8; 32]) -> Vec<u8> {
    let form = Form::of(4, 160).bytes(&ceremony.0).number(round).bytes(from.as_bytes()).bytes(digest);
    statement(FORMAT, network, &form.finish())
}

/// What somebody saw of a dealer's first message: enough to prove that the dealer said it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Seen {
    /// SHA-256 of the body.
    pub digest: [u8; 32],
    /// The dealer's.
    pub signature: Signature,
}

impl Seen {
    pub(crate) fn is_signed(&self, network: &NetworkId, ceremony: &CeremonyId, round: u8, from: &VerifyKey) -> bool {
        from.verify(&signed(network, ceremony, round, from, &self.digest), &self.signature).is_ok()
    }
}

/// The second message: what was seen of each dealer, in the order of their indexes; and from a dealer, what is sealed to each receiver, in
/// the order of theirs (nothing to itself).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Numbers {
    /// Of each dealer's first message.
    pub seen: Vec<Seen>,
    /// HPKE, the scalar inside. Empty of one who does not deal.
    pub sealed: Vec<Vec<u8>>,
}

impl Numbers {
    /// Deterministic CBOR.
    pub fn encode(&self) -> Vec<u8> {
        let mut form = Form::of(2, 4096).list(self.seen.len() as u64);
        for Seen { digest, signature } in &self.seen {
            form = form.list(2).bytes(digest).bytes(signature);
        }
        form = form.list(self.sealed.len() as u64);
        self.sealed.iter().fold(form, |form, sealed| form.bytes(sealed)).finish()
    }

    /// Reads it. Total, bounded.
    pub fn decode(bytes: &[u8]) -> Result<Self, CeremonyError> {
        let read = || {
            let mut fields = Fields::of(bytes, "numbers", 2)?;
            let seen = fields.list("seen", |fields| {
                fields.nested("seen", 2)?;
                Ok(Seen { digest: fields.array("digest")?, signature: fields.array("signature")? })
            })?;
            let sealed = fields.list("sealed", |fields| fields.bytes("sealed", 128).map(<[u8]>::to_vec))?;
            let numbers = Self { seen, sealed };
            canonical(bytes, &numbers.encode(), "numbers")?;
            Ok::<_, crate::wire::DecodeError>(numbers)
        };
        let numbers = read().map_err(|_| CeremonyError::Message("its second message is not of the form"))?;
        if numbers.seen.len() > MAX_PARTIES || numbers.sealed.len() > MAX_PARTIES {
            return Err(CeremonyError::Message("its second message is too long"));
        }
        Ok(numbers)
    }
}

/// The third message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// All is well: a signature on the committee.
    Signed {
        /// Digest of all commitments.
        transcript: [u8; 32],
        /// On the committee, see [`super::CommitteeFile`].
        signature: Signature,
    },
    /// A dealer's number to the accuser does not fit, or does not open.
    Accuse {
        /// The dealer.
        dealer: VerifyKey,
    },
}

impl Verdict {
    /// Deterministic CBOR.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Signed { transcript, signature } => Form::of(3, 110).number(0_u8).bytes(transcript).bytes(signature).finish(),
            Self::Accuse { dealer } => Form::of(2, 40).number(1_u8).bytes(dealer.as_bytes()).finish(),
        }
    }

    /// Reads it. Total, bounded.
    pub fn decode(bytes: &[u8]) -> Result<Self, CeremonyError> {
        let read = || {
            let verdict = match Fields::of(bytes, "verdict", 3) {
                Ok(mut fields) => {
                    let _: u8 = fields.number("kind")?;
                    Self::Signed { transcript: fields.array("transcript")?, signature: fields.array("signature")? }
                }
                Err(_) => {
                    let mut fields = Fields::of(bytes, "verdict", 2)?;
                    let _: u8 = fields.number("kind")?;
                    Self::Accuse { dealer: VerifyKey::new(fields.array("dealer")?) }
                }
            };
            canonical(bytes, &verdict.encode(), "verdict")?;
            Ok::<_, crate::wire::DecodeError>(verdict)
        };
        read().map_err(|_| CeremonyError::Message("its third message is not of the form"))
    }
}
