//! `celosia hold` and `celosia block`: what stands before an erasure, and what makes data unreadable meanwhile.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Subcommand;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::admin::{Door, Node};
use super::erase::{ScopeArgs, text, time};
use super::http::block_on;
use super::{Failure, keygen, keyupdate, prompt};
use crate::crypto::secret::Secret;
use crate::enclave::keyfile;
use crate::erasure::{HoldId, HoldKind, HoldRequest, REQUEST_FORMAT};
use crate::seal::hold;

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
    /// Open what a node asked, offline, with the committee's key. Shows what it is about first.
    Open {
        /// The request, from `celosia hold export`.
        request: PathBuf,
        /// The committee's key.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// File whose first line is its password; asked if absent.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        /// Where to write the answer.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// End a hold before its time. Of a block, with the committee's answer: it is read again. With `[access]`, a second person must approve.
    Release {
        #[command(flatten)]
        node: Node,
        /// The hold.
        hold: HoldId,
        /// The committee's answer, from `celosia hold open`.
        answer: Option<PathBuf>,
        /// Why, in one line, for the second person.
        #[arg(long, default_value = "release of a hold")]
        reason: String,
    },
    /// Make the hold committee's key: NAME.key, locked, for the committee alone, and NAME.pub for `[holds] committee`.
    Keygen {
        /// The key file, ending in .key.
        #[arg(long, value_name = "FILE", default_value = "hold.key")]
        out: PathBuf,
        /// File whose first line is the password; asked twice if absent.
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        /// JSON file with the options of argon2: variant, memory (KiB), iterations, parallelism.
        #[arg(long, value_name = "FILE")]
        argonconfig: Option<PathBuf>,
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
        Command::Open { request, key, password_file, out } => open(request, key, password_file.as_deref(), out)?,
        Command::Release { node, hold, answer, reason } => release(node, *hold, answer.as_deref(), reason)?,
        Command::Keygen { out, password_file, argonconfig } => make(out, password_file.as_deref(), argonconfig.as_deref())?,
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

/// What is asked is shown before it is opened. What is shown is what the answer is good for: each word is bound to the envelope's key.
fn open(request: &Path, key: &Path, password_file: Option<&Path>, out: &Path) -> Result<(), Failure> {
    let request: HoldRequest = read(request)?;
    if request.format != REQUEST_FORMAT {
        return Err(Failure::plain(2, format!("this is no request of a hold: its format is not {REQUEST_FORMAT}")));
    }
    eprintln!("to release hold {}: {} envelope(s)", request.hold, request.envelopes.len());
    let mut shown = std::collections::BTreeSet::new();
    for label in request.envelopes.iter().map(|envelope| &envelope.label) {
        if shown.insert((label.network, label.hold, label.until)) {
            let (ground, reference) = (printable(&label.ground), printable(&label.reference));
            let until = time(&json!(label.until));
            eprintln!("  network {}, blocked under {} until {until}: {ground}, {reference}", label.network, label.hold);
        }
    }
    let private = unlock(key, password_file)?;
    let answer = hold::answer(&request, &private)
        .map_err(|_| Failure::plain(2, "a key in the request is of low order: it was not made by an enclave"))?;
    Ok(write(out, &answer)?)
}

fn release(node: &Node, hold: HoldId, answer: Option<&Path>, reason: &str) -> anyhow::Result<()> {
    let door = node.admin()?;
    if let Some(file) = answer {
        let answer: Value = read(file)?;
        let said = block_on(async { door.post(&format!("/holds/{hold}/answer"), &answer).await })?;
        anyhow::ensure!(said.status.is_success(), "{}", said.text());
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

/// Makes the committee's key pair.
fn make(out: &Path, password_file: Option<&Path>, argonconfig: Option<&Path>) -> Result<(), Failure> {
    let name = out.to_str().map(|name| name.strip_suffix(".key").unwrap_or(name));
    let name = PathBuf::from(name.ok_or_else(|| Failure::plain(2, "the file's name is not UTF-8"))?);
    let options = keygen::argon_options(argonconfig)?;
    let password = match password_file {
        Some(file) => keyupdate::first_line(file)?,
        None => prompt::new_password()?,
    };
    if password.is_empty() {
        return Err(Failure::plain(2, "the password is empty: the committee's key is kept locked"));
    }
    let (key, address) = keyfile::generate();
    let json = keyfile::to_locked_json(&key, &password, &options).map_err(|error| Failure::coded(2, &error))?;
    keyfile::write_pair(&name, &address, &Zeroizing::new(json)).map_err(|error| Failure::coded(2, &error))?;
    say!("{address}");
    eprintln!("{}.key is the committee's: never on a node", name.display());
    Ok(())
}

fn unlock(file: &Path, password_file: Option<&Path>) -> Result<Secret<32>, Failure> {
    let coded = |error: keyfile::KeyFileError| Failure::coded(2, &error);
    let locked = keyfile::load(file).map_err(coded)?;
    let password = match (locked.is_locked(), password_file) {
        (false, _) => None,
        (true, Some(password)) => Some(keyupdate::first_line(password)?),
        (true, None) => Some(prompt::password_of(&file.display().to_string())?),
    };
    locked.unlock(password.as_ref()).map_err(coded)
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

/// What others wrote must not move the cursor.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
