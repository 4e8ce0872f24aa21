use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::Value;

use super::{coded, mail};
use crate::ceremony::CommitteeFile;
use crate::cli::Failure;
use crate::cli::admin::Node;
use crate::cli::erase::{text, time};
use crate::cli::http::block_on;
use crate::directory::CharterFolder;
use crate::governance::Committee;
use crate::officer::Folder;

/// `celosia officer status`. No password is needed.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The officer's folder.
    #[arg(long, value_name = "FOLDER", required_unless_present_any = ["admin", "config"])]
    folder: Option<PathBuf>,
    /// An officer who is lost, as far as you know.
    #[arg(long, value_name = "NAME")]
    lost: Vec<String>,
    /// Folder of a network's documents, as `celosia governance` keeps it: the folder remembers the policy in force.
    #[arg(long, value_name = "FOLDER")]
    directory: Option<PathBuf>,
    /// As JSON.
    #[arg(long)]
    json: bool,
    /// Also, or only: the ceremonies that a node relays, and for whom they wait.
    #[command(flatten)]
    node: Node,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let ceremonies = if args.node.admin.is_some() || args.node.config.is_some() { ceremonies(&args.node)? } else { Vec::new() };
    let mut shown = match &args.folder {
        Some(folder) => own(args, folder)?,
        None => serde_json::json!({}),
    };
    if args.json {
        shown["ceremonies"] = ceremonies.into();
        say!("{shown:#}");
    } else {
        ceremonies.iter().for_each(waits);
    }
    Ok(())
}

/// What a node relays; each as it shows it alone, with who cheated.
fn ceremonies(node: &Node) -> Result<Vec<Value>, Failure> {
    let door = node.admin()?;
    let mut all = Vec::new();
    for entry in mail::list(&door)? {
        let path = format!("/ceremonies/{}", text(&entry["ceremony"]));
        all.push(block_on(async { door.get(&path).await?.json() })?);
    }
    Ok(all)
}

fn waits(shown: &Value) {
    let (number, until) = (text(&shown["ceremony"]), time(&shown["until"]));
    let (title, state, member) = (text(&shown["title"]), text(&shown["state"]), text(&shown["member"]));
    say!("ceremony {number}\n  {title}: {state}, opened by {member}, kept until {until}");
    for (round, missing) in (1..).zip(shown["missing"].as_array().into_iter().flatten()) {
        let names: Vec<&str> = missing.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if !names.is_empty() {
            say!("  round {round} of 3 waits for: {}", names.join(", "));
        }
    }
    if let Some(trouble) = shown["trouble"].as_object() {
        say!("  error[{}]: {}", text(&trouble["code"]), text(&trouble["text"]));
    }
}

/// The folder's own state; printed, unless it is wanted as JSON.
fn own(args: &Args, folder: &Path) -> Result<Value, Failure> {
    let card = Folder::card_of(folder).map_err(coded)?;
    let committees = Folder::committees_of(folder).map_err(coded)?;
    if let Some(directory) = &args.directory {
        let documents = CharterFolder::open(directory, None, Timestamp::now()).map_err(|error| Failure::coded(2, &error))?;
        Folder::see(folder, documents.charter().policy()).map_err(coded)?;
    }
    let mut lines = Vec::new();
    for file in &committees {
        let committee = &file.committee;
        let newest = committees.iter().filter(|other| {
            other.network == file.network
                && (other.committee.purpose, other.committee.epoch) == (committee.purpose, committee.epoch)
        });
        let newest = newest.map(|other| other.committee.generation).max().unwrap_or(0);
        let has_share = Folder::has_share(folder, file);
        let is_newest = committee.generation == newest;
        let in_force = in_force(folder, file)?;
        let is_over = has_share && in_force.is_some_and(|in_force| in_force > committee.generation);
        let live = committee.officers.iter().filter(|officer| !args.lost.contains(&officer.name)).count() as u64;
        lines.push(serde_json::json!({
            "network": file.network, "purpose": committee.purpose, "epoch": committee.epoch,
            "generation": committee.generation, "threshold": committee.threshold, "officers": committee.officers.len(),
            "live": live, "key": committee.key, "share": has_share, "newest": is_newest, "in-force": in_force, "destroy": is_over,
        }));
        if args.json {
            continue;
        }
        let share = match (has_share, is_newest) {
            (true, true) => "share here",
            (true, false) if is_over => "share of before, and a later one is in force: destroy it",
            (true, false) => "share of before: destroy it when the policy in force names a later one",
            (false, _) => "no share here",
        };
        if lines.len() == 1 {
            say!("{}, {}  {}", card.name, card.entity, card.signing_key);
        }
        say!(
            "{}, generation {}: {} of {}, {share}, key {}",
            committee.title(),
            committee.generation,
            committee.threshold,
            committee.officers.len(),
            committee.key
        );
        if is_newest {
            warn(committee, live);
        } else if is_over {
            eprintln!(
                "warning: generation {} of {} is over: celosia officer destroy --folder {} --committee FILE, with committee.toml of generation {newest}; then the copies",
                committee.generation,
                committee.title(),
                folder.display()
            );
        }
    }
    if lines.is_empty() && !args.json {
        say!("{}, {}  {}\nno committee yet", card.name, card.entity, card.signing_key);
    }
    Ok(serde_json::json!({ "name": card.name, "entity": card.entity, "committees": lines }))
}

/// The generation of a committee that this folder saw in force.
fn in_force(folder: &Path, file: &CommitteeFile) -> Result<Option<u64>, Failure> {
    let seen = Folder::seen_of(folder, &file.network).map_err(coded)?;
    Ok(seen.and_then(|seen| seen.generation(file.committee.purpose, file.committee.epoch)))
}

/// One more lost officer, and nobody opens anything any more, for ever.
fn warn(committee: &Committee, live: u64) {
    if live == committee.threshold {
        eprintln!(
            "warning: {} has as many officers as open it: one more lost, and nothing opens. Hand over to new ones now",
            committee.title()
        );
    } else if live < committee.threshold {
        eprintln!("warning: {} has too few officers: nothing of this key opens any more. Make a new epoch", committee.title());
    }
}
