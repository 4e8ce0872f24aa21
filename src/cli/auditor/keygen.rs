use std::fs::{DirBuilder, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::folder::{KEY, KNOWN, Keys, Known};
use crate::cli::Failure;
use crate::cli::lock::Lock;
use crate::crypto::hpke::BoxKey;
use crate::crypto::random;
use crate::crypto::secret::Secret;
use crate::crypto::sign::VerifyKey;
use crate::disclosure::GrantId;
use crate::enclave::keyfile;

/// Arguments of `celosia auditor keygen`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The new folder.
    #[arg(long, value_name = "FOLDER")]
    folder: PathBuf,
    /// Who asks.
    #[arg(long)]
    name: String,
    /// The legal entity that the person answers to.
    #[arg(long)]
    entity: String,
    #[command(flatten)]
    lock: Lock,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let known = make(&args.folder, &args.lock, &args.name, &args.entity, None)?;
    say!("{}", known.grant);
    Ok(())
}

/// Makes the folder of a grant. `signs` is the key of whoever signs the request, if it is not the grant's own.
pub(in crate::cli) fn make(
    folder: &Path,
    lock: &Lock,
    name: &str,
    entity: &str,
    signs: Option<VerifyKey>,
) -> Result<Known, Failure> {
    let key = folder.join(KEY);
    if key.symlink_metadata().is_ok() {
        return Err(Failure::coded(2, &keyfile::KeyFileError::Exists(key.display().to_string())));
    }
    let (options, password) = lock.read("the grant's key")?;
    if password.is_empty() {
        return Err(Failure::plain(2, "a grant's key is locked: give a password"));
    }
    let master = Secret::random();
    let keys = Keys::of(&master);
    let known = Known {
        grant: GrantId(random()),
        name: name.to_owned(),
        entity: entity.to_owned(),
        key: signs.unwrap_or_else(|| keys.signing.verify_key()),
        box_key: BoxKey::of(&keys.private),
    };
    let locked = keyfile::to_locked_json(&master, &password, &options).map_err(|error| Failure::coded(2, &error))?;
    DirBuilder::new().recursive(true).mode(0o700).create(folder).with_context(|| folder.display().to_string())?;
    write_new(&key, 0o600, &locked)?;
    let text = serde_json::to_string_pretty(&known).context("strings")? + "\n";
    write_new(&folder.join(KNOWN), 0o644, &text)?;
    Ok(known)
}

fn write_new(path: &Path, mode: u32, text: &str) -> anyhow::Result<()> {
    let file = OpenOptions::new().create_new(true).write(true).mode(mode).open(path);
    let mut file = file.with_context(|| path.display().to_string())?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(|| path.display().to_string())
}
