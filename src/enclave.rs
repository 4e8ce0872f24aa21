//! Who holds private keys and data keys. Nothing else in the program ever sees one.
//!
//! [`Enclave`] is the boundary: in process ([`local`]), or a process of its own behind a Unix socket ([`remote`], [`server`]).
//! Threat: a bug in a parser or a transport reads memory or a file: it finds ciphertext and sealed heads, no key.

pub mod allocator;
#[cfg(test)]
mod contract;
pub mod copies;
pub mod documents;
pub mod harden;
mod hold;
mod index;
pub mod keyfile;
pub mod local;
pub(crate) mod memory;
mod native;
pub mod proto;
pub mod remote;
pub mod returned;
pub mod server;
mod socket;
pub mod stack;
pub mod wiping;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use zeroize::Zeroizing;

pub use self::copies::CopyKeys;
pub use self::documents::DocumentKeys;
pub use self::hold::{HoldLock, HoldRelease, HoldShare, Restored};
pub use self::index::IndexKey;
pub use self::native::{Clock, NativeDraft, NativeIngest, NativeMeta, NativeSealed, NativeTarget};
pub use self::returned::{Kept, ReturnKeys, Returned};
use crate::crypto::hpke::BoxKey;
use crate::crypto::nacl::{KeyBox, Nonce};
use crate::crypto::sign::{Signature, VerifyKey};
use crate::crypto::threshold::GroupKey;
use crate::seal::celosia1::Refused;
use crate::seal::escrow::{EscrowKey, Escrowed};
use crate::shred::{LeafRef, RootStatus, Rotation, SealedHead, ShredError};
use crate::types::{Address, Class, Code, Coded, ItemId, MemberId, PayloadId, Privacy, SecurityHash};
use crate::wire::{Delivery, EncodedPayload, EpochKey};

/// What the sealed head of a record says, without its data key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Meta {
    /// Who sealed the payload.
    pub sender: Address,
    /// Recipients as this node knows them: all of them at the sender, its own at a recipient (all under state validation).
    pub recipients: Vec<Address>,
    /// Nonce under which the boxes were made: the same box is made again for a resend. Zeros under celosia-1, whose boxes are made anew.
    pub recipient_nonce: Nonce,
    /// Rules that travel with the payload.
    pub privacy: Privacy,
    /// The rest of a record of the suite celosia-1; `None` for one of Tessera's suite.
    pub native: Option<NativeMeta>,
}

/// An affected transaction as the store has it.
#[derive(Clone, Debug)]
pub struct AffectedRecord {
    /// Its id.
    pub id: PayloadId,
    /// Its sealed head.
    pub head: SealedHead,
    /// Its ciphertext.
    pub ciphertext: Bytes,
}

/// What a capsule in Tessera's suite is made for, where the policy asks for one. Such a payload carries none: each holder makes its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EscrowTerms {
    /// The committee's key.
    pub key: EscrowKey,
    /// Version of the policy in force.
    pub policy: u64,
    /// The class, as declared here; what is not declared is personal.
    pub class: Class,
    /// The sender's name; `None` if the directory does not have it.
    pub member: Option<MemberId>,
}

/// A payload to seal.
pub struct Draft {
    /// The payload, wiped after use.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// Whose key seals it; must be one of ours.
    pub sender: Address,
    /// Who gets a box, in order, each once.
    pub recipients: Vec<Address>,
    /// Rules; `affected` is filled by the enclave from the records.
    pub privacy: Privacy,
    /// The affected transactions.
    pub affected: Vec<AffectedRecord>,
    /// The capsule that our head keeps.
    pub escrow: Option<EscrowTerms>,
}

/// A payload sealed for its recipients.
#[derive(Clone, Debug)]
pub struct Sealed {
    /// Its id.
    pub id: PayloadId,
    /// What a peer receives, with a box for every recipient.
    pub payload: EncodedPayload,
    /// What the store keeps beside the ciphertext.
    pub head: SealedHead,
}

/// A payload sealed for its sender alone, until it is sent (`/storeraw`).
#[derive(Clone, Debug)]
pub struct SealedRaw {
    /// Its id, which it keeps when it is sent.
    pub id: PayloadId,
    /// Ciphertext.
    pub ciphertext: Bytes,
    /// Nonce of the ciphertext.
    pub nonce: Nonce,
    /// What the store keeps beside the ciphertext.
    pub head: SealedHead,
}

