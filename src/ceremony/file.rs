use std::fmt::Write as _;

use data_encoding::{BASE64, HEXLOWER};
use serde::Deserialize;

use super::{CeremonyError, CeremonyId};
use crate::crypto::sign::{Signature, SigningKey, VerifyKey, statement};
use crate::governance::Committee;
use crate::types::NetworkId;
use crate::wire::strict::Form;

const FORMAT: &str = "celosia committee 1";
/// Most signatures of a file: all officers of two committees.
const MAX_SIGNATURES: usize = 64;

/// A committee as its ceremony made it, with the signatures of all who took part: what governors take into a policy.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CommitteeFile {
    /// The network that it serves.
    pub network: NetworkId,
    /// The ceremony that made it.
    pub ceremony: CeremonyId,
    /// Digest of all commitments of the ceremony: everybody saw the same.
    pub transcript: [u8; 32],
    /// The committee.
    pub committee: Committee,
    /// Sorted by key.
    pub signatures: Vec<Signed>,
}

/// One signature of a committee.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Signed {
    /// Whose.
    pub key: VerifyKey,
    /// On network, ceremony, transcript and committee.
    pub signature: Signature,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    format: String,
    network: NetworkId,
    ceremony: String,
    transcript: String,
    committees: Vec<Committee>,
    #[serde(default)]
    signatures: Vec<SignatureText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureText {
    key: VerifyKey,
    signature: String,
}

impl CommitteeFile {
    /// Reads a file. Its form and the committee's rules are checked; its signatures by [`Self::check`].
    pub fn parse(text: &str) -> Result<Self, CeremonyError> {
        let wrong = |what: &str| CeremonyError::File(what.to_owned());
        let text: Text = toml::from_str(text).map_err(|error| wrong(error.message()))?;
        if text.format != FORMAT {
            return Err(wrong("the format is not \"celosia committee 1\""));
        }
        let digest = |text: &str| HEXLOWER.decode(text.as_bytes()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        let digest = |text: &str| digest(text).ok_or_else(|| wrong("a digest is not 32 bytes in hexadecimal"));
        let (ceremony, transcript) = (CeremonyId(digest(&text.ceremony)?), digest(&text.transcript)?);
        let [committee] = <[Committee; 1]>::try_from(text.committees).map_err(|_| wrong("it holds one committee"))?;
        if text.signatures.len() > MAX_SIGNATURES {
            return Err(wrong("too many signatures"));
        }
        let mut signatures = Vec::with_capacity(text.signatures.len());
        for SignatureText { key, signature } in text.signatures {
            let bytes = crate::types::base64(signature.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
            signatures.push(Signed { key, signature: bytes.ok_or_else(|| wrong("a signature is not 64 bytes in base64"))? });
        }
        committee.verify()?;
        Ok(Self { network: text.network, ceremony, transcript, committee, signatures })
    }

    /// The file.
    pub fn to_toml(&self) -> String {
        let mut out = format!("format = \"{FORMAT}\"\nnetwork = \"{}\"\nceremony = \"{}\"\n", self.network, self.ceremony);
        // Writing to a string does not fail.
        let _ = writeln!(out, "transcript = \"{}\"\n", HEXLOWER.encode(&self.transcript));
        out.push_str(self.committee.to_toml().trim_start());
        for Signed { key, signature } in &self.signatures {
            let _ = write!(out, "\n[[signatures]]\nkey = \"{key}\"\nsignature = \"{}\"\n", BASE64.encode(signature));
        }
        out
    }

    /// What officers sign of it.
    ///
    /// Threat: signatures of one network, ceremony, or committee shown for another.
    fn statement(&self) -> Vec<u8> {
        let form = Form::of(3, 2048).bytes(&self.ceremony.0).bytes(&self.transcript);
        statement(FORMAT, &self.network, &form.text(&self.committee.to_toml()).finish())
    }

    /// Signs it.
    pub fn sign(&self, key: &SigningKey) -> Signature {
        key.sign(&self.statement())
    }

    /// Whether a signature is a key's.
    pub(crate) fn is_signed(&self, key: &VerifyKey, signature: &Signature) -> bool {
        key.verify(&self.statement(), signature).is_ok()
    }

    /// Whether all its officers have signed: so none was shown another committee.
    pub fn check_own(&self) -> Result<(), CeremonyError> {
        let signed = |key: &VerifyKey| self.signatures.iter().any(|by| by.key == *key && self.is_signed(key, &by.signature));
        let missing = self.committee.officers.iter().filter(|officer| !signed(&officer.signing_key));
        let missing: Vec<&str> = missing.map(|officer| officer.name.as_str()).collect();
        if missing.is_empty() { Ok(()) } else { Err(CeremonyError::Unsigned(missing.join(", "))) }
    }

    /// What governors, and officers of the committee, check. `before` is the committee of this purpose and epoch that is in force.
    ///
    /// Threat: a committee that gives itself the place of another. From its second generation on, the key is the old one's and at least
    /// the old threshold of the old officers have signed.
    pub fn check(&self, before: Option<&Committee>) -> Result<(), CeremonyError> {
        self.check_own()?;
        let new = &self.committee;
        let Some(old) = before else {
            return if new.generation == 1 { Ok(()) } else { Err(CeremonyError::Successor("it has no committee before it")) };
        };
        if new == old {
            return Ok(());
        }
        if (new.purpose, new.epoch, new.key) != (old.purpose, old.epoch, old.key) {
            return Err(CeremonyError::Successor("purpose, epoch or key is another"));
        }
        if new.generation <= old.generation {
            return Err(CeremonyError::Successor("its generation is not a later one"));
        }
        if new.threshold < old.threshold {
            return Err(CeremonyError::Successor("its threshold is lower"));
        }
        let signed = |key: &VerifyKey| self.signatures.iter().any(|by| by.key == *key && self.is_signed(key, &by.signature));
        let count = old.officers.iter().filter(|officer| signed(&officer.signing_key)).count() as u64;
        if count >= old.threshold {
            return Ok(());
        }
        Err(CeremonyError::Unsigned(format!(
            "{count} officers of the committee before have signed, needed are {}",
            old.threshold
        )))
    }
}
