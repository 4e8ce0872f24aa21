use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::JournalError;
use crate::translog::tile::Tile;

/// Writing into a journal's folder. A file is whole or absent, whatever ends the process; what a crash leaves is a `.tmp` that the next write replaces.
pub(super) struct Disk {
    folder: PathBuf,
    _alone: Option<File>,
    #[cfg(test)]
    pub(super) faults: super::sequencer::faults::Faults,
}

impl Disk {
    /// Makes the folder where it is missing.
    pub(super) fn open(folder: &Path) -> Result<Self, JournalError> {
        fs::create_dir_all(folder).map_err(|source| io_error(folder, source))?;
        Ok(Self {
            folder: folder.to_owned(),
            _alone: None,
            #[cfg(test)]
            faults: super::sequencer::faults::Faults::default(),
        })
    }

    /// The same for the one process that may write: two sequencers would sign two histories.
    pub(super) fn open_alone(folder: &Path) -> Result<Self, JournalError> {
        let disk = Self::open(folder)?;
        let path = folder.join("lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = file.map_err(|source| io_error(&path, source))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _alone: Some(file), ..disk }),
            Err(Errno::WOULDBLOCK) => Err(JournalError::Locked(folder.display().to_string())),
            Err(errno) => Err(io_error(&path, errno.into())),
        }
    }

    /// The folder.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts tiles and bundles on the disk; those that are there with the same bytes stay as they are.
    ///
    /// Threat: a store put back from a backup grows other rows, and their tiles take the place of those that others have verified. A file with other bytes is never overwritten.
    pub(super) fn keep(&self, files: &[(Tile, Vec<u8>)]) -> Result<(), JournalError> {
        let mut new = Vec::new();
        for (tile, bytes) in files {
            let path = self.folder.join(tile.to_string());
            match fs::read(&path) {
                Ok(there) if there == *bytes => continue,
                // A file that breaks off is damage; another history would differ where both have bytes.
                Ok(there) if bytes.starts_with(&there) => {}
                Ok(_) => {
                    return Err(JournalError::Forked(format!("{tile} is there with other bytes than the store's rows give")));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(source) => return Err(io_error(&path, source)),
            }
            new.push((path, bytes.as_slice()));
        }
        self.put(&new)
    }

    /// Removes the partial forms of tiles that are full and on the disk (C2SP tlog-tiles, partial tiles).
    pub(super) fn drop_partials(&self, full: &[(Tile, Vec<u8>)]) -> Result<(), JournalError> {
        for (tile, _) in full {
            let path = self.folder.join(tile.partials());
            self.step("remove").and_then(|()| fs::remove_dir_all(&path)).or_else(|source| match source.kind() {
                io::ErrorKind::NotFound => Ok(()),
                _ => Err(io_error(&path, source)),
            })?;
        }
        Ok(())
    }

    /// Replaces one file of the folder, atomically; it is on the disk when this returns.
    pub(super) fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), JournalError> {
        self.put(&[(self.folder.join(name), bytes)])
    }

    /// Writes all, then syncs all, then renames all: the first fsync carries most of what the others would.
    fn put(&self, files: &[(PathBuf, &[u8])]) -> Result<(), JournalError> {
        let (mut folders, mut written) = (BTreeSet::new(), Vec::with_capacity(files.len()));
        for (path, bytes) in files {
            let file = self.write(path, bytes, &mut folders).map_err(|source| io_error(path, source))?;
            written.push((path, file));
        }
        for (path, file) in &written {
            self.step("fsync").and_then(|()| file.sync_all()).map_err(|source| io_error(path, source))?;
        }
        for (path, _) in &written {
            let renamed = self.step("rename").and_then(|()| fs::rename(temporary(path), path));
            renamed.map_err(|source| io_error(path, source))?;
        }
        self.sync(&folders)
    }

    fn write(&self, path: &Path, bytes: &[u8], folders: &mut BTreeSet<PathBuf>) -> io::Result<File> {
        let parent = path.parent().unwrap_or(&self.folder);
        if !parent.is_dir() {
            self.step("folder")?;
            // Each new folder is a line in the one above it.
            folders.extend(parent.ancestors().skip(1).take_while(|above| above.starts_with(&self.folder)).map(Path::to_owned));
            fs::create_dir_all(parent)?;
        }
        folders.insert(parent.to_owned());
        self.step("create")?;
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o644).open(temporary(path))?;
        if let Err(fault) = self.step("write") {
            file.write_all(&bytes[..bytes.len() / 2])?;
            return Err(fault);
        }
        file.write_all(bytes)?;
        Ok(file)
    }

    fn sync(&self, folders: &BTreeSet<PathBuf>) -> Result<(), JournalError> {
        folders.iter().try_for_each(|path| {
            let synced = self.step("fsync folder").and_then(|()| File::open(path)?.sync_all());
            synced.map_err(|source| io_error(path, source))
        })
    }

    /// Where the tests let the process end.
    #[cfg(test)]
    fn step(&self, what: &'static str) -> io::Result<()> {
        self.faults.step(what)
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "the seam of the tests")]
    fn step(&self, _what: &'static str) -> io::Result<()> {
        Ok(())
    }
}

fn temporary(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".tmp");
    name.into()
}

/// The content of a file, `None` if there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, JournalError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(io_error(path, source)),
    }
}

pub(super) fn io_error(path: &Path, source: io::Error) -> JournalError {
    JournalError::Io { path: path.display().to_string(), source }
}

/// Runs what waits for the disk beside the runtime.
pub(super) async fn blocking(work: impl FnOnce() -> Result<(), JournalError> + Send + 'static) -> Result<(), JournalError> {
    let ended = |error: tokio::task::JoinError| JournalError::Io { path: "journal".into(), source: error.into() };
    tokio::task::spawn_blocking(work).await.map_err(ended)?
}
