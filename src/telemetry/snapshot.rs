use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Process;
use crate::services::{Counter, Counters, DocumentFigures, MatterFigures, Node};
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

/// A governed node at one moment, in figures.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct GovernedFigures {
    /// The version of directory and policy that it is on.
    pub version: u64,
    /// Members that are not known to be on it.
    pub behind: u64,
    /// Rows of the journal that are in the log.
    pub log_size: u64,
    /// Rows of the newest checkpoint that witnesses have cosigned.
    pub cosigned_size: u64,
    /// It does not serve.
    pub halted: bool,
}

/// What purges did since the start.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PurgeFigures {
    /// Those that ended well.
    pub done: u64,
    /// Those that did not.
    pub failed: u64,
    /// When the newest of them ended, seconds since the Unix epoch; 0: none.
    pub last: u64,
    /// Bytes that the files became smaller by.
    pub reclaimed: u64,
    /// Something was removed since.
    pub due: bool,
}

/// The root of the key trees at one moment, in figures.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct RootFigures {
    /// Its newest generation.
    pub generation: u64,
    /// Seconds since that one began.
    pub age_seconds: u64,
    /// An older generation still opens: a rotation is under way, or did not come to its end.
    pub unfinished: bool,
    /// Key trees.
    pub trees: u64,
    /// Bytes of their states.
    pub state_bytes: u64,
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
    /// What purges did; absent before the first snapshot.
    pub purges: Option<PurgeFigures>,
    /// Holds that stand, and items that are blocked.
    pub holds: (u64, u64),
    /// Items that members ordered to be erased before they came; absent if the store does not answer.
    pub guards: Option<u64>,
    /// Orders to stop that stand.
    pub stops: u64,
    /// Officers' ceremonies that are here and not done.
    pub ceremonies: u64,
    /// Cases that people handle.
    pub matters: MatterFigures,
    /// The governed side; absent without one.
    pub governed: Option<GovernedFigures>,
    /// The root of the key trees; absent if the enclave does not answer.
    pub root: Option<RootFigures>,
    /// Documents; absent without a directory.
    pub documents: Option<DocumentFigures>,
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
            purges: Some(purges(node)),
            holds: node.hold_figures(),
            guards: node.guard_figure().await.ok(),
            stops: node.active_stops(),
            ceremonies: node.open_ceremonies(),
            matters: node.matter_figures(),
            governed: governed(node).await,
            root: root(node).await,
            documents: node.document_figures(),
            process: Process::read(),
        }
    }

    /// One of the counts.
    pub fn count(&self, name: &str) -> u64 {
        self.counts.iter().find(|(known, _)| *known == name).map_or(0, |(_, value)| *value)
    }
}

fn purges(node: &Node) -> PurgeFigures {
    let purges = node.purges();
    PurgeFigures {
        done: purges.done.value(),
        failed: purges.failed.value(),
        last: purges.last().map_or(0, |last| last.time / 1000),
        reclaimed: purges.reclaimed(),
        due: node.store().purge_due(),
    }
}

async fn root(node: &Node) -> Option<RootFigures> {
    let status = node.root_status().await.ok()?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_millis();
    let age = u64::try_from(now).unwrap_or(u64::MAX).saturating_sub(status.since) / 1000;
    Some(RootFigures {
        generation: u64::from(status.generation),
        age_seconds: age,
        unfinished: status.oldest != status.generation,
        trees: status.trees,
        state_bytes: status.state_bytes,
    })
}

async fn governed(node: &Node) -> Option<GovernedFigures> {
    let governed = node.governed()?;
    let status = node.governance_status().ok()?;
    let chronicle = governed.chronicle()?;
    let cosigned = chronicle.cosigned().await;
    let size = |text: &str| text.lines().nth(1).and_then(|line| line.parse().ok()).unwrap_or_default();
    Some(GovernedFigures {
        version: status.version,
        behind: status.behind as u64,
        log_size: chronicle.published().map_or(0, |published| published.checkpoint.size),
        cosigned_size: cosigned.map_or(0, |note| size(note.text())),
        halted: governed.halted().is_some(),
    })
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
    let named: [(&'static str, &Counter); 32] = [
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
        ("index_renewed", &counters.index_renewed),
        ("orders_refused", &counters.orders_refused),
        ("resent", &counters.resent),
        ("sent_native", &counters.sent_native),
        ("capsules_made", &counters.capsules_made),
        ("capsules_refused", &counters.capsules_refused),
        ("pushed_native", &counters.pushed_native),
        ("policy_refused", &counters.policy_refused),
        ("stopped", &counters.stopped),
        ("copies_taken", &counters.copies_taken),
        ("second_headers", &counters.second_headers),
        ("ceremony_messages", &counters.ceremony_messages),
        ("ceremony_refused", &counters.ceremony_refused),
        ("documents_put", &counters.documents_put),
        ("documents_received", &counters.documents_received),
        ("documents_read", &counters.documents_read),
        ("documents_erased", &counters.documents_erased),
        ("documents_delivered", &counters.documents_delivered),
        ("documents_delivery_failed", &counters.documents_delivery_failed),
        ("disclosed", &counters.disclosed),
        ("recovered", &counters.recovered),
        ("disclosure_notices", &counters.disclosure_notices),
    ];
    named.into_iter().map(|(name, counter)| (name, counter.value())).collect()
}
