//! What the enclave is asked and answers in the suite celosia-1 (`docs/celosia-1.md`).

use std::fmt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use zeroize::Zeroizing;

use super::{AffectedRecord, Meta};
use crate::crypto::nacl::Nonce;
use crate::crypto::padme::Padding;
use crate::crypto::sign::Signature;
use crate::seal::escrow::EscrowKey;
use crate::shred::SealedHead;
use crate::types::{Address, Class, MemberId, NetworkId, PayloadId, Privacy};
use crate::wire::{Delivery, EpochKey, Header, Proofs};

/// A payload to seal for members under one directory.
pub struct NativeDraft {
    /// The payload, wiped after use.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// Whose key sends it; must be one of ours.
    pub sender: Address,
    /// Version of the policy in force.
    pub policy: u64,
    /// The class.
    pub class: Class,
    /// How far the length is hidden.
    pub padding: Padding,
    /// Rules; `affected` is filled by the enclave from the records.
    pub privacy: Privacy,
    /// Everyone whom it is for, each address once, with its member; ours included.
    pub recipients: Vec<(Address, MemberId)>,
    /// The affected transactions.
    pub affected: Vec<AffectedRecord>,
    /// The members that get a delivery, each once.
    pub targets: Vec<NativeTarget>,
    /// The committee that can open it, if the policy asks for one.
    pub escrow: Option<EscrowKey>,
}

/// Whom a delivery is for. The caller has verified the signature of the epoch key with the directory; the enclave checks its day.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NativeTarget {
    /// The member.
    pub member: MemberId,
    /// Its epoch key of today or yesterday.
    pub epoch: EpochKey,
    /// Addresses of supervisors, to which it is shown that they are recipients, too.
    pub shown: Vec<Address>,
}

/// A payload sealed for its members.
#[derive(Clone, Debug)]
pub struct NativeSealed {
    /// Its id.
    pub id: PayloadId,
    /// Nonce of the ciphertext.
    pub nonce: Nonce,
    /// The ciphertext, the same in every delivery.
    pub ciphertext: Bytes,
    /// What the store keeps beside the ciphertext.
    pub head: SealedHead,
    /// SHA-256 of the signed header: what acknowledgements name.
    pub header: [u8; 32],
    /// One for each target, in their order.
    pub deliveries: Vec<Delivery>,
}

/// What the head of a record of this suite says beyond every head.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NativeMeta {
    /// Of which network.
    pub network: NetworkId,
    /// The signed header's bytes.
    pub header: Bytes,
    /// The sender's signature on them.
    pub signature: Signature,
    /// Version of the policy that the sender followed.
    pub policy: u64,
    /// The class.
    pub class: Class,
    /// When it was made, milliseconds since the Unix epoch.
    pub time: u64,
    /// Whose node signed it.
    pub member: MemberId,
    /// What proves whom it is addressed to.
    pub proofs: Proofs,
}

impl NativeMeta {
    /// Of a header, its bytes and their signature, that were verified.
    pub fn of(header: &Header, bytes: Bytes, signature: Signature, proofs: Proofs) -> Self {
        Self::new(header, bytes, signature, proofs)
    }

    /// Of a header, its bytes and their signature.
    pub(super) fn new(header: &Header, bytes: Bytes, signature: Signature, proofs: Proofs) -> Self {
        let Header { network, policy, class, time, member, .. } = header;
        Self {
            network: *network,
            header: bytes,
            signature,
            policy: *policy,
            class: *class,
            time: *time,
            member: member.clone(),
            proofs,
        }
    }
}

/// The answer to a delivery that is not refused.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "lives for one call and is never kept in numbers")]
pub enum NativeIngest {
    /// Every check passed.
    Mine {
        /// SHA3-512 of its ciphertext.
        id: PayloadId,
        /// The data key re-wrapped under a leaf of the key tree.
        head: SealedHead,
        /// The head's words. The caller checks against the directory that `sender` is an address of `native.member`.
        meta: Meta,
    },
    /// The box is for an epoch key that we do not hold: made before our restart, or older than two days. The peer asks for the new one.
    UnknownEpoch,
}

/// Without the plaintext: what is printed ends in logs.
impl fmt::Debug for NativeDraft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NativeDraft({} bytes from {:?} for {} members)", self.plaintext.len(), self.sender, self.targets.len())
    }
}

/// What time it is: milliseconds since the Unix epoch.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> u64 + Send + Sync>);

impl Clock {
    /// The system's.
    pub fn system() -> Self {
        Self::of(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        })
    }

    /// Another one, for tests that let days pass.
    pub fn of(now: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// Now.
    pub(super) fn now(&self) -> u64 {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}