/// A stored raw payload to seal for recipients, ciphertext and id unchanged.
#[derive(Debug)]
pub struct RawDraft {
    /// What the store has.
    pub raw: SealedRaw,
    /// Who gets a box, in order, each once.
    pub recipients: Vec<Address>,
    /// Rules; `affected` is filled by the enclave.
    pub privacy: Privacy,
    /// The affected transactions.
    pub affected: Vec<AffectedRecord>,
    /// The capsule that our head keeps.
    pub escrow: Option<EscrowTerms>,
}

/// A record opened.
pub struct Opened {
    /// The payload, wiped when dropped.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// The head.
    pub meta: Meta,
}

/// Without the plaintext: what is printed ends in logs.
impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draft({} bytes from {:?} for {} recipients)", self.plaintext.len(), self.sender, self.recipients.len())
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opened({} bytes, {:?})", self.plaintext.len(), self.meta)
    }
}

/// Trial opening of a payload from a peer: *not mine* is another answer than *mine but broken* (an [`EnclaveError::Broken`]).
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "lives for one call and is never kept in numbers")]
pub enum Ingest {
    /// A box opened and the ciphertext verifies.
    Mine {
        /// The data key re-wrapped under a leaf of the key tree.
        head: SealedHead,
        /// The head's words. `recipients` holds our own keys whose box opened; everyone under state validation; where we are the
        /// sender, everyone whom a box of theirs proves (a recipient could add others, to make us vouch for them).
        meta: Meta,
    },
    /// No private key of ours belongs to it.
    NotMine,
}

/// What an enclave cannot do, and why.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnclaveError {
    /// A box or ciphertext does not verify. (A head or key tree that does not is [`ShredError::Broken`].)
    #[error("the payload does not verify: it was altered, or made for another key")]
    Broken,
    /// The leaf is punctured: this payload was erased.
    #[error("the payload was erased")]
    Erased,
    /// The one-time key that an answer of the hold committee was sealed to is gone: it lives in the enclave's memory alone.
    #[error("the one-time key of this answer is gone: export the hold again, and have that opened")]
    HoldKeyGone,
    /// The one-time key that a lost payload comes back under is gone: it lives in the enclave's memory alone.
    #[error("the one-time key of this return is gone: begin the recovery again")]
    ReturnKeyGone,
    /// An officer's answer does not open, or its proof fails. Which one, from 0 in the order they were given.
    #[error("answer {0} of the hold committee is not the officer's partial decryption")]
    HoldShare(u32),
    /// A payload that no committee can open: none was to, when it was made.
    #[error("the payload has no escrow capsule: the policy did not ask for one when it was sent")]
    NoEscrow,
    /// A recipient's public key that no secret can be shared with.
    #[error("recipient {0} is not a usable X25519 public key")]
    LowOrder(Address),
    /// The node has no signing key: it is under no directory.
    #[error("this node has no signing key: configure the key that the directory names, or send in Tessera's suite")]
    NoSigningKey,
    /// The sender is not one of this node's keys.
    #[error("Public key {0} not found when searching for private key")]
    NotOurs(Address),
    /// A delivery of the suite celosia-1 is not taken, or not made.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The key tree cannot be read or written.
    #[error(transparent)]
    Shred(#[from] ShredError),
    /// The enclave's process does not answer.
    #[error("the enclave is unavailable: {0}")]
    Unavailable(String),
}

impl Coded for EnclaveError {
    fn code(&self) -> Code {
        match self {
            Self::Broken => Code(5001),
            Self::Erased => Code(5002),
            Self::HoldKeyGone => Code(3389),
            Self::HoldShare(_) => Code(7040),
            Self::LowOrder(_) => Code(5003),
            Self::NotOurs(_) => Code(5004),
            Self::NoSigningKey => Code(5010),
            Self::NoEscrow => Code(5033),
            Self::ReturnKeyGone => Code(7341),
            Self::Refused(refused) => refused.code(),
            Self::Shred(error) => error.code(),
            Self::Unavailable(_) => Code(5005),
        }
    }
}

