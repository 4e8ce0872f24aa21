//! The node's name in the network, and the suite celosia-1 under it.

use std::sync::Arc;
use std::time::Duration;

use super::epochs::{Epoch, Epochs, LockedPair};
use super::{Inner, LocalEnclave, named};
use crate::crypto::nacl::Nonce;
use crate::crypto::secret::Secret;
use crate::crypto::sign::{Signature, SigningKey, VerifyKey};
use crate::crypto::threshold::Prepared;
use crate::crypto::{hash, random};
use crate::enclave::native::{Clock, NativeDraft, NativeIngest, NativeMeta, NativeSealed, NativeTarget};
use crate::enclave::{EnclaveError, Meta};
use crate::seal::Ring as _;
use crate::seal::celosia1::parcel::{self, Route, Unpacked};
use crate::seal::celosia1::{self, Content, Expected, Parcel, Refused, Sealing, Statement};
use crate::seal::escrow::Held;
use crate::shred::{LeafRef, SealedHead};
use crate::types::{Address, Affected, MemberId, NetworkId, PayloadId};
use crate::wire::header::{self, Header, day_of};
use crate::wire::{Delivery, EpochKey, Opening, Proofs};

/// How often epoch keys that have served are looked for.
const FORGETTING: Duration = Duration::from_mins(1);

/// Who we are under a directory.
pub(super) struct Node {
    signing: SigningKey,
    network: NetworkId,
    member: MemberId,
    clock: Clock,
    epochs: Epochs,
}

impl Node {
    pub(super) fn new(signing: SigningKey, network: NetworkId, member: MemberId, clock: Clock) -> Self {
        Self { signing, network, member, clock, epochs: Epochs::new() }
    }

    pub(super) fn network(&self) -> &NetworkId {
        &self.network
    }

    pub(super) fn member(&self) -> &MemberId {
        &self.member
    }

    pub(super) fn verify_key(&self) -> VerifyKey {
        self.signing.verify_key()
    }

    pub(super) fn sign(&self, message: &[u8]) -> Signature {
        self.signing.sign(message)
    }

    /// Now, milliseconds since the Unix epoch.
    pub(super) fn now(&self) -> u64 {
        self.clock.now()
    }

    /// Destroys the epoch keys that have served.
    pub(super) fn forget(&self) {
        self.epochs.forget(day_of(self.clock.now()));
    }

    /// Today's key.
    pub(super) fn epoch_key(&self) -> EpochKey {
        self.epoch(day_of(self.clock.now())).signed.clone()
    }

    fn epoch(&self, day: u32) -> Arc<Epoch> {
        self.epochs.of_day(day, |public| {
            let mut key = EpochKey { network: self.network, member: self.member.clone(), day, public, signature: [0; 64] };
            key.signature = self.signing.sign(&key.statement());
            key
        })
    }

    /// What the box of a delivery holds, and the payload's id. `None`: it is for an epoch key that is no more.
    pub(super) fn unpack(&self, delivery: &Delivery) -> Result<Option<(PayloadId, Unpacked)>, Refused> {
        let today = day_of(self.clock.now());
        let Some(epoch) = self.epochs.of_public(today, &delivery.to) else { return Ok(None) };
        // A sender uses its key of today: another one's clock is wrong, and so is the time in its header.
        if delivery.day.abs_diff(today) > 1 {
            return Err(Refused::EpochDay);
        }
        let id = hash::payload_id(&delivery.ciphertext);
        let pair = self.epochs.pair(&self.network, &epoch, &delivery.from)?;
        let route = Route { from: &delivery.from, to: &delivery.to, day: delivery.day, id: &id };
        let unpacked = parcel::open(pair.receiving.expose(), &delivery.box_nonce, route, &delivery.sealed)?;
        self.epochs.remember(&epoch, &delivery.from, &pair);
        Ok(Some((id, unpacked)))
    }

