use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use super::{KeyFile, KeyFileError};
use crate::types::Address;

/// No key file is longer; a wrong path must not be read into memory whole.
const LIMIT: u64 = 64 * 1024;

/// Reads a private key file. One that others can read is used, with a warning: Tessera's own are often 0644.
pub fn load(path: &Path) -> Result<KeyFile, KeyFileError> {
    let (file, text) = read(path)?;
    let mode = file.metadata().map_err(|error| io_error(path, error))?.permissions().mode();
    if mode & 0o077 != 0 {
        let (path, mode) = (path.display(), mode & 0o777);
        tracing::warn!("the private key file {path} is open to others (mode {mode:04o}): set it to 0600");
    }
    KeyFile::parse(&text)
}

/// Reads a public key file: base64, with or without a line end.
pub fn load_public(path: &Path) -> Result<Address, KeyFileError> {
    let text = read(path)?.1;
    text.trim_end().parse().map_err(|error| KeyFileError::Malformed(format!("{}: {error}", path.display())))
}

/// Writes `<base>.key` (the JSON) and `<base>.pub`, both 0600, both new or neither, durable when this returns.
pub fn write_pair(base: &Path, address: &Address, json: &str) -> Result<(), KeyFileError> {
    let (key, public) = (with_suffix(base, ".key"), with_suffix(base, ".pub"));
    for path in [&key, &public] {
        if path.symlink_metadata().is_ok() {
            return Err(KeyFileError::Exists(path.display().to_string()));
        }
    }
    let folder = match key.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let key_file = prepare(folder, json.as_bytes()).map_err(|error| io_error(&key, error))?;
    let public_file = prepare(folder, address.to_string().as_bytes()).map_err(|error| io_error(&public, error))?;
    // A rename that never replaces: of two runs with one name, one fails here.
    persist(key_file, &key)?;
    persist(public_file, &public).inspect_err(|_| {
        let _ = fs::remove_file(&key);
    })?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| io_error(folder, error))
}

/// A private temporary file of the folder with the content on disk. Removed if it is not persisted.
fn prepare(folder: &Path, content: &[u8]) -> io::Result<NamedTempFile> {
    let mode = Permissions::from_mode(0o600);
    let mut file = tempfile::Builder::new().prefix(".celosia-key-").permissions(mode).tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn persist(file: NamedTempFile, path: &Path) -> Result<(), KeyFileError> {
    match file.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => {
            Err(KeyFileError::Exists(path.display().to_string()))
        }
        Err(failed) => Err(io_error(path, failed.error)),
    }
}

/// Tessera appends: `k` gives `k.key`, `k.v2` gives `k.v2.key`, an empty name gives `.key`.
fn with_suffix(base: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(base);
    name.push(suffix);
    name.into()
}

fn read(path: &Path) -> Result<(File, Zeroizing<String>), KeyFileError> {
    let file = File::open(path).map_err(|error| io_error(path, error))?;
    // Enough room at once: growth would leave copies of a private key behind.
    let mut text = Zeroizing::new(String::with_capacity(4096));
    let read = (&file).take(LIMIT + 1).read_to_string(&mut text).map_err(|error| io_error(path, error))?;
    if read as u64 > LIMIT {
        return Err(KeyFileError::Malformed(format!("{} is longer than {LIMIT} bytes", path.display())));
    }
    Ok((file, text))
}

fn io_error(path: &Path, source: io::Error) -> KeyFileError {
    KeyFileError::Io { path: path.display().to_string(), source }
}
