//! Envelopes for what is blocked: sealed so that the node alone cannot open them, and the hold committee alone cannot, either.
//!
//! ```text
//! share    = HKDF[salt = lock ‖ committee, info = "celosia hold envelope 1" ‖ SHA-256(label)](X25519 of lock and committee)
//! key      = HKDF[salt = lock, info = "celosia hold content 1" ‖ SHA-256(label)](share ‖ sigma)
//! envelope = 1 (1) ‖ lock (32) ‖ sigma (32) ‖ XChaCha20-Poly1305(key, aad = label, content)
//! answer   = XChaCha20-Poly1305(HKDF[salt = from ‖ one-time, info = "celosia hold answer 1"](X25519 of the two), aad = label, share)
//! ```
//!
//! X25519 stands for NaCl's `crypto_box_beforenm`. The envelope lies under a leaf of the key tree, and `sigma` with it: destroying the leaf
//! destroys what the committee's answers are good for, those that were written down before included.

use zeroize::Zeroizing;

use crate::crypto::hash::sha256;
use crate::crypto::nacl::{self, LowOrder};
use crate::crypto::secret::Secret;
use crate::crypto::{Broken, aead, kdf};
use crate::erasure::{ANSWER_FORMAT, HoldAnswer, HoldRequest, LockedEnvelope, OpenedEnvelope};
use crate::types::Address;

const VERSION: u8 = 1;
const ENVELOPE: &[u8] = b"celosia hold envelope 1";
const CONTENT: &[u8] = b"celosia hold content 1";
const ANSWER: &[u8] = b"celosia hold answer 1";
/// Version, lock and sigma.
const PREFIX: usize = 65;

/// To whom envelopes are sealed. Opening is elsewhere: where the committee's private key is.
pub trait HoldCommittee {
    /// A fresh lock for a label, and the share of the key that only the committee gets back from it.
    fn lock(&self, label: &[u8]) -> Result<(Address, Secret<32>), LowOrder>;
}

/// A committee with a single X25519 key.
#[derive(Clone, Copy, Debug)]
pub struct SingleKey(pub Address);

impl HoldCommittee for SingleKey {
    fn lock(&self, label: &[u8]) -> Result<(Address, Secret<32>), LowOrder> {
        let ephemeral = Secret::random();
        let lock = nacl::public_key(&ephemeral);
        let share = share(&nacl::shared_key(&ephemeral, &self.0)?, &lock, &self.0, label);
        Ok((lock, share))
    }
}

/// What the committee's key makes of a lock: right for this label alone.
pub fn unlock(private: &Secret<32>, lock: &Address, label: &[u8]) -> Result<Secret<32>, LowOrder> {
    Ok(share(&nacl::shared_key(private, lock)?, lock, &nacl::public_key(private), label))
}

fn share(shared: &Secret<32>, lock: &Address, committee: &Address, label: &[u8]) -> Secret<32> {
    let salt = [lock.as_bytes().as_slice(), committee.as_bytes()].concat();
    kdf::hkdf(&salt, shared.expose(), &[ENVELOPE, &sha256(&[label])])
}

/// Seals content to a committee.
pub fn seal(committee: &dyn HoldCommittee, label: &[u8], content: &[u8]) -> Result<Zeroizing<Vec<u8>>, LowOrder> {
    let (lock, share) = committee.lock(label)?;
    let sigma = Secret::<32>::random();
    let key = content_key(&lock, &share, sigma.expose(), label);
    let sealed = aead::seal(key.expose(), label, content);
    let mut envelope = Zeroizing::new(Vec::with_capacity(PREFIX + sealed.len()));
    envelope.push(VERSION);
    envelope.extend_from_slice(lock.as_bytes());
    envelope.extend_from_slice(sigma.expose());
    envelope.extend_from_slice(&sealed);
    Ok(envelope)
}

/// The lock of an envelope: what the committee is shown of it.
pub fn lock_of(envelope: &[u8]) -> Result<Address, Broken> {
    parts(envelope).map(|(lock, _, _)| lock)
}

/// Opens an envelope with the committee's share.
pub fn open(envelope: &[u8], share: &Secret<32>, label: &[u8]) -> Result<Zeroizing<Vec<u8>>, Broken> {
    let (lock, sigma, sealed) = parts(envelope)?;
    aead::open(content_key(&lock, share, sigma, label).expose(), label, sealed)
}

fn parts(envelope: &[u8]) -> Result<(Address, &[u8; 32], &[u8]), Broken> {
    let (version, rest) = envelope.split_first().ok_or(Broken)?;
    let (lock, rest) = rest.split_first_chunk::<32>().ok_or(Broken)?;
    let (sigma, sealed) = rest.split_first_chunk::<32>().ok_or(Broken)?;
    if *version == VERSION { Ok((Address::new(*lock), sigma, sealed)) } else { Err(Broken) }
}

