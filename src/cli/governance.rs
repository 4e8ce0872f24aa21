//! `celosia governance`: the documents that govern a network, from the first key to the history (`docs/governance.md`).
//!
//! All but `publish --to` and `status` works on files alone, so a governor's machine needs no network.

mod changes;
mod diff;
mod dry_run;
mod edit;
mod error;
mod files;
mod history;
mod init;
mod key;
mod keygen;
mod member_keygen;
mod propose;
mod publish;
mod record;
mod show;
mod sign;
mod status;
mod verify;

use clap::Subcommand;

use super::Failure;

pub(super) use error::GovernanceError;
pub(super) use key::load as load_signing_key;

/// `celosia governance`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a governor's key: a locked file, and the line that names it in a policy.
    Keygen(keygen::Args),
    /// Write the proposal of a new network's first policy.
    Init(init::Args),
    /// Write the proposal of the next directory or policy.
    Propose(propose::Args),
    /// Show a document, or what a folder of documents is on.
    Show(show::Args),
    /// Show what changes from one document to another.
    Diff(diff::Args),
    /// Check a proposal and sign it with a governor's key.
    Sign(sign::Args),
    /// Hand a signed document to a node, or put it into a folder.
    Publish(publish::Args),
    /// Check a folder, or a document, down to the network's id.
    Verify(verify::Args),
    /// List every version of a folder, or say what was in force at a time.
    History(history::Args),
    /// Say what a policy would have refused of what a node did.
    DryRun(dry_run::Args),
    /// Make the keys of a member's node, and its entry for the directory.
    MemberKeygen(member_keygen::Args),
    /// Show which version a running node is on, and which members are not there yet.
    Status(status::Args),
}

/// Runs one verb.
pub(super) fn run(args: Args) -> Result<(), Failure> {
    match args.verb {
        Verb::Keygen(args) => keygen::run(&args),
        Verb::Init(args) => init::run(&args),
        Verb::Propose(args) => propose::run(&args),
        Verb::Show(args) => show::run(&args),
        Verb::Diff(args) => diff::run(&args),
        Verb::Sign(args) => sign::run(&args),
        Verb::Publish(args) => publish::run(&args),
        Verb::Verify(args) => verify::run(&args),
        Verb::History(args) => history::run(&args),
        Verb::DryRun(args) => dry_run::run(&args),
        Verb::MemberKeygen(args) => member_keygen::run(&args),
        Verb::Status(args) => status::run(&args),
    }
}
