//! `celosia officer`: people who hold a committee's key together (`docs/officers.md`).
//!
//! All of it works on files: an officer's machine needs no network. Where it has one, a node relays what officers say to each other.

mod answer;
mod approve;
mod begin;
mod collect;
mod destroy;
mod init;
mod mail;
mod release;
mod status;
mod take_part;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use zeroize::Zeroizing;

use super::{Failure, keyupdate, prompt};
use crate::officer::{Folder, OfficerError};

/// `celosia officer`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make an officer's folder: keys behind a password, and the card for the others.
    Init(init::Args),
    /// Make a committee's key together. The first call writes the plan; run it again until it says that the committee is complete.
    Dkg(begin::Dkg),
    /// Answer what a node asks of the hold committee, after reading what it is about. Offline.
    Answer(answer::Args),
    /// Show who this is, its shares and committees, and how many officers may be lost.
    Status(status::Args),
    /// Make new shares of the same key for the same officers: those of before, stolen or not, open nothing once all are destroyed.
    Refresh(begin::Refresh),
    /// Make new shares of the same key for other officers. Lost officers are replaced while as many as open are there.
    Handover(begin::Handover),
    /// Look at what an auditor asks for, and approve or refuse it. Everything is checked here first.
    Approve(approve::Args),
    /// Give your part of what was approved, sealed to the auditor. Not before the view is on record in the holder's log.
    Release(release::Args),
    /// Take a grant back: sign a revocation.
    Revoke(approve::RevokeArgs),
    /// Fetch the committee that a ceremony made from a node that relayed it, for the governors. Its signatures are checked here.
    Collect(collect::Args),
    /// Destroy the shares from before a committee that is complete, and the root under which they lay.
    Destroy(destroy::Args),
}

/// Runs one verb.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match &args.verb {
        Verb::Init(args) => init::run(args),
        Verb::Dkg(args) => begin::dkg(args),
        Verb::Answer(args) => answer::run(args),
        Verb::Status(args) => status::run(args),
        Verb::Refresh(args) => begin::refresh(args),
        Verb::Handover(args) => begin::handover(args),
        Verb::Approve(args) => approve::run(args),
        Verb::Release(args) => release::run(args),
        Verb::Revoke(args) => approve::revoke(args),
        Verb::Collect(args) => collect::run(args),
        Verb::Destroy(args) => destroy::run(args),
    }
}

/// An officer's folder, and how it is unlocked.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Unlock {
    /// The officer's folder.
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
    /// File whose first line is the password; asked if absent.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Unlock {
    /// Where it is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Unlocks it.
    pub(super) fn open(&self) -> Result<Folder, Failure> {
        // Before the password: nobody types one for nothing.
        Folder::card_of(&self.folder).map_err(coded)?;
        let password = password(&self.folder, self.password_file.as_deref())?;
        Folder::open(&self.folder, &password).map_err(coded)
    }
}

fn password(folder: &Path, file: Option<&Path>) -> Result<Zeroizing<String>, Failure> {
    match file {
        Some(file) => keyupdate::first_line(file),
        None => prompt::password_of(&folder.join("officer.key").display().to_string()),
    }
}

pub(super) fn coded(error: OfficerError) -> Failure {
    Failure::coded(2, &error)
}

fn ceremony(error: crate::ceremony::CeremonyError) -> Failure {
    Failure::coded(2, &error)
}

/// A text of others: a card, a committee.
fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|source| coded(OfficerError::Io { path: path.to_owned(), source }))
}
