use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::ShredError;
use super::tree::Tree;
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

/// The root in 0600 files of the key folder, `root-<generation>.key`: 32 bytes each. New states go under the newest generation.
///
/// Threat: others on this machine read it. A file that they can read is refused. What a file cannot do is forget: a copy of it in a
/// backup opens every tree state that was sealed under it.
#[derive(Debug)]
pub struct FileRoot {
    generation: u32,
    keys: BTreeMap<u32, Secret<32>>,
}

impl FileRoot {
    /// Opens the folder's generations, or makes the first one.
    ///
    /// Threat: a root that got lost is replaced without a word, and everything kept is unreadable. Where there are trees, there must be a root.
    pub fn open(folder: &Path) -> Result<Self, ShredError> {
        if let Some(root) = Self::open_existing(folder)? {
            return Ok(root);
        }
        let _alone = lock(folder)?;
        if let Some(root) = Self::open_existing(folder)? {
            return Ok(root);
        }
        let first = folder.join(name(1));
        if !Tree::numbers(folder)?.is_empty() {
            let lost = "the root is missing, but key trees are here: restore the file that belongs to them";
            return Err(io_error(&first, io::Error::new(io::ErrorKind::NotFound, lost)));
        }
        let key = Secret::random();
        write_new(&first, key.expose())?;
        Ok(Self { generation: 1, keys: BTreeMap::from([(1, key)]) })
    }

    /// Opens the folder's generations; `None` if there is none.
    pub fn open_existing(folder: &Path) -> Result<Option<Self>, ShredError> {
        let mut keys = BTreeMap::new();
        for (generation, path) in generations(folder)? {
            keys.insert(generation, read(&path)?);
        }
        let newest = keys.last_key_value().map(|(generation, _)| *generation);
        Ok(newest.map(|generation| Self { generation, keys }))
    }
}

impl RootKey for FileRoot {
    fn generation(&self) -> u32 {
        self.generation
    }

    fn seal(&self, aad: &[u8], state: &[u8]) -> Result<Vec<u8>, ShredError> {
        let key = self.keys.get(&self.generation).ok_or_else(|| ShredError::Broken(name(self.generation)))?;
        Ok(aead::seal(key.expose(), aad, state))
    }

    fn open(&self, generation: u32, aad: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, ShredError> {
        let broken = || ShredError::Broken(format!("a key tree under root generation {generation}"));
        let key = self.keys.get(&generation).ok_or_else(broken)?;
        aead::open(key.expose(), aad, sealed).map_err(|_| broken())
    }
}

fn name(generation: u32) -> String {
    format!("root-{generation}.key")
}

fn generations(folder: &Path) -> Result<BTreeMap<u32, PathBuf>, ShredError> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(|source| io_error(folder, source))? {
        let path = entry.map_err(|source| io_error(folder, source))?.path();
        let text = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let generation = text.strip_prefix("root-").and_then(|rest| rest.strip_suffix(".key")?.parse().ok());
        if let Some(generation) = generation.filter(|generation| text == name(*generation)) {
            found.insert(generation, path);
        }
    }
    Ok(found)
}

/// The lock of a key folder: held as long as the file is open, and gone with the process, however it ends.
pub(super) fn lock(folder: &Path) -> Result<File, ShredError> {
    let path = folder.join("lock");
    let file = fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = file.map_err(|source| io_error(&path, source))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(Errno::WOULDBLOCK) => Err(ShredError::Locked(folder.display().to_string())),
        Err(errno) => Err(io_error(&path, errno.into())),
    }
}

fn read(path: &Path) -> Result<Secret<32>, ShredError> {
    let failed = |source| io_error(path, source);
    let mut file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(ShredError::Loose(path.display().to_string()));
    }
    // One byte more than it may have; never grown, so no copy is left behind.
    let mut bytes = Zeroizing::new([0; 33]);
    let mut length = 0;
    while length < bytes.len() {
        match file.read(&mut bytes[length..]).map_err(failed)? {
            0 => break,
            count => length += count,
        }
    }
    Secret::from_slice(&bytes[..length]).ok_or_else(|| ShredError::Broken(path.display().to_string()))
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
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|source| io_error(path, source))
}

pub(super) fn io_error(path: &Path, source: io::Error) -> ShredError {
    ShredError::Io { path: path.display().to_string(), source }
}
