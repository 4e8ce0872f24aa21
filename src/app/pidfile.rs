use std::fs;
use std::path::{Path, PathBuf};

use super::StartError;

/// A file with our process id, as service scripts expect it; removed when dropped.
pub(super) struct PidFile(PathBuf);

impl PidFile {
    /// Writes the file, over whatever an earlier run left.
    pub(super) fn write(path: &Path) -> Result<Self, StartError> {
        fs::write(path, std::process::id().to_string())
            .map_err(|source| StartError::PidFile { path: path.to_owned(), source })?;
        Ok(Self(path.to_owned()))
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        // Somebody removed it: so be it.
        let _ = fs::remove_file(&self.0);
    }
}
