//! `celosia erase`: erasure cases at a running node.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use jiff::Timestamp;
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::admin::{Door, Node};
use super::http::block_on;
use crate::erasure::{Case, CaseId, Exception, Ground, Scope};
use crate::types::{Address, Class, ItemId};

/// Arguments of `celosia erase`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Ask for an erasure: a case is opened and the month of art. 12(3) begins. Where nobody can be told apart (no `[access]`), `--now` decides it, too.
    Request {
        #[command(flatten)]
        node: Node,
        #[command(flatten)]
        scope: ScopeArgs,
        /// Why: no-longer-necessary, consent-withdrawn, objection, unlawful-processing, legal-obligation, child-service, retention, controller-decision.
        #[arg(long)]
        ground: Ground,
        /// Only say what would be reached, and at whom.
        #[arg(long)]
        dry_run: bool,
        /// Rotate the root for it as soon as the files are purged, instead of at its next time.
        #[arg(long)]
        urgent: bool,
        /// Decide it at once. With `[access]`, ask for a second person instead: `celosia acts approve`.
        #[arg(long)]
        now: bool,
        /// Why, in one line, for the second person.
        #[arg(long, default_value = "erasure")]
        reason: String,
    },
    /// Refuse a case for a time, on a ground of art. 17(3).
    Refuse {
        #[command(flatten)]
        node: Node,
        /// The case.
        case: CaseId,
        /// free-expression, legal-obligation, public-health, archiving or legal-claims.
        #[arg(long)]
        ground: Exception,
        /// Why, in one line: the person is told.
        #[arg(long)]
        text: String,
        /// When it is looked at again, such as 2027-01-31T00:00:00Z.
        #[arg(long)]
        until: Timestamp,
    },
    /// Extend the time for the answer by two months (art. 12(3)).
    Extend {
        #[command(flatten)]
        node: Node,
        /// The case.
        case: CaseId,
        /// Why, in one line: the person is told.
        #[arg(long)]
        text: String,
    },
    /// Show the cases.
    List {
        #[command(flatten)]
        node: Node,
        /// Only those whose time is over and that are not answered.
        #[arg(long)]
        overdue: bool,
        /// Print the JSON as it came.
        #[arg(long)]
        json: bool,
    },
    /// Show a case: its state, and what each holder has answered.
    Show {
        #[command(flatten)]
        node: Node,
        /// The case.
        case: CaseId,
        /// Print the JSON as it came.
        #[arg(long)]
        json: bool,
    },
    /// Write the certificate of a case as it stands.
    Certificate {
        #[command(flatten)]
        node: Node,
        /// The case.
        case: CaseId,
        /// Where to write it.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

/// What is erased: exactly one of these.
#[derive(clap::Args, Debug)]
#[group(required = true, multiple = false)]
pub(super) struct ScopeArgs {
    /// A payload or document; may be given several times.
    #[arg(long = "id", value_name = "BASE64")]
    ids: Vec<ItemId>,
    /// Everything of a data subject, by pseudonym.
    #[arg(long)]
    subject: Option<String>,
    /// Everything kept for a purpose.
    #[arg(long)]
    purpose: Option<String>,
    /// Everything of a contract, 0x and 40 hexadecimal digits.
    #[arg(long)]
    contract: Option<String>,
    /// Everything that a key sent or was sent.
    #[arg(long, value_name = "BASE64")]
    key_of: Option<Address>,
    /// Everything of a class: public, business, personal or special.
    #[arg(long)]
    class: Option<Class>,
}

impl ScopeArgs {
    pub(super) fn scope(&self) -> anyhow::Result<Scope> {
        let by = [
            self.subject.clone().map(Scope::Subject),
            self.purpose.clone().map(Scope::Purpose),
            self.contract.clone().map(Scope::Contract),
            self.key_of.map(Scope::Key),
            self.class.map(Scope::Class),
        ];
        let ids = (!self.ids.is_empty()).then(|| Scope::Items(self.ids.clone()));
        by.into_iter()
            .flatten()
            .chain(ids)
            .next()
            .context("nothing was named: give --id, --subject, --purpose, --contract, --key-of or --class")
    }
}

/// Arguments of `celosia overdue`.
#[derive(clap::Args, Debug)]
pub(crate) struct OverdueArgs {
    #[command(flatten)]
    node: Node,
    /// Print the JSON as it came.
    #[arg(long)]
    json: bool,
}

/// Shows what is overdue; true if anything is: for a timer that escalates.
pub(super) fn overdue(args: &OverdueArgs) -> anyhow::Result<bool> {
    list(&args.node, true, args.json)
}

/// Runs one of them.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    match &args.command {
        Command::Request { node, scope, ground, dry_run, urgent, now, reason } => {
            let door = node.admin()?;
            let scope = scope.scope()?;
            if *dry_run {
                return reach(&door, &scope);
            }
            let body = json!({ "scope": scope, "ground": ground, "urgent": urgent });
            let case = block_on(async { door.post("/erasures", &body).await?.json() })?;
            let name = text(&case["id"]);
            say!("{name}");
            if *now { decide(&door, &name, reason) } else { Ok(()) }
        }
        Command::Refuse { node, case, ground, text, until } => {
            let until = u64::try_from(until.as_millisecond()).context("a date before 1970")?;
            let body = json!({ "exception": ground, "text": text, "until": until });
            moved(node, &format!("/erasures/{case}/refuse"), &body)
        }
        Command::Extend { node, case, text } => moved(node, &format!("/erasures/{case}/extend"), &json!({ "text": text })),
        Command::List { node, overdue, json } => list(node, *overdue, *json).map(drop),
        Command::Show { node, case, json } => show(node, *case, *json),
        Command::Certificate { node, case, out } => {
            let door = node.admin()?;
            let said = block_on(async { door.get(&format!("/erasures/{case}/certificate")).await })?;
            if !said.status.is_success() {
                bail!("{}", said.text());
            }
            std::fs::write(out, &said.body).with_context(|| out.display().to_string())?;
            say!("{}", out.display());
            Ok(())
        }
    }
}

