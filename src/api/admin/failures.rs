//! Failed log-ins, counted by where they come from and by the name that they present.
//!
//! Threat: guessing, and a flood that keeps us verifying. An address with too many failures waits before its next credential is looked at.
//! A *name* must not be closed to its owner by strangers who present it: its count only turns their own failures away sooner. Tokens that
//! were good before pass from any address: one misconfigured script must not lock the operator of the same machine out.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Over how long failures are counted.
const WINDOW: Duration = Duration::from_mins(1);

/// Sources that are remembered. Beyond it the oldest are forgotten: memory is bounded whoever calls.
const MOST: usize = 4096;

/// Good tokens that are remembered, by their digest.
const MOST_GOOD: usize = 1024;

/// Whose failures.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub(super) enum Source {
    /// An address; of IPv6 the first 64 bits, for a caller has as many addresses as it likes below them. `None`: a Unix socket.
    Address(Option<IpAddr>),
    /// A name that was presented, by its digest.
    Name([u8; 32]),
}

impl Source {
    pub(super) fn of(address: Option<IpAddr>) -> Self {
        Self::Address(address.map(|address| match address {
            IpAddr::V6(six) => IpAddr::V6((u128::from(six) & !u128::from(u64::MAX)).into()),
            four @ IpAddr::V4(_) => four,
        }))
    }
}

#[derive(Debug)]
pub(super) struct Failures {
    most: u32,
    counts: Mutex<HashMap<Source, (Instant, u32)>>,
    good: Mutex<HashSet<[u8; 32]>>,
}

impl Failures {
    /// Allows `most` failures a minute.
    pub(super) fn new(most: u32) -> Self {
        Self { most, counts: Mutex::default(), good: Mutex::default() }
    }

    /// How many seconds this source has to wait, if it has failed too often.
    pub(super) fn wait(&self, source: &Source, now: Instant) -> Option<u64> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = counts.get(source)?;
        let left = WINDOW.checked_sub(now.duration_since(*since)).filter(|left| !left.is_zero())?;
        (*count >= self.most).then_some(left.as_secs() + 1)
    }

    /// Counts a failure.
    pub(super) fn count(&self, source: Source, now: Instant) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MOST && !counts.contains_key(&source) {
            counts.retain(|_, (since, _)| now.duration_since(*since) < WINDOW);
            // All of them young: the oldest half goes, so that the work is spread over many calls.
            if counts.len() >= MOST {
                let mut ages: Vec<Instant> = counts.values().map(|(since, _)| *since).collect();
                ages.sort_unstable();
                let middle = ages[ages.len() / 2];
                counts.retain(|_, (since, _)| *since > middle);
            }
        }
        let entry = counts.entry(source).or_insert((now, 0));
        if now.duration_since(entry.0) >= WINDOW {
            *entry = (now, 0);
        }
        entry.1 = entry.1.saturating_add(1);
    }

    /// Remembers a token that was good.
    pub(super) fn remember(&self, digest: [u8; 32]) {
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        if good.len() >= MOST_GOOD && !good.contains(&digest) {
            good.clear();
        }
        good.insert(digest);
    }

    /// Whether a token was good before.
    pub(super) fn was_good(&self, digest: &[u8; 32]) -> bool {
        self.good.lock().unwrap_or_else(PoisonError::into_inner).contains(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Source {
        Source::of(Some(text.parse().unwrap()))
    }

    #[test]
    fn the_limit_is_of_one_source_and_one_window() {
        let (failures, start) = (Failures::new(3), Instant::now());
        for _ in 0..3 {
            assert_eq!(failures.wait(&address("10.0.0.1"), start), None);
            failures.count(address("10.0.0.1"), start);
        }
        assert!(failures.wait(&address("10.0.0.1"), start).is_some_and(|seconds| seconds <= 61));
        assert_eq!(failures.wait(&address("10.0.0.2"), start), None);
        assert_eq!(failures.wait(&address("10.0.0.1"), start + WINDOW), None);
        failures.count(address("10.0.0.1"), start + WINDOW);
        assert_eq!(failures.wait(&address("10.0.0.1"), start + WINDOW), None, "the count began anew");
    }

    #[test]
    fn addresses_of_one_network_of_ipv6_are_one_source() {
        assert_eq!(address("2001:db8::1"), address("2001:db8::ffff"));
        assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
    }

    #[test]
    fn a_flood_of_sources_stays_bounded() {
        let (failures, start) = (Failures::new(1), Instant::now());
        for n in 0..3 * u32::try_from(MOST).unwrap() {
            let at = start + Duration::from_micros(u64::from(n));
            failures.count(Source::of(Some(IpAddr::V4(n.into()))), at);
        }
        assert!(failures.counts.lock().unwrap().len() <= MOST);
        let last = Source::of(Some(IpAddr::V4((3 * u32::try_from(MOST).unwrap() - 1).into())));
        assert!(failures.wait(&last, start + Duration::from_secs(1)).is_some(), "the newest are kept");
    }
}
