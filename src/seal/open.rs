use super::Ring;
use crate::crypto::Broken;
use crate::crypto::nacl::{self, KeyBox};
use crate::crypto::secret::Secret;
use crate::types::{Address, PrivacyFlag};
use crate::wire::EncodedPayload;

/// The answer of trial opening.
#[derive(Debug)]
pub enum Trial {
    /// A box opened and the ciphertext belongs to its key.
    Mine(Unsealed),
    /// No box is for a key of ours.
    NotMine,
}

/// What trial opening found.
#[derive(Debug)]
pub struct Unsealed {
    /// The data key.
    pub data_key: Secret<32>,
    /// Who the recipients are, as far as this node may believe it: all that the payload names under state validation; else those whose
    /// box opened (our own keys and, where we are the sender, whoever is proved by a box).
    pub recipients: Vec<Address>,
}

/// A box, and the two keys that share what opens it.
struct Attempt<'a> {
    own: Address,
    peer: Address,
    /// Whom the box is for.
    recipient: Address,
    key_box: &'a KeyBox,
}

/// Opens the boxes that are for a key of `ring` (Tessera's rules, in this order) and verifies the ciphertext without decrypting it.
///
/// - No recipients (the oldest form): the first box, with each key of ours.
/// - We are the sender: each box, with the key that we share with the recipient of the same index. This covers our own copy (sender
///   among the recipients), Constellation's rows without the sender, and what a recipient sends back to a sender that lost its store.
/// - Else: the box at the index of our key. A key without a box (state validation lists all recipients and carries one box) is passed over.
///
/// Threat: a recipient makes up a payload *from us* to itself and to somebody else, so that we would vouch for it in a resend. So every
/// box must open, and recipients without a box that proves them are believed under state validation only, where all must be known.
pub fn open(ring: &impl Ring, payload: &EncodedPayload) -> Result<Trial, Broken> {
    let named = !payload.recipients.is_empty();
    let we_sent = ring.holds(&payload.sender);
    let attempts = match (named, we_sent) {
        (false, _) => unnamed(ring, payload),
        (true, true) => sent(payload),
        (true, false) => received(ring, payload),
    };
    let mut found: Option<Secret<32>> = None;
    let mut recipients = Vec::new();
    let mut failed = false;
    for attempt in attempts {
        match attempt.open(ring, payload) {
            Ok(key) if found.as_ref().is_some_and(|first| *first != key) => return Err(Broken),
            Ok(key) => {
                found = Some(key);
                recipients.push(attempt.recipient);
            }
            Err(Broken) => failed = true,
        }
    }
    // Without names, a box that does not open is for somebody else. With names, it was made for us, and badly.
    if failed && named && (we_sent || found.is_none()) {
        return Err(Broken);
    }
    let Some(data_key) = found else { return Ok(Trial::NotMine) };
    nacl::verify(data_key.expose(), &payload.nonce, &payload.ciphertext)?;
    if named && payload.privacy.flag == PrivacyFlag::StateValidation {
        recipients.clone_from(&payload.recipients);
    }
    Ok(Trial::Mine(Unsealed { data_key, recipients }))
}

/// The first box, with each key of ours.
fn unnamed<'a>(ring: &impl Ring, payload: &'a EncodedPayload) -> Vec<Attempt<'a>> {
    let Some(key_box) = payload.boxes.first() else { return Vec::new() };
    let attempt = |own: &Address| Attempt { own: *own, peer: payload.sender, recipient: *own, key_box };
    ring.addresses().iter().map(attempt).collect()
}

/// Every box, with the key that the sender shares with its recipient.
fn sent(payload: &EncodedPayload) -> Vec<Attempt<'_>> {
    let attempt = |(key_box, to): (_, &Address)| Attempt { own: payload.sender, peer: *to, recipient: *to, key_box };
    payload.boxes.iter().zip(&payload.recipients).map(attempt).collect()
}

/// The boxes at the indexes of our keys.
fn received<'a>(ring: &impl Ring, payload: &'a EncodedPayload) -> Vec<Attempt<'a>> {
    let ours = payload.boxes.iter().zip(&payload.recipients).filter(|(_, to)| ring.holds(to));
    ours.map(|(key_box, to)| Attempt { own: *to, peer: payload.sender, recipient: *to, key_box }).collect()
}

impl Attempt<'_> {
    fn open(&self, ring: &impl Ring, payload: &EncodedPayload) -> Result<Secret<32>, Broken> {
        let opened = ring.with_shared(&self.own, &self.peer, |shared| {
            let bytes = nacl::open(shared, &payload.recipient_nonce, self.key_box)?;
            Secret::from_slice(&bytes).ok_or(Broken)
        });
        // A key of low order shares nothing: what claims to come from it is broken.
        opened.unwrap_or(Err(Broken))
    }
}