/// Decides at once where the node lets one person do so, else asks for a second one.
fn decide(door: &Door, case: &str, reason: &str) -> anyhow::Result<()> {
    let said = block_on(async { door.post(&format!("/erasures/{case}/erase"), &json!({})).await })?;
    if said.status == hyper::StatusCode::NOT_FOUND {
        let body = json!({ "act": "erase", "arguments": { "case": case }, "reason": reason });
        let asked = block_on(async { door.post("/acts", &body).await?.json() })?;
        eprintln!("a second person must approve: celosia acts approve {}", text(&asked["id"]));
        return Ok(());
    }
    eprintln!("{}", text(&said.json()?["state"]));
    Ok(())
}

fn reach(door: &Door, scope: &Scope) -> anyhow::Result<()> {
    let reach = block_on(async { door.post("/erasures/reach", &json!({ "scope": scope })).await?.json() })?;
    for item in reach["items"].as_array().map(Vec::as_slice).unwrap_or_default() {
        say!("{}", text(item));
    }
    for holder in reach["holders"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let tessera = if holder["kind"] == "tessera" { "  runs Tessera: takes no orders, its copy stays" } else { "" };
        eprintln!("{} item(s) at {} ({}){tessera}", holder["items"], text(&holder["member"]), text(&holder["legal-name"]));
    }
    Ok(())
}

fn moved(node: &Node, path: &str, body: &Value) -> anyhow::Result<()> {
    let door = node.admin()?;
    let case = block_on(async { door.post(path, body).await?.json() })?;
    say!("{}", text(&case["state"]));
    Ok(())
}

/// Shows cases; true if there are any.
fn list(node: &Node, overdue: bool, as_json: bool) -> anyhow::Result<bool> {
    let door = node.admin()?;
    let mut all = Vec::new();
    loop {
        let after = all.last().map_or_else(String::new, |case: &Value| format!("?after={}", text(&case["id"])));
        let page = block_on(async { door.get(&format!("/erasures{after}")).await?.json() })?;
        let Some(page) = page.as_array().filter(|page| !page.is_empty()).cloned() else { break };
        all.extend(page);
    }
    if overdue {
        let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
        // What cannot be read is shown: somebody must look.
        all.retain(|case| Case::deserialize(case).map_or(true, |case| case.is_overdue(now)));
    }
    let any = !all.is_empty();
    if as_json {
        say!("{:#}", Value::Array(all));
        return Ok(any);
    }
    for case in &all {
        say!(
            "{}  {}  {} item(s) by {}  {}  due {}{}",
            text(&case["id"]),
            text(&case["state"]),
            case["items"],
            text(&case["scope"]),
            text(&case["ground"]),
            time(&case["due"]),
            silent(case),
        );
    }
    Ok(any)
}

/// Who has not answered a case that was decided.
fn silent(case: &Value) -> String {
    let Ok(case) = Case::deserialize(case) else { return String::new() };
    let names: Vec<String> = case.silent().map(|holder| holder.member.to_string()).collect();
    if names.is_empty() { String::new() } else { format!("  no answer from {}", names.join(", ")) }
}

fn show(node: &Node, case: CaseId, as_json: bool) -> anyhow::Result<()> {
    let door = node.admin()?;
    let case = block_on(async { door.get(&format!("/erasures/{case}")).await?.json() })?;
    if as_json {
        say!("{case:#}");
        return Ok(());
    }
    say!(
        "{}  {}  {} item(s) by {}  {}",
        text(&case["id"]),
        text(&case["state"]),
        case["items"],
        text(&case["scope"]),
        text(&case["ground"])
    );
    say!("asked for {}, answer due {}", time(&case["requested"]), time(&case["due"]));
    for moved in case["moves"].as_array().map(Vec::as_slice).unwrap_or_default() {
        say!("  {}  {} -> {}  by {}", time(&moved["at"]), text(&moved["step"]), text(&moved["to"]), text(&moved["by"]));
    }
    for holder in case["holders"].as_array().map(Vec::as_slice).unwrap_or_default() {
        let level = match holder["level"].as_u64() {
            Some(0) | None => "no level yet".to_owned(),
            Some(level) => format!("E{level}"),
        };
        let error = holder["error"].as_str().map_or_else(String::new, |error| format!("  last asked in vain [{error}]"));
        say!(
            "  {} ({}): {} item(s), {level}, heard {}{error}",
            text(&holder["member"]),
            text(&holder["kind"]),
            holder["items"],
            time(&holder["heard"])
        );
    }
    Ok(())
}

pub(super) fn time(millis: &Value) -> String {
    match millis.as_i64() {
        None | Some(0) => "never".to_owned(),
        Some(millis) => Timestamp::from_millisecond(millis).map_or_else(|_| millis.to_string(), |stamp| stamp.to_string()),
    }
}

/// Names come from others: nothing in them may move the cursor.
pub(super) fn text(value: &Value) -> String {
    value.as_str().unwrap_or("-").chars().filter(|c| !c.is_control()).collect()
}
