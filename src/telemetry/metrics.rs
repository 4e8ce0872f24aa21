//! The metrics and their names: `docs/metrics.md` lists them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::Snapshot;

/// Upper bounds of the latency buckets in seconds: 50 µs to GoQuorum's 5 s and one beyond.
const BUCKETS: [f64; 15] =
    [0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct RequestLabels {
    surface: &'static str,
    route: String,
    method: &'static str,
    status: u16,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct RouteLabels {
    surface: &'static str,
    route: String,
}

#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
struct SurfaceLabels {
    surface: &'static str,
}

/// One answered request.
#[derive(Clone, Debug)]
pub(super) struct Request<'a> {
    pub(super) surface: &'static str,
    /// The route's pattern, never the path: paths hold ids.
    pub(super) route: &'a str,
    pub(super) method: &'static str,
    pub(super) status: u16,
    pub(super) time: Duration,
    pub(super) received: u64,
    pub(super) sent: u64,
}

/// All metrics of a process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    received: Family<SurfaceLabels, Counter>,
    sent: Family<SurfaceLabels, Counter>,
    in_flight: Family<SurfaceLabels, Gauge>,
    node: Arc<NodeFigures>,
}

impl Metrics {
    /// Metrics that all stand at zero.
    pub fn new() -> Arc<Self> {
        let mut metrics = Self {
            registry: Registry::with_prefix("celosia"),
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            received: Family::default(),
            sent: Family::default(),
            in_flight: Family::default(),
            node: Arc::default(),
        };
        metrics.register();
        Arc::new(metrics)
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The running version", version);
        registry.register("http_requests", "Requests answered, by route and status", self.requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "Time from a request's head to its answer's head",
            self.seconds.clone(),
        );
        registry.register("http_received_bytes", "Bytes of request bodies, as announced by their length", self.received.clone());
        registry.register("http_sent_bytes", "Bytes of answer bodies whose length is known beforehand", self.sent.clone());
        registry.register("http_requests_in_flight", "Requests being worked on", self.in_flight.clone());
        registry.register_collector(Box::new(Arc::clone(&self.node)));
    }

    pub(super) fn begin(&self, surface: &'static str) {
        self.in_flight.get_or_create(&SurfaceLabels { surface }).inc();
    }

    pub(super) fn end(&self, surface: &'static str) {
        self.in_flight.get_or_create(&SurfaceLabels { surface }).dec();
    }

    pub(super) fn record(&self, request: &Request<'_>) {
        let Request { surface, method, status, .. } = *request;
        let route = request.route.to_owned();
        self.requests.get_or_create(&RequestLabels { surface, route: route.clone(), method, status }).inc();
        self.seconds.get_or_create(&RouteLabels { surface, route }).observe(request.time.as_secs_f64());
        self.received.get_or_create(&SurfaceLabels { surface }).inc_by(request.received);
        self.sent.get_or_create(&SurfaceLabels { surface }).inc_by(request.sent);
    }

    /// Everything in the OpenMetrics text format, with the node's figures as given.
    pub fn encode(&self, node: Snapshot) -> String {
        self.node.0.store(Arc::new(node));
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// The node's own counts, as they stood at the scrape.
#[derive(Default)]
struct NodeFigures(ArcSwap<Snapshot>);

impl fmt::Debug for NodeFigures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeFigures(..)")
    }
}

/// Counters of [`Snapshot::counts`] that are metrics of their own: count, metric, help.
const COUNTERS: [(&str, &str, &str); 27] = [
    ("sent", "payloads_sent", "Payloads that every recipient has"),
    ("send_failed", "payloads_send_failed", "Sends that failed after they were sealed"),
    ("received", "payloads_received", "Payloads given back to the node or an application"),
    ("absent", "payloads_absent", "Look-ups answered with: not here"),
    ("pushed", "payloads_pushed", "Payloads taken from peers, new here"),
    ("push_refused", "payloads_push_refused", "Payloads from peers that were refused or passed over"),
    ("erased", "payloads_erased", "Payloads erased"),
    ("index_renewed", "subject_keys_destroyed", "Keys of the index of data subjects destroyed"),
    ("orders_refused", "erasure_orders_refused", "Orders to erase that name too many items that are not here"),
    ("resent", "payloads_resent", "Payloads resent to a peer that asked"),
    ("sent_native", "payloads_sent_native", "Of the payloads sent, those of the suite celosia-1"),
    ("capsules_made", "capsules_made", "Escrow capsules made: of payloads sent, and of own copies in Tessera's suite"),
    ("capsules_refused", "capsules_refused", "Deliveries refused because of their escrow capsule, or because they have none"),
    ("pushed_native", "payloads_pushed_native", "Of the payloads taken, those of the suite celosia-1"),
    ("policy_refused", "policy_refused", "Sends that the policy refused"),
    ("copies_taken", "supervision_copies_taken", "Copies for this supervisor that were taken"),
    (
        "second_headers",
        "supervision_second_headers",
        "Payloads for which a sender signed a second header for this supervisor: kept as evidence",
    ),
    ("ceremony_messages", "ceremony_messages", "Messages of officers' ceremonies that were taken, each once"),
    ("ceremony_refused", "ceremony_messages_refused", "What came for an officers' ceremony and was refused"),
    ("stopped", "stopped", "Payloads, sent or delivered, that an order to stop stands before"),
    ("documents_put", "documents_put", "Documents put here, complete"),
    ("documents_received", "documents_received", "Documents taken from other members, complete"),
    ("documents_read", "documents_read", "Documents opened for reading"),
    ("documents_erased", "documents_erased", "Documents erased"),
    ("disclosed", "payloads_disclosed", "Payloads released to auditors"),
    ("recovered", "payloads_recovered", "Lost payloads that came back through the committee"),
    ("disclosure_notices", "disclosure_notices", "Notices of disclosures taken from other members"),
];

