//! A disclosure of many payloads at once, every step of it a process of its own: what an auditor's request of a whole class costs the node, the
//! officers and the auditor, in time and in memory.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use serde::Serialize;
use serde_json::Value;

use super::load::Target;
use super::{Args, Subject, send_for, wait_for_keys};
use crate::cli::http::Place;
use crate::cli::network::{Desk, Member, Network, THRESHOLD};

/// The class that is asked for.
const CLASS: (&str, &str) = ("celosia-class", "business");
/// How often the memory of a process is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// One step of it.
#[derive(Debug, Serialize)]
struct Step {
    name: &'static str,
    seconds: f64,
    per_second: f64,
    /// Most that the process of the step had resident, KiB.
    peak_kib: u64,
    /// Most that the holder's node had resident until then, KiB, from the request on.
    node_peak_kib: u64,
}

struct Bench {
    desk: Desk,
    network: Network,
    items: u64,
    steps: Vec<Step>,
}

pub(super) async fn run(args: &Args, count: u64) -> anyhow::Result<()> {
    let network = Network::start_supervised(2, None, "", |folder, network| Desk::of(folder).found(network))?;
    let target = Target::Unix(network.members[0].node_socket.clone());
    let size = args.size.first().copied().unwrap_or(2048);
    let subject = Subject { target, to: vec![network.members[1].address], network: None, up: None };
    wait_for_keys(&subject).await?;
    let (begun, mut sent) = (Instant::now(), 0);
    while sent < count {
        let outcome = send_for(&subject, size, Duration::from_millis(500), Some(CLASS)).await?;
        ensure!(outcome.failed == 0, "sends fail");
        sent += outcome.micros.len() as u64;
    }
    let took = begun.elapsed();
    let mut bench = Bench { desk: Desk::of(network.path()), network, items: sent, steps: Vec::new() };
    bench.took("sent", took, 0);
    bench.discloses().await?;
    bench.report(args, size);
    Ok(())
}

