//! `celosia bench`: a closed loop against a network or a node, beside the physical limit measured in the same run.

mod compare;
mod disclose;
mod erase;
mod floor;
mod load;
mod report;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use data_encoding::BASE64;
use hyper::StatusCode;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use self::load::{Outcome, Plan, Shot, Target};
use self::report::Row;
use super::network::{Network, Rules};
use crate::crypto::random;
use crate::types::Address;

/// Characters of base64 that a path segment must not hold as they are.
const SEGMENT: &AsciiSet = &CONTROLS.add(b'/').add(b'+').add(b'=');
/// Clients where the number of payloads is what counts.
const MANY: usize = 64;
const SEND_MEDIA: &str = "application/vnd.tessera-2.1+json";

/// Arguments of `celosia bench`.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Node surface to drive: `unix:/path`, a socket path or `http://host:port`. Without it a network of three members is started.
    #[arg(long, value_name = "ADDRESS")]
    pub node: Option<String>,
    /// Recipient of the payloads (with --node).
    #[arg(long, value_name = "KEY", requires = "node")]
    pub to: Vec<Address>,
    /// Clients at once; several measurements if separated by commas.
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
    pub clients: Vec<usize>,
    /// Bytes of a payload; several measurements if separated by commas.
    #[arg(long, value_delimiter = ',', default_value = "2048")]
    pub size: Vec<usize>,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 5)]
    pub seconds: u64,
    /// Measure a network under a directory and a policy (the native protocol, suite celosia-1, the journal).
    #[arg(long, conflicts_with = "node")]
    pub governed: bool,
    /// Measure sends through both protocols in one run, turn by turn, and print the ratio.
    #[arg(long, conflicts_with_all = ["node", "governed"])]
    pub compare: bool,
    /// Measure with escrow: every payload carries a capsule. With --compare: beside the same network without.
    #[arg(long, conflicts_with_all = ["node", "erase"])]
    pub escrow: bool,
    /// Measure the erasure of so many payloads of one subject between two governed members.
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["node", "governed", "compare"])]
    pub erase: Option<u64>,
    /// Measure the disclosure of so many payloads to an auditor: request, approvals, shares, release, opening; each step its own process.
    #[arg(long, value_name = "COUNT", conflicts_with_all = ["node", "governed", "compare", "escrow", "erase"])]
    pub disclose: Option<u64>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

impl Args {
    const fn rules(&self) -> Rules {
        match (self.escrow, self.governed) {
            (true, _) => Rules::Escrow,
            (false, true) => Rules::Charter,
            (false, false) => Rules::None,
        }
    }
}

/// What is driven, and how to see its process.
struct Subject {
    target: Target,
    to: Vec<Address>,
    network: Option<Network>,
    up: Option<Duration>,
}

/// Runs the measurements and prints them.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    ensure!(args.seconds > 0 && args.clients.iter().all(|clients| *clients > 0), "seconds and clients are at least 1");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    if args.compare {
        return runtime.block_on(compare::run(args));
    }
    if let Some(count) = args.erase {
        return runtime.block_on(erase::run(args, count));
    }
    if let Some(count) = args.disclose {
        return runtime.block_on(disclose::run(args, count));
    }
    let subject = Subject::new(args)?;
    let rows = runtime.block_on(measure(args, &subject))?;
    let footprint = subject.network.as_ref().map(report::Footprint::of);
    report::print(&rows, subject.up, footprint, args.json);
    Ok(())
}

impl Subject {
    fn new(args: &Args) -> anyhow::Result<Self> {
        if let Some(node) = &args.node {
            return Ok(Self { target: Target::parse(node)?, to: args.to.clone(), network: None, up: None });
        }
        let begin = Instant::now();
        let network = Network::start_as(3, None, args.rules())?;
        let up = begin.elapsed();
        let target = Target::Unix(network.members[0].node_socket.clone());
        Ok(Self { target, to: vec![network.members[1].address], network: Some(network), up: Some(up) })
    }
}

