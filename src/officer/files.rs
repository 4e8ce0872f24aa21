//! Files of an officer's folder: ours alone, whole or absent, on the disk when a call returns.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::OfficerError;

/// No file of a folder or a ceremony is longer.
const LIMIT: u64 = 256 * 1024;
/// Most files that are looked at in a ceremony's folder: rounds of 64 parties, many times over.
const MAX_FILES: usize = 4096;

pub(super) fn make_folder(path: &Path) -> Result<(), OfficerError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(OfficerError::io(path))
}

pub(super) fn lock(folder: &Path) -> Result<File, OfficerError> {
    let path = folder.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let file = file.map_err(OfficerError::io(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OfficerError::Busy(folder.to_owned())),
        Err(TryLockError::Error(error)) => Err(OfficerError::io(&path)(error)),
    }
}

/// Writes a file of the folder, in the place of an old one.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), OfficerError> {
    put(path, bytes, 0o600)
}

/// Writes a file for others. What somebody made of it on the way is replaced.
pub(super) fn publish(path: &Path, bytes: &[u8]) -> Result<(), OfficerError> {
    if read_bytes(path).is_ok_and(|there| there == bytes) { Ok(()) } else { put(path, bytes, 0o644) }
}

fn put(path: &Path, bytes: &[u8], mode: u32) -> Result<(), OfficerError> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || {
        let permissions = Permissions::from_mode(mode);
        let mut file = tempfile::Builder::new().prefix(".celosia-").permissions(permissions).tempfile_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(OfficerError::io(path))
}

pub(super) fn read(path: &Path) -> Result<String, OfficerError> {
    let bytes = read_bytes(path)?;
    String::from_utf8(bytes).map_err(|_| OfficerError::Damaged(path.to_owned()))
}

pub(super) fn read_bytes(path: &Path) -> Result<Vec<u8>, OfficerError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(LIMIT + 1).read_to_end(&mut bytes));
    read.map_err(OfficerError::io(path))?;
    if bytes.len() as u64 > LIMIT { Err(OfficerError::Damaged(path.to_owned())) } else { Ok(bytes) }
}

/// The files of a folder with an ending, sorted; none if there is no folder. Hidden ones are passed over.
pub(super) fn list(folder: &Path, ending: &str) -> Result<Vec<PathBuf>, OfficerError> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(OfficerError::io(folder))?,
    };
    let mut files = Vec::new();
    for entry in entries.take(MAX_FILES) {
        let path = entry.map_err(OfficerError::io(folder))?.path();
        let is_hidden = path.file_name().is_none_or(|name| name.as_encoded_bytes().starts_with(b"."));
        if !is_hidden && path.extension().is_some_and(|found| found == ending) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Overwrites a short file where it lies and removes it. One that is gone is no error.
///
/// What no call can promise: that the file system or the SSD does not keep the blocks from before. The root that goes, too, is for that.
pub(super) fn destroy(path: &Path) -> Result<(), OfficerError> {
    let destroy = || {
        let mut file = match OpenOptions::new().write(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => other?,
        };
        let length = usize::try_from(file.metadata()?.len().min(LIMIT)).unwrap_or(0);
        file.write_all(&vec![0; length])?;
        file.sync_all()?;
        fs::remove_file(path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    destroy().map_err(OfficerError::io(path))
}
