use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;

use jiff::Timestamp;
use serde::Deserialize;

use super::{GovernanceError, files};
use crate::cli::Failure;
use crate::governance::{Document, Judged, Members, Policy};
use crate::types::{Class, Coded, MemberId};

/// Longest line of an export.
const MAX_LINE: u64 = 1 << 20;

/// `celosia governance dry-run`. Changes nothing; exit code 0 whatever it finds.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The policy to try: a proposal, or a signed one.
    #[arg(long, value_name = "FILE")]
    policy: PathBuf,
    /// Exported events, JSON Lines: `time`, `kind` (`sent` or `refused`), `class`, `sender`, `recipients`.
    #[arg(long, value_name = "EXPORT.jsonl")]
    journal: PathBuf,
    /// Folder of documents: who the members are, and where.
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
    /// Print the counts alone.
    #[arg(long)]
    quiet: bool,
}

/// One event. An export may have other fields, and events of other kinds: they are passed over.
#[derive(Debug, Deserialize)]
struct Event {
    time: Timestamp,
    kind: String,
    #[serde(default)]
    class: Class,
    sender: Option<MemberId>,
    #[serde(default)]
    recipients: Vec<MemberId>,
}

/// What was found.
#[derive(Default)]
struct Counts {
    events: u64,
    refused_then: u64,
    refused_now: u64,
    unknown: u64,
    by_reason: BTreeMap<String, u64>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let (_, document) = files::read(&args.policy)?;
    let Document::Policy(policy) = document else {
        return Err(GovernanceError::Edit(format!("{} is no policy", args.policy.display())).into());
    };
    let members = files::open(&args.folder)?.charter().members().clone();
    let mut reader = BufReader::new(File::open(&args.journal).map_err(GovernanceError::io(&args.journal))?);
    let (mut counts, mut line, mut at) = (Counts::default(), String::new(), 0);
    loop {
        line.clear();
        let read = reader.by_ref().take(MAX_LINE).read_line(&mut line).map_err(GovernanceError::io(&args.journal))?;
        if read == 0 {
            break;
        }
        at += 1;
        if line.trim().is_empty() {
            continue;
        }
        let event = serde_json::from_str(&line).map_err(|error| GovernanceError::Journal {
            file: args.journal.clone(),
            line: at,
            reason: error.to_string(),
        })?;
        if let Some(told) = counts.judge(&policy, &members, event).filter(|_| !args.quiet) {
            println!("{}:{at}: {told}", args.journal.display());
        }
    }
    print!("{counts}");
    Ok(())
}

impl Counts {
    /// Counts an event; a line about it if the policy would refuse it.
    fn judge(&mut self, policy: &Policy, members: &Members, event: Event) -> Option<String> {
        let is_refused = event.kind == "refused";
        if !is_refused && event.kind != "sent" {
            return None;
        }
        self.events += 1;
        self.refused_then += u64::from(is_refused);
        let sender = event.sender.as_ref().and_then(|id| members.by_id(id));
        let recipients: Option<Vec<_>> = event.recipients.iter().map(|id| members.by_id(id)).collect();
        let (Some(sender), Some(recipients)) = (sender, recipients) else {
            self.unknown += 1;
            return Some(format!("{}: names a member that the directory does not have: not judged", event.time));
        };
        let violation = policy.judge(&Judged { sender, recipients: &recipients, class: event.class }).err()?;
        self.refused_now += 1;
        *self.by_reason.entry(violation.code().to_string()).or_default() += 1;
        let then = if is_refused { "refused then too" } else { "was sent" };
        Some(format!("{}: from {}, {then}: [{}] {violation}", event.time, sender.id, violation.code()))
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { events, refused_then, refused_now, unknown, by_reason } = self;
        writeln!(f, "{events} sends, {refused_then} of them refused then; {refused_now} would be refused, {unknown} not judged")?;
        by_reason.iter().try_for_each(|(code, count)| writeln!(f, "  {code}  {count}"))
    }
}