    /// Checks something with what is expected of a payload from a member with this signing key.
    pub(super) fn expecting<T>(
        &self,
        id: PayloadId,
        sender_key: &VerifyKey,
        escrows: &[(u64, Prepared)],
        check: impl FnOnce(&Expected<'_>) -> Result<T, Refused>,
    ) -> Result<T, Refused> {
        let own_key = self.verify_key();
        check(&Expected { network: &self.network, member: &self.member, own_key: &own_key, sender_key, id, escrows })
    }

    /// A box for a target, made now, and the delivery around it.
    pub(super) fn box_for(
        &self,
        (id, nonce, ciphertext): (PayloadId, Nonce, &bytes::Bytes),
        target: &NativeTarget,
        parcel: &Parcel<'_>,
    ) -> Result<Delivery, Refused> {
        self.deliver(day_of(self.clock.now()), target, &Wrapped { id, nonce, ciphertext }, parcel)
    }

    /// A box for a target, and the delivery around it.
    fn deliver(&self, day: u32, target: &NativeTarget, wrapped: &Wrapped<'_>, parcel: &Parcel<'_>) -> Result<Delivery, Refused> {
        let theirs = &target.epoch;
        if theirs.network != self.network || theirs.member != target.member || !theirs.serves_on(day) {
            return Err(Refused::EpochDay);
        }
        let epoch = self.epoch(day);
        let pair: Arc<LockedPair> = self.epochs.pair(&self.network, &epoch, &theirs.public)?;
        let box_nonce = random();
        let from = epoch.signed.public;
        let route = Route { from: &from, to: &theirs.public, day, id: &wrapped.id };
        let sealed = parcel.seal(pair.sending.expose(), &box_nonce, route)?;
        self.epochs.remember(&epoch, &theirs.public, &pair);
        Ok(Delivery {
            member: self.member.clone(),
            from,
            day,
            to: theirs.public,
            box_nonce,
            sealed,
            nonce: wrapped.nonce,
            ciphertext: wrapped.ciphertext.clone(),
        })
    }
}

impl LocalEnclave {
    /// Gives the node its name and signing key under a directory. The first call counts.
    ///
    /// Threat: the signing key, unlike the others, is kept by the library that signs, on its heap: out of core dumps, but not locked.
    #[must_use]
    pub fn with_signing(self, signing: SigningKey, network: NetworkId, member: MemberId) -> Self {
        self.with_clock(signing, network, member, Clock::system())
    }

    /// The same with another clock, for tests that let days pass.
    #[must_use]
    pub fn with_clock(self, signing: SigningKey, network: NetworkId, member: MemberId, clock: Clock) -> Self {
        let named = self.0.node.set(Node::new(signing, network, member, clock)).is_ok();
        if let (true, Ok(runtime)) = (named, tokio::runtime::Handle::try_current()) {
            // Keys are destroyed on their day even where nobody calls.
            let inner = Arc::downgrade(&self.0);
            runtime.spawn(async move {
                while let Some(inner) = inner.upgrade() {
                    inner.node.get().into_iter().for_each(Node::forget);
                    drop(inner);
                    tokio::time::sleep(FORGETTING).await;
                }
            });
        }
        self
    }
}

/// A ciphertext with its name.
struct Wrapped<'a> {
    id: PayloadId,
    nonce: Nonce,
    ciphertext: &'a bytes::Bytes,
}

impl Inner {
    pub(super) fn node(&self) -> Result<&Node, EnclaveError> {
        self.node.get().ok_or(EnclaveError::NoSigningKey)
    }

    pub(super) fn seal_native(&self, draft: NativeDraft) -> Result<NativeSealed, EnclaveError> {
        let content = Content::seal(&self.node()?.network, &self.node()?.member, draft.padding, &draft.plaintext);
        self.state_native(content, draft, None)
    }

    /// Header, boxes and head of a sealed content; the head under a leaf in use, or a fresh one.
    pub(super) fn state_native(
        &self,
        content: Content,
        draft: NativeDraft,
        leaf: Option<LeafRef>,
    ) -> Result<NativeSealed, EnclaveError> {
        let node = self.node()?;
        self.own(draft.sender)?;
        let mut privacy = draft.privacy;
        let hashes = self.security_hashes(&content.ciphertext, &draft.affected)?;
        let proved = draft.affected.iter().zip(hashes);
        privacy.affected = proved.map(|(record, hash)| Affected { id: record.id, hash }).collect();
        let recipients: Vec<Address> = draft.recipients.iter().map(|(address, _)| *address).collect();
        let (time, seed) = (node.clock.now(), Secret::random());
        let escrow = draft.escrow.map(|escrow| (escrow.epoch, self.tables.of(&escrow.key), Secret::random()));
        let statement = Statement {
            network: &node.network,
            member: &node.member,
            sender: draft.sender,
            policy: draft.policy,
            class: draft.class,
            time,
            privacy: &privacy,
            recipients: &recipients,
            escrow: escrow.as_ref().map(|(epoch, key, sigma)| Sealing { epoch: *epoch, key, sigma }),
        };
        let (header, audience, escrowed) = statement.about(&content, &seed)?;
        let signature = node.sign(&header::signed(&node.network, &header));
        let wrapped = Wrapped { id: content.id, nonce: content.nonce, ciphertext: &content.ciphertext };
        let deliver = |target: &NativeTarget| {
            let openings = addressed(&draft.recipients, target, |address| audience.opening(address))?;
            let sigma = escrow.as_ref().map(|(_, _, sigma)| sigma);
            let parcel =
                Parcel { data_key: &content.data_key, sigma, openings: &openings, signature: &signature, header: &header };
            node.deliver(day_of(time), target, &wrapped, &parcel)
        };
        let deliveries = draft.targets.iter().map(deliver).collect::<Result<_, _>>()?;
        let digest = hash::sha256(&[&header]);
        let held = escrow.zip(escrowed).map(|((_, _, sigma), escrowed)| Held { escrowed, sigma });
        let native = NativeMeta {
            network: node.network,
            header: header.into(),
            signature,
            policy: draft.policy,
            class: draft.class,
            time,
            member: node.member.clone(),
            proofs: Proofs::Sent { seed: *seed.expose(), recipients: draft.recipients },
        };
        let meta = Meta { sender: draft.sender, recipients, recipient_nonce: [0; 24], privacy, native: Some(native) };
        let head = match leaf {
            Some(leaf) => self.reseal_head(leaf, content.id, &content.data_key, &meta, held.as_ref())?,
            None => self.seal_head(content.id, &content.data_key, &meta, held.as_ref())?,
        };
        Ok(NativeSealed {
            id: content.id,
            nonce: content.nonce,
            ciphertext: content.ciphertext,
            head,
            header: digest,
            deliveries,
        })
    }

