//! `celosia scan`: whether a payload's bytes or keys lie anywhere in files.

mod files;
mod gather;
mod report;

use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use zeroize::Zeroizing;

use self::files::{Inode, Search};
use self::report::Report;
use super::Failure;
use crate::scan::{Matcher, Needles, ScanError, What};
use crate::types::{Coded, DocumentId, ItemId};

/// Bytes of a needle file or of the ends of a plaintext that are read into memory.
const MAX_NEEDLES: u64 = 1 << 20;
/// Largest plaintext that is taken in.
const MAX_PLAINTEXT: u64 = 64 << 20;

/// Searches files and folders for what a payload leaves behind: ciphertext, sealed head, keys, plaintext; raw, as hex (either case), as
/// base64 (both alphabets, at every place) and, of text, as UTF-16.
///
/// Exit codes: 0 nothing found, 1 found, 2 not everything could be looked at (or nothing at all).
///
/// Folders are searched to their ends; links inside them are not followed; holes of sparse files are passed over. What is compressed or
/// encrypted is searched as it lies there: unpack archives first.
#[derive(clap::Args, Debug)]
#[group(id = "subject", required = true, multiple = true, args = ["item", "needles", "plaintext"])]
pub(crate) struct Args {
    /// Search for what this payload or document leaves: taken from its store, its file, and the key folder where it can be read. Id in
    /// base64; a document's also in hexadecimal.
    #[arg(long = "for", value_name = "ID", value_parser = item_id)]
    item: Option<ItemId>,
    /// Configuration of the node whose store has the payload. It may run.
    #[arg(long, visible_alias = "configfile", value_name = "FILE", conflicts_with = "data_dir")]
    config: Option<PathBuf>,
    /// Its data folder.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Write what is searched for to a new file, for a search after the erasure. It holds the item's keys: who has it and a copy of the
    /// ciphertext reads it. For audits and tests; shred it afterwards.
    #[arg(long, value_name = "NEEDLES", requires = "item")]
    save: Option<PathBuf>,
    /// Search for what `--save` wrote.
    #[arg(long, value_name = "NEEDLES")]
    needles: Option<PathBuf>,
    /// Search for pieces of this file's content. (The file itself is passed over.)
    #[arg(long, value_name = "FILE")]
    plaintext: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// Files and folders: data folders, backups, logs, core files, disk images, block devices.
    #[arg(value_name = "PATHS", required_unless_present = "save")]
    paths: Vec<PathBuf>,
}

/// The id of an item: base64, or of a document as its users write it.
fn item_id(text: &str) -> Result<ItemId, String> {
    let base64 = text.parse::<ItemId>();
    base64.or_else(|error| DocumentId::from_words(text).map(ItemId::Document).map_err(|_| error.to_string()))
}

/// What can go wrong before anything is searched.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Needles(#[from] ScanError),
    #[error("{path}: {source}")]
    File { path: String, source: std::io::Error },
    #[error("{0} is larger than what a search takes in: cut a telling piece out of it")]
    Large(String),
    #[error("{0} can be read by others: it holds keys, and a copy of it ends what the search is to prove")]
    Loose(String),
}

impl Coded for Error {
    fn code(&self) -> crate::types::Code {
        use crate::types::Code;
        match self {
            Self::Needles(error) => error.code(),
            Self::File { .. } => Code(1363),
            Self::Large(_) => Code(1364),
            Self::Loose(_) => Code(1365),
        }
    }
}

fn coded(error: impl Into<Error>) -> Failure {
    Failure::coded(2, &error.into())
}

/// Exit code 0 if nothing is found, 1 if something is, 2 if not everything could be looked at.
pub(super) fn run(args: Args) -> Result<u8, Failure> {
    let mut report = Report::default();
    let mut own: Vec<Inode> = Vec::new();
    let needles = needles(&args, &mut report, &mut own)?;
    if let Some(path) = &args.save {
        save(path, &needles, args.item).map_err(coded)?;
        report.notes.push(format!(
            "{} opens this item for whoever has a copy of its ciphertext. Keep it for the search after the erasure, then shred it",
            path.display()
        ));
        own.extend(inode(path));
    }
    report.searched_for = needles.parts();
    if !args.paths.is_empty() {
        let matcher = Matcher::new(&needles).map_err(coded)?;
        let started = Instant::now();
        let mut search = Search::new(&matcher, own, &mut report);
        args.paths.iter().for_each(|path| search.path(path));
        report.time = started.elapsed();
    }
    if args.json {
        say!("{:#}", report.json());
    } else {
        say_part!("{report}");
    }
    Ok(report.exit())
}

fn needles(args: &Args, report: &mut Report, own: &mut Vec<Inode>) -> Result<Needles, Failure> {
    let mut needles = Needles::default();
    if let Some(path) = &args.needles {
        let text = secret_file(path).map_err(coded)?;
        let (read, item) = Needles::decode(&text).map_err(coded)?;
        if let (Some(asked), Some(item)) = (args.item, item)
            && asked != item
        {
            return Err(Failure::plain(2, format!("{} is of {item}, not of {asked}", path.display())));
        }
        needles.join(read);
        own.extend(inode(path));
    }
    // With needles, the item's own rows are no longer needed; they are of use where it is still there.
    if let Some(id) = args.item.filter(|_| args.needles.is_none() || args.config.is_some() || args.data_dir.is_some()) {
        let places = super::fsck::places(args.data_dir.clone(), args.config.clone())?;
        needles.join(gather::gather(id, &places, &mut report.notes)?);
    }
    if let Some(path) = &args.plaintext {
        let text = read(path, MAX_PLAINTEXT).map_err(coded)?;
        if needles.add(What::Plaintext, &text) == 0 {
            return Err(coded(ScanError::NoNeedles));
        }
        own.extend(inode(path));
    }
    Ok(needles)
}

/// A file that is new and 0600 from its first byte.
fn save(path: &Path, needles: &Needles, item: Option<ItemId>) -> Result<(), Error> {
    let failed = |source| Error::File { path: path.display().to_string(), source };
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
    file.write_all(needles.encode(item).as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
}

fn secret_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let meta = std::fs::metadata(path).map_err(|source| Error::File { path: path.display().to_string(), source })?;
    if meta.mode() & 0o077 != 0 {
        return Err(Error::Loose(path.display().to_string()));
    }
    read(path, MAX_NEEDLES)
}

fn read(path: &Path, most: u64) -> Result<Zeroizing<Vec<u8>>, Error> {
    let failed = |source| Error::File { path: path.display().to_string(), source };
    if std::fs::metadata(path).map_err(failed)?.len() > most {
        return Err(Error::Large(path.display().to_string()));
    }
    std::fs::read(path).map(Zeroizing::new).map_err(failed)
}

/// Which file a path is, whatever it is called.
fn inode(path: &Path) -> Option<Inode> {
    std::fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()))
}
