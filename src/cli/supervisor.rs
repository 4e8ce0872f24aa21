//! `celosia supervisor`: what a supervisor does, on the admin surface of its own node; `stops` is for everybody.

use clap::Subcommand;
use serde_json::{Value, json};

use super::Failure;
use super::admin::Node;
use super::erase::{text, time};
use super::http::block_on;
use crate::supervision::{StopNumber, StopScope};
use crate::types::PayloadId;

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