    pub(super) fn rebox_native(
        &self,
        id: PayloadId,
        head: &SealedHead,
        nonce: Nonce,
        ciphertext: &bytes::Bytes,
        target: &NativeTarget,
    ) -> Result<Delivery, EnclaveError> {
        let node = self.node()?;
        let (data_key, meta, held) = self.open_whole(id, head)?;
        let native = meta.native.ok_or(Refused::NotNative)?;
        let openings = match &native.proofs {
            Proofs::Sent { seed, recipients } => {
                let seed = Secret::init_with(|bytes| *bytes = *seed);
                let audience = crate::wire::Audience::new(&seed, recipients.iter().map(|(address, _)| address));
                let audience = audience.ok_or(Refused::TooMany)?;
                addressed(recipients, target, |address| audience.opening(address))?
            }
            // A recipient proves only that it was addressed itself: nobody but the sender takes that from it.
            Proofs::Received(openings) if native.member == target.member => openings.clone(),
            Proofs::Received(_) => return Err(Refused::NotAddressed.into()),
        };
        let sigma = held.as_ref().map(|held| &held.sigma);
        let NativeMeta { signature, header, .. } = &native;
        let parcel = Parcel { data_key: &data_key, sigma, openings: &openings, signature, header };
        Ok(node.deliver(day_of(node.clock.now()), target, &Wrapped { id, nonce, ciphertext }, &parcel)?)
    }

    pub(super) fn ingest_native(
        &self,
        delivery: &Delivery,
        sender_key: &VerifyKey,
        escrows: &[(u64, Prepared)],
    ) -> Result<NativeIngest, EnclaveError> {
        let node = self.node()?;
        let Some((id, unpacked)) = node.unpack(delivery)? else { return Ok(NativeIngest::UnknownEpoch) };
        let taken = node.expecting(id, sender_key, escrows, |expected| {
            celosia1::take(expected, delivery, unpacked, |address| self.keys.holds(address))
        })?;
        let celosia1::Taken { data_key, held, header, header_bytes, signature, openings, recipients, .. } = taken;
        let native = NativeMeta::new(&header, header_bytes, signature, Proofs::Received(openings));
        let Header { sender, privacy, .. } = header;
        let meta = Meta { sender, recipients, recipient_nonce: [0; 24], privacy, native: Some(native) };
        let head = self.seal_head(id, &data_key, &meta, held.as_ref())?;
        Ok(NativeIngest::Mine { id, head, meta })
    }

    /// Another text under a record's leaf: it dies with the record.
    pub(super) fn seal_beside(&self, head: &SealedHead, label: &str, text: &[u8]) -> Result<bytes::Bytes, EnclaveError> {
        let sealed = self.forest.reseal(head.leaf(), &beside(label), text).map_err(named)?;
        Ok(sealed.as_bytes().clone())
    }

    pub(super) fn open_beside(
        &self,
        head: &SealedHead,
        label: &str,
        sealed: bytes::Bytes,
    ) -> Result<zeroize::Zeroizing<Vec<u8>>, EnclaveError> {
        let sealed = SealedHead::from_bytes(sealed).filter(|sealed| sealed.leaf() == head.leaf()).ok_or(EnclaveError::Broken)?;
        self.forest.open_head(&beside(label), &sealed).map_err(named)
    }
}

/// The proofs of a member's addresses, then those of supervisors that it is shown.
fn addressed(
    recipients: &[(Address, MemberId)],
    target: &NativeTarget,
    opening: impl Fn(&Address) -> Option<Opening>,
) -> Result<Vec<Opening>, Refused> {
    let theirs = recipients.iter().filter(|(_, name)| *name == target.member).map(|(address, _)| address);
    let mut openings: Vec<_> = theirs.filter_map(&opening).collect();
    if openings.is_empty() {
        return Err(Refused::NotAddressed);
    }
    for address in &target.shown {
        if !openings.iter().any(|known| known.address == *address) {
            openings.push(opening(address).ok_or(Refused::NotAddressed)?);
        }
    }
    Ok(openings)
}

/// Associated data of a text beside a head. A head's own is a payload id of 64 bytes: neither is ever taken for the other.
fn beside(label: &str) -> Vec<u8> {
    [b"celosia beside 1\0".as_slice(), &hash::sha256(&[label.as_bytes()])].concat()
}
