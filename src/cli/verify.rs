//! `celosia verify` and the program `celosia-verify`: a log judged from files alone, by whoever has a copy and the key. No node is asked.
//!
//! Exit codes: 0 good, 1 not good, 2 something cannot be read (so nothing is said), 4 a wrong command line.

mod files;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::translog::checkpoint::Checkpoint;
use crate::translog::commitment::{Commitment, commit};
use crate::translog::cosignature;
use crate::translog::hash;
use crate::translog::note::{Note, NoteKey};
use crate::translog::verify::{self, Wrong, hex32};
use crate::types::Coded as _;
use files::{Folder, read, read_bytes};

/// Exit code of a command line that does not parse.
const USAGE: u8 = 4;

/// Verify a transparency log from files: no server, no network.
#[derive(Debug, Parser)]
#[command(name = "celosia-verify", version, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    args: Args,
}

/// `celosia verify`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// A checkpoint: who signed it, who cosigned it.
    Checkpoint {
        /// The checkpoint.
        file: PathBuf,
        /// The log's verifier key, `name+hash+base64`.
        #[arg(long, value_name = "VKEY")]
        key: NoteKey,
        #[command(flatten)]
        seen: Seen,
    },
    /// That a record is in a log (C2SP tlog-proof).
    Inclusion {
        /// The proof.
        proof: PathBuf,
        /// The log's verifier key.
        #[arg(long, value_name = "VKEY")]
        key: NoteKey,
        #[command(flatten)]
        entry: Entry,
        #[command(flatten)]
        seen: Seen,
    },
    /// That a newer checkpoint goes on from an older one.
    Consistency {
        /// The older checkpoint.
        old: PathBuf,
        /// The newer one.
        new: PathBuf,
        /// A copy of the log as of the newer one.
        #[arg(long, value_name = "DIR")]
        folder: PathBuf,
        /// The log's verifier key; without it, signatures are not looked at.
        #[arg(long, value_name = "VKEY")]
        key: Option<NoteKey>,
    },
    /// A whole copied log: checkpoint, every entry, every tile.
    Log {
        /// The copy: `checkpoint` and `tile/`.
        folder: PathBuf,
        /// The log's verifier key.
        #[arg(long, value_name = "VKEY")]
        key: NoteKey,
        /// An older checkpoint that the log must go on from.
        #[arg(long, value_name = "FILE")]
        since: Option<PathBuf>,
    },
}

/// Who should have cosigned the checkpoint.
#[derive(clap::Args, Debug)]
struct Seen {
    /// A witness's verifier key; may be given more than once.
    #[arg(long, value_name = "VKEY")]
    witness: Vec<cosignature::Witness>,
    /// How many of the witnesses must have cosigned; all of them if not given.
    #[arg(long, value_name = "N")]
    quorum: Option<usize>,
}

/// What should be in the log.
#[derive(clap::Args, Debug)]
#[group(required = true, multiple = true)]
struct Entry {
    /// The record, as it was handed out.
    #[arg(long, value_name = "FILE", requires = "salt", conflicts_with = "commitment")]
    record: Option<PathBuf>,
    /// Its salt, 64 hexadecimal digits.
    #[arg(long, value_name = "HEX", requires = "record")]
    salt: Option<String>,
    /// The commitment itself, 64 hexadecimal digits.
    #[arg(long, value_name = "HEX")]
    commitment: Option<String>,
}

/// The program `celosia-verify`.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Cli::try_parse_from(arguments) {
        Ok(cli) => ExitCode::from(run(&cli.args)),
        Err(error) => {
            // Nobody is left to tell if standard error is closed.
            let _ = error.print();
            ExitCode::from(if error.use_stderr() { USAGE } else { 0 })
        }
    }
}

/// Says what it found, and answers the exit code.
pub(super) fn run(args: &Args) -> u8 {
    match judge(&args.what) {
        Ok(found) => {
            println!("good: {found}");
            0
        }
        Err(wrong @ Wrong::Unreadable(_)) => {
            eprintln!("error[{}]: cannot be read: {wrong}", wrong.code());
            2
        }
        Err(wrong) => {
            eprintln!("error[{}]: not good: {wrong}", wrong.code());
            1
        }
    }
}

fn judge(what: &What) -> Result<String, Wrong> {
    match what {
        What::Checkpoint { file, key, seen } => {
            let (checkpoint, who) = verify::checkpoint(&read(file)?, key, &seen.witness, seen.quorum())?;
            Ok(format!("{}{}", Told(&checkpoint), cosigned(&who)))
        }
        What::Inclusion { proof, key, entry, seen } => {
            let (text, entry) = (read(proof)?, entry.commitment()?);
            let (index, checkpoint, who) = verify::inclusion(&text, key, &entry, &seen.witness, seen.quorum())?;
            Ok(format!("the record is entry {index} of {}{}", Told(&checkpoint), cosigned(&who)))
        }
        What::Consistency { old, new, folder, key } => {
            let open = |path: &Path| -> Result<Checkpoint, Wrong> {
                let text = read(path)?;
                Ok(match key {
                    Some(key) => Checkpoint::open_text(&text, key)?.0,
                    None => Note::parse(&text).map_err(crate::translog::checkpoint::CheckpointError::Note)?.text().parse()?,
                })
            };
            let (old, new) = (open(old)?, open(new)?);
            let proof = verify::consistency(&old, &new, &mut Folder::new(folder))?;
            let unsigned = if key.is_none() { "; no key was given, so who signed is not known" } else { "" };
            Ok(format!("{} goes on from its first {} entries, by {} hashes{unsigned}", Told(&new), old.size, proof.len()))
        }
        What::Log { folder, key, since } => {
            let (checkpoint, _) = Checkpoint::open_text(&read(&folder.join("checkpoint"))?, key)?;
            let since = since.as_ref().map(|path| Ok::<_, Wrong>(Checkpoint::open_text(&read(path)?, key)?.0)).transpose()?;
            verify::log(&checkpoint, since.as_ref(), &mut Folder::new(folder))?;
            Ok(format!("every entry and tile of {}", Told(&checkpoint)))
        }
    }
}

impl Seen {
    fn quorum(&self) -> usize {
        self.quorum.unwrap_or(self.witness.len())
    }
}

fn cosigned(who: &[String]) -> String {
    if who.is_empty() { "; no witness was asked for".into() } else { format!(", cosigned by {}", who.join(", ")) }
}

impl Entry {
    fn commitment(&self) -> Result<Commitment, Wrong> {
        let hex = |text: &str| hex32(text).ok_or_else(|| Wrong::Unreadable("not 64 hexadecimal digits".into()));
        match (&self.record, &self.salt, &self.commitment) {
            (_, _, Some(commitment)) => hex(commitment),
            (Some(record), Some(salt), None) => Ok(commit(&hex(salt)?, &read_bytes(record)?)),
            _ => Err(Wrong::Unreadable("give --record and --salt, or --commitment".into())),
        }
    }
}

/// A checkpoint in words.
struct Told<'a>(&'a Checkpoint);

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Checkpoint { origin, size, root, keys, .. } = self.0;
        write!(f, "{origin} at {size} entries, root {}", hash::to_base64(root))?;
        keys.iter().try_for_each(|keys| write!(f, ", {keys} punctures of its key trees"))
    }
}
