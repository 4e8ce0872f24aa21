//! `celosia hold` and `celosia block`: what stands before an erasure, and what makes data unreadable meanwhile.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Failure;
use super::admin::{Door, Node};
use super::erase::{ScopeArgs, text, time};
use super::http::block_on;
use crate::erasure::{HoldId, HoldKind};

/// Arguments of `celosia hold`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

/// Arguments of `celosia block`, and of `celosia hold place` but for the kind.
#[derive(clap::Args, Debug)]
pub(crate) struct PlaceArgs {
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    scope: ScopeArgs,
    /// Why: a ground of the profile, such as authority-order, legal-claims, accuracy-contested.
    #[arg(long)]
    ground: String,
    /// What it rests on: the number of a file or of an order, in one line, without names of people.
    #[arg(long)]
    reference: String,
    /// When it ends, such as 2029-01-31T00:00:00Z. What is blocked is destroyed then.
    #[arg(long)]
    until: Timestamp,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Place a hold.
    Place {
        #[command(flatten)]
        place: PlaceArgs,
        /// block: kept, unreadable, destroyed at the end. legal-hold: erasure and retention wait, nothing else changes.
        #[arg(long)]
        kind: HoldKind,
    },
    /// Show the holds, those that are over included.
    List {
        #[command(flatten)]
        node: Node,
        /// Only those that stand.
        #[arg(long)]
        active: bool,
        /// Print the JSON as it came.
        #[arg(long)]
        json: bool,
    },
    /// Show a hold.
    Show {
        #[command(flatten)]
        node: Node,
        /// The hold.
        hold: HoldId,
    },
    /// Write what the hold committee is asked, to release a block.
    Export {
        #[command(flatten)]
        node: Node,
        /// The hold.
        hold: HoldId,
        /// Where to write it.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// End a hold before its time. Of a block, with the committee's answer: it is read again. With `[access]`, a second person must approve.
    Release {
        #[command(flatten)]
        node: Node,
        /// The hold.
        hold: HoldId,
        /// The answers of as many officers as open, from `celosia officer answer`. Some now, the others with a later call.
        answer: Vec<PathBuf>,
        /// Why, in one line, for the second person.
        #[arg(long, default_value = "release of a hold")]
        reason: String,
    },
}

/// Runs one of them.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Place { place, kind } => self::place(place, *kind)?,
        Command::List { node, active, json } => list(node, *active, *json)?,
        Command::Show { node, hold } => {
            let door = node.admin()?;
            say!("{:#}", block_on(async { door.get(&format!("/holds/{hold}")).await?.json() })?);
        }
        Command::Export { node, hold, out } => {
            let door = node.admin()?;
            let request = block_on(async { door.post(&format!("/holds/{hold}/export"), &json!({})).await?.json() })?;
            write(out, &request)?;
        }
        Command::Release { node, hold, answer, reason } => release(node, *hold, answer, reason)?,
    }
    Ok(())
}

/// `celosia block`.
pub(super) fn block(args: &PlaceArgs) -> anyhow::Result<()> {
    place(args, HoldKind::Block)
}

fn place(args: &PlaceArgs, kind: HoldKind) -> anyhow::Result<()> {
    let until = u64::try_from(args.until.as_millisecond()).context("a date before 1970")?;
    let body = json!({
        "kind": kind, "ground": args.ground, "reference": args.reference, "until": until, "scope": args.scope.scope()?,
    });
    let door = args.node.admin()?;
    let hold = block_on(async { door.post("/holds", &body).await?.json() })?;
    say!("{}", text(&hold["id"]));
    eprintln!("{} item(s) until {}", hold["items"], time(&hold["until"]));
    Ok(())
}

fn list(node: &Node, active: bool, as_json: bool) -> anyhow::Result<()> {
    let door = node.admin()?;
    let mut all = Vec::new();
    loop {
        let after = all.last().map_or_else(String::new, |hold: &Value| format!("?after={}", text(&hold["id"])));
        let page = block_on(async { door.get(&format!("/holds{after}")).await?.json() })?;
        let Some(page) = page.as_array().filter(|page| !page.is_empty()).cloned() else { break };
        all.extend(page);
    }
    all.retain(|hold| !active || hold["state"] == "active");
    if as_json {
        say!("{:#}", Value::Array(all));
        return Ok(());
    }
    for hold in &all {
        say!(
            "{}  {}  {}  {} item(s)  until {}  {}  {}",
            text(&hold["id"]),
            text(&hold["state"]),
            text(&hold["kind"]),
            hold["items"],
            time(&hold["until"]),
            text(&hold["ground"]),
            text(&hold["reference"]),
        );
    }
    Ok(())
}

fn release(node: &Node, hold: HoldId, answers: &[PathBuf], reason: &str) -> anyhow::Result<()> {
    let door = node.admin()?;
    let mut missing = None;
    for file in answers {
        let answer: Value = read(file)?;
        let said = block_on(async { door.post(&format!("/holds/{hold}/answer"), &answer).await })?;
        anyhow::ensure!(said.status.is_success(), "{}: {}", file.display(), said.text());
        let said = said.json()?;
        missing =
            Some((said["answers"].clone(), said["needed"].clone())).filter(|(have, needed)| have.as_u64() < needed.as_u64());
    }
    if let Some((have, needed)) = missing {
        say!("{have} of {needed} officers have answered");
        return Ok(());
    }
    end(&door, hold, reason)
}

/// Releases at once where the node lets one person do so, else asks for a second one.
fn end(door: &Door, hold: HoldId, reason: &str) -> anyhow::Result<()> {
    let said = block_on(async { door.post(&format!("/holds/{hold}/release"), &json!({})).await })?;
    let has_code = serde_json::from_slice::<Value>(&said.body).is_ok_and(|body| body["code"].is_string());
    if said.status == hyper::StatusCode::NOT_FOUND && !has_code {
        let body = json!({ "act": "release-hold", "arguments": { "hold": hold }, "reason": reason });
        let asked = block_on(async { door.post("/acts", &body).await?.json() })?;
        eprintln!("a second person must approve: celosia acts approve {}", text(&asked["id"]));
        return Ok(());
    }
    say!("{}", text(&said.json()?["state"]));
    Ok(())
}

fn read<T: DeserializeOwned>(file: &Path) -> anyhow::Result<T> {
    let bytes = std::fs::read(file).with_context(|| file.display().to_string())?;
    serde_json::from_slice(&bytes).with_context(|| format!("{} is no file of `celosia hold`", file.display()))
}

fn write(file: &Path, value: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_vec_pretty(value).context("JSON")?;
    std::fs::write(file, text).with_context(|| file.display().to_string())?;
    say!("{}", file.display());
    Ok(())
}
