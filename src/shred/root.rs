use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::ShredError;
use crate::crypto::aead;
use crate::crypto::secret::Secret;

/// A store root R_t: what tree states are sealed under. A file here; a KMS, Vault or PKCS#11 token fills the same trait.
pub trait RootKey: Send + Sync {
    /// The generation `t` that new states are sealed under.
    fn generation(&self) -> u32;

    /// Seals a state under the current generation, bound to `aad`.
    fn seal(&self, aad: &[u8], state: &[u8]) -> Result<Vec<u8>, ShredError>;

    /// Opens a state sealed under `generation`, with the same `aad`.
    fn open(&self, generation: u32, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, ShredError>;
}

/// The root in a 0600 file of the key folder, `root-<generation>.key`: 32 bytes.
///
/// Threat: others on this machine read it. A file that they can read is refused. What a file cannot do is forget: a copy of it in a
/// backup opens every tree state that was sealed under it.
#[derive(Debug)]
pub struct FileRoot {
    generation: u32,
    key: Secret<32>,
}

impl FileRoot {
    /// Opens the folder's newest generation, or makes the first one.
    pub fn open(folder: &Path) -> Result<Self, ShredError> {
        match newest(folder)? {
            Some((generation, path)) => Ok(Self { generation, key: read(&path)? }),
            None => {
                let key = Secret::random();
                write_new(&folder.join(name(1)), key.expose())?;
                Ok(Self { generation: 1, key })
            }
        }
    }
}

impl RootKey for FileRoot {
    fn generation(&self) -> u32 {
        self.generation
    }

    fn seal(&self, aad: &[u8], state: &[u8]) -> Result<Vec<u8>, ShredError> {
        Ok(aead::seal(self.key.expose(), aad, state))
    }

    fn open(&self, generation: u32, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, ShredError> {
        let broken = || ShredError::Broken(format!("a key tree under root generation {generation}"));
        if generation != self.generation {
            return Err(broken());
        }
        aead::open(self.key.expose(), aad, sealed).map_err(|_| broken())
    }
}

fn name(generation: u32) -> String {
    format!("root-{generation}.key")
}

fn newest(folder: &Path) -> Result<Option<(u32, PathBuf)>, ShredError> {
    let mut found = None;
    for entry in fs::read_dir(folder).map_err(|source| io_error(folder, source))? {
        let path = entry.map_err(|source| io_error(folder, source))?.path();
        let text = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let generation = text.strip_prefix("root-").and_then(|rest| rest.strip_suffix(".key")?.parse().ok());
        if let Some(generation) = generation
            && found.as_ref().is_none_or(|(newest, _)| generation > *newest)
        {
            found = Some((generation, path));
        }
    }
    Ok(found)
}

fn read(path: &Path) -> Result<Secret<32>, ShredError> {
    let mode = fs::metadata(path).map_err(|source| io_error(path, source))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(ShredError::Loose(path.display().to_string()));
    }
    let bytes = Zeroizing::new(fs::read(path).map_err(|source| io_error(path, source))?);
    Secret::from_slice(&bytes).ok_or_else(|| ShredError::Broken(path.display().to_string()))
}

/// A file that is whole or absent, 0600 from its first byte, on the disk when this returns.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), ShredError> {
    let temporary = path.with_extension("tmp");
    let write = || -> io::Result<()> {
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|source| io_error(path, source))
}

pub(super) fn io_error(path: &Path, source: io::Error) -> ShredError {
    ShredError::Io { path: path.display().to_string(), source }
}
