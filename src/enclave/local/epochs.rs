use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use crate::crypto::secret::Secret;
use crate::enclave::memory::{LockedKey, LockedMemory};
use crate::seal::celosia1::{Pair, Refused, pair};
use crate::types::NetworkId;
use crate::wire::EpochKey;

/// Pairs kept at once: 4,096 × 64 bytes of locked memory. Beyond it they are agreed on anew.
const CACHED: usize = 4096;

/// Our epoch keys, their private halves in locked memory and nowhere else, and the secrets that they share with peers.
///
/// Threat: identity keys, disk and a recorded week of traffic fall into one hand. What a box was made with lives two days at most, and
/// not past the end of the process.
pub(super) struct Epochs {
    memory: LockedMemory,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    days: BTreeMap<u32, Arc<Epoch>>,
    /// By our public key and the peer's.
    pairs: HashMap<([u8; 32], [u8; 32]), Arc<LockedPair>>,
}

/// The key of one day.
pub(super) struct Epoch {
    private: LockedKey,
    pub(super) signed: EpochKey,
}

/// The keys of a pair, for each direction.
pub(super) struct LockedPair {
    pub(super) sending: LockedKey,
    pub(super) receiving: LockedKey,
}

impl Epochs {
    pub(super) fn new() -> Self {
        Self { memory: LockedMemory::new(), state: RwLock::default() }
    }

    /// The key of a day, made with its first call. `sign` makes the statement of a public key.
    pub(super) fn of_day(&self, today: u32, sign: impl FnOnce([u8; 32]) -> EpochKey) -> Arc<Epoch> {
        self.forget(today);
        if let Some(epoch) = self.read(|state| state.days.get(&today).cloned()) {
            return epoch;
        }
        self.write(|state| {
            let make = || {
                let private = Secret::random();
                let signed = sign(pair::public(private.expose()));
                Arc::new(Epoch { private: self.memory.keep(private), signed })
            };
            Arc::clone(state.days.entry(today).or_insert_with(make))
        })
    }

    /// The key of a public half, if it still is here.
    pub(super) fn of_public(&self, today: u32, public: &[u8; 32]) -> Option<Arc<Epoch>> {
        self.forget(today);
        self.read(|state| state.days.values().find(|epoch| epoch.signed.public == *public).cloned())
    }

    /// Destroys what is older than yesterday (or of a day that a wrong clock made up), and what was shared with it.
    pub(super) fn forget(&self, today: u32) {
        let serves = |day: u32| day.abs_diff(today) <= 1;
        if self.read(|state| state.days.keys().all(|day| serves(*day))) {
            return;
        }
        self.write(|state| {
            state.days.retain(|day, _| serves(*day));
            let State { days, pairs } = state;
            pairs.retain(|(own, _), _| days.values().any(|epoch| epoch.signed.public == *own));
        });
    }

    /// What one of our keys shares with a peer's: remembered, or agreed on now (50 µs).
    pub(super) fn pair(&self, network: &NetworkId, epoch: &Epoch, peer: &[u8; 32]) -> Result<Arc<LockedPair>, Refused> {
        let own = epoch.signed.public;
        if let Some(pair) = self.read(|state| state.pairs.get(&(own, *peer)).cloned()) {
            return Ok(pair);
        }
        let Pair { sending, receiving } = Pair::agree(network, epoch.private.expose(), &own, peer)?;
        Ok(Arc::new(LockedPair { sending: self.memory.keep(sending), receiving: self.memory.keep(receiving) }))
    }

    /// Remembers a pair that opened or made a box. Not before: whoever sends rubbish must not push the others out.
    pub(super) fn remember(&self, epoch: &Epoch, peer: &[u8; 32], pair: &Arc<LockedPair>) {
        let key = (epoch.signed.public, *peer);
        if self.read(|state| state.pairs.contains_key(&key)) {
            return;
        }
        self.write(|state| {
            if state.pairs.len() >= CACHED {
                state.pairs.clear();
            }
            // Destroyed meanwhile: then it is not to be remembered.
            if state.days.values().any(|held| held.signed.public == key.0) {
                state.pairs.insert(key, Arc::clone(pair));
            }
        });
    }

    // The maps are whole between any two statements: a panic elsewhere does not harm them.
    fn read<T>(&self, f: impl FnOnce(&State) -> T) -> T {
        f(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.write().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NETWORK: NetworkId = NetworkId::new([1; 32]);

    fn of_day(epochs: &Epochs, day: u32) -> Arc<Epoch> {
        let member = "a".parse().expect("a name");
        epochs.of_day(day, |public| EpochKey { network: NETWORK, member, day, public, signature: [0; 64] })
    }

    #[test]
    fn a_key_lives_two_days_and_its_pairs_with_it() {
        let epochs = Epochs::new();
        let first = of_day(&epochs, 10);
        assert_eq!(of_day(&epochs, 10).signed, first.signed);
        let peer = pair::public(Secret::random().expose());
        let shared = epochs.pair(&NETWORK, &first, &peer).expect("usable");
        epochs.remember(&first, &peer, &shared);
        assert!(Arc::ptr_eq(&epochs.pair(&NETWORK, &first, &peer).expect("remembered"), &shared));
        let second = of_day(&epochs, 11);
        assert_ne!(second.signed.public, first.signed.public);
        assert!(epochs.of_public(11, &first.signed.public).is_some());
        assert!(epochs.of_public(12, &first.signed.public).is_none());
        assert!(epochs.of_public(12, &second.signed.public).is_some());
        assert!(epochs.read(|state| state.pairs.is_empty()));
        epochs.remember(&first, &peer, &shared);
        assert!(epochs.read(|state| state.pairs.is_empty()), "a destroyed key remembers nothing");
    }

    #[test]
    fn pairs_are_bounded() {
        let epochs = Epochs::new();
        let epoch = of_day(&epochs, 10);
        let shared = epochs.pair(&NETWORK, &epoch, &pair::public(Secret::random().expose())).expect("usable");
        for i in 0..u32::try_from(CACHED).expect("small") + 10 {
            let mut peer = [0; 32];
            peer[..4].copy_from_slice(&i.to_be_bytes());
            epochs.remember(&epoch, &peer, &shared);
        }
        assert_eq!(epochs.read(|state| state.pairs.len()), 10);
    }
}
