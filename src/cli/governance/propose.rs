use std::path::{Path, PathBuf};

use clap::Subcommand;
use toml::Table;

use super::{GovernanceError, changes, edit, files, init};
use crate::ceremony::{CeremonyError, CommitteeFile};
use crate::cli::Failure;
use crate::directory::CharterFolder;
use crate::governance::{Charter, Committee, Directory, Document, Head, Policy, State};
use crate::types::MemberId;

/// `celosia governance propose`: version, previous, policy and date are filled in.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(subcommand)]
    kind: Kind,
}

#[derive(Debug, Subcommand)]
enum Kind {
    /// The next directory: members that come, change, are suspended, expelled or admitted again.
    Directory {
        #[command(flatten)]
        common: Common,
        /// A new member's entry (TOML), as `member-keygen` writes it.
        #[arg(long, value_name = "FILE")]
        add_member: Vec<PathBuf>,
        /// A member that neither sends nor receives from now on.
        #[arg(long, value_name = "ID")]
        suspend: Vec<MemberId>,
        /// A member that is refused everywhere from now on. Its entry stays.
        #[arg(long, value_name = "ID")]
        expel: Vec<MemberId>,
        /// A suspended or expelled member that takes part again.
        #[arg(long, value_name = "ID")]
        readmit: Vec<MemberId>,
    },
    /// The next policy: governors, threshold, classes, scopes.
    Policy {
        #[command(flatten)]
        common: Common,
        /// A new governor: its line `name+hash+key`, or the file that holds it.
        #[arg(long, value_name = "VKEY")]
        add_governor: Vec<String>,
        /// A governor that signs no more.
        #[arg(long, value_name = "NAME")]
        remove_governor: Vec<String>,
        /// A committee as its officers made it, `committee.toml` of their ceremony. Every signature is checked. It takes the place of its
        /// former generation.
        #[arg(long, value_name = "FILE")]
        committee: Vec<PathBuf>,
    },
}

#[derive(clap::Args, Debug)]
struct Common {
    /// Folder of the documents in force.
    #[arg(long, value_name = "FOLDER")]
    from: PathBuf,
    /// TOML file with what changes; all else stays. Entries of `members` are matched by their id, other lists are replaced.
    #[arg(long, value_name = "FILE")]
    edit: Vec<PathBuf>,
    /// One field: `threshold=3`, `classes.personal.retention=365d`.
    #[arg(long, value_name = "FIELD=VALUE")]
    set: Vec<String>,
    /// The proposal.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match &args.kind {
        Kind::Directory { common, add_member, suspend, expel, readmit } => {
            let folder = files::open(&common.from)?;
            let known = folder.charter().directory();
            let base = known.map_or_else(Table::new, |signed| edit::table(signed.note.text()));
            let old = known.map(|signed| signed.note.text().to_owned());
            let mut table = common.edited(base)?;
            for file in add_member {
                edit::add_member(&mut table, file)?;
            }
            for (members, state) in [(suspend, State::Suspended), (expel, State::Expelled), (readmit, State::Active)] {
                members.iter().try_for_each(|id| edit::set_state(&mut table, id, state))?;
            }
            common.write(&folder, table, Directory::FORMAT, old.as_deref())
        }
        Kind::Policy { common, add_governor, remove_governor, committee } => {
            let folder = files::open(&common.from)?;
            let old = folder.charter().policy_of(folder.charter().policy_version()).map(|signed| signed.note.text().to_owned());
            let mut table = common.edited(edit::table(old.as_deref().unwrap_or_default()))?;
            for name in remove_governor {
                edit::remove_governor(&mut table, name)?;
            }
            for text in add_governor {
                edit::add_governor(&mut table, &init::governor(text)?);
            }
            for file in committee {
                edit::set_committee(&mut table, &committee_of(folder.charter(), file)?);
            }
            common.write(&folder, table, Policy::FORMAT, old.as_deref())
        }
    }
}

/// Reads a committee and checks its signatures: those of all its officers, and from the second generation on those of as many of the
/// officers in force as open.
///
/// Threat: a committee that an officer made up, or was shown by another; governors would sign it unseen.
fn committee_of(charter: &Charter, file: &Path) -> Result<Committee, GovernanceError> {
    let text = files::read_text(file)?;
    let wrong = |error| GovernanceError::Committee { file: file.to_owned(), error };
    let made = CommitteeFile::parse(&text).map_err(wrong)?;
    if made.network != charter.network() {
        return Err(wrong(CeremonyError::Successor("it is of another network")));
    }
    made.check(charter.policy().committee(made.committee.purpose, made.committee.epoch)).map_err(wrong)?;
    Ok(made.committee)
}

impl Common {
    fn edited(&self, mut table: Table) -> Result<Table, GovernanceError> {
        for file in &self.edit {
            edit::lay_over(&mut table, file)?;
        }
        self.set.iter().try_for_each(|setter| edit::set(&mut table, setter))?;
        Ok(table)
    }

    /// Fills the head in, checks the document and writes it.
    fn write(&self, folder: &CharterFolder, mut table: Table, format: &str, old: Option<&str>) -> Result<(), Failure> {
        let charter = folder.charter();
        let (newest, hash) = charter.newest();
        let head = Head {
            network: charter.network(),
            version: newest.version + 1,
            previous: Some(hash),
            policy: Some(charter.policy_version()),
            issued: files::now().max(newest.issued),
        };
        let text = edit::with_head(&mut table, format, &head)?;
        let document = Document::from_toml(&text).map_err(GovernanceError::document(&self.out))?;
        charter.fits(&document, head.issued).map_err(GovernanceError::refused(&self.out))?;
        let text = document.text();
        files::write_new(&self.out, 0o644, &text)?;
        say!("{} proposes version {}, a {}:", self.out.display(), head.version, document.kind());
        say_part!("{}", changes::between(old.unwrap_or_default(), &text));
        say!("hash {}", document.hash());
        Ok(())
    }
}
