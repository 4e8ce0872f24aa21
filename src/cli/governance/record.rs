//! What a governor's key has signed: one line `network version hash` each, in a file beside the key. A key that signs two documents of one version
//! makes a fork possible, so the line is durable before the signature is made.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::GovernanceError;
use crate::governance::{DocumentHash, Head};
use crate::types::NetworkId;

/// The record of one key, locked against other processes.
pub(super) struct Record {
    path: PathBuf,
    file: File,
    lines: Vec<(NetworkId, u64, DocumentHash)>,
}

impl Record {
    /// Opens the record beside a key: `<key>.signed`.
    pub(super) fn beside(key: &Path) -> Result<Self, GovernanceError> {
        let mut path = key.as_os_str().to_owned();
        path.push(".signed");
        let path = PathBuf::from(path);
        let io = || GovernanceError::io(&path);
        let mut file = OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(&path).map_err(io())?;
        file.lock().map_err(io())?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(io())?;
        let mut lines = Vec::new();
        for (at, line) in text.lines().enumerate() {
            lines.push(parse(line).ok_or_else(|| GovernanceError::Record { file: path.clone(), line: at + 1 })?);
        }
        Ok(Self { path, file, lines })
    }

    /// Takes note of a document that is about to be signed; refuses a second one of its version.
    pub(super) fn claim(&mut self, head: &Head, now: DocumentHash) -> Result<(), GovernanceError> {
        let signed = self.lines.iter().find(|(network, version, _)| *network == head.network && *version == head.version);
        match signed {
            Some((_, _, before)) if *before == now => Ok(()),
            Some((_, version, before)) => Err(GovernanceError::SignedBefore { version: *version, before: *before, now }),
            None => {
                let line = format!("{} {} {now}\n", head.network, head.version);
                let write = self.file.write_all(line.as_bytes()).and_then(|()| self.file.sync_all());
                write.and_then(|()| self.sync_folder()).map_err(GovernanceError::io(&self.path))?;
                self.lines.push((head.network, head.version, now));
                Ok(())
            }
        }
    }

    fn sync_folder(&self) -> std::io::Result<()> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()
    }
}

fn parse(line: &str) -> Option<(NetworkId, u64, DocumentHash)> {
    let mut words = line.split(' ');
    let parsed = (words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    words.next().is_none().then_some(parsed)
}
