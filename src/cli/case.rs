//! `celosia case`: violations, exceptions, grievances and reviews, handled by people.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Failure;
use super::admin::{Door, Node};
use super::erase::{text, time};
use super::http::block_on;
use crate::matter::{MatterId, MatterKind, Outcome};
use crate::types::MemberId;

/// Arguments of `celosia case`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Open a case: an exception, a grievance, a review. Violations are opened by the node that notices them.
    Open {
        #[command(flatten)]
        node: Node,
        /// exception, grievance or review.
        #[arg(long)]
        kind: MatterKind,
        /// What it is about, one line, without names of people.
        #[arg(long)]
        title: String,
        /// The member that it concerns.
        #[arg(long)]
        member: Option<MemberId>,
    },
    /// Show cases, those that are not closed.
    List {
        #[command(flatten)]
        node: Node,
        /// Closed ones, too.
        #[arg(long)]
        all: bool,
        /// Those whose notice nobody has acknowledged; exit code 1 if there are any.
        #[arg(long)]
        waiting: bool,
        /// Print the JSON as it came.
        #[arg(long)]
        json: bool,
    },
    /// Show a case.
    Show {
        #[command(flatten)]
        node: Node,
        /// The case.
        case: MatterId,
    },
    /// Say that whoever must know of it knows. A notice that nobody acknowledges goes to the next level: operator, dpo, governor.
    Acknowledge {
        #[command(flatten)]
        node: Node,
        /// The case.
        case: MatterId,
    },
    /// Give it to somebody.
    Assign {
        #[command(flatten)]
        node: Node,
        /// The case.
        case: MatterId,
        /// To whom: a name of `[access]`, or another.
        #[arg(long)]
        to: String,
    },
    /// Attach files: their names, lengths and SHA-256 go into the case and the journal; the files stay with you.
    Attach {
        #[command(flatten)]
        node: Node,
        /// The case.
        case: MatterId,
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Check whether a file is one that was attached; exit code 1 if it is not.
    Check {
        #[command(flatten)]
        node: Node,
        /// The case.
        case: MatterId,
        /// The file.
        file: PathBuf,
    },
    /// Decide it.
    Decide {
        #[command(flatten)]
        node: Node,
        /// The case.
        case: MatterId,
        /// upheld, dismissed, remedied or referred.
        #[arg(long)]
        outcome: Outcome,
        /// Why, one line, without names of people.
        #[arg(long)]
        reason: String,
    },
    /// Close it: nothing is left to do.
    Close {
        #[command(flatten)]
        node: Node,
        /// The case.
        case: MatterId,
    },
    /// Open a decided or closed one again.
    Reopen {
        #[command(flatten)]
        node: Node,
        /// The case.
        case: MatterId,
        /// Why, one line.
        #[arg(long)]
        reason: String,
    },
    /// Print audit indicators: violations by code, cases, notices, erasures and holds, as JSON.
    Indicators {
        #[command(flatten)]
        node: Node,
    },
}

/// Runs one of them.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Open { node, kind, title, member } => {
            let body = json!({ "kind": kind, "title": title, "member": member });
            let opened = block_on(async { node.admin()?.post("/cases", &body).await?.json() })?;
            say!("{}", text(&opened["id"]));
        }
        Command::List { node, all, waiting, json } => return list(node, *all, *waiting, *json),
        Command::Show { node, case } => {
            say!("{:#}", block_on(async { node.admin()?.get(&format!("/cases/{case}")).await?.json() })?);
        }
        Command::Acknowledge { node, case } => step(node, *case, "acknowledge", &json!({}))?,
        Command::Assign { node, case, to } => step(node, *case, "assign", &json!({ "to": to }))?,
        Command::Attach { node, case, files } => {
            for file in files {
                step(node, *case, "attach", &attachment(file)?)?;
            }
        }
        Command::Check { node, case, file } => return check(node, *case, file),
        Command::Decide { node, case, outcome, reason } => {
            step(node, *case, "decide", &json!({ "outcome": outcome, "text": reason }))?;
        }
        Command::Close { node, case } => step(node, *case, "close", &json!({}))?,
        Command::Reopen { node, case, reason } => step(node, *case, "reopen", &json!({ "text": reason }))?,
        Command::Indicators { node } => {
            say!("{:#}", block_on(async { node.admin()?.get("/indicators").await?.json() })?);
        }
    }
    Ok(())
}