async fn measure(args: &Args, subject: &Subject) -> anyhow::Result<Vec<Row>> {
    let folder = tempfile::tempdir()?;
    let path: PathBuf = folder.path().to_owned();
    let floor = tokio::spawn(async move { floor::serve(&path).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let floor_target = Target::Unix(folder.path().join("floor.ipc"));
    wait_for_keys(subject).await?;
    let mut rows = Vec::new();
    for &size in &args.size {
        for &clients in &args.clients {
            let plan = |expect, keep_bodies| Plan { clients, duration: Duration::from_secs(args.seconds), expect, keep_bodies };
            let body = send_body(size, &subject.to);
            let post = move |path: &'static str, body: Bytes| {
                move |_, _| Shot { method: "POST", path: path.to_owned(), media: SEND_MEDIA, body: body.clone(), header: None }
            };
            let sent = load::run(&subject.target, &plan(StatusCode::CREATED, true), post("/send", body.clone())).await?;
            let bare = load::run(&floor_target, &plan(StatusCode::CREATED, false), post("/", body)).await?;
            let paths = Arc::new(paths_of(&sent)?);
            rows.push(Row::new("send", size, clients, &sent, &bare));
            let present = load::run(&subject.target, &plan(StatusCode::OK, false), get(paths)).await?;
            let bare = load::run(&floor_target, &plan(StatusCode::NOT_FOUND, false), get(absent_paths())).await?;
            rows.push(Row::new("receive present", size, clients, &present, &bare));
            let absent = load::run(&subject.target, &plan(StatusCode::NOT_FOUND, false), get(absent_paths())).await?;
            rows.push(Row::new("receive absent", size, clients, &absent, &bare));
        }
    }
    floor.abort();
    Ok(rows)
}

fn get(paths: Arc<Vec<String>>) -> impl Fn(usize, u64) -> Shot + Send + Sync + 'static {
    move |client, n| {
        let at = (client.wrapping_mul(7919) + usize::try_from(n).unwrap_or_default()) % paths.len();
        Shot { method: "GET", path: paths[at].clone(), media: SEND_MEDIA, body: Bytes::new(), header: None }
    }
}

/// Sends until the recipients are known, so that the measurement begins with a network that is up.
async fn wait_for_keys(subject: &Subject) -> anyhow::Result<()> {
    let body = send_body(16, &subject.to);
    for _ in 0..200 {
        let plan = Plan { clients: 1, duration: Duration::from_millis(20), expect: StatusCode::CREATED, keep_bodies: false };
        let body = body.clone();
        let shot = move |_, _| Shot { method: "POST", path: "/send".into(), media: SEND_MEDIA, body: body.clone(), header: None };
        if load::run(&subject.target, &plan, shot).await.is_ok_and(|outcome| outcome.failed == 0) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the recipients do not become known: are their members up?")
}

/// Sends as fast as it goes for a while.
async fn send_for(
    subject: &Subject,
    size: usize,
    duration: Duration,
    header: Option<(&'static str, &'static str)>,
) -> anyhow::Result<Outcome> {
    let body = send_body(size, &subject.to);
    let plan = Plan { clients: MANY, duration, expect: StatusCode::CREATED, keep_bodies: false };
    let shot = move |_, _| Shot { method: "POST", path: "/send".into(), media: SEND_MEDIA, body: body.clone(), header };
    load::run(&subject.target, &plan, shot).await
}

fn send_body(size: usize, to: &[Address]) -> Bytes {
    let payload: Vec<u8> = random::<64>().into_iter().cycle().take(size).collect();
    serde_json::json!({ "payload": BASE64.encode(&payload), "to": to }).to_string().into()
}

/// The look-up paths of what was sent.
fn paths_of(sent: &Outcome) -> anyhow::Result<Vec<String>> {
    #[derive(serde::Deserialize)]
    struct Answer {
        key: String,
    }
    let path = |body: &Bytes| Ok(path_of(&serde_json::from_slice::<Answer>(body).context("an answer of /send")?.key));
    let paths: Vec<String> = sent.bodies.iter().take(50_000).map(path).collect::<anyhow::Result<_>>()?;
    ensure!(!paths.is_empty(), "no send succeeded");
    Ok(paths)
}

fn absent_paths() -> Arc<Vec<String>> {
    Arc::new((0..1024).map(|_| path_of(&BASE64.encode(&random::<64>()))).collect())
}

fn path_of(id: &str) -> String {
    format!("/transaction/{}", utf8_percent_encode(id, SEGMENT))
}
