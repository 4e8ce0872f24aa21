//! Both protocols between two members each, or the native one without and with escrow, in one run and turn by turn: the machine's moods meet both.

use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;

use super::load::{self, Outcome, Plan, Shot, Target};
use super::{Args, SEND_MEDIA, Subject, send_body, wait_for_keys};
use crate::cli::network::{Network, Rules};

/// Turns of each measurement.
const TURNS: u32 = 5;

pub(super) async fn run(args: &Args) -> anyhow::Result<()> {
    let (one, other) = if args.escrow { (Rules::Charter, Rules::Escrow) } else { (Rules::None, Rules::Charter) };
    let subjects = [subject(one)?, subject(other)?];
    for subject in &subjects {
        wait_for_keys(subject).await?;
    }
    say!(
        "{:>8} {:>8} {:>14} {:>14} {:>7} {:>15} {:>15}",
        "bytes",
        "clients",
        format!("{}/s", name(one)),
        format!("{}/s", name(other)),
        "ratio",
        format!("p50 {}", name(one)),
        format!("p50 {}", name(other))
    );
    for &size in &args.size {
        for &clients in &args.clients {
            let (mut rates, mut medians) = ([0.0; 2], [0.0; 2]);
            for _ in 0..TURNS {
                for (at, subject) in subjects.iter().enumerate() {
                    let outcome = send(subject, size, clients, Duration::from_secs(args.seconds)).await?;
                    rates[at] += outcome.rate() / f64::from(TURNS);
                    medians[at] += f64::from(outcome.percentile(50)) / 1e3 / f64::from(TURNS);
                }
            }
            say!(
                "{size:>8} {clients:>8} {:>14.0} {:>14.0} {:>7.2} {:>12.2} ms {:>12.2} ms",
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

const fn name(rules: Rules) -> &'static str {
    match rules {
        Rules::None => "compatible",
        Rules::Charter => "native",
        Rules::Escrow | Rules::Officers => "escrow",
    }
}

fn subject(rules: Rules) -> anyhow::Result<Subject> {
    let network = Network::start_as(2, None, rules)?;
    let target = Target::Unix(network.members[0].node_socket.clone());
    Ok(Subject { target, to: vec![network.members[1].address], network: Some(network), up: None })
}

async fn send(subject: &Subject, size: usize, clients: usize, duration: Duration) -> anyhow::Result<Outcome> {
    let body: Bytes = send_body(size, &subject.to);
    let plan = Plan { clients, duration, expect: StatusCode::CREATED, keep_bodies: false };
    let shot = move |_, _| Shot { method: "POST", path: "/send".into(), media: SEND_MEDIA, body: body.clone(), header: None };
    load::run(&subject.target, &plan, shot).await
}
