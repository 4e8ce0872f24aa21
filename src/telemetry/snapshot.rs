use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Process;
use crate::services::{Counter, Counters, Node};
use crate::store::Stats;
use crate::types::{Address, PeerUrl};

/// What this node knows of a peer.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct PeerState {
    /// Where it listens.
    pub url: PeerUrl,
    /// How many keys it announced.
    pub keys: usize,
    /// It answered when last asked.
    pub reached: bool,
}

/// A node at one moment, in figures.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Its own keys, the default sender first.
    pub own_keys: Vec<Address>,
    /// Every known key, its own included.
    pub known_keys: usize,
    /// The other members.
    pub peers: Vec<PeerState>,
    /// The store; absent if it does not answer.
    pub store: Option<Stats>,
    /// What the verbs did since the start, by name.
    pub counts: Vec<(&'static str, u64)>,
    /// Memory, files and processor time.
    pub process: Process,
}

impl Snapshot {
    /// Looks at a node. Reads counters and indexes; scans nothing.
    pub async fn of(node: &Node) -> Self {
        let keys = node.known_keys();
        Self {
            own_keys: node.own_keys().to_vec(),
            known_keys: keys.len(),
            peers: peers(node, &keys),
            store: node.store.stats().await.ok(),
            counts: counts(&node.counters),
            process: Process::read(),
        }
    }

    /// One of the counts.
    pub fn count(&self, name: &str) -> u64 {
        self.counts.iter().find(|(known, _)| *known == name).map_or(0, |(_, value)| *value)
    }
}

fn peers(node: &Node, keys: &[(Address, PeerUrl)]) -> Vec<PeerState> {
    let mut announced: BTreeMap<&PeerUrl, usize> = BTreeMap::new();
    for (_, url) in keys {
        *announced.entry(url).or_default() += 1;
    }
    let unreached: BTreeSet<PeerUrl> = node.directory.unreached().into_iter().collect();
    let others = node.known_urls().into_iter().filter(|url| *url != node.settings.own_url);
    others
        .map(|url| PeerState { keys: announced.get(&url).copied().unwrap_or(0), reached: !unreached.contains(&url), url })
        .collect()
}

fn counts(counters: &Counters) -> Vec<(&'static str, u64)> {
    let named: [(&'static str, &Counter); 11] = [
        ("sent", &counters.sent),
        ("send_failed", &counters.send_failed),
        ("received", &counters.received),
        ("absent", &counters.absent),
        ("pushed", &counters.pushed),
        ("push_refused", &counters.push_refused),
        ("delivered", &counters.delivered),
        ("delivery_failed", &counters.delivery_failed),
        ("withdrawn", &counters.withdrawn),
        ("erased", &counters.erased),
        ("resent", &counters.resent),
    ];
    named.into_iter().map(|(name, counter)| (name, counter.value())).collect()
}
