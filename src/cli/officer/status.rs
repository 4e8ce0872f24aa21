use std::path::PathBuf;

use jiff::Timestamp;

use super::coded;
use crate::ceremony::CommitteeFile;
use crate::cli::Failure;
use crate::directory::CharterFolder;
use crate::governance::Committee;
use crate::officer::Folder;

/// `celosia officer status`. No password is needed.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The officer's folder.
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
    /// An officer who is lost, as far as you know.
    #[arg(long, value_name = "NAME")]
    lost: Vec<String>,
    /// Folder of a network's documents, as `celosia governance` keeps it: the folder remembers the policy in force.
    #[arg(long, value_name = "FOLDER")]
    directory: Option<PathBuf>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let card = Folder::card_of(&args.folder).map_err(coded)?;
    let committees = Folder::committees_of(&args.folder).map_err(coded)?;
    if let Some(directory) = &args.directory {
        let documents = CharterFolder::open(directory, None, Timestamp::now()).map_err(|error| Failure::coded(2, &error))?;
        Folder::see(&args.folder, documents.charter().policy()).map_err(coded)?;
    }
    let mut lines = Vec::new();
    for file in &committees {
        let committee = &file.committee;
        let newest = committees.iter().filter(|other| {
            other.network == file.network
                && (other.committee.purpose, other.committee.epoch) == (committee.purpose, committee.epoch)
        });
        let newest = newest.map(|other| other.committee.generation).max().unwrap_or(0);
        let has_share = Folder::has_share(&args.folder, file);
        let is_newest = committee.generation == newest;
        let in_force = in_force(args, file)?;
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
                args.folder.display()
            );
        }
    }
    if args.json {
        say!("{:#}", serde_json::json!({ "name": card.name, "entity": card.entity, "committees": lines }));
    } else if lines.is_empty() {
        say!("{}, {}  {}\nno committee yet", card.name, card.entity, card.signing_key);
    }
    Ok(())
}

/// The generation of a committee that this folder saw in force.
fn in_force(args: &Args, file: &CommitteeFile) -> Result<Option<u64>, Failure> {
    let seen = Folder::seen_of(&args.folder, &file.network).map_err(coded)?;
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
