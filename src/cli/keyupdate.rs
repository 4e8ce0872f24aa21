use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::keygen::replace;
use super::{Failure, prompt};
use crate::enclave::keyfile::{self, ArgonOptions, ArgonVariant};

/// `celosia keyupdate`. The key itself, and so the address, stays what it is.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The private key file.
    #[arg(long = "keys.keyData.privateKeyPath", visible_alias = "key", value_name = "FILE")]
    key: PathBuf,
    /// Its password now.
    #[arg(long = "keys.passwords", value_name = "PASSWORD", hide = true)]
    password: Option<String>,
    /// File whose first line is its password now; asked if absent.
    #[arg(long = "keys.passwordFile", visible_alias = "password-file", value_name = "FILE", conflicts_with = "password")]
    password_file: Option<PathBuf>,
    /// Argon2 variant: i, d or id.
    #[arg(long = "keys.keyData.config.data.aopts.algorithm", visible_alias = "variant", value_parser = variant, default_value = "i")]
    variant: ArgonVariant,
    /// Argon2 passes.
    #[arg(long = "keys.keyData.config.data.aopts.iterations", visible_alias = "iterations", default_value_t = 10)]
    iterations: u32,
    /// Argon2 memory, KiB.
    #[arg(long = "keys.keyData.config.data.aopts.memory", visible_alias = "memory", default_value_t = 1_048_576)]
    memory: u32,
    /// Argon2 lanes.
    #[arg(long = "keys.keyData.config.data.aopts.parallelism", visible_alias = "parallelism", default_value_t = 4)]
    parallelism: u32,
    /// Tessera takes a configuration here; nothing of it is needed.
    #[arg(long, visible_alias = "config", value_name = "FILE", hide = true)]
    configfile: Option<PathBuf>,
}

fn variant(text: &str) -> Result<ArgonVariant, &'static str> {
    match text.to_ascii_lowercase().as_str() {
        "i" => Ok(ArgonVariant::I),
        "d" => Ok(ArgonVariant::D),
        "id" => Ok(ArgonVariant::Id),
        _ => Err("expected i, d or id"),
    }
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let name = args.key.display().to_string();
    let coded = |error: keyfile::KeyFileError| Failure::coded(2, &error);
    let file = keyfile::load(&args.key).map_err(coded)?;
    let old = if file.is_locked() { Some(old_password(args, &name)?) } else { None };
    let key = file.unlock(old.as_ref()).map_err(coded)?;
    let new = prompt::new_password()?;
    let options =
        ArgonOptions { variant: args.variant, memory: args.memory, iterations: args.iterations, parallelism: args.parallelism };
    let json = if new.is_empty() {
        keyfile::to_unlocked_json(&key)
    } else {
        Zeroizing::new(keyfile::to_locked_json(&key, &new, &options).map_err(coded)?)
    };
    replace(&args.key, &json).map_err(|error| Failure::plain(2, format!("{name}: {error}")))?;
    say!("{name} is {}", if new.is_empty() { "unlocked" } else { "locked by the new password" });
    Ok(())
}

fn old_password(args: &Args, name: &str) -> Result<Zeroizing<String>, Failure> {
    match (&args.password, &args.password_file) {
        (Some(password), _) => Ok(Zeroizing::new(password.clone())),
        (None, Some(file)) => first_line(file),
        (None, None) => prompt::password_of(name),
    }
}

/// The first line of a password file.
pub(super) fn first_line(file: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::plain(2, format!("{}: cannot be read: {error}", file.display())))?;
    let text = Zeroizing::new(text);
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().to_owned()))
}
