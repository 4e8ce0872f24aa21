//! Files of a key folder: whole or absent, ours alone, on the disk when a call returns.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use zeroize::Zeroizing;

use super::ShredError;
use crate::crypto::random;
use crate::crypto::secret::Secret;

/// How often, and how long apart, a lock that somebody holds is tried again.
const LOCK_TRIES: u32 = 20;
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(10);

/// The lock of a key folder: held as long as the file is open, and gone with the process, however it ends.
pub(super) fn lock(folder: &Path) -> Result<File, ShredError> {
    let path = folder.join("lock");
    let file = fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = file.map_err(|source| io_error(&path, source))?;
    // A child that is just being started has our locks until it becomes its program: a moment, not another user of the folder.
    for tries in 0.. {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => break,
            Err(Errno::WOULDBLOCK) if tries < LOCK_TRIES => std::thread::sleep(LOCK_PAUSE),
            Err(Errno::WOULDBLOCK) => return Err(ShredError::Locked(folder.display().to_string())),
            Err(errno) => return Err(io_error(&path, errno.into())),
        }
    }
    Ok(file)
}

/// A key of 32 bytes. Threat: others on this machine read it. A file that they can read is refused.
pub(super) fn read_key(path: &Path) -> Result<Secret<32>, ShredError> {
    let mut file = open_private(path)?;
    // One byte more than it may have; never grown, so no copy is left behind.
    let mut bytes = Zeroizing::new([0; 33]);
    let mut length = 0;
    while length < bytes.len() {
        match file.read(&mut bytes[length..]).map_err(|source| io_error(path, source))? {
            0 => break,
            count => length += count,
        }
    }
    Secret::from_slice(&bytes[..length]).ok_or_else(|| ShredError::Broken(path.display().to_string()))
}

/// The first line of a file with a token or a PIN; refused if others can read it.
pub(super) fn read_line(path: &Path) -> Result<Zeroizing<String>, ShredError> {
    let mut text = Zeroizing::new(String::with_capacity(4096));
    open_private(path)?.take(4096).read_to_string(&mut text).map_err(|source| io_error(path, source))?;
    Ok(Zeroizing::new(text.lines().next().unwrap_or_default().trim().to_owned()))
}

fn open_private(path: &Path) -> Result<File, ShredError> {
    let file = File::open(path).map_err(|source| io_error(path, source))?;
    let mode = file.metadata().map_err(|source| io_error(path, source))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(ShredError::Loose(path.display().to_string()));
    }
    Ok(file)
}

/// A file that is whole or absent, 0600 from its first byte, on the disk when this returns.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), ShredError> {
    let temporary = path.with_extension("tmp");
    let write = || -> io::Result<()> {
        gone(fs::remove_file(&temporary))?;
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        sync_folder(path)
    };
    write().map_err(|source| io_error(path, source))
}

/// Overwrites a short file where it lies, then removes it; both are on the disk when this returns. One that is gone is no error.
///
/// What no call can promise: that the file system or the SSD does not keep the blocks from before.
pub(super) fn destroy(path: &Path) -> Result<(), ShredError> {
    let destroy = || -> io::Result<()> {
        let mut file = match fs::OpenOptions::new().write(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return sync_folder(path),
            other => other?,
        };
        let mut left = file.metadata()?.len();
        while left > 0 {
            let noise: [u8; 64] = random();
            let part = usize::try_from(left).unwrap_or(usize::MAX).min(noise.len());
            file.write_all(&noise[..part])?;
            left -= part as u64;
        }
        file.sync_all()?;
        fs::remove_file(path)?;
        sync_folder(path)
    };
    destroy().map_err(|source| io_error(path, source))
}

fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}

fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

pub(super) fn io_error(path: &Path, source: io::Error) -> ShredError {
    ShredError::Io { path: path.display().to_string(), source }
}
