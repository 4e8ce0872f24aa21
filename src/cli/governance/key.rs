//! Ed25519 keys in locked files, of the form of `celosia keygen`.

use std::path::Path;

use zeroize::Zeroizing;

use super::{GovernanceError, files};
use crate::cli::lock::Lock;
use crate::cli::{Failure, keyupdate, prompt};
use crate::crypto::secret::Secret;
use crate::crypto::sign::SigningKey;
use crate::enclave::keyfile;

/// Makes a key and writes its seed, locked, to a new file of mode 0600.
pub(super) fn make(lock: &Lock, file: &Path) -> Result<SigningKey, Failure> {
    if file.symlink_metadata().is_ok() {
        return Err(Failure::coded(2, &keyfile::KeyFileError::Exists(file.display().to_string())));
    }
    let (options, password) = lock.read(&file.display().to_string())?;
    if password.is_empty() {
        return Err(GovernanceError::NoPassword.into());
    }
    let seed = Secret::random();
    let json = keyfile::to_locked_json(&seed, &password, &options).map_err(|error| Failure::coded(2, &error))?;
    files::write_new(file, 0o600, &Zeroizing::new(json))?;
    Ok(SigningKey::from_seed(&seed))
}

/// Unlocks a key.
pub(in crate::cli) fn load(file: &Path, password_file: Option<&Path>) -> Result<SigningKey, Failure> {
    let coded = |error: keyfile::KeyFileError| Failure::coded(2, &error);
    let locked = keyfile::load(file).map_err(coded)?;
    let password = match (locked.is_locked(), password_file) {
        (false, _) => None,
        (true, Some(password)) => Some(keyupdate::first_line(password)?),
        (true, None) => Some(prompt::password_of(&file.display().to_string())?),
    };
    let seed = locked.unlock(password.as_ref()).map_err(coded)?;
    Ok(SigningKey::from_seed(&seed))
}