fn content_key(lock: &Address, share: &Secret<32>, sigma: &[u8; 32], label: &[u8]) -> Secret<32> {
    let mut both = Zeroizing::new([0; 64]);
    both[..32].copy_from_slice(share.expose());
    both[32..].copy_from_slice(sigma);
    kdf::hkdf(lock.as_bytes(), both.as_slice(), &[CONTENT, &sha256(&[label])])
}

/// The committee's side of an answer.
#[derive(Debug)]
pub struct Answering {
    from: Address,
    key: Secret<32>,
}

impl Answering {
    /// Answers to a one-time key.
    pub fn to(one_time: &Address) -> Result<Self, LowOrder> {
        let ephemeral = Secret::random();
        let from = nacl::public_key(&ephemeral);
        let key = answer_key(&nacl::shared_key(&ephemeral, one_time)?, &from, one_time);
        Ok(Self { from, key })
    }

    /// The ephemeral key that goes with the answer.
    pub fn from(&self) -> Address {
        self.from
    }

    /// Seals a share.
    pub fn seal(&self, share: &Secret<32>, label: &[u8]) -> Vec<u8> {
        aead::seal(self.key.expose(), label, share.expose())
    }
}

/// Opens what [`Answering::seal`] made, with the one-time key's private half.
pub fn open_answer(one_time: &Secret<32>, from: &Address, label: &[u8], sealed: &[u8]) -> Result<Secret<32>, Broken> {
    let shared = nacl::shared_key(one_time, from).map_err(|LowOrder| Broken)?;
    let key = answer_key(&shared, from, &nacl::public_key(one_time));
    Secret::from_slice(&aead::open(key.expose(), label, sealed)?).ok_or(Broken)
}

/// The whole of what the committee does: opens the locks of a request for the labels that it shows, and seals the shares to its one-time key.
pub fn answer(request: &HoldRequest, private: &Secret<32>) -> Result<HoldAnswer, LowOrder> {
    let answering = Answering::to(&request.key)?;
    let mut envelopes = Vec::with_capacity(request.envelopes.len());
    for LockedEnvelope { label, lock } in &request.envelopes {
        let bytes = label.encode();
        let share = answering.seal(&unlock(private, lock, &bytes)?, &bytes);
        envelopes.push(OpenedEnvelope { label: label.clone(), lock: *lock, share });
    }
    Ok(HoldAnswer { format: ANSWER_FORMAT.to_owned(), hold: request.hold, key: request.key, from: answering.from(), envelopes })
}

fn answer_key(shared: &Secret<32>, from: &Address, one_time: &Address) -> Secret<32> {
    let salt = [from.as_bytes().as_slice(), one_time.as_bytes()].concat();
    kdf::hkdf(&salt, shared.expose(), &[ANSWER])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Secret<32>, Address) {
        let private = Secret::random();
        let public = nacl::public_key(&private);
        (private, public)
    }

    #[test]
    fn an_envelope_opens_with_both_halves_for_its_label_alone() {
        let (private, committee) = pair();
        let envelope = seal(&SingleKey(committee), b"label", b"content").expect("a usable key");
        let lock = lock_of(&envelope).expect("an envelope");
        let share = unlock(&private, &lock, b"label").expect("a usable lock");
        assert_eq!(open(&envelope, &share, b"label").expect("opens").as_slice(), b"content");
        // The committee was shown another label: its share opens nothing.
        let other = unlock(&private, &lock, b"lable").expect("a usable lock");
        assert!(open(&envelope, &other, b"label").is_err() && open(&envelope, &other, b"lable").is_err());
        // Another committee's key, or another sigma, opens nothing.
        let stranger = unlock(&pair().0, &lock, b"label").expect("a usable lock");
        assert!(open(&envelope, &stranger, b"label").is_err());
        for at in 0..envelope.len() {
            let mut changed = envelope.clone();
            changed[at] ^= 1;
            assert!(open(&changed, &share, b"label").is_err(), "byte {at}");
            assert!(open(&envelope[..at], &share, b"label").is_err(), "{at} bytes");
        }
        assert_eq!(seal(&SingleKey(Address::new([0; 32])), b"label", b"").map(drop), Err(LowOrder));
    }

    #[test]
    fn an_answer_is_for_one_key_and_one_label() {
        let (private, one_time) = pair();
        let answering = Answering::to(&one_time).expect("a usable key");
        let share = Secret::random();
        let sealed = answering.seal(&share, b"label");
        assert_eq!(open_answer(&private, &answering.from(), b"label", &sealed), Ok(share));
        assert!(open_answer(&private, &answering.from(), b"other", &sealed).is_err());
        assert!(open_answer(&pair().0, &answering.from(), b"label", &sealed).is_err());
        assert!(open_answer(&private, &pair().1, b"label", &sealed).is_err());
        assert!(open_answer(&private, &answering.from(), b"label", &sealed[1..]).is_err());
    }
}
