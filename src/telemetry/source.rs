use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::{Map, Value, json};

use super::{Metrics, Snapshot};
use crate::api;
use crate::net::admin::{AdminSource, Readiness};
use crate::services::Node;

/// Rates are over at least this long, so that two callers do not spoil each other's.
const RATE_WINDOW: Duration = Duration::from_secs(5);

/// The admin surface's answers about a node.
pub struct NodeSource {
    node: Arc<Node>,
    metrics: Arc<Metrics>,
    readiness: Readiness,
    /// Surfaces and where they listen, as the operator reaches them.
    listeners: Vec<(String, String)>,
    started: Instant,
    rates: Mutex<Rates>,
}

/// The counts between which rates are computed.
struct Rates {
    then: (Instant, Vec<(&'static str, u64)>),
    now: (Instant, Vec<(&'static str, u64)>),
}

impl NodeSource {
    /// Answers about this node; `listeners` are pairs of surface and address.
    pub fn new(node: Arc<Node>, metrics: Arc<Metrics>, readiness: Readiness, listeners: Vec<(String, String)>) -> Self {
        let started = Instant::now();
        let rates = Mutex::new(Rates { then: (started, Vec::new()), now: (started, Vec::new()) });
        Self { node, metrics, readiness, listeners, started, rates }
    }
}

#[async_trait]
impl api::Metrics for NodeSource {
    async fn metrics(&self) -> String {
        self.metrics.encode(Snapshot::of(&self.node).await)
    }
}

#[async_trait]
impl AdminSource for NodeSource {
    async fn metrics(&self) -> String {
        api::Metrics::metrics(self).await
    }

    async fn status(&self) -> Value {
        let snapshot = Snapshot::of(&self.node).await;
        let rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner).of(&snapshot, Instant::now());
        let store = snapshot.store.map(|store| {
            json!({
                "payloads": store.payloads,
                "raw": store.raws,
                "tombstones": store.tombstones,
                "disk_bytes": store.disk_bytes,
                "commits": store.commits,
                "writes": store.writes,
            })
        });
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "uptime_seconds": self.started.elapsed().as_secs(),
            "url": self.node.settings.own_url,
            "ready": self.readiness.missing().is_empty(),
            "known_keys": snapshot.known_keys,
            "keys": snapshot.own_keys,
            "listeners": self.listeners.iter().cloned().map(|(name, at)| (name, Value::String(at))).collect::<Map<_, _>>(),
            "peers": snapshot.peers,
            "store": store,
            "counters": snapshot.counts.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<Map<_, _>>(),
            "rates_per_second": rates,
            "governance": snapshot.governed,
            "root": snapshot.root,
            "documents": snapshot.documents,
            "process": {
                "resident_bytes": snapshot.process.resident_bytes,
                "open_files": snapshot.process.open_files,
                "threads": snapshot.process.threads,
                "cpu_seconds": snapshot.process.cpu_seconds,
            },
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate needs no 53 bits")]
impl Rates {
    /// Rates since the last look that is at least the window away, or since the start.
    fn of(&mut self, snapshot: &Snapshot, now: Instant) -> Map<String, Value> {
        if now.duration_since(self.now.0) >= RATE_WINDOW {
            self.then = std::mem::replace(&mut self.now, (now, snapshot.counts.clone()));
        }
        let seconds = now.duration_since(self.then.0).as_secs_f64().max(1e-3);
        let before = |name: &str| self.then.1.iter().find(|(known, _)| *known == name).map_or(0, |(_, value)| *value);
        let rate = |name: &str, value: u64| value.saturating_sub(before(name)) as f64 / seconds;
        let rounded = |rate: f64| (rate * 10.0).round() / 10.0;
        snapshot.counts.iter().map(|(name, value)| ((*name).to_owned(), json!(rounded(rate(name, *value))))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_over_the_window() {
        let start = Instant::now();
        let mut rates = Rates { then: (start, Vec::new()), now: (start, Vec::new()) };
        let mut at = |seconds: u64, sent: u64| {
            let snapshot = Snapshot { counts: vec![("sent", sent)], ..Snapshot::default() };
            rates.of(&snapshot, start + Duration::from_secs(seconds))["sent"].as_f64().unwrap()
        };
        assert!((at(10, 50) - 5.0).abs() < 1e-9, "since the start");
        assert!((at(20, 150) - 10.0).abs() < 1e-9, "since ten seconds ago");
        assert!((at(21, 150) - 100.0 / 11.0).abs() < 0.1, "a second caller sees the same window");
    }
}
