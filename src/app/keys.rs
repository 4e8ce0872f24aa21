//! From configured key entries to private keys: files read, passwords found, public halves compared.

use std::fs;
use std::io::{BufRead as _, IsTerminal as _};
use std::path::Path;

use zeroize::Zeroizing;

use super::StartError;
use crate::config::{KeyEntry, PrivateSource, PublicSource};
use crate::crypto::nacl::public_key;
use crate::crypto::secret::Secret;
use crate::enclave::keyfile::KeyFile;
use crate::types::Address;

/// Tries at the prompt before we give up, as Tessera's.
const PROMPTS: u32 = 2;

/// The private keys of a configuration, in its order: the first is the default sender.
pub(crate) fn load(entries: &[KeyEntry]) -> Result<Vec<Secret<32>>, StartError> {
    entries.iter().enumerate().map(|(index, entry)| load_one(index, entry)).collect()
}

/// The seed of a signing key, from a key file that may be locked.
pub(crate) fn signing(file: &Path, password_file: Option<&Path>) -> Result<Secret<32>, String> {
    let text = read(file)?;
    let key = KeyFile::parse(&text).map_err(|error| format!("{}: {error}", file.display()))?;
    let password = password_file.map(read).transpose()?;
    let password = password.as_ref().and_then(|text| text.lines().next()).map(|line| Zeroizing::new(line.to_owned()));
    key.unlock(password.as_ref()).map_err(|error| format!("{}: {error}", file.display()))
}

fn load_one(index: usize, entry: &KeyEntry) -> Result<Secret<32>, StartError> {
    let bad = |reason: String| StartError::Key { number: index + 1, reason };
    let private = match entry.private().ok_or_else(|| bad("it names no private key".into()))? {
        PrivateSource::File(path) => {
            let text = read(path).map_err(bad)?;
            unlock(&text, entry, index)?
        }
        PrivateSource::Json(json) => unlock(json.expose(), entry, index)?,
        PrivateSource::Raw(base64) => {
            let bytes = crate::types::base64(base64.expose().trim().as_bytes()).map(Zeroizing::new);
            let bytes = bytes.map_err(|_| bad("the private key is not base64".into()))?;
            Secret::from_slice(&bytes).ok_or_else(|| bad(format!("the private key has {} bytes, not 32", bytes.len())))?
        }
    };
    let expected = match entry.public() {
        PublicSource::Derived => return Ok(private),
        PublicSource::Value(address) => address,
        PublicSource::File(path) => {
            let text = read(path).map_err(bad)?;
            text.trim().parse::<Address>().map_err(|error| bad(format!("{}: {error}", path.display())))?
        }
    };
    let actual = public_key(&private);
    if actual != expected {
        return Err(bad(format!("the public key {expected} does not belong to the private key (that one's is {actual})")));
    }
    Ok(private)
}

fn unlock(text: &str, entry: &KeyEntry, index: usize) -> Result<Secret<32>, StartError> {
    let bad = |reason: String| StartError::Key { number: index + 1, reason };
    let file = KeyFile::parse(text).map_err(|error| bad(error.to_string()))?;
    if !file.is_locked() {
        return file.unlock(None).map_err(|error| bad(error.to_string()));
    }
    let configured = configured_password(entry).map_err(bad)?;
    if let Some(password) = configured.filter(|password| !password.is_empty()) {
        match file.unlock(Some(&password)) {
            Ok(private) => return Ok(private),
            Err(error) if !std::io::stdin().is_terminal() => return Err(bad(error.to_string())),
            Err(error) => eprintln!("key {}: {error}", index + 1),
        }
    }
    for _ in 0..PROMPTS {
        let password = ask(index).map_err(bad)?;
        match file.unlock(Some(&password)) {
            Ok(private) => return Ok(private),
            Err(error) => eprintln!("key {}: {error}", index + 1),
        }
    }
    Err(bad("it is locked, and no password opened it".into()))
}

fn configured_password(entry: &KeyEntry) -> Result<Option<Zeroizing<String>>, String> {
    if let Some(password) = &entry.password {
        return Ok(Some(password.expose().to_owned()));
    }
    let Some(path) = &entry.password_file else { return Ok(None) };
    let text = read(path)?;
    let line = usize::try_from(entry.password_line.unwrap_or(1)).unwrap_or(usize::MAX);
    Ok(text.lines().nth(line.saturating_sub(1)).map(|line| Zeroizing::new(line.to_owned())))
}

/// Asks at the terminal without echo, or reads a line of standard input where there is none.
fn ask(index: usize) -> Result<Zeroizing<String>, String> {
    let prompt = format!("Password for key {}: ", index + 1);
    if std::io::stdin().is_terminal() {
        return rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|error| error.to_string());
    }
    let mut line = Zeroizing::new(String::new());
    let read = std::io::stdin().lock().read_line(&mut line).map_err(|error| error.to_string())?;
    if read == 0 {
        return Err("it is locked: name its password file, or start at a terminal".into());
    }
    Ok(Zeroizing::new(line.trim_end_matches(['\r', '\n']).to_owned()))
}

fn read(path: &Path) -> Result<Zeroizing<String>, String> {
    fs::read_to_string(path).map(Zeroizing::new).map_err(|error| format!("{}: {error}", path.display()))
}
