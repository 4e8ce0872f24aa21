use std::path::{Path, PathBuf};

use super::{GovernanceError, files};
use crate::cli::Failure;
use crate::governance::{Document, Governor, Member};

/// `celosia governance show`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// A document, or a folder of documents.
    #[arg(value_name = "FILE|FOLDER")]
    what: PathBuf,
    /// The text of one version of a folder.
    #[arg(long, value_name = "N")]
    version: Option<u64>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match (args.what.is_dir(), args.version) {
        (true, None) => summary(&args.what)?,
        (true, Some(version)) => {
            let note = files::open(&args.what)?.read(version).map_err(GovernanceError::from)?;
            let missing = || GovernanceError::NoVersion { folder: args.what.clone(), version };
            say_part!("{}", files::to_text(&note.ok_or_else(missing)?));
        }
        (false, _) => document(&args.what)?,
    }
    Ok(())
}

fn document(file: &Path) -> Result<(), GovernanceError> {
    let (note, document) = files::read(file)?;
    let head = document.head();
    let names: Vec<&str> = note.signatures().iter().map(|line| line.name.as_str()).collect();
    let signed = if names.is_empty() { "nobody yet".to_owned() } else { names.join(", ") };
    say!("{} of version {}, network {}", document.kind(), head.version, head.network);
    say!("issued {}, hash {}", head.issued, document.hash());
    say!("signature lines of {signed} (checked by `verify`)\n");
    say_part!("{}", document.text());
    Ok(())
}

fn summary(path: &Path) -> Result<(), GovernanceError> {
    let folder = files::open(path)?;
    let charter = folder.charter();
    let (policy, newest) = (charter.policy(), charter.newest());
    say!("network    {} ({})", charter.network(), policy.genesis.name);
    say!("version    {} of {}, hash {}", newest.0.version, newest.0.issued, newest.1);
    let names: Vec<&str> = policy.governors.iter().map(Governor::name).collect();
    say!(
        "policy     version {}: {} of {} governors sign: {}",
        policy.head.version,
        policy.threshold,
        names.len(),
        names.join(", ")
    );
    for committee in &policy.committees {
        let (k, n) = (committee.threshold, committee.officers.len());
        say!("committee  {}, generation {}: {k} of {n} officers", committee.title(), committee.generation);
    }
    let members = charter.members();
    match members.version() {
        0 => say!("directory  none yet"),
        version => say!("directory  version {version}: {} members\n", members.all().len()),
    }
    let width = members.all().iter().map(|member| member.id.as_str().len()).max().unwrap_or_default();
    members.all().iter().for_each(|member| say!("  {}", line(member, width)));
    Ok(())
}

fn line(member: &Member, width: usize) -> String {
    let roles: Vec<&str> = member.roles.iter().map(|role| role.name()).collect();
    let Member { id, state, software, region, legal_name, legal_id, .. } = member;
    let id = id.as_str();
    format!("{id:width$}  {:9}  {:7}  {region}  {legal_name} ({legal_id}): {}", state.name(), software.name(), roles.join(", "))
}

/// The kind and version of a document, for messages.
pub(super) fn name(document: &Document) -> String {
    format!("version {}, a {}", document.head().version, document.kind())
}
