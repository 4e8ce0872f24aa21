use bytes::Bytes;

use super::{NoSharedKey, Ring};
use crate::crypto::nacl::{self, KeyBox, Nonce};
use crate::crypto::secret::Secret;
use crate::crypto::{Broken, hash, random};
use crate::types::{Address, PayloadId, Privacy, SecurityHash};
use crate::wire::EncodedPayload;

/// A plaintext that nobody has sealed yet.
pub struct Draft<'a>(pub &'a [u8]);

impl Draft<'_> {
    /// Seals under a fresh data key and a fresh nonce.
    pub fn close(self) -> Closed {
        let (data_key, nonce) = (Secret::random(), random());
        let ciphertext = Bytes::from(nacl::seal(data_key.expose(), &nonce, self.0));
        Closed { id: hash::payload_id(&ciphertext), ciphertext, nonce, data_key }
    }
}

/// A ciphertext and its data key; nobody has a box yet.
#[derive(Debug)]
pub struct Closed {
    /// SHA3-512 of the ciphertext.
    pub id: PayloadId,
    /// `crypto_secretbox` of the plaintext.
    pub ciphertext: Bytes,
    /// Nonce of the ciphertext.
    pub nonce: Nonce,
    /// What opens it.
    pub data_key: Secret<32>,
}

impl Closed {
    /// A ciphertext that was kept, with its data key; `Broken` if one does not belong to the other.
    pub fn kept(id: PayloadId, ciphertext: Bytes, nonce: Nonce, data_key: Secret<32>) -> Result<Self, Broken> {
        nacl::verify(data_key.expose(), &nonce, &ciphertext)?;
        Ok(Self { id, ciphertext, nonce, data_key })
    }

    /// Proof for this payload that its sender can open an affected one.
    pub fn security_hash(&self, affected_ciphertext: &[u8], affected_key: &Secret<32>) -> SecurityHash {
        hash::security_hash(&self.ciphertext, affected_ciphertext, affected_key.expose())
    }

    /// Boxes the data key for each recipient, in order, all under one fresh nonce (each has another shared key).
    pub fn address(
        self,
        ring: &impl Ring,
        sender: Address,
        recipients: Vec<Address>,
        privacy: Privacy,
    ) -> Result<Addressed, NoSharedKey> {
        if !ring.holds(&sender) {
            return Err(NoSharedKey::NotOurs(sender));
        }
        let recipient_nonce = random();
        let boxes = recipients
            .iter()
            .map(|recipient| make_box(ring, &sender, recipient, &recipient_nonce, &self.data_key))
            .collect::<Result<_, _>>()?;
        let Self { id, ciphertext, nonce, data_key } = self;
        let payload = EncodedPayload { sender, ciphertext, nonce, boxes, recipient_nonce, recipients, privacy };
        Ok(Addressed { id, payload, data_key })
    }
}

/// A payload with a box for each recipient.
#[derive(Debug)]
pub struct Addressed {
    /// SHA3-512 of the ciphertext.
    pub id: PayloadId,
    /// What travels.
    pub payload: EncodedPayload,
    /// What every box holds.
    pub data_key: Secret<32>,
}

/// The box of a payload for `target`, byte for byte as first made: the same nonce and data key make the same box again.
/// `None` if neither the sender's key nor the target's is ours.
pub fn remake_box(
    ring: &impl Ring,
    sender: &Address,
    target: &Address,
    nonce: &Nonce,
    data_key: &Secret<32>,
) -> Result<Option<KeyBox>, NoSharedKey> {
    let (own, peer) = if ring.holds(sender) { (sender, target) } else { (target, sender) };
    match make_box(ring, own, peer, nonce, data_key) {
        Ok(key_box) => Ok(Some(key_box)),
        Err(NoSharedKey::NotOurs(_)) => Ok(None),
        Err(low_order) => Err(low_order),
    }
}

/// The box between one of our keys and another.
fn make_box(
    ring: &impl Ring,
    own: &Address,
    peer: &Address,
    nonce: &Nonce,
    data_key: &Secret<32>,
) -> Result<KeyBox, NoSharedKey> {
    ring.with_shared(own, peer, |shared| {
        let sealed = nacl::seal(shared, nonce, data_key.expose());
        sealed.try_into().expect("a box of 32 bytes has 48")
    })
}
