use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{RootKey, RootKind};
use crate::crypto::secret::Secret;
use crate::shred::ShredError;
use crate::shred::disk::{destroy, io_error, read_key, write_new};

/// The root in 0600 files, `root-<generation>.key`: 32 bytes each. New states go under the newest generation.
///
/// What a file cannot do is forget: a copy of it in a backup opens every tree state that was sealed under it.
#[derive(Clone, Debug)]
pub struct FileRoot {
    folder: PathBuf,
}

impl FileRoot {
    /// The root of a folder; its files are checked. The first one is made when the forest is opened.
    pub fn open(folder: &Path) -> Result<Self, ShredError> {
        let root = Self::at(folder);
        root.unlock()?;
        Ok(root)
    }

    /// The root of a folder that has one.
    pub fn open_existing(folder: &Path) -> Result<Option<Self>, ShredError> {
        let root = Self::at(folder);
        Ok(Some(root.unlock()?).filter(|keys| !keys.is_empty()).map(|_| root))
    }

    pub(super) fn at(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    fn path(&self, generation: u32) -> PathBuf {
        self.folder.join(format!("root-{generation}.key"))
    }

    /// Trees are here and no root is.
    pub(super) fn lost(&self) -> ShredError {
        let lost = "the root is missing, but key trees are here: restore the file that belongs to them";
        io_error(&self.path(1), io::Error::new(io::ErrorKind::NotFound, lost))
    }
}

impl RootKey for FileRoot {
    fn kind(&self) -> RootKind {
        RootKind::File
    }

    fn place(&self) -> String {
        format!("in files of {}", self.folder.display())
    }

    fn folder(&self) -> &Path {
        &self.folder
    }

    fn unlock(&self) -> Result<BTreeMap<u32, Secret<32>>, ShredError> {
        numbered(&self.folder, "key")?.into_iter().map(|(generation, path)| Ok((generation, read_key(&path)?))).collect()
    }

    fn make(&self, generation: u32) -> Result<Secret<32>, ShredError> {
        let key = Secret::random();
        write_new(&self.path(generation), key.expose())?;
        Ok(key)
    }

    fn destroy(&self, generation: u32) -> Result<String, ShredError> {
        let path = self.path(generation);
        destroy(&path)?;
        let name = path.file_name().unwrap_or_default().display();
        Ok(format!(
            "file {name} overwritten, synced, unlinked and its folder synced; copies of that file made before, and blocks that a file system or an SSD keeps of it, are not reached"
        ))
    }
}

/// Files `root-<generation>.<extension>` of a folder.
pub(super) fn numbered(folder: &Path, extension: &str) -> Result<BTreeMap<u32, PathBuf>, ShredError> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).map_err(|source| io_error(folder, source))? {
        let path = entry.map_err(|source| io_error(folder, source))?.path();
        let text = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let middle = text.strip_prefix("root-").and_then(|rest| rest.strip_suffix(extension)?.strip_suffix('.'));
        let generation = middle.and_then(|number| number.parse::<u32>().ok().filter(|parsed| parsed.to_string() == number));
        if let Some(generation) = generation.filter(|generation| *generation > 0) {
            found.insert(generation, path);
        }
    }
    Ok(found)
}
