use std::fmt::Write as _;
use std::io::{self, BufRead as _, Write as _};

use super::begin::Shared;
use super::{Unlock, coded};
use crate::ceremony::Plan;
use crate::cli::Failure;
use crate::officer::{Folder, OfficerError, PLAN, Progress, RESULT};
use crate::types::Coded as _;

/// Does what can be done now, and says what is waited for.
pub(super) fn run(args: &Shared) -> Result<(), Failure> {
    let Some(folder) = args.folder.clone() else {
        let path = args.ceremony.join(PLAN);
        let text = std::fs::read_to_string(&path).map_err(|source| coded(OfficerError::Io { path, source }))?;
        say_part!("{}", told(&Plan::parse(&text).map_err(super::ceremony)?));
        return Ok(());
    };
    let mut folder: Folder = Unlock { folder, password_file: args.password_file.clone() }.open()?;
    let mut answer = Ok(());
    let mut consent = |plan: &Plan| {
        say_part!("{}", told(plan));
        let is_agreed = if args.yes { Ok(true) } else { is_agreed() };
        is_agreed.unwrap_or_else(|error| {
            answer = Err(error);
            false
        })
    };
    let mut refused = |path: &std::path::Path, error: &crate::ceremony::CeremonyError| {
        eprintln!("refused: {}: error[{}]: {error}", path.display(), error.code());
    };
    let progress = folder.proceed(&args.ceremony, &mut consent, &mut refused);
    answer?;
    match progress.map_err(coded)? {
        Progress::Waits { round, names } => say!("round {round} of 3 waits for: {}", names.join(", ")),
        Progress::Done(file) => {
            let committee = &file.committee;
            say!("complete: {}, generation {}, key {}", committee.title(), committee.generation, committee.key);
            say!("{} is for the governors: celosia governance propose policy --committee", args.ceremony.join(RESULT).display());
            if committee.generation > 1 {
                eprintln!("once the policy with it is in force: celosia officer destroy --committee");
            }
        }
    }
    Ok(())
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
