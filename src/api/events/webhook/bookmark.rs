use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use tempfile::NamedTempFile;
use url::Url;

use crate::crypto::hash::sha256;

/// How far a webhook is: the index of the next entry, in a file of its own. An older one means events that come twice, never a lost one.
#[derive(Debug)]
pub(super) struct Bookmark {
    path: PathBuf,
    cursor: u64,
    saved: u64,
}

/// The file of a receiver: its URL may hold a secret of the receiver's, so its digest is the name.
pub(super) fn path(folder: &Path, url: &Url) -> PathBuf {
    folder.join(HEXLOWER.encode(&sha256(&[url.as_str().as_bytes()])[..16]))
}

impl Bookmark {
    /// Reads it; a new one begins at `start` and is on the disk when this returns.
    pub(super) fn open(path: PathBuf, start: u64) -> io::Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let cursor = match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map_err(|_| io::Error::other("it holds no number"))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                write(&path, start)?;
                start
            }
            Err(error) => return Err(error),
        };
        Ok(Self { path, cursor, saved: cursor })
    }

    pub(super) fn cursor(&self) -> u64 {
        self.cursor
    }

    pub(super) fn advance(&mut self, cursor: u64) {
        self.cursor = cursor;
    }

    /// Brings it to the disk. A failure is told and costs repetitions after a restart.
    pub(super) fn save(&mut self) {
        if self.saved == self.cursor {
            return;
        }
        match write(&self.path, self.cursor) {
            Ok(()) => self.saved = self.cursor,
            Err(error) => tracing::warn!(path = %self.path.display(), %error, "how far a webhook is was not written down"),
        }
    }
}

fn write(path: &Path, cursor: u64) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder)?;
    writeln!(file, "{cursor}")?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bookmark_is_kept_and_a_torn_one_is_not_guessed() {
        let folder = tempfile::tempdir().unwrap();
        let path = path(&folder.path().join("webhooks"), &"https://a.example/?key=secret".parse().unwrap());
        assert!(!path.to_str().unwrap().contains("secret"));
        let mut bookmark = Bookmark::open(path.clone(), 7).unwrap();
        assert_eq!(Bookmark::open(path.clone(), 100).unwrap().cursor(), 7);
        bookmark.advance(9);
        assert_eq!(Bookmark::open(path.clone(), 100).unwrap().cursor(), 7);
        bookmark.save();
        assert_eq!(Bookmark::open(path.clone(), 100).unwrap().cursor(), 9);
        fs::write(&path, "").unwrap();
        assert!(Bookmark::open(path, 0).is_err());
    }
}
