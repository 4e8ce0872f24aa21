//! `celosia acts`: dangerous acts, asked for by one person and approved by another.

use clap::Subcommand;
use serde_json::{Map, Value, json};

use super::admin::Node;
use super::http::block_on;

/// Arguments of `celosia acts`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the acts that wait for a second person, and those that are over.
    List {
        #[command(flatten)]
        node: Node,
        /// Print the JSON as it came.
        #[arg(long)]
        json: bool,
    },
    /// Ask for an act: `erase --argument id=BASE64`, `accept-rollback`.
    Request {
        #[command(flatten)]
        node: Node,
        /// Which act.
        act: String,
        /// What it is about, such as `id=BASE64`.
        #[arg(long = "argument", value_name = "NAME=VALUE", value_parser = pair)]
        arguments: Vec<(String, String)>,
        /// Why, in one line: the second person and the journal read it.
        #[arg(long)]
        reason: String,
    },
    /// Approve what another person asked for: it is done at once.
    Approve {
        #[command(flatten)]
        node: Node,
        /// Id of the act, from `celosia acts list`.
        id: String,
    },
    /// Take back an act that waits, your own or one that you could have asked for or approved.
    Withdraw {
        #[command(flatten)]
        node: Node,
        /// Id of the act, from `celosia acts list`.
        id: String,
    },
}

/// Runs one of them.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    match &args.command {
        Command::List { node, json } => list(node, *json),
        Command::Request { node, act, arguments, reason } => {
            let arguments: Map<String, Value> = arguments.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
            let body = json!({ "act": act, "arguments": arguments, "reason": reason });
            let door = node.admin()?;
            let asked = block_on(async { door.post("/acts", &body).await?.json() })?;
            say!("{}", text(&asked["id"]));
            eprintln!("waits for another person: {}", words(&asked["waits-for"]));
            Ok(())
        }
        Command::Approve { node, id } => end(node, id, "approve"),
        Command::Withdraw { node, id } => end(node, id, "withdraw"),
    }
}

fn end(node: &Node, id: &str, how: &str) -> anyhow::Result<()> {
    let door = node.admin()?;
    let done = block_on(async { door.post(&format!("/acts/{id}/{how}"), &json!({})).await?.json() })?;
    say!("{}", text(&done["state"]));
    Ok(())
}

fn list(node: &Node, as_json: bool) -> anyhow::Result<()> {
    let door = node.admin()?;
    let acts = block_on(async { door.get("/acts").await?.json() })?;
    if as_json {
        say!("{acts:#}");
        return Ok(());
    }
    for act in acts.as_array().map(Vec::as_slice).unwrap_or_default() {
        say!(
            "{}  {}  {}  by {}  for {}  {}  {}",
            text(&act["id"]),
            text(&act["state"]),
            text(&act["act"]),
            text(&act["requested-by"]["name"]),
            words(&act["waits-for"]),
            act["arguments"],
            text(&act["reason"]),
        );
    }
    Ok(())
}

/// Names and reasons come from others: nothing in them may move the cursor.
fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").chars().filter(|c| !c.is_control()).collect()
}

fn words(value: &Value) -> String {
    value.as_array().map(|items| items.iter().map(text).collect::<Vec<_>>().join(" or ")).unwrap_or_default()
}

fn pair(written: &str) -> Result<(String, String), &'static str> {
    let (name, value) = written.split_once('=').ok_or("expected NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