/// The boundary. Every operation that touches a private key or a data key is here, and nowhere else.
#[async_trait]
pub trait Enclave: CopyKeys + DocumentKeys + ReturnKeys + Send + Sync {
    /// Our public keys, the default sender first. Never empty.
    fn addresses(&self) -> Arc<[Address]>;

    /// Seals a payload under a fresh data key and both fresh nonces.
    async fn seal(&self, draft: Draft) -> Result<Sealed, EnclaveError>;

    /// Seals a payload for its sender alone.
    async fn seal_raw(&self, plaintext: Zeroizing<Vec<u8>>, sender: Address) -> Result<SealedRaw, EnclaveError>;

    /// Boxes the data key of a raw payload for recipients. A new leaf, a new recipient nonce.
    async fn seal_stored(&self, draft: RawDraft) -> Result<Sealed, EnclaveError>;

    /// Opens a record of our own.
    async fn open(&self, id: PayloadId, head: &SealedHead, nonce: Nonce, ciphertext: Bytes) -> Result<Opened, EnclaveError>;

    /// Opens a head only; cheap, no ciphertext touched.
    async fn meta(&self, id: PayloadId, head: &SealedHead) -> Result<Meta, EnclaveError>;

    /// Verifies a record without making its plaintext.
    async fn verify(&self, id: PayloadId, head: &SealedHead, nonce: Nonce, ciphertext: Bytes) -> Result<Meta, EnclaveError>;

    /// Opens the box of a payload from a peer, verifies the ciphertext, re-wraps the data key under a fresh leaf. With `escrow` the head keeps a
    /// capsule that is made here.
    async fn ingest(&self, id: PayloadId, payload: &EncodedPayload, escrow: Option<EscrowTerms>) -> Result<Ingest, EnclaveError>;

    /// Opens a payload that is not stored (`/encodedpayload/decrypt`, `/partyinfo/validate`). `None`: no box of ours.
    async fn open_payload(&self, payload: &EncodedPayload) -> Result<Option<Zeroizing<Vec<u8>>>, EnclaveError>;

    /// The same head with other words (more recipients), under the same leaf.
    async fn rewrite(&self, id: PayloadId, head: &SealedHead, meta: Meta) -> Result<SealedHead, EnclaveError>;

    /// Whether two heads of one id hold the same data key.
    async fn same_key(&self, id: PayloadId, a: &SealedHead, b: &SealedHead) -> Result<bool, EnclaveError>;

    /// The boxes of a record for `targets`, byte for byte as first sent. `None` where neither the sender's nor the target's key is ours.
    async fn boxes(&self, id: PayloadId, head: &SealedHead, targets: &[Address]) -> Result<Vec<Option<KeyBox>>, EnclaveError>;

    /// Security hashes of affected transactions for a ciphertext, in their order.
    async fn security_hashes(&self, ciphertext: Bytes, affected: Vec<AffectedRecord>) -> Result<Vec<SecurityHash>, EnclaveError>;

    /// The public half of the node's signing key, as the directory names it. `None` without one.
    fn verify_key(&self) -> Option<VerifyKey>;

    /// The node's signature on a message. The caller composes statements and notes.
    async fn sign(&self, message: Vec<u8>) -> Result<Signature, EnclaveError>;

    /// Today's signed epoch key: a fresh one with the first call of each day (UTC). Its private half is destroyed after two days.
    async fn epoch_key(&self) -> Result<EpochKey, EnclaveError>;

    /// Seals a payload in the suite celosia-1 and makes a delivery for each target.
    async fn seal_native(&self, draft: NativeDraft) -> Result<NativeSealed, EnclaveError>;

    /// A delivery of a record made again: for a peer with a new epoch key, or one that lost its store. The sender makes it for every
    /// member that is addressed, a recipient for the sender alone.
    async fn rebox_native(
        &self,
        id: PayloadId,
        head: &SealedHead,
        nonce: Nonce,
        ciphertext: Bytes,
        target: NativeTarget,
    ) -> Result<Delivery, EnclaveError>;

