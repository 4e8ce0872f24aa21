use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Pending;

/// Longest file that is read.
const MAX_FILE: u64 = 64 * 1024;

/// One small file for each act, replaced whole.
///
/// Threat: whoever can write here can forge a request, but then holds the node's data anyway. The folder is the owner's alone.
#[derive(Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if !path.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(path)?;
        }
        Ok(Self(path.to_owned()))
    }

    /// All acts. A file that cannot be read is named in the log and left where it is.
    pub(super) fn read(&self) -> io::Result<BTreeMap<String, Pending>> {
        let mut acts = BTreeMap::new();
        for entry in fs::read_dir(&self.0)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            match read(&path) {
                Some(act) if self.path(&act.id) == path => drop(acts.insert(act.id.clone(), act)),
                _ => tracing::error!(path = %path.display(), "this file holds no act and is passed over"),
            }
        }
        Ok(acts)
    }

    /// Durable when this returns; a crash leaves the old file or the new one.
    pub(super) fn write(&self, act: &Pending) -> io::Result<()> {
        let mut file = NamedTempFile::new_in(&self.0)?;
        serde_json::to_writer_pretty(&mut file, act)?;
        file.flush()?;
        file.as_file().sync_all()?;
        file.persist(self.path(&act.id)).map_err(|error| error.error)?;
        File::open(&self.0)?.sync_all()
    }

    pub(super) fn remove(&self, id: &str) {
        if let Err(error) = fs::remove_file(self.path(id)) {
            tracing::warn!(id, %error, "the file of an old act was not removed");
        }
    }

    fn path(&self, id: &str) -> PathBuf {
        self.0.join(format!("{id}.json"))
    }
}

fn read(path: &Path) -> Option<Pending> {
    if fs::metadata(path).ok()?.len() > MAX_FILE {
        return None;
    }
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}
