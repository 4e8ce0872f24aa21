//! What the node tells of itself: metrics, status, readiness.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use serde_json::json;

use crate::api::Metrics;
use crate::net::admin::{AdminSource, Readiness};
use crate::services::Node;

/// The source of the admin surface, and of `/metrics` on the others.
pub(super) struct Figures {
    node: Arc<Node>,
    readiness: Readiness,
    started: Instant,
}

impl Figures {
    pub(super) fn new(node: Arc<Node>) -> Self {
        Self { node, readiness: Readiness::new(), started: Instant::now() }
    }

    pub(super) fn readiness(&self) -> Readiness {
        self.readiness.clone()
    }

    /// Name, help and value of every counter.
    fn counters(&self) -> [(&'static str, u64); 11] {
        let counters = self.node.counters();
        [
            ("sent", counters.sent.value()),
            ("send_failed", counters.send_failed.value()),
            ("received", counters.received.value()),
            ("absent", counters.absent.value()),
            ("pushed", counters.pushed.value()),
            ("push_refused", counters.push_refused.value()),
            ("delivered", counters.delivered.value()),
            ("delivery_failed", counters.delivery_failed.value()),
            ("withdrawn", counters.withdrawn.value()),
            ("erased", counters.erased.value()),
            ("resent", counters.resent.value()),
        ]
    }
}

#[async_trait]
impl Metrics for Figures {
    async fn metrics(&self) -> String {
        let mut text = String::new();
        for (name, value) in self.counters() {
            text.push_str(&format!("# TYPE celosia_{name} counter\ncelosia_{name}_total {value}\n"));
        }
        text.push_str("# EOF\n");
        text
    }
}

#[async_trait]
impl AdminSource for Figures {
    async fn metrics(&self) -> String {
        Metrics::metrics(self).await
    }

    async fn status(&self) -> serde_json::Value {
        let own: Vec<String> = self.node.own_keys().iter().map(ToString::to_string).collect();
        let keys = self.node.known_keys();
        let peers: Vec<_> = self
            .node
            .known_urls()
            .into_iter()
            .filter(|url| *url != self.node.settings().own_url)
            .map(|url| json!({ "url": url, "keys": keys.iter().filter(|(_, at)| *at == url).count() }))
            .collect();
        let store = match self.node.store().stats().await {
            Ok(stats) => json!({
                "payloads": stats.payloads,
                "raw": stats.raws,
                "tombstones": stats.tombstones,
                "disk_bytes": stats.disk_bytes,
            }),
            Err(error) => json!({ "error": error.to_string() }),
        };
        let counters: serde_json::Map<String, serde_json::Value> =
            self.counters().into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "uptime_seconds": self.started.elapsed().as_secs(),
            "url": self.node.settings().own_url,
            "ready": self.readiness.missing().is_empty(),
            "keys": own,
            "peers": peers,
            "store": store,
            "counters": counters,
        })
    }
}
