//! `celosia journal`: the log of a running node as files that others verify, and the decision to go on after a node was put back.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Subcommand;

use super::admin::{Node, Said};
use super::http::block_on;
use crate::app::{accept_loss, accept_rollback};
use crate::types::PayloadId;

/// Arguments of `celosia journal`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show name, key and size of the log, and whether the node serves.
    Status {
        #[command(flatten)]
        node: Node,
    },
    /// Print the newest checkpoint.
    Checkpoint {
        #[command(flatten)]
        node: Node,
        /// The newest that witnesses have cosigned.
        #[arg(long)]
        cosigned: bool,
    },
    /// Print the proof that a row is in the log (C2SP tlog-proof), for `celosia verify inclusion`.
    Prove {
        #[command(flatten)]
        node: Node,
        /// The row's index.
        index: u64,
    },
    /// Show the rows about a payload.
    About {
        #[command(flatten)]
        node: Node,
        /// The payload's id, base64.
        id: PayloadId,
    },
    /// Print all rows as JSON Lines.
    Export {
        #[command(flatten)]
        node: Node,
        /// The first row.
        #[arg(long, default_value_t = 0)]
        from: u64,
    },
    /// Go on with a node that was put back: another log begins, in the open. The node must be stopped; where `[access]` is configured,
    /// use `celosia acts request accept-rollback` instead, so that a second person decides.
    AcceptRollback {
        /// The node's data folder.
        #[arg(long, value_name = "FOLDER")]
        data_dir: PathBuf,
        /// Who decides.
        #[arg(long)]
        actor: String,
        /// Why: it stands in the journal for ever.
        #[arg(long)]
        reason: String,
        /// The node lost everything: the folder has no journal, before its first start.
        #[arg(long)]
        empty: bool,
        /// With --empty: how many logs of this node witnesses saw, one more than it accepted before.
        #[arg(long, value_name = "COUNT", default_value_t = 1, requires = "empty", value_parser = clap::value_parser!(u64).range(1..=64))]
        logs: u64,
    },
}

/// Runs one of them.
pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    match &args.command {
        Command::Status { node } => {
            say!("{:#}", asked(node, "/journal")?.json()?);
            Ok(())
        }
        Command::Checkpoint { node, cosigned } => print(node, &format!("/journal/checkpoint?cosigned={cosigned}")),
        Command::Prove { node, index } => print(node, &format!("/journal/proof?index={index}")),
        Command::About { node, id } => {
            let id = percent_encoding::utf8_percent_encode(&id.to_string(), percent_encoding::NON_ALPHANUMERIC).to_string();
            say!("{:#}", asked(node, &format!("/journal/about/{id}"))?.json()?);
            Ok(())
        }
        Command::Export { node, from } => print(node, &format!("/journal/export?from={from}")),
        Command::AcceptRollback { data_dir, actor, reason, empty, logs } => {
            accept(data_dir, actor, reason, empty.then_some(*logs))
        }
    }
}

fn asked(node: &Node, path: &str) -> anyhow::Result<Said> {
    let door = node.admin()?;
    let answer = block_on(async { door.get(path).await })?;
    if answer.status.is_success() { Ok(answer) } else { bail!("{}", answer.text()) }
}

fn print(node: &Node, path: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    let answer = asked(node, path)?;
    std::io::stdout().write_all(&answer.body).context("standard output")
}

fn accept(data_dir: &Path, actor: &str, reason: &str, lost: Option<u64>) -> anyhow::Result<()> {
    for (name, text) in [("--actor", actor), ("--reason", reason)] {
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            bail!("{name} is empty, or not one line");
        }
    }
    let number = match lost {
        Some(logs) => accept_loss(data_dir, logs, actor, reason)?,
        None => accept_rollback(data_dir, actor, reason)?,
    };
    say!("log {number} begins with the next start of the node; the witnesses keep what they saw of the one before");
    Ok(())
}
