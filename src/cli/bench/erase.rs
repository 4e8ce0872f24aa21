//! The erasure of many payloads of one subject, through the surfaces of two governed members: its rate, what the disk gets back, and what
//! is sent meanwhile.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::{Value, json};

use super::load::Target;
use super::{Args, Subject, send_for, wait_for_keys};
use crate::cli::http::Place;
use crate::cli::network::{Member, Network, Rules};

/// The pseudonym of the one who is erased.
const SUBJECT: (&str, &str) = ("celosia-subject", "bench-subject");
/// Longest that a case takes to be opened.
const OPENED: Duration = Duration::from_mins(5);
/// How long the rate of sends is measured where nothing is erased.
const QUIET: Duration = Duration::from_secs(5);

pub(super) async fn run(args: &Args, count: u64) -> anyhow::Result<()> {
    let network = Network::start_as(2, None, Rules::Charter)?;
    let target = Target::Unix(network.members[0].node_socket.clone());
    let size = args.size.first().copied().unwrap_or(2048);
    let subject = Subject { target, to: vec![network.members[1].address], network: None, up: None };
    wait_for_keys(&subject).await?;
    let stores: Vec<_> = network.members.iter().map(|member| member.folder.join("data/store")).collect();
    let disk = || stores.iter().map(|store| disk(store)).sum::<u64>();
    let empty = disk();
    let mut sent = 0;
    while sent < count {
        let outcome = send_for(&subject, size, Duration::from_millis(500), Some(SUBJECT)).await?;
        ensure!(outcome.failed == 0, "sends fail");
        sent += outcome.micros.len() as u64;
    }
    // Purged before, too: what is compared lies as close both times.
    purge(&network.members).await?;
    let took = disk().saturating_sub(empty);
    let quiet = send_for(&subject, size, QUIET, None).await?;
    let place = |url: &str| Place::Tcp(url.trim_start_matches("http://").to_owned());
    let (application, admin) = (place(&network.members[0].application), place(&network.members[0].admin));
    let begun = Instant::now();
    let asked = json!({ "scope": { "by": "subject", "of": SUBJECT.1 }, "ground": "consent-withdrawn" });
    let erasing = tokio::spawn(async move { erased(&application, &admin, &asked, begun).await });
    let (mut answers, mut elapsed) = (0, Duration::ZERO);
    while !erasing.is_finished() {
        let outcome = send_for(&subject, size, Duration::from_millis(500), None).await?;
        (answers, elapsed) = (answers + outcome.micros.len(), elapsed + outcome.elapsed);
    }
    let (items, here, everywhere) = erasing.await??;
    purge(&network.members).await?;
    report(size, items, here, everywhere);
    #[expect(clippy::cast_precision_loss, reason = "rates, for people")]
    let meanwhile = answers as f64 / elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
    say!("sends meanwhile: {:.2} x those of the same network with nothing erased", meanwhile / quiet.rate());
    let besides = (quiet.micros.len() + answers) as u64;
    report_disk(took, items, besides, disk().saturating_sub(empty));
    Ok(())
}

/// What the erased took, what was sent besides and is still there takes at the same size each, and what is left.
fn report_disk(took: u64, items: u64, besides: u64, left: u64) {
    let kept = took / items.max(1) * besides;
    let given_back = (took + kept).saturating_sub(left);
    say!("disk of both stores: {} MiB with the {items}, {} B each at both together", took >> 20, took / items.max(1));
    say!("  {besides} more were sent before and meanwhile: {} MiB at that size", kept >> 20);
    say!(
        "  {} MiB after a purge: {} MiB given back, {} % of what the erased took",
        left >> 20,
        given_back >> 20,
        given_back * 100 / took.max(1)
    );
}

#[expect(clippy::cast_precision_loss, reason = "rates, for people")]
fn report(size: usize, items: u64, here: Duration, everywhere: Duration) {
    let rate = |time: Duration| items as f64 / time.as_secs_f64().max(f64::MIN_POSITIVE);
    say!("{items} payloads of {size} bytes and one subject");
    say!(
        "unreadable here after {:.1} s ({:.0}/s), at every holder after {:.1} s ({:.0}/s)",
        here.as_secs_f64(),
        rate(here),
        everywhere.as_secs_f64(),
        rate(everywhere)
    );
}

/// Erases, and waits until it is unreadable here and everywhere. Items, and both times.
async fn erased(application: &Place, admin: &Place, asked: &Value, begun: Instant) -> anyhow::Result<(u64, Duration, Duration)> {
    let asking = application.call("POST", "/erasures", Some(asked));
    // The answer comes when this node's own items are erased, which may take longer than a client waits.
    let _ = asking.await;
    let mut here = None;
    loop {
        let cases = admin.get("/erasures").await?.json()?;
        // It is opened once it is known who has what, which takes longer the more there is.
        let Some(case) = cases.as_array().and_then(|cases| cases.first()) else {
            ensure!(begun.elapsed() < OPENED, "no case was opened");
            tokio::time::sleep(Duration::from_millis(200)).await;
            continue;
        };
        let items = case["items"].as_u64().unwrap_or_default();
        let status = admin.get("/status").await?.json()?;
        if here.is_none() && status["store"]["tombstones"].as_u64() >= Some(items) {
            here = Some(begun.elapsed());
        }
        if let (Some(here), true) = (here, case["holders"][1]["level"].as_u64() >= Some(1)) {
            return Ok((items, here, begun.elapsed()));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Purges every member's store, to its end: a large one takes longer than a caller waits for the answer.
async fn purge(members: &[Member]) -> anyhow::Result<()> {
    for member in members {
        let admin = Place::Tcp(member.admin.trim_start_matches("http://").to_owned());
        let before = admin.get("/erasure/purge").await?.json()?["done"].clone();
        admin.call("POST", "/erasure/purge", Some(&json!({}))).await?;
        loop {
            let state = admin.get("/erasure/purge").await?.json()?;
            ensure!(state["failed"] == 0, "a purge failed: see {}/celosia.log", member.folder.display());
            if state["running"] == false && state["done"] != before {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}

/// Bytes of a folder's files.
fn disk(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}
