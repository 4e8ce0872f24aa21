//! Envelopes for what is blocked: sealed so that the node alone cannot open them, and the hold committee alone cannot, either.
//!
//! ```text
//! envelope = 2 (1) ‖ committee (32) ‖ capsule (176) ‖ sigma (32) ‖ XChaCha20-Poly1305(key, aad = label, content)
//! capsule  = that of `key` and `sigma` for the committee's key and the label (`docs/threshold.md`)
//! answer   = of an officer, for each envelope: HPKE(partial decryption (98)), info "celosia hold answer 2", aad = label
//! ```
//!
//! `key` and `sigma` are random. The envelope lies under a leaf of the key tree, and `sigma` with it: destroying the leaf destroys what
//! all officers' answers are good for, those that were written down before included.

use zeroize::Zeroizing;

use crate::crypto::hash::sha256;
use crate::crypto::hpke::{self, BoxKey};
use crate::crypto::secret::Secret;
use crate::crypto::sign::SigningKey;
use crate::crypto::threshold::{Capsule, GroupKey, KeyShare, Partial, Prepared, combine};
use crate::crypto::{Broken, aead};
use crate::erasure::{ANSWER_FORMAT, HoldAnswer, HoldRequest, LockedEnvelope, OpenedEnvelope};

const VERSION: u8 = 2;
const ANSWER: &[u8] = b"celosia hold answer 2";

/// What the committee is shown of an envelope, besides its label.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HoldLock {
    /// To whose key it is sealed.
    pub committee: GroupKey,
    /// What officers give partial decryptions of.
    pub capsule: Capsule,
}

/// Seals content to a committee.
pub fn seal(committee: &GroupKey, label: &[u8], content: &[u8]) -> Zeroizing<Vec<u8>> {
    let (key, sigma) = (Secret::<32>::random(), Secret::<32>::random());
    let capsule = Capsule::make(&Prepared::new(committee), &key, &sigma, label);
    let sealed = aead::seal(key.expose(), label, content);
    let mut envelope = Zeroizing::new(Vec::with_capacity(1 + 32 + Capsule::LEN + 32 + sealed.len()));
    envelope.push(VERSION);
    envelope.extend_from_slice(committee.as_bytes());
    envelope.extend_from_slice(&capsule.to_bytes());
    envelope.extend_from_slice(sigma.expose());
    envelope.extend_from_slice(&sealed);
    envelope
}

/// The lock of an envelope.
pub fn lock_of(envelope: &[u8]) -> Result<HoldLock, Broken> {
    parts(envelope).map(|(lock, _, _)| lock)
}

/// Opens an envelope with the answers of as many officers as open; each was verified before ([`Partial::verify`]).
pub fn open(envelope: &[u8], partials: &[Partial], label: &[u8]) -> Result<Zeroizing<Vec<u8>>, Broken> {
    let (lock, sigma, sealed) = parts(envelope)?;
    let combined = combine(partials.len(), partials).map_err(|_| Broken)?;
    let key = lock.capsule.open(&combined, &sigma, label)?;
    aead::open(key.expose(), label, sealed)
}

fn parts(envelope: &[u8]) -> Result<(HoldLock, Secret<32>, &[u8]), Broken> {
    let (version, rest) = envelope.split_first().ok_or(Broken)?;
    let (committee, rest) = rest.split_first_chunk::<32>().ok_or(Broken)?;
    let (capsule, rest) = rest.split_first_chunk::<{ Capsule::LEN }>().ok_or(Broken)?;
    let (sigma, sealed) = rest.split_first_chunk::<32>().ok_or(Broken)?;
    if *version != VERSION {
        return Err(Broken);
    }
    let committee = GroupKey::from_bytes(*committee).map_err(|_| Broken)?;
    let capsule = Capsule::try_from(capsule.as_slice()).map_err(|_| Broken)?;
    Ok((HoldLock { committee, capsule }, Secret::from_slice(sigma).ok_or(Broken)?, sealed))
}

/// The whole of what an officer does: a partial decryption of each envelope of a request, for the label that it shows, sealed to the
/// request's one-time key. `share` gives the officer's share of a committee's key.
///
/// # Errors
/// [`Broken`] for a capsule that is not one of its committee and label, or a key of low order: no enclave made the request.
pub fn answer<'a>(
    request: &HoldRequest,
    key: &SigningKey,
    share: impl Fn(&GroupKey) -> Option<&'a KeyShare>,
) -> Result<HoldAnswer, Broken> {
    let mut envelopes = Vec::with_capacity(request.envelopes.len());
    for LockedEnvelope { label, committee, capsule } in &request.envelopes {
        let label = label.encode();
        let parsed = Capsule::try_from(capsule.as_slice()).map_err(|_| Broken)?;
        let partial = share(committee).ok_or(Broken)?.partial(committee, &parsed, &label)?;
        let share = hpke::seal(&request.key, ANSWER, &label, &partial.to_bytes())?;
        envelopes.push(OpenedEnvelope { capsule: sha256(&[capsule]).to_vec(), share });
    }
    let officer = key.verify_key();
    let mut answer = HoldAnswer {
        format: ANSWER_FORMAT.to_owned(),
        hold: request.hold,
        key: request.key,
        officer,
        envelopes,
        signature: Vec::new(),
    };
    answer.signature = key.sign(&answer.statement(&request.network)).to_vec();
    Ok(answer)
}

/// Opens one envelope's part of an answer, with the one-time key's private half.
pub fn open_answer(one_time: &Secret<32>, label: &[u8], sealed: &[u8]) -> Result<Partial, Broken> {
    Partial::try_from(hpke::open(one_time, ANSWER, label, sealed)?.as_slice()).map_err(|_| Broken)
}

/// The public half of a one-time key.
pub fn one_time_key(private: &Secret<32>) -> BoxKey {
    BoxKey::of(private)
}

#[cfg(test)]
pub(crate) mod tests;
