use std::fmt::Write as _;
use std::io::{self, BufRead as _, Write as _};
use std::path::Path;
use std::time::Duration;

use super::begin::Shared;
use super::mail::Kind;
use super::{Unlock, coded, mail};
use crate::ceremony::{Card, CommitteeFile, Plan};
use crate::cli::Failure;
use crate::cli::admin::Door;
use crate::officer::{Folder, OfficerError, PLAN, Progress, RESULT, Relayed};
use crate::types::Coded as _;

/// How long after it a node is asked again by one who waits.
const AGAIN: Duration = Duration::from_secs(2);

/// Does what can be done now, and says what is waited for. `begun` is a plan of this very call.
pub(super) fn run(args: &Shared, begun: Option<Plan>, kind: Kind) -> Result<(), Failure> {
    let door = args.door()?;
    let Some(folder) = args.folder.clone() else {
        say_part!("{}", told(&shown(args, begun, door.as_ref())?));
        return Ok(());
    };
    let card = Folder::card_of(&folder).map_err(coded)?;
    let mut relayed = match &door {
        Some(door) => Some(relayed(args, begun, door, (&folder, &card), kind)?),
        None => None,
    };
    let shared = relayed.as_ref().map(|relayed| relayed.path().to_owned()).or(args.ceremony.clone());
    let shared = shared.ok_or_else(|| Failure::plain(2, "name the folder of the ceremony, or a node"))?;
    let mut folder = Unlock { folder, password_file: args.password_file.clone() }.open()?;
    let mut last = String::new();
    loop {
        if let (Some(door), Some(relayed)) = (&door, &mut relayed) {
            mail::fetch(door, relayed)?;
        }
        let progress = step(args, &mut folder, &shared);
        // Threat: a cheater goes unnamed. An accusation is handed in before the command ends with it.
        let handed = match (&door, &mut relayed) {
            (Some(door), Some(relayed)) => mail::hand_in(door, relayed, &card),
            _ => Ok(()),
        };
        let progress = progress?;
        handed?;
        let waits = match progress {
            Progress::Waits { round, names } => format!("round {round} of 3 waits for: {}", names.join(", ")),
            Progress::Done(file) => {
                done(&file, &shared);
                return Ok(());
            }
        };
        if waits != last {
            say!("{waits}");
        }
        if door.is_none() || !args.wait {
            return Ok(());
        }
        last = waits;
        std::thread::sleep(AGAIN);
    }
}

/// The plan, for one who only looks.
fn shown(args: &Shared, begun: Option<Plan>, door: Option<&Door>) -> Result<Plan, Failure> {
    match (begun, &args.ceremony, door, &args.id) {
        (Some(plan), ..) => Ok(plan),
        (None, _, Some(door), Some(id)) => mail::plan(door, id),
        (None, Some(ceremony), ..) => {
            let path = ceremony.join(PLAN);
            let text = std::fs::read_to_string(&path).map_err(|source| coded(OfficerError::Io { path, source }))?;
            Plan::parse(&text).map_err(super::ceremony)
        }
        _ => Err(Failure::plain(2, "name your folder, or the ceremony with --id")),
    }
}

/// The ceremony at a node that is meant, and where its files lie here.
fn relayed(
    args: &Shared,
    begun: Option<Plan>,
    door: &Door,
    (folder, card): (&Path, &Card),
    kind: Kind,
) -> Result<Relayed, Failure> {
    let there = args.ceremony.as_ref().map(|ceremony| ceremony.join(PLAN)).filter(|plan| plan.is_file());
    let plan = match (begun, &args.id, there) {
        (Some(plan), ..) => plan,
        (None, Some(id), _) => mail::plan(door, id)?,
        (None, None, Some(file)) => Plan::parse(&super::read(&file)?).map_err(super::ceremony)?,
        (None, None, None) => mail::find(door, folder, card, kind)?,
    };
    let path = args.ceremony.clone().unwrap_or_else(|| Relayed::place(folder, &plan.id()));
    Relayed::open(&path, plan).map_err(coded)
}

fn step(args: &Shared, folder: &mut Folder, shared: &Path) -> Result<Progress, Failure> {
    let mut answer = Ok(());
    let mut consent = |plan: &Plan| {
        say_part!("{}", told(plan));
        let is_agreed = if args.yes { Ok(true) } else { is_agreed() };
        is_agreed.unwrap_or_else(|error| {
            answer = Err(error);
            false
        })
    };
    let mut refused = |path: &Path, error: &crate::ceremony::CeremonyError| {
        eprintln!("refused: {}: error[{}]: {error}", path.display(), error.code());
    };
    let progress = folder.proceed(shared, &mut consent, &mut refused);
    answer?;
    progress.map_err(coded)
}

fn done(file: &CommitteeFile, shared: &Path) {
    let committee = &file.committee;
    say!("complete: {}, generation {}, key {}", committee.title(), committee.generation, committee.key);
    say!("{} is for the governors: celosia governance propose policy --committee", shared.join(RESULT).display());
    if committee.generation > 1 {
        eprintln!("once the policy with it is in force: celosia officer destroy --committee");
    }
}

/// A plan in words that an officer can check. Writing to a string does not fail.
fn told(plan: &Plan) -> String {
    let mut out =
        format!("ceremony {}\nnetwork {}\n{}: {} of these open\n", plan.id(), plan.network, plan.title(), plan.threshold);
    for (index, card) in &plan.officers {
        let _ = writeln!(out, "  {index}  {}, {}  {}", card.name, card.entity, card.signing_key);
    }
    if let Some(previous) = &plan.previous {
        let committee = &previous.file.committee;
        let _ = writeln!(out, "new shares of key {} of generation {}, dealt by", committee.key, committee.generation);
        for officer in previous.dealers.iter().filter_map(|dealer| committee.officer(*dealer)) {
            let _ = writeln!(out, "  {}  {}, {}  {}", officer.index, officer.name, officer.entity, officer.signing_key);
        }
    }
    out
}

fn is_agreed() -> Result<bool, Failure> {
    let failed = |error: io::Error| Failure::plain(2, format!("no answer can be read: {error}"));
    let mut out = io::stdout();
    write!(out, "Compare the ceremony's number with the others by another way. Take part? Type yes: ")
        .and_then(|()| out.flush())
        .map_err(failed)?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(failed)?;
    Ok(line.trim() == "yes")
}