/// Counters that are outcomes of a delivery.
const OUTCOMES: [(&str, &str); 3] = [("delivered", "delivered"), ("delivery_failed", "failed"), ("withdrawn", "withdrawn")];

impl Collector for NodeFigures {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let node = self.0.load();
        for (count, name, help) in COUNTERS {
            counter(encoder.encode_descriptor(name, help, None, MetricType::Counter)?, node.count(count))?;
        }
        let mut deliveries =
            encoder.encode_descriptor("deliveries", "Deliveries to one recipient, by outcome", None, MetricType::Counter)?;
        for (count, outcome) in OUTCOMES {
            counter(deliveries.encode_family(&[("outcome", outcome)])?, node.count(count))?;
        }
        let mut documents = encoder.encode_descriptor(
            "document_deliveries",
            "Attempts to take a document to a member, by outcome",
            None,
            MetricType::Counter,
        )?;
        for (count, outcome) in [("documents_delivered", "delivered"), ("documents_delivery_failed", "failed")] {
            counter(documents.encode_family(&[("outcome", outcome)])?, node.count(count))?;
        }
        let reached = node.peers.iter().filter(|peer| peer.reached).count();
        let mut peers =
            encoder.encode_descriptor("peers", "Other members known, by whether they answer", None, MetricType::Gauge)?;
        for (state, number) in [("reached", reached), ("unreached", node.peers.len() - reached)] {
            peers.encode_family(&[("state", state)])?.encode_gauge(&(number as u64))?;
        }
        gauge(&mut encoder, "keys", "Keys known, our own included", node.known_keys as u64)?;
        self.governed(&mut encoder)?;
        gauge(&mut encoder, "holds_active", "Holds that stand", node.holds.0)?;
        gauge(&mut encoder, "items_blocked", "Payloads and documents that are kept and unreadable", node.holds.1)?;
        if let Some(guards) = node.guards {
            gauge(&mut encoder, "erasure_guards", "Items ordered to be erased before they came, by all members", guards)?;
        }
        gauge(&mut encoder, "stops_active", "Orders to stop that stand", node.stops)?;
        gauge(&mut encoder, "ceremonies_open", "Officers' ceremonies that are relayed and not done", node.ceremonies)?;
        gauge(&mut encoder, "cases_open", "Cases that are not closed", node.matters.open)?;
        gauge(&mut encoder, "notices_waiting", "Notices that nobody has acknowledged", node.matters.waiting)?;
        gauge(&mut encoder, "notices_overdue", "Of those, notices whose time is over", node.matters.overdue)?;
        gauge(&mut encoder, "notices_climbed", "Notices that went to the next level since the start", node.matters.climbed)?;
        self.root(&mut encoder)?;
        self.store(&mut encoder)?;
        self.purges(&mut encoder)?;
        self.process(&mut encoder)
    }
}

impl NodeFigures {
    fn governed(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        if let Some(documents) = self.0.load().documents {
            gauge(encoder, "documents", "Complete documents kept", documents.documents)?;
            gauge(encoder, "documents_bytes", "Bytes of the files of documents, unfinished ones too", documents.bytes)?;
            gauge(encoder, "documents_pending", "Deliveries of documents that are still to be made", documents.pending)?;
        }
        let Some(governed) = self.0.load().governed else { return Ok(()) };
        gauge(encoder, "charter_version", "Version of directory and policy that this node is on", governed.version)?;
        gauge(encoder, "charter_members_behind", "Members not known to be on it", governed.behind)?;
        gauge(encoder, "journal_size", "Rows of the newest checkpoint", governed.log_size)?;
        gauge(encoder, "journal_cosigned_size", "Rows of the newest checkpoint that witnesses cosigned", governed.cosigned_size)?;
        gauge(encoder, "halted", "Whether this node refuses to serve, because it was put back", u64::from(governed.halted))
    }