impl Bench {
    async fn discloses(&mut self) -> anyhow::Result<()> {
        let desk = self.desk.clone();
        let (admin, folder) = (self.holder().admin.clone(), desk.path("auditor"));
        let (network, password, argon) = (self.network_id()?, desk.path("password"), desk.path("argon.json"));
        let until = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(24)).to_string();
        let keys = ["auditor", "keygen", "--folder", &folder, "--name", "Auditor", "--entity", "Auditors"];
        let grant = self.step("", &[&keys[..], &["--password-file", &password, "--argonconfig", &argon]].concat())?;
        let unlock = ["--folder", &folder, "--password-file", &password];
        reset_peak(self.holder());
        let request = ["--network", &network, "--mandate", "bench", "--purpose", "bench", "--basis", "bench"];
        let scope = ["--class", CLASS.1, "--until", &until, "--admin", &admin];
        self.step("request: listed", &[&["auditor", "request"], &unlock[..], &request, &scope].concat())?;
        let shown = Place::Tcp(admin.trim_start_matches("http://").to_owned()).get(&format!("/disclosures/{grant}")).await?;
        self.items = shown.json()?["items"].as_u64().context("the grant")?;
        for at in 1..=THRESHOLD {
            self.officer(at, &grant, "approve", ("case file: fetched", "officer: approves"))?;
        }
        for at in 1..=THRESHOLD {
            self.officer(at, &grant, "release", ("", "officer: makes shares"))?;
        }
        self.step("auditor: collects", &[&["auditor", "collect"], &unlock[..], &["--admin", &admin]].concat())?;
        let release = format!("{folder}/release.cbor");
        self.step("verify without key", &["disclosure", "verify", &release, "--network", &network])?;
        let told = self.step("auditor: opens", &[&["auditor", "open"], &unlock[..]].concat())?;
        let good = format!("{} payload(s) opened and verified, 0 not opened", self.items);
        ensure!(told.contains(&good), "not everything opened: {told}");
        let text = std::fs::read_to_string(format!("{folder}/out/report.json")).context("the report")?;
        ensure!(serde_json::from_str::<Value>(&text)?["opened"].as_u64() == Some(self.items), "the report says something else");
        Ok(())
    }

    /// An officer looks at the case, and does something with it. The first one's time is told.
    fn officer(&mut self, at: usize, grant: &str, verb: &str, names: (&'static str, &'static str)) -> anyhow::Result<()> {
        let desk = self.desk.clone();
        let admin = self.holder().admin.clone();
        let (case, out) = (desk.path("case.cbor"), desk.path(verb));
        let (folder, password) = (desk.path(&format!("officer-{at}")), desk.path("password"));
        let names = if at == 1 { names } else { ("", "") };
        self.step(names.0, &["disclosure", "case", "--admin", &admin, grant, "--out", &case])?;
        let fixed = ["officer", verb, "--folder", &folder, "--password-file", &password, &case, "--out", &out, "--admin", &admin];
        let text: &[&str] = if verb == "approve" { &["--text", "bench"] } else { &[] };
        self.step(names.1, &[&fixed[..], text].concat())?;
        Ok(())
    }

    /// Runs a command of this program, and measures it under a name. What it said.
    fn step(&mut self, name: &'static str, arguments: &[&str]) -> anyhow::Result<String> {
        let log = self.desk.path("said");
        let (out, errors) = (std::fs::File::create(&log)?, std::fs::File::create(format!("{log}.errors"))?);
        let begun = Instant::now();
        let mut command = self.desk.command(arguments)?;
        let mut child = command.stdin(Stdio::null()).stdout(out).stderr(errors).spawn()?;
        let mut peak = 0;
        let status = loop {
            peak = status_of(child.id(), "VmHWM:").unwrap_or(peak).max(peak);
            if let Some(status) = child.try_wait()? {
                break status;
            }
            std::thread::sleep(LOOK);
        };
        let took = begun.elapsed();
        let said = std::fs::read_to_string(&log)?;
        let errors = std::fs::read_to_string(format!("{log}.errors"))?;
        ensure!(status.success(), "celosia {}: {said}{errors}", arguments.join(" "));
        if !name.is_empty() {
            self.took(name, took, peak);
        }
        Ok(said.trim().to_owned())
    }

    #[expect(clippy::cast_precision_loss, reason = "a rate, for people")]
    fn took(&mut self, name: &'static str, time: Duration, peak_kib: u64) {
        let seconds = time.as_secs_f64();
        let per_second = self.items as f64 / seconds.max(f64::MIN_POSITIVE);
        let node_peak_kib = self.holder().pid().and_then(|pid| status_of(pid, "VmHWM:")).unwrap_or_default();
        self.steps.push(Step { name, seconds, per_second, peak_kib, node_peak_kib });
    }

    fn holder(&self) -> &Member {
        &self.network.members[0]
    }

    fn network_id(&self) -> anyhow::Result<String> {
        let text = std::fs::read_to_string(self.holder().config())?;
        let config: toml::Table = text.parse()?;
        let id = config.get("governance").and_then(|table| table.get("network")).and_then(toml::Value::as_str);
        Ok(id.context("the network of the configuration")?.to_owned())
    }

    fn report(&self, args: &Args, size: usize) {
        let Self { items, steps, .. } = self;
        if args.json {
            say!("{}", serde_json::json!({ "items": items, "payload_bytes": size, "steps": steps }));
            return;
        }
        say!("{items} payloads of {size} bytes in the list, {THRESHOLD} officers");
        say!("{:<22} {:>9} {:>11} {:>10} {:>14}", "step", "seconds", "payloads/s", "peak MiB", "node peak MiB");
        for step in steps {
            say!(
                "{:<22} {:>9.2} {:>11.0} {:>10} {:>14}",
                step.name,
                step.seconds,
                step.per_second,
                step.peak_kib >> 10,
                step.node_peak_kib >> 10
            );
        }
    }
}

/// A line of a process's status in KiB (proc(5)).
fn status_of(pid: u32, line: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|text| text.strip_prefix(line)).and_then(|rest| rest.split_whitespace().next()?.parse().ok())
}

/// Forgets the most that a member's process had resident: proc(5), `clear_refs`. Where that is not permitted the figure is of its whole life.
fn reset_peak(member: &Member) {
    if let Some(pid) = member.pid() {
        let _ = std::fs::write(format!("/proc/{pid}/clear_refs"), "5");
    }
}
