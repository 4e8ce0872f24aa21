//! Two nodes in one process that live through days at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use celosia::crypto::nacl::public_key;
use celosia::crypto::padme::Padding;
use celosia::crypto::secret::Secret;
use celosia::crypto::sign::SigningKey;
use celosia::enclave::local::LocalEnclave;
use celosia::enclave::{Clock, Enclave as _, NativeDraft, NativeIngest, NativeSealed, NativeTarget};
use celosia::shred::{FileRoot, Forest};
use celosia::types::{Address, Class, MemberId, NetworkId, Privacy};
use celosia::wire::Delivery;
use tempfile::TempDir;
use zeroize::Zeroizing;

pub const NETWORK: NetworkId = NetworkId::new([3; 32]);
const DAY_MS: u64 = 86_400_000;

/// A clock that stands until it is moved.
#[derive(Clone)]
pub struct Days(Arc<AtomicU64>);

impl Days {
    pub fn new() -> Self {
        Self(Arc::new(AtomicU64::new(20_000 * DAY_MS + 1)))
    }

    pub fn pass(&self, days: u64) {
        self.0.fetch_add(days * DAY_MS, Ordering::Relaxed);
    }

    fn clock(&self) -> Clock {
        let now = Arc::clone(&self.0);
        Clock::of(move || now.load(Ordering::Relaxed))
    }
}

/// A node: its enclave, and what an attacker finds on its disk.
pub struct Node {
    pub member: MemberId,
    pub enclave: LocalEnclave,
    pub identity: Secret<32>,
    pub signing_seed: Secret<32>,
    pub folder: TempDir,
}

impl Node {
    pub fn new(name: &str, days: &Days) -> Self {
        let (identity, signing_seed) = (Secret::<32>::random(), Secret::random());
        let folder = tempfile::tempdir().unwrap();
        let root = FileRoot::open(folder.path()).unwrap();
        let forest = Forest::open(folder.path(), Box::new(root)).unwrap();
        let member: MemberId = name.parse().unwrap();
        let enclave = LocalEnclave::new(vec![identity.duplicate()], Arc::new(forest)).unwrap();
        let enclave = enclave.with_clock(SigningKey::from_seed(&signing_seed), NETWORK, member.clone(), days.clock());
        Self { member, enclave, identity, signing_seed, folder }
    }

    pub fn address(&self) -> Address {
        public_key(&self.identity)
    }

    pub async fn send(&self, to: &[&Self], payload: &[u8], padding: Padding, privacy: Privacy) -> NativeSealed {
        let mut targets = Vec::new();
        for node in to {
            targets.push(NativeTarget {
                member: node.member.clone(),
                epoch: node.enclave.epoch_key().await.unwrap(),
                shown: Vec::new(),
            });
        }
        let draft = NativeDraft {
            plaintext: Zeroizing::new(payload.to_vec()),
            sender: self.address(),
            policy: 1,
            class: Class::Personal,
            padding,
            privacy,
            recipients: to.iter().map(|node| (node.address(), node.member.clone())).collect(),
            affected: Vec::new(),
            targets,
            escrow: None,
        };
        self.enclave.seal_native(draft).await.unwrap()
    }

    pub async fn take(&self, from: &Self, delivery: &Delivery) -> NativeIngest {
        self.enclave.ingest_native(delivery, from.enclave.verify_key().unwrap(), &[]).await.unwrap()
    }
}