fn step(node: &Node, case: MatterId, name: &str, body: &Value) -> anyhow::Result<()> {
    let matter = block_on(async { node.admin()?.post(&format!("/cases/{case}/{name}"), body).await?.json() })?;
    say!("{}", text(&matter["state"]));
    Ok(())
}

async fn all_of(door: &Door) -> anyhow::Result<Vec<Value>> {
    let mut all: Vec<Value> = Vec::new();
    loop {
        let after = all.last().map_or_else(String::new, |matter| format!("?after={}", text(&matter["id"])));
        let page = door.get(&format!("/cases{after}")).await?.json()?;
        let Some(page) = page.as_array().filter(|page| !page.is_empty()).cloned() else { return Ok(all) };
        all.extend(page);
    }
}

fn list(node: &Node, all: bool, waiting: bool, as_json: bool) -> Result<(), Failure> {
    let mut matters = block_on(async { all_of(&node.admin()?).await })?;
    let waits = |matter: &Value| matter["notice"]["acknowledged"].is_null();
    matters.retain(|matter| if waiting { waits(matter) } else { all || matter["state"] != "closed" });
    matters.sort_by_key(|matter| matter["opened"].as_u64());
    let found = !matters.is_empty();
    if as_json {
        say!("{:#}", Value::Array(matters));
    } else {
        matters.iter().for_each(print);
    }
    if waiting && found { Err(Failure::plain(1, "notices wait to be acknowledged")) } else { Ok(()) }
}

fn print(matter: &Value) {
    let told = match matter["notice"]["acknowledged_by"].as_str().or_else(|| matter["notice"]["acknowledged-by"].as_str()) {
        Some(by) => format!("acknowledged by {by}"),
        None => format!("waits for {} until {}", text(&matter["notice"]["level"]), time(&matter["notice"]["due"])),
    };
    let about = [&matter["code"], &matter["member"]].into_iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ");
    say!(
        "{}  {}  {}  {} time(s)  {}  {}  {}  {}",
        text(&matter["id"]),
        text(&matter["state"]),
        text(&matter["kind"]),
        matter["times"],
        time(&matter["opened"]),
        told,
        about,
        text(&matter["title"]),
    );
}

fn attachment(file: &Path) -> anyhow::Result<Value> {
    let mut opened = std::fs::File::open(file).with_context(|| file.display().to_string())?;
    let (mut digest, mut bytes, mut part) = (Sha256::new(), 0_u64, vec![0; 1 << 16]);
    loop {
        let read = opened.read(&mut part).with_context(|| file.display().to_string())?;
        if read == 0 {
            break;
        }
        digest.update(&part[..read]);
        bytes += read as u64;
    }
    let name = file.file_name().context("a file has a name")?.to_str().context("the file's name is not UTF-8")?;
    Ok(json!({ "name": name, "bytes": bytes, "sha256": HEXLOWER.encode(&digest.finalize()) }))
}

fn check(node: &Node, case: MatterId, file: &Path) -> Result<(), Failure> {
    let asked = attachment(file)?;
    let matter = block_on(async { node.admin()?.get(&format!("/cases/{case}")).await?.json() })?;
    let attached = matter["attachments"].as_array().into_iter().flatten().find(|known| known["sha256"] == asked["sha256"]);
    let Some(known) = attached else { return Err(Failure::plain(1, "this file was not attached to the case")) };
    say!("attached as {} by {} on {}", text(&known["name"]), text(&known["by"]), time(&known["at"]));
    Ok(())
}
