use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::crypto::nacl;
use crate::crypto::secret::Secret;
use crate::enclave::memory::{LockedKey, LockedMemory};
use crate::seal::{NoSharedKey, Ring};
use crate::types::Address;

/// Shared keys kept at once: 256 KiB of locked memory. Beyond it the oldest half goes: an agreement costs 50 µs, a look-up far less.
const CACHED: usize = 8192;

/// Our private keys and the shared keys that they made, in locked memory.
pub(super) struct Keys {
    memory: LockedMemory,
    addresses: Arc<[Address]>,
    private: HashMap<Address, LockedKey>,
    shared: RwLock<Shared>,
}

/// Shared keys by own key and peer, in two generations: what is used moves to the young one, the old one is dropped when that is full.
#[derive(Default)]
struct Shared {
    young: HashMap<(Address, Address), Arc<LockedKey>>,
    old: HashMap<(Address, Address), Arc<LockedKey>>,
}

impl Keys {
    /// Takes private keys, the default first. A key given twice counts once.
    pub(super) fn new(private: Vec<Secret<32>>) -> Self {
        let memory = LockedMemory::new();
        let mut kept = HashMap::new();
        let mut addresses = Vec::new();
        for key in private {
            let address = nacl::public_key(&key);
            if kept.insert(address, memory.keep(key)).is_none() {
                addresses.push(address);
            }
        }
        Self { memory, addresses: addresses.into(), private: kept, shared: RwLock::default() }
    }

    /// Our addresses, shared.
    pub(super) fn all(&self) -> Arc<[Address]> {
        Arc::clone(&self.addresses)
    }

    /// Whether all of them are locked in memory.
    pub(super) fn is_locked(&self) -> bool {
        self.memory.is_locked()
    }

    fn shared_key(&self, own: &Address, peer: &Address) -> Result<Arc<LockedKey>, NoSharedKey> {
        let pair = (*own, *peer);
        if let Some(key) = self.shared.read().unwrap_or_else(PoisonError::into_inner).young.get(&pair) {
            return Ok(Arc::clone(key));
        }
        let private = self.private.get(own).ok_or(NoSharedKey::NotOurs(*own))?;
        let remembered = self.shared.write().unwrap_or_else(PoisonError::into_inner).old.remove(&pair);
        let key = match remembered {
            Some(key) => key,
            None => Arc::new(self.memory.keep(agree(private, peer)?)),
        };
        let mut shared = self.shared.write().unwrap_or_else(PoisonError::into_inner);
        if shared.young.len() >= CACHED / 2 {
            shared.old = std::mem::take(&mut shared.young);
        }
        shared.young.insert(pair, Arc::clone(&key));
        Ok(key)
    }
}

/// Crypto functions take a [`Secret`]: the copy lives for the 50 µs of the agreement and is wiped.
fn agree(private: &LockedKey, peer: &Address) -> Result<Secret<32>, NoSharedKey> {
    let copy = Secret::init_with(|bytes| bytes.copy_from_slice(private.expose()));
    nacl::shared_key(&copy, peer).map_err(|nacl::LowOrder| NoSharedKey::LowOrder(*peer))
}

impl Ring for Keys {
    fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    fn with_shared<T>(&self, own: &Address, peer: &Address, f: impl FnOnce(&[u8; 32]) -> T) -> Result<T, NoSharedKey> {
        Ok(f(self.shared_key(own, peer)?.expose()))
    }

    fn holds(&self, address: &Address) -> bool {
        self.private.contains_key(address)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({} private)", self.addresses.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shared_keys_are_those_of_nacl_cached_or_not() {
        let (ours, peer) = (Secret::<32>::random(), Secret::<32>::random());
        let (own, other) = (nacl::public_key(&ours), nacl::public_key(&peer));
        let expected = *nacl::shared_key(&peer, &own).expect("contributory").expose();
        let keys = Keys::new(vec![ours]);
        for _ in 0..2 {
            assert!(keys.with_shared(&own, &other, |key| *key == expected).expect("ours"));
        }
        let stranger = keys.with_shared(&other, &own, |_| ());
        assert_eq!(stranger, Err(NoSharedKey::NotOurs(other)));
        let zero = Address::new([0; 32]);
        assert_eq!(keys.with_shared(&own, &zero, |_| ()), Err(NoSharedKey::LowOrder(zero)));
    }

    #[test]
    fn cache_is_bounded_and_keeps_what_is_used() {
        let ours = Secret::<32>::random();
        let own = nacl::public_key(&ours);
        let keys = Keys::new(vec![ours]);
        let filler = |i: u32| {
            let mut bytes = [7; 32];
            bytes[..4].copy_from_slice(&i.to_le_bytes());
            ((own, Address::new(bytes)), Arc::new(keys.memory.keep(Secret::random())))
        };
        let hot = filler(0);
        let mut shared = keys.shared.write().expect("lock");
        shared.young = (0..u32::try_from(CACHED / 2).expect("small")).map(filler).collect();
        let expected = *shared.young[&hot.0].expose();
        drop(shared);
        // One more turns the generations over; the used one moves back to the young.
        keys.with_shared(&own, &nacl::public_key(&Secret::random()), |_| ()).expect("ours");
        assert!(keys.with_shared(&own, &hot.0.1, |key| *key == expected).expect("kept"));
        let shared = keys.shared.read().expect("lock");
        assert_eq!((shared.young.len(), shared.old.len()), (2, CACHED / 2 - 1));
    }

    #[test]
    fn a_key_given_twice_counts_once() {
        let key = Secret::<32>::random();
        let keys = Keys::new(vec![key.duplicate(), Secret::random(), key]);
        assert_eq!(keys.addresses().len(), 2);
    }
}
