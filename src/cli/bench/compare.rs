//! Both protocols between two members each, in one run and turn by turn: the machine's moods meet both.

use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;

use super::load::{self, Outcome, Plan, Shot, Target};
use super::{Args, SEND_MEDIA, Subject, send_body, wait_for_keys};
use crate::cli::network::Network;

/// Turns of each measurement.
const TURNS: u32 = 5;

pub(super) async fn run(args: &Args) -> anyhow::Result<()> {
    let (compatible, native) = (subject(false)?, subject(true)?);
    for subject in [&compatible, &native] {
        wait_for_keys(subject).await?;
    }
    say!(
        "{:>8} {:>8} {:>14} {:>14} {:>7} {:>12} {:>12}",
        "bytes",
        "clients",
        "compatible/s",
        "native/s",
        "ratio",
        "p50 comp.",
        "p50 native"
    );
    for &size in &args.size {
        for &clients in &args.clients {
            let (mut rates, mut medians) = ([0.0; 2], [0.0; 2]);
            for _ in 0..TURNS {
                for (at, subject) in [&compatible, &native].into_iter().enumerate() {
                    let outcome = send(subject, size, clients, Duration::from_secs(args.seconds)).await?;
                    rates[at] += outcome.rate() / f64::from(TURNS);
                    medians[at] += f64::from(outcome.percentile(50)) / 1e3 / f64::from(TURNS);
                }
            }
            say!(
                "{size:>8} {clients:>8} {:>14.0} {:>14.0} {:>7.2} {:>9.2} ms {:>9.2} ms",
                rates[0],
                rates[1],
                rates[1] / rates[0],
                medians[0],
                medians[1]
            );
        }
    }
    Ok(())
}

fn subject(is_governed: bool) -> anyhow::Result<Subject> {
    let network = Network::start_as(2, None, is_governed)?;
    let target = Target::Unix(network.members[0].node_socket.clone());
    Ok(Subject { target, to: vec![network.members[1].address], network: Some(network), up: None })
}

async fn send(subject: &Subject, size: usize, clients: usize, duration: Duration) -> anyhow::Result<Outcome> {
    let body: Bytes = send_body(size, &subject.to);
    let plan = Plan { clients, duration, expect: StatusCode::CREATED, keep_bodies: false };
    let shot = move |_, _| Shot { method: "POST", path: "/send".into(), media: SEND_MEDIA, body: body.clone(), header: None };
    load::run(&subject.target, &plan, shot).await
}
