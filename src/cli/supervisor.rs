//! `celosia supervisor`: what a supervisor does, on the admin surface of its own node; `stops` is for everybody.

use std::time::Duration;

use clap::Subcommand;
use hyper::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Failure;
use super::admin::{Door, Node};
use super::erase::{text, time};
use super::http::block_on;
use crate::supervision::{StopNumber, StopScope};
use crate::types::PayloadId;

/// A catch-up of a network.
const LONG: Duration = Duration::from_hours(1);
/// Pause before a stream that ended is opened again.
const AGAIN: Duration = Duration::from_secs(2);

/// Arguments of `celosia supervisor`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Order that new payloads of a scope stop, at every member, until it is lifted.
    Stop {
        #[command(flatten)]
        node: Node,
        /// What is stopped: all, class:NAME, contract:0x… or member:ID.
        #[arg(long)]
        scope: StopScope,
        /// A payload that made the contract: what builds on it is stopped at recipients, too. Several times, if there are several.
        #[arg(long, value_name = "ID")]
        creation: Vec<PayloadId>,
        /// What it rests on: the number of a file or of a decision.
        #[arg(long)]
        authority: String,
        /// What senders are told, in one line.
        #[arg(long)]
        text: String,
    },
    /// Lift an order to stop.
    Lift {
        #[command(flatten)]
        node: Node,
        /// The order.
        number: StopNumber,
        /// Why, in one line.
        #[arg(long)]
        text: String,
    },
    /// Show what comes under supervision, as it comes: who sent what class to whom, and when.
    Watch {
        #[command(flatten)]
        node: Node,
        /// Place of the last one that is known; from the beginning if absent.
        #[arg(long)]
        after: Option<u64>,
        /// Show what is there, and end.
        #[arg(long)]
        once: bool,
        /// Print each as a line of JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ask every member for what this supervisor was entitled to since a time, and lacks.
    CatchUp {
        #[command(flatten)]
        node: Node,
        /// Of what: all, class:NAME, contract:0x… or member:ID.
        #[arg(long)]
        scope: StopScope,
        /// Since when, such as 2026-01-31T00:00:00Z.
        #[arg(long)]
        since: Timestamp,
    },
    /// Show the payloads that wait for a co-signature, and those that waited.
    Queue {
        #[command(flatten)]
        node: Node,
        /// Only those that wait.
        #[arg(long)]
        waiting: bool,
        /// Print the JSON as it came.
        #[arg(long)]
        json: bool,
    },
    /// Answer for a payload that waits: it goes, or it does not.
    Cosign {
        #[command(flatten)]
        node: Node,
        /// The payload's id.
        id: PayloadId,
        /// It may go.
        #[arg(long, conflicts_with = "refuse", required_unless_present = "refuse")]
        approve: bool,
        /// It may not; the sender is told why.
        #[arg(long, value_name = "REASON")]
        refuse: Option<String>,
    },
    /// Show the orders to stop that a node knows.
    Stops {
        #[command(flatten)]
        node: Node,
        /// Only those that stand.
        #[arg(long)]
        active: bool,
        /// Print the JSON as it came.
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
pub(crate) fn run(args: Args) -> Result<u8, Failure> {
    match args.command {
        Command::Stop { node, scope, creation, authority, text } => {
            let body = json!({ "scope": scope, "creations": creation, "authority": authority, "text": text });
            spread(&block_on(async { node.admin()?.post("/stops", &body).await?.json() })?);
        }
        Command::Lift { node, number, text } => {
            let path = format!("/stops/{number}/lift");
            spread(&block_on(async { node.admin()?.post(&path, &json!({ "text": text })).await?.json() })?);
        }
        Command::Watch { node, after, once, json } => block_on(watch(&node, after, once, json))?,
        Command::CatchUp { node, scope, since } => {
            let body = json!({ "scope": scope, "since": since.as_millisecond().max(0) });
            let said = block_on(async { node.patient_admin(LONG)?.post("/supervision/catch-up", &body).await?.json() })?;
            return Ok(caught(&said));
        }
        Command::Queue { node, waiting, json } => {
            let all = block_on(questions(&node.admin()?, waiting))?;
            if json {
                say!("{}", json!(all));
            } else {
                all.iter().for_each(queued);
            }
        }
        Command::Cosign { node, id, approve, refuse } => {
            let id = percent_encoding::utf8_percent_encode(&id.to_string(), percent_encoding::NON_ALPHANUMERIC).to_string();
            let path = format!("/supervision/queue/{id}");
            let body = if approve { json!({ "approve": true }) } else { json!({ "approve": false, "reason": refuse }) };
            queued(&block_on(async { node.admin()?.post(&path, &body).await?.json() })?);
        }
        Command::Stops { node, active, json } => {
            let all = block_on(async { node.admin()?.get("/stops").await?.json() })?;
            let stands = |stop: &&Value| !active || stop["lifted"].is_null();
            let shown: Vec<&Value> = all.as_array().into_iter().flatten().filter(stands).collect();
            if json {
                say!("{}", json!(shown));
            } else {
                shown.into_iter().for_each(line);
            }
        }
    }
    Ok(0)
}

/// The queue, the oldest first: what waits, or all of it, page by page.
async fn questions(door: &Door, waiting: bool) -> anyhow::Result<Vec<Value>> {
    let (mut all, mut query) = (Vec::new(), format!("?waiting={waiting}"));
    loop {
        let page = door.get(&format!("/supervision/queue{query}")).await?.json()?;
        let page = page.as_array().cloned().unwrap_or_default();
        let last = page.last().and_then(|last| last["id"].as_str()).map(str::to_owned);
        all.extend(page);
        match last.filter(|_| !waiting) {
            Some(last) => {
                query = format!("?after={}", percent_encoding::utf8_percent_encode(&last, percent_encoding::NON_ALPHANUMERIC));
            }
            None => break,
        }
    }
    all.sort_by_key(|queued| queued["since"].as_u64());
    Ok(all)
}

/// Shows the feed; a connection that ends is opened again behind the last one shown.
async fn watch(node: &Node, after: Option<u64>, once: bool, json: bool) -> anyhow::Result<()> {
    let door = node.admin()?;
    let mut after = after;
    if once {
        return pages(&door, after, json).await;
    }
    loop {
        let path = format!("/supervision/stream{}", query(after));
        let mut take = |line: &[u8]| {
            if let Some(data) = line.strip_prefix(b"data: ") {
                let seen: Value = serde_json::from_slice(data)?;
                after = seen["place"].as_u64().or(after);
                show(&seen, json);
            }
            Ok(())
        };
        door.stream(Method::GET, &path, None, &mut take).await?;
        tokio::time::sleep(AGAIN).await;
    }
}

async fn pages(door: &Door, mut after: Option<u64>, json: bool) -> anyhow::Result<()> {
    loop {
        let page = door.get(&format!("/supervision/seen{}", query(after))).await?.json()?;
        page["seen"].as_array().into_iter().flatten().for_each(|seen| show(seen, json));
        let last = page["next"].as_u64().and_then(|next| next.checked_sub(1));
        if last == after || last.is_none() {
            return Ok(());
        }
        after = last;
    }
}

fn query(after: Option<u64>) -> String {
    after.map_or_else(String::new, |after| format!("?after={after}"))
}

fn show(seen: &Value, json: bool) {
    if json {
        return say!("{seen}");
    }
    let to = seen["recipients"].as_array().into_iter().flatten();
    let to: Vec<String> = to
        .map(|to| if to["member"].is_null() { text(&to["address"]) } else { text(&to["member"]) })
        .filter(|to| *to != text(&seen["member"]))
        .collect();
    say!(
        "{}  {}  {}  {}  {} -> {}  {}",
        seen["place"],
        time(&seen["time"]),
        text(&seen["mode"]),
        text(&seen["class"]),
        text(&seen["member"]),
        to.join(", "),
        text(&seen["id"])
    );
}

fn queued(queued: &Value) {
    let by = if queued["by"].is_null() { String::new() } else { format!(" by {}", text(&queued["by"])) };
    let why = if queued["reason"].is_null() { String::new() } else { format!(": {}", text(&queued["reason"])) };
    say!(
        "{}  {}  {}  {}  {}{by}{why}",
        text(&queued["id"]),
        time(&queued["since"]),
        text(&queued["member"]),
        text(&queued["class"]),
        text(&queued["state"])
    );
}

/// What each member gave. Exit code 1 if one did not give all.
fn caught(said: &Value) -> u8 {
    let mut exit = 0;
    for at in said["members"].as_array().into_iter().flatten() {
        let error = if at["error"].is_null() { String::new() } else { format!(", broke off ({})", text(&at["error"])) };
        exit = if at["error"].is_null() { exit } else { 1 };
        say!("{}: {} new, {} known, {} not taken{error}", text(&at["member"]), at["taken"], at["known"], at["refused"]);
    }
    exit
}

fn line(stop: &Value) {
    let state = match &stop["lifted"] {
        Value::Null => "stands".to_owned(),
        lifted => format!("lifted {} by {}: {}", time(&lifted["issued"]), text(&lifted["by"]), text(&lifted["text"])),
    };
    say!(
        "{}  {}  {} of {}  ({})  {}  {state}",
        text(&stop["number"]),
        time(&stop["issued"]),
        text(&stop["scope"]),
        text(&stop["supervisor"]),
        text(&stop["authority"]),
        text(&stop["text"])
    );
}

fn spread(order: &Value) {
    line(order);
    let silent: Vec<String> = order["silent"].as_array().into_iter().flatten().map(text).collect();
    say!("known to {} other members", order["told"]);
    if !silent.is_empty() {
        say!("not reached yet: {}", silent.join(", "));
    }
}
