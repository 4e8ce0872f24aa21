use std::path::{Path, PathBuf};

use super::{GovernanceError, files, key};
use crate::cli::Failure;
use crate::cli::lock::Lock;
use crate::crypto::secret::Secret;
use crate::crypto::sign::SigningKey;
use crate::governance::Governor;

/// `celosia governance keygen`. Prints the line `name+hash+key` to hand to the other governors.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Name that the signature lines bear: ASCII without space and plus, such as `banco-azul.example/ana`.
    #[arg(long)]
    name: String,
    /// The key file; beside it, with the ending `.vkey`, the line. Default: the name with `/` as `-`, and `.key`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    lock: Lock,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let wrong = || GovernanceError::Edit("a governor's name is 1 to 64 of ASCII without space, plus, quote and backslash".into());
    // Before the password: nobody types one for nothing.
    Governor::new(&args.name, SigningKey::from_seed(&Secret::random()).verify_key()).map_err(|_| wrong())?;
    let file = args.out.clone().unwrap_or_else(|| Path::new(&format!("{}.key", args.name.replace('/', "-"))).to_owned());
    let key = key::make(&args.lock, &file)?;
    let governor = Governor::new(&args.name, key.verify_key()).map_err(|_| wrong())?;
    files::write_new(&file.with_extension("vkey"), 0o644, &format!("{governor}\n"))?;
    eprintln!("Private key: {} (keep a copy off this machine)", file.display());
    say!("{governor}");
    Ok(())
}
