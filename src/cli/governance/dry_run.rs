use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::PathBuf;

use jiff::Timestamp;
use serde::Deserialize;

use super::publish::refused;
use super::{GovernanceError, files};
use crate::cli::Failure;
use crate::cli::admin::Node;
use crate::cli::http::block_on;
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
    /// Exported events, JSON Lines: `time`, `kind` (`sent` or `refused`), `class`, `sender`, `recipients`. Absent: a running node is asked.
    #[arg(long, value_name = "EXPORT.jsonl", conflicts_with_all = ["config", "days"])]
    journal: Option<PathBuf>,
    /// The node to ask what it sent.
    #[command(flatten)]
    node: Node,
    /// How many days back the node is asked.
    #[arg(long, default_value_t = 7)]
    days: u64,
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
    time: Time,
    kind: String,
    #[serde(default)]
    class: Class,
    sender: Option<MemberId>,
    #[serde(default)]
    recipients: Vec<MemberId>,
}

/// RFC 3339, or milliseconds since 1970.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Time {
    Millis(i64),
    Text(Timestamp),
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(time) => time.fmt(f),
            Self::Millis(millis) => match Timestamp::from_millisecond(*millis) {
                Ok(time) => time.fmt(f),
                Err(_) => millis.fmt(f),
            },
        }
    }
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
    let (source, mut lines) = events(args)?;
    let (mut counts, mut line, mut at) = (Counts::default(), String::new(), 0);
    loop {
        line.clear();
        let read = lines.by_ref().take(MAX_LINE).read_line(&mut line).map_err(GovernanceError::io(&source))?;
        if read == 0 {
            break;
        }
        at += 1;
        if line.trim().is_empty() {
            continue;
        }
        let wrong =
            |error: serde_json::Error| GovernanceError::Journal { file: source.clone(), line: at, reason: error.to_string() };
        let event = serde_json::from_str(&line).map_err(wrong)?;
        if let Some(told) = counts.judge(&policy, &members, event).filter(|_| !args.quiet) {
            say!("{}:{at}: {told}", source.display());
        }
    }
    say_part!("{counts}");
    Ok(())
}

/// The events and where they are from: an export, or what a node tells.
fn events(args: &Args) -> Result<(PathBuf, Box<dyn BufRead>), Failure> {
    if let Some(file) = &args.journal {
        let open = File::open(file).map_err(GovernanceError::io(file))?;
        return Ok((file.clone(), Box::new(BufReader::new(open))));
    }
    let door = args.node.admin()?;
    let answer = block_on(async { door.get(&format!("/governance/traffic?days={}", args.days)).await })?;
    if !answer.status.is_success() {
        return Err(refused(&door, &answer).into());
    }
    Ok((door.place().to_string().into(), Box::new(std::io::Cursor::new(answer.body))))
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
