//! `celosia disclosure`: who asked to see what, on whose approval; for owners, officers and authorities. Files are verified without any node.

mod files;
mod looked;
mod notice;
mod release;

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use clap::Subcommand;
use data_encoding::BASE64;
use serde_json::{Value, json};

use super::Failure;
use super::admin::{Door, Node};
use super::erase::{text, time};
use super::http::block_on;
use crate::disclosure::GrantId;
use crate::types::NetworkId;

pub(super) use files::{Frames, carried, document, fetch, write_carried};
pub(super) use looked::{Looked, now, show_request};

/// Longer than a node takes to make a list of all that it has, or to take the shares of one.
pub(super) const LONG: Duration = Duration::from_mins(10);
/// The media type of lists.
pub(super) const SEQUENCE: &str = "application/cbor-seq";
/// The format of a request's file.
pub(super) const REQUEST: &str = "celosia-disclosure-request-1";
/// The format of a verdict's file.
pub(super) const VERDICT: &str = "celosia-disclosure-verdict-1";
/// The format of a revocation's file.
pub(super) const REVOCATION: &str = "celosia-disclosure-revocation-1";

/// Arguments of `celosia disclosure`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show the requests that were made to a node, and what became of them.
    List {
        #[command(flatten)]
        node: Node,
        /// Print the JSON as it came.
        #[arg(long)]
        json: bool,
    },
    /// Show one of them.
    Show {
        #[command(flatten)]
        node: Node,
        /// The grant.
        grant: GrantId,
    },
    /// Hand in an auditor's request that came as a file.
    Ask {
        #[command(flatten)]
        node: Node,
        /// The request.
        file: PathBuf,
    },
    /// Fetch the case file of a grant: what officers look at, and what proves later who approved what.
    Case {
        #[command(flatten)]
        node: Node,
        /// The grant.
        grant: GrantId,
        /// Where to write it.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Hand in what an officer made: a verdict, or shares.
    Submit {
        #[command(flatten)]
        node: Node,
        /// The grant.
        grant: GrantId,
        /// The file.
        file: PathBuf,
    },
    /// Verify a case file, a release or a notice from the file alone: who asked, what for, who approved, whether the view is on record.
    Verify {
        /// The file.
        file: PathBuf,
        /// Id of the network, 64 hexadecimal digits: the anchor of everything else.
        #[arg(long, value_name = "HEX")]
        network: NetworkId,
        /// Members that must have cosigned the log in which the view is on record.
        #[arg(long, value_name = "COUNT", default_value_t = 0)]
        witnesses: usize,
        /// Folder of the network's documents; needed for a notice, which holds none.
        #[arg(long, value_name = "FOLDER")]
        directory: Option<PathBuf>,
    },
    /// Show the notices that came: what of ours was asked for and seen. Each is written to a file, if a folder is given.
    Notices {
        #[command(flatten)]
        node: Node,
        /// Where to write them.
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
    },
    /// Take a grant back: with an officer's signed revocation, or by the word of who answers for personal data here.
    Revoke {
        #[command(flatten)]
        node: Node,
        /// The grant.
        grant: GrantId,
        /// The revocation, from `celosia officer revoke`.
        #[arg(conflicts_with = "text", required_unless_present = "text")]
        file: Option<PathBuf>,
        /// Why, in one line.
        #[arg(long)]
        text: Option<String>,
    },
}

/// Runs one of them.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::List { node, json } => list(node, *json)?,
        Command::Show { node, grant } => {
            let door = node.admin()?;
            say!("{:#}", block_on(async { door.get(&format!("/disclosures/{grant}")).await?.json() })?);
        }
        Command::Ask { node, file } => {
            let shown = hand_in(&node.patient_admin(LONG)?, "/disclosures", &document(file, REQUEST)?)?;
            say!("{} {}", text(&shown["grant"]), text(&shown["state"]));
        }
        Command::Case { node, grant, out } => fetch(&node.admin()?, &format!("/disclosures/{grant}/case"), None, out)?,
        Command::Submit { node, grant, file } => submit(&node.patient_admin(LONG)?, *grant, file)?,
        Command::Verify { file, network, witnesses, directory } => verify(file, network, *witnesses, directory.as_deref())?,
        Command::Notices { node, out } => notice::list(node, out.as_deref())?,
        Command::Revoke { node, grant, file, text } => {
            let body = match (file, text) {
                (Some(file), _) => json!({ "document": BASE64.encode(&document(file, REVOCATION)?) }),
                (None, text) => json!({ "text": text }),
            };
            let door = node.admin()?;
            let shown = block_on(async { door.post(&format!("/disclosures/{grant}/revoke"), &body).await?.json() })?;
            say!("{}", self::text(&shown["state"]));
        }
    }
    Ok(())
}

/// Hands a signed document in.
pub(super) fn hand_in(door: &Door, path: &str, document: &[u8]) -> Result<Value, Failure> {
    let body = json!({ "document": BASE64.encode(document) });
    Ok(block_on(async { door.post(path, &body).await?.json() })?)
}

/// Hands in a verdict (a line of JSON) or shares (a sequence).
pub(super) fn submit(door: &Door, grant: GrantId, file: &std::path::Path) -> Result<(), Failure> {
    let bytes = files::read(file)?;
    let shown = if bytes.first() == Some(&b'{') {
        hand_in(door, &format!("/disclosures/{grant}/approvals"), &document(file, VERDICT)?)?
    } else {
        let path = format!("/disclosures/{grant}/shares");
        block_on(async { door.post_bytes(&path, SEQUENCE, Bytes::from(bytes)).await?.json() })?
    };
    say!("{}: {} verdict(s), {} share file(s)", text(&shown["state"]), count(&shown["verdicts"]), count(&shown["shares"]));
    Ok(())
}

fn count(list: &Value) -> usize {
    list.as_array().map_or(0, Vec::len)
}

fn list(node: &Node, as_json: bool) -> anyhow::Result<()> {
    let door = node.admin()?;
    let mut all = Vec::new();
    loop {
        let after = all.last().map_or_else(String::new, |grant: &Value| format!("?after={}", text(&grant["grant"])));
        let page = block_on(async { door.get(&format!("/disclosures{after}")).await?.json() })?;
        let Some(page) = page.as_array().filter(|page| !page.is_empty()).cloned() else { break };
        all.extend(page);
    }
    if as_json {
        say!("{:#}", Value::Array(all));
        return Ok(());
    }
    for grant in &all {
        say!(
            "{}  {}  {} item(s)  {} view(s) of {}  until {}  {}, {}: {}",
            text(&grant["grant"]),
            text(&grant["state"]),
            grant["items"],
            grant["views"]["released"],
            grant["views"]["of"],
            time(&grant["until"]),
            text(&grant["name"]),
            text(&grant["entity"]),
            text(&grant["purpose"]),
        );
    }
    Ok(())
}

fn verify(
    file: &std::path::Path,
    network: &NetworkId,
    witnesses: usize,
    directory: Option<&std::path::Path>,
) -> Result<(), Failure> {
    if files::read_some(file)?.first() == Some(&b'{') {
        return notice::verify(file, network, witnesses, directory);
    }
    let looked = Looked::open(file, network)?;
    looked.verify_and_show(witnesses)?;
    release::show(file, &looked)
}
