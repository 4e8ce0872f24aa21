use std::path::PathBuf;

use super::coded;
use crate::cli::Failure;
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
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let card = Folder::card_of(&args.folder).map_err(coded)?;
    let committees = Folder::committees_of(&args.folder).map_err(coded)?;
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
        let live = committee.officers.iter().filter(|officer| !args.lost.contains(&officer.name)).count() as u64;
        lines.push(serde_json::json!({
            "network": file.network, "purpose": committee.purpose, "epoch": committee.epoch,
            "generation": committee.generation, "threshold": committee.threshold, "officers": committee.officers.len(),
            "live": live, "key": committee.key, "share": has_share, "newest": is_newest,
        }));
        if args.json {
            continue;
        }
        let share = match (has_share, is_newest) {
            (true, true) => "share here",
            (true, false) => "share of before: destroy it",
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
        }
    }
    if args.json {
        say!("{:#}", serde_json::json!({ "name": card.name, "entity": card.entity, "committees": lines }));
    } else if lines.is_empty() {
        say!("{}, {}  {}\nno committee yet", card.name, card.entity, card.signing_key);
    }
    Ok(())
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