    /// Opens and checks a delivery, and re-wraps its data key under a fresh leaf. `sender_key` is the signing key of the member that
    /// delivers, from the directory; that it is the peer of this connection is the caller's to check. A capsule is for one of `escrows`, and is
    /// made again; whether there must be one is the caller's to check, too.
    async fn ingest_native(
        &self,
        delivery: &Delivery,
        sender_key: VerifyKey,
        escrows: &[EscrowKey],
    ) -> Result<NativeIngest, EnclaveError>;

    /// What a committee may see of a payload: the capsule and its label. `None` if there is none. [`EnclaveError::Erased`] if its leaf is punctured.
    async fn escrow(&self, id: PayloadId, head: &SealedHead) -> Result<Option<Escrowed>, EnclaveError>;

    /// What a committee's answer opens the capsule with, sealed to `to` ([`crate::crypto::hpke`]) under `info`, with the label as associated
    /// data: `sigma (32) ‖ nonce of the ciphertext (24)`. Sigma never leaves in the clear. The caller has seen to it that the mandate is
    /// recorded; [`EnclaveError::Erased`] if the leaf is punctured, [`EnclaveError::NoEscrow`] if there is no capsule.
    async fn release_escrow(
        &self,
        id: PayloadId,
        head: &SealedHead,
        nonce: Nonce,
        to: BoxKey,
        info: Vec<u8>,
    ) -> Result<Bytes, EnclaveError>;

    /// Seals another text (an acknowledgement) under a record's leaf: it is erased with the record. `label` says what it is.
    async fn seal_beside(&self, head: &SealedHead, label: &str, text: Vec<u8>) -> Result<Bytes, EnclaveError>;

    /// Opens what [`Enclave::seal_beside`] sealed, under the same label.
    async fn open_beside(&self, head: &SealedHead, label: &str, sealed: Bytes) -> Result<Zeroizing<Vec<u8>>, EnclaveError>;

    /// A fresh key of the blind index, sealed under a leaf of its own.
    async fn index_key(&self, of: IndexKey) -> Result<SealedHead, EnclaveError>;

    /// HMAC-SHA-256 of each word under a key of the blind index; of [`IndexKey::Buckets`] the first byte alone, zeros behind it.
    async fn index_tokens(
        &self,
        of: IndexKey,
        key: &SealedHead,
        words: Vec<Zeroizing<Vec<u8>>>,
    ) -> Result<Vec<[u8; 32]>, EnclaveError>;

    /// Seals the head of an item's record, and what is sealed beside it (label and bytes each), to the hold committee, under a fresh leaf. The record's own
    /// leaf is left as it is: the caller punctures it once the envelope is durable. `label` is bound to the envelope.
    async fn block_record(
        &self,
        item: ItemId,
        head: &SealedHead,
        beside: Vec<(String, Bytes)>,
        committee: GroupKey,
        label: Vec<u8>,
    ) -> Result<SealedHead, EnclaveError>;

    /// A fresh one-time public key that the hold committee seals an answer to. Its private half lives in memory, for a day at most.
    async fn hold_key(&self) -> Result<BoxKey, EnclaveError>;

    /// The lock of an envelope. [`EnclaveError::Erased`] if its leaf is punctured.
    async fn hold_lock(&self, item: ItemId, envelope: &SealedHead) -> Result<HoldLock, EnclaveError>;

    /// Opens an envelope with the committee's answer and seals what was in it under a fresh leaf.
    async fn release_record(&self, item: ItemId, release: HoldRelease) -> Result<Restored, EnclaveError>;

    /// Punctures leaves. Durable when it returns.
    async fn erase(&self, leaves: Vec<LeafRef>) -> Result<(), EnclaveError>;

    /// How many leaves were punctured in all trees: it only rises, unless the trees were put back.
    async fn punctures(&self) -> Result<u64, EnclaveError>;

    /// The root that the trees are sealed under.
    async fn root(&self) -> Result<RootStatus, EnclaveError>;

    /// Makes a new generation of the root, puts every tree under it and destroys the older ones: older copies of the trees are dead from then on.
    async fn rotate_root(&self) -> Result<Rotation, EnclaveError>;

    /// Whether the enclave answers.
    async fn ping(&self) -> Result<(), EnclaveError>;
}
