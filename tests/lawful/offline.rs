//! What is left when nobody answers any more: a folder of files, and the network's id.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::said::Said;

/// An empty folder into which files are copied, and the program in it: no other folder, no variable, no node.
pub struct Offline {
    folder: tempfile::TempDir,
}

impl Offline {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    /// Copies a file or a folder under a name.
    pub fn take(&self, from: impl AsRef<Path>, name: &str) {
        let (from, to) = (from.as_ref(), self.folder.path().join(name));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        let copied = Command::new("cp").arg("-r").args([from, &to]).status().unwrap();
        assert!(copied.success(), "{}", from.display());
    }

    /// Runs a command line; no word of it has a space.
    pub fn run(&self, call: &str) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_celosia"));
        let output = command.current_dir(self.folder.path()).env_clear().args(call.split_whitespace()).output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        Said { good: output.status.success(), text }
    }

    pub fn files(&self, folder: &str) -> Vec<PathBuf> {
        std::fs::read_dir(self.folder.path().join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