    fn root(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Some(root) = self.0.load().root else { return Ok(()) };
        gauge(encoder, "root_generation", "Generation of the root of the key trees", root.generation)?;
        gauge(encoder, "root_age_seconds", "Seconds since that generation began", root.age_seconds)?;
        gauge(encoder, "root_unfinished", "Whether an older generation still opens", u64::from(root.unfinished))?;
        gauge(encoder, "key_trees", "Key trees", root.trees)?;
        gauge(encoder, "key_tree_bytes", "Bytes of their states", root.state_bytes)
    }

    fn store(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let node = self.0.load();
        gauge(encoder, "store_up", "Whether the store answers", u64::from(node.store.is_some()))?;
        let Some(store) = node.store else { return Ok(()) };
        gauge(encoder, "store_payloads", "Payloads kept", store.payloads)?;
        gauge(encoder, "store_raws", "Raw payloads kept", store.raws)?;
        gauge(encoder, "store_tombstones", "Payloads erased for ever", store.tombstones)?;
        gauge(encoder, "journal_rows", "Rows of the journal", store.events)?;
        gauge(encoder, "store_disk_bytes", "Bytes of the store's files", store.disk_bytes)?;
        let commits =
            encoder.encode_descriptor("store_commits", "Batches made durable, one fsync each", None, MetricType::Counter)?;
        counter(commits, store.commits)?;
        let writes = encoder.encode_descriptor("store_writes", "Write requests that they answered", None, MetricType::Counter)?;
        counter(writes, store.writes)
    }

    fn purges(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Some(purges) = self.0.load().purges else { return Ok(()) };
        gauge(encoder, "purge_last_timestamp_seconds", "When the newest purge ended; 0: none since the start", purges.last)?;
        gauge(encoder, "purge_due", "Whether something was erased since the last purge", u64::from(purges.due))?;
        for (name, help, value) in [
            ("purges", "Purges of the store that ended well", purges.done),
            ("purges_failed", "Purges of the store that did not", purges.failed),
            ("purge_reclaimed_bytes", "Bytes that purges gave back", purges.reclaimed),
        ] {
            counter(encoder.encode_descriptor(name, help, None, MetricType::Counter)?, value)?;
        }
        Ok(())
    }

    fn process(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let process = self.0.load().process;
        gauge(encoder, "process_resident_memory_bytes", "Resident memory", process.resident_bytes)?;
        gauge(encoder, "process_open_fds", "Open file descriptors", process.open_files)?;
        gauge(encoder, "process_threads", "Threads", process.threads)?;
        let mut cpu = encoder.encode_descriptor("process_cpu_seconds", "Processor time used", None, MetricType::Counter)?;
        cpu.encode_counter::<NoLabelSet, f64, u64>(&process.cpu_seconds, None)
    }
}

fn counter(mut encoder: MetricEncoder<'_>, value: u64) -> fmt::Result {
    encoder.encode_counter::<NoLabelSet, u64, u64>(&value, None)
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: u64) -> fmt::Result {
    encoder.encode_descriptor(name, help, None, MetricType::Gauge)?.encode_gauge(&value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Stats;

    #[test]
    fn every_figure_has_its_line() {
        let metrics = Metrics::new();
        metrics.begin("node");
        let time = Duration::from_micros(70);
        metrics.record(&Request { surface: "node", route: "/send", method: "POST", status: 201, time, received: 9, sent: 3 });
        let store = Some(Stats { payloads: 5, raws: 1, tombstones: 2, events: 0, disk_bytes: 4096, commits: 3, writes: 12 });
        let text = metrics.encode(Snapshot {
            counts: vec![("sent", 4), ("delivery_failed", 1)],
            known_keys: 3,
            store,
            ..Snapshot::default()
        });
        let lines = [
            r#"celosia_http_requests_total{surface="node",route="/send",method="POST",status="201"} 1"#,
            r#"celosia_http_request_duration_seconds_bucket{le="0.0001",surface="node",route="/send"} 1"#,
            r#"celosia_http_received_bytes_total{surface="node"} 9"#,
            r#"celosia_http_requests_in_flight{surface="node"} 1"#,
            "celosia_payloads_sent_total 4",
            r#"celosia_deliveries_total{outcome="failed"} 1"#,
            r#"celosia_peers{state="reached"} 0"#,
            "celosia_keys 3",
            "celosia_store_payloads 5",
            "# TYPE celosia_store_disk_bytes gauge",
            "celosia_store_commits_total 3",
            "celosia_store_writes_total 12",
            "# EOF",
        ];
        for line in lines {
            assert!(text.lines().any(|found| found == line), "{line} is missing in\n{text}");
        }
        assert!(metrics.encode(Snapshot::default()).contains("celosia_store_up 0"));
    }
}
