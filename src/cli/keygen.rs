use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Failure, prompt};
use crate::enclave::keyfile::{self, ArgonOptions};
use crate::types::Address;

mod output;

pub(super) use output::replace;

/// `celosia keygen`. Options as Tessera names them.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Base names of the files, separated by commas; `.key` and `.pub` are added. None: the files are `.key` and `.pub`.
    #[arg(long, visible_alias = "keyout", value_delimiter = ',', value_name = "NAME,…")]
    filename: Vec<PathBuf>,
    /// JSON file with the options of argon2: variant, memory (KiB), iterations, parallelism.
    #[arg(long, visible_alias = "keygenconfig", value_name = "FILE")]
    argonconfig: Option<PathBuf>,
    /// Tessera configuration to add the new keys to.
    #[arg(long, visible_alias = "config", value_name = "FILE")]
    configfile: Option<PathBuf>,
    /// Where to write that configuration; printed if absent.
    #[arg(long, visible_alias = "output", value_name = "FILE", requires = "configfile")]
    configout: Option<PathBuf>,
    /// Password file to add the new passwords to.
    #[arg(long, value_name = "FILE")]
    pwdout: Option<PathBuf>,
    /// Kind of key: NACL.
    #[arg(long = "encryptor.type", value_name = "TYPE", default_value = "NACL", ignore_case = true)]
    encryptor: String,
    #[command(flatten)]
    refused: RefusedArgs,
}

/// Options of Tessera's that are known and not offered.
#[derive(clap::Args, Debug)]
struct RefusedArgs {
    #[arg(long = "vault.type", visible_alias = "keygenvaulttype", hide = true)]
    vault_type: Option<String>,
    #[arg(long = "vault.url", visible_alias = "keygenvaulturl", hide = true)]
    vault_url: Option<String>,
    #[arg(long = "vault.hashicorp.approlepath", hide = true)]
    approle_path: Option<String>,
    #[arg(long = "vault.hashicorp.secretenginepath", hide = true)]
    secret_engine_path: Option<String>,
    #[arg(long = "vault.hashicorp.tlskeystore", hide = true)]
    tls_keystore: Option<String>,
    #[arg(long = "vault.hashicorp.tlstruststore", hide = true)]
    tls_truststore: Option<String>,
    #[arg(long = "encryptor.ellipticCurve", hide = true)]
    elliptic_curve: Option<String>,
    #[arg(long = "encryptor.symmetricCipher", hide = true)]
    symmetric_cipher: Option<String>,
    #[arg(long = "encryptor.nonceLength", hide = true)]
    nonce_length: Option<String>,
    #[arg(long = "encryptor.sharedKeyLength", hide = true)]
    shared_key_length: Option<String>,
}

/// A pair on disk.
struct Made {
    key_file: PathBuf,
    public_file: PathBuf,
    password: Zeroizing<String>,
}

/// Makes the pairs. Exit code 2 if a file exists.
pub(super) fn run(args: Args) -> Result<(), Failure> {
    refuse(&args)?;
    let options = argon_options(args.argonconfig.as_deref())?;
    let names = if args.filename.is_empty() { vec![PathBuf::new()] } else { args.filename };
    let mut made = Vec::new();
    for name in &names {
        made.push(pair(name, &options)?);
    }
    if let Some(file) = &args.pwdout {
        output::add_passwords(file, &made)?;
    }
    if let Some(file) = &args.configfile {
        output::add_to_configuration(file, args.configout.as_deref(), args.pwdout.as_deref(), &made)?;
    }
    Ok(())
}

fn refuse(args: &Args) -> Result<(), Failure> {
    let refused = &args.refused;
    let vault = [
        &refused.vault_type,
        &refused.vault_url,
        &refused.approle_path,
        &refused.secret_engine_path,
        &refused.tls_keystore,
        &refused.tls_truststore,
    ];
    if vault.iter().any(|option| option.is_some()) {
        return Err(Failure::plain(
            2,
            "vaults are not offered: make the pair in files and store the content of the .key file with the vault's own client",
        ));
    }
    let curve = [&refused.elliptic_curve, &refused.symmetric_cipher, &refused.nonce_length, &refused.shared_key_length];
    if !args.encryptor.eq_ignore_ascii_case("NACL") || curve.iter().any(|option| option.is_some()) {
        return Err(Failure::plain(2, "only the NACL encryptor is offered: leave the --encryptor options out"));
    }
    Ok(())
}

pub(super) fn argon_options(file: Option<&Path>) -> Result<ArgonOptions, Failure> {
    let Some(file) = file else { return Ok(ArgonOptions::default()) };
    let failed = |reason: String| Failure::plain(1, format!("{}: {reason}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| failed(format!("cannot be read: {error}")))?;
    serde_json::from_str(&text)
        .map_err(|error| failed(format!("expected {{ variant, memory, iterations, parallelism }}: {error}")))
}

fn pair(name: &Path, options: &ArgonOptions) -> Result<Made, Failure> {
    let (key_file, public_file) = (with_suffix(name, ".key"), with_suffix(name, ".pub"));
    if let Some(file) = [&key_file, &public_file].into_iter().find(|file| file.symlink_metadata().is_ok()) {
        // Before the questions: nobody types a password for nothing.
        return Err(Failure::coded(2, &keyfile::KeyFileError::Exists(file.display().to_string())));
    }
    let password = prompt::new_password()?;
    let (key, address) = keyfile::generate();
    let json = if password.is_empty() {
        keyfile::to_unlocked_json(&key)
    } else {
        keyfile::to_locked_json(&key, &password, options).map(Zeroizing::new).map_err(|error| Failure::coded(2, &error))?
    };
    keyfile::write_pair(name, &address, &json).map_err(|error| Failure::coded(2, &error))?;
    tell(&key_file, &public_file, &address);
    Ok(Made { key_file, public_file, password })
}

fn tell(key_file: &Path, public_file: &Path, address: &Address) {
    say!("Private key: {}", absolute(key_file).display());
    say!("Public key:  {} ({address})", absolute(public_file).display());
}

fn with_suffix(name: &Path, suffix: &str) -> PathBuf {
    let mut name = name.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The new entries of `keys.keyData`.
fn entries(made: &[Made]) -> Vec<Value> {
    made.iter()
        .map(|made| json!({"privateKeyPath": absolute(&made.key_file), "publicKeyPath": absolute(&made.public_file)}))
        .collect()
}
