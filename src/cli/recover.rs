//! `celosia recover`: a member that lost its keys or its disk gets its payloads back through the committee (`docs/operations.md`). A recovery
//! is a disclosure whose auditor is the member itself; its folder is laid out as an auditor's.

mod import;
mod request;

use std::path::PathBuf;

use clap::Subcommand;

use super::admin::Node;
use super::auditor::{self, Unlock};
use super::governance::load_signing_key;
use super::http::block_on;
use super::{Failure, admin};
use crate::types::{Address, PayloadId};

/// Arguments of `celosia recover`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write and sign a request for everything that this member sent or received, and hand it in at another member's node.
    Request(Box<request::Args>),
    /// Show how the grant stands: from the other member's node, or from the files that are there.
    Status {
        /// The folder.
        #[arg(long, value_name = "FOLDER")]
        folder: PathBuf,
        #[command(flatten)]
        node: admin::Node,
    },
    /// Fetch case file, shares and release from the other member's node: a view, which it counts.
    Collect {
        /// The folder.
        #[arg(long, value_name = "FOLDER")]
        folder: PathBuf,
        /// The signing key of this member's node, which signed the request.
        #[arg(long, value_name = "FILE")]
        signing_key: PathBuf,
        /// File with the password of that key.
        #[arg(long, value_name = "FILE")]
        signing_password_file: Option<PathBuf>,
        #[command(flatten)]
        node: admin::Node,
    },
    /// Open and verify what was collected, and give it to this member's own node. Safe to repeat.
    Import {
        #[command(flatten)]
        unlock: Unlock,
        /// Go on although members did not answer for erasures that this node may have forgotten.
        #[arg(long)]
        despite_silent: bool,
        #[command(flatten)]
        node: Node,
    },
    /// After a key of this node was replaced: what is boxed under the old one is boxed under the new one from now on. Safe to repeat.
    Rewrap {
        /// The old key, base64.
        #[arg(long, value_name = "BASE64")]
        old: Address,
        /// The new key, base64.
        #[arg(long, value_name = "BASE64")]
        new: Address,
        #[command(flatten)]
        node: Node,
    },
    /// Send one payload the whole way and keep nothing: shows that a recovery works, and is journalled.
    Drill {
        #[command(flatten)]
        unlock: Unlock,
        /// Which payload, in base64.
        #[arg(long, value_name = "BASE64")]
        id: PayloadId,
        #[command(flatten)]
        node: Node,
    },
}

/// Runs one of them.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match &args.command {
        Command::Request(args) => request::run(args),
        Command::Status { folder, node } => auditor::status(folder, node),
        Command::Collect { folder, signing_key, signing_password_file, node } => {
            auditor::collect(folder, &load_signing_key(signing_key, signing_password_file.as_deref())?, node)
        }
        Command::Import { unlock, despite_silent, node } => {
            import::run(unlock, node, import::What::All { despite_silent: *despite_silent })
        }
        Command::Rewrap { old, new, node } => rewrap(node, *old, *new),
        Command::Drill { unlock, id, node } => import::run(unlock, node, import::What::Drill(*id)),
    }
}

/// Longer than a node takes to go through all that it has.
const LONG: std::time::Duration = std::time::Duration::from_hours(1);

fn rewrap(node: &Node, old: Address, new: Address) -> Result<(), Failure> {
    let door = node.patient_admin(LONG)?;
    let body = serde_json::json!({ "old": old, "new": new });
    let done = block_on(async { door.post("/keys/rewrap", &body).await?.json() })?;
    say!(
        "{} written anew, {} of the suite celosia-1 need nothing, {} erased or blocked and left so",
        done["rewritten"],
        done["native"],
        done["unread"]
    );
    Ok(())
}
