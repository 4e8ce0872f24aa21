//! What the directory costs at 10, 100 and 1,000 members: bytes and connections a node and hour, and how long a revocation takes to arrive.
//!
//!     cargo bench --bench gossip
//!
//! The state machine and the codecs are those of the node; time and transport are simulated. An exchange is counted with the HTTP/2 and TLS
//! bytes around it, a new connection with its handshake. One document an hour; one exchange in fifty is lost. Beside it: what Tessera's
//! party info costs a node, which polls everybody with everything.

#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "figures for people")]

use std::collections::BTreeMap;

use celosia::directory::gossip::{Gossip, Next};
use celosia::types::MemberId;
use celosia::wire::native::{Documents, DocumentsAfter, Message as _};

/// HTTP/2 frames and compressed headers, TLS records: measured on a connection of two nodes.
const AROUND: usize = 2 * 90;
/// TLS 1.3 with two certificates, and the HTTP/2 settings.
const HANDSHAKE: usize = 3_400;
/// A connection that nobody uses is closed after so long.
const IDLE_SECONDS: f64 = 60.0;
/// Ticks between news and between calls without news, in seconds.
const NEWS: f64 = 0.25;
const CALM: f64 = 5.0;
/// One changed member and two signatures.
const DELTA: usize = 900;

struct Network {
    nodes: Vec<Gossip>,
    ids: Vec<MemberId>,
    sent: Vec<usize>,
    connected: Vec<usize>,
    /// When a pair last spoke.
    lines: BTreeMap<(usize, usize), f64>,
    state: u64,
    newest: u64,
    arrived: Vec<f64>,
}

impl Network {
    fn new(size: usize) -> Self {
        let ids: Vec<MemberId> = (0..size).map(|number| format!("member-{number:05}").parse().expect("a name")).collect();
        let nodes = ids.iter().map(|me| {
            let mut gossip = Gossip::new(me.clone());
            gossip.adopt(1, 1, ids.clone(), false);
            gossip
        });
        let nodes = nodes.collect();
        let zeros = vec![0; size];
        Self {
            nodes,
            ids,
            sent: zeros.clone(),
            connected: zeros,
            lines: BTreeMap::new(),
            state: 9,
            newest: 1,
            arrived: vec![0.0; size],
        }
    }

    fn random(state: &mut u64, below: usize) -> usize {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(*state >> 33).expect("31 bits") % below
    }

    fn publish(&mut self, now: f64) {
        self.newest += 1;
        self.nodes[0].adopt(self.newest, self.newest, self.ids.clone(), true);
        self.arrived[0] = now;
    }

    /// One exchange; both sides send half of what is around it.
    fn exchange(&mut self, from: usize, to: usize, there: usize, back: usize, now: f64) {
        let pair = (from, to);
        if self.lines.insert(pair, now).is_none_or(|last| now - last > IDLE_SECONDS) {
            self.connected[from] += 1;
            self.sent[from] += HANDSHAKE / 2;
            self.sent[to] += HANDSHAKE / 2;
        }
        self.sent[from] += there + AROUND / 2;
        self.sent[to] += back + AROUND / 2;
    }

    fn tick(&mut self, caller: usize, now: f64) {
        let mut state = self.state;
        let targets = self.nodes[caller].targets(|below| Self::random(&mut state, below));
        self.state = state;
        for target in targets {
            let to = self.ids.binary_search(&target).expect("a member");
            let said = self.nodes[caller].standing(0, true);
            if Self::random(&mut self.state, 50) == 0 {
                self.exchange(caller, to, said.to_bytes().len(), 0, now);
                continue;
            }
            let next = self.nodes[to].heard(&self.ids[caller].clone(), &said);
            let answer = self.nodes[to].standing(0, true);
            self.exchange(caller, to, said.to_bytes().len(), answer.to_bytes().len(), now);
            let back = self.nodes[caller].heard(&target, &answer);
            for (next, asker, giver) in [(next, to, caller), (back, caller, to)] {
                if next == Next::Fetch {
                    self.fetch(asker, giver, now);
                }
            }
        }
    }

    fn fetch(&mut self, asker: usize, giver: usize, now: f64) {
        let asked = DocumentsAfter { version: self.newest - 1, directory: self.newest - 1 };
        let given = Documents { notes: Vec::new(), delta: Some(vec![0; DELTA].into()) };
        self.exchange(asker, giver, asked.to_bytes().len(), given.to_bytes().len(), now);
        self.nodes[asker].adopt(self.newest, self.newest, self.ids.clone(), true);
        self.arrived[asker] = now;
    }
}

/// An hour of a network; figures of the average and of the busiest node.
fn hour(size: usize) {
    let mut network = Network::new(size);
    let (mut now, mut published, mut step) = (0.0_f64, 0.0, 0_u32);
    while now < 3_600.0 {
        if step == 400 {
            network.publish(now);
            published = now;
        }
        for caller in 0..size {
            // Members do not tick in step: each has its own phase.
            let calm = (u64::from(step) + caller as u64).is_multiple_of((CALM / NEWS) as u64);
            if network.nodes[caller].has_news() || calm {
                network.tick(caller, now);
            }
        }
        now += NEWS;
        step += 1;
    }
    let last = network.arrived.iter().copied().fold(0.0, f64::max) - published;
    let everybody_knows = network.nodes.iter().filter(|node| node.behind() == 0).count();
    let mean = |values: &[usize]| values.iter().sum::<usize>() / size;
    let most = |values: &[usize]| values.iter().copied().max().unwrap_or_default();
    let open = network.lines.values().filter(|last| now - **last < IDLE_SECONDS).count();
    // Tessera: every 5 s to everybody, URL and key of everybody, about 130 bytes each.
    let full_mesh = 720 * (size - 1) * (size * 130 + 600);
    println!(
        "{size:>5} members: {:>8} bytes sent a node and hour (busiest {:>8}), {:>4} connections opened (busiest {:>4}), {:.1} open at once; \
         a revocation is everywhere after {last:.1} s; {everybody_knows} nodes know that all have it; Tessera's full mesh: {:.0} x the bytes",
        mean(&network.sent),
        most(&network.sent),
        mean(&network.connected),
        most(&network.connected),
        open as f64 / size as f64,
        full_mesh as f64 / mean(&network.sent) as f64,
    );
}

fn main() {
    for size in [10, 100, 1_000] {
        hour(size);
    }
}
