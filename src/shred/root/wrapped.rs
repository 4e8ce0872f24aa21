//! `root-<generation>.wrapped`: a generation wrapped by a key service or a token, as JSON. Without that one it is noise.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::file::numbered;
use super::{RootError, RootKind};
use crate::shred::ShredError;
use crate::shred::disk::{destroy, io_error, write_new};

const EXTENSION: &str = "wrapped";
/// Longer than any of ours.
const LONGEST: u64 = 4096;

/// One generation, wrapped.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Wrapped {
    pub(super) kind: RootKind,
    /// Name of the wrapping key there.
    pub(super) key: String,
    /// The generation, in Vault's own form or in base64.
    pub(super) sealed: String,
}

impl Wrapped {
    /// All generations of a folder.
    pub(super) fn all(folder: &Path) -> Result<BTreeMap<u32, Self>, ShredError> {
        numbered(folder, EXTENSION)?.into_iter().map(|(generation, path)| Ok((generation, Self::read(&path)?))).collect()
    }

    fn read(path: &Path) -> Result<Self, ShredError> {
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(|source| io_error(path, source))?;
        file.take(LONGEST).read_to_end(&mut bytes).map_err(|source| io_error(path, source))?;
        serde_json::from_slice(&bytes).map_err(|_| ShredError::Broken(path.display().to_string()))
    }

    pub(super) fn write(&self, folder: &Path, generation: u32) -> Result<(), ShredError> {
        // A struct of strings always serialises.
        write_new(&path(folder, generation), &serde_json::to_vec(self).unwrap_or_default())
    }
}

/// Removes a generation's file.
pub(super) fn remove(folder: &Path, generation: u32) -> Result<(), ShredError> {
    destroy(&path(folder, generation))
}

fn path(folder: &Path, generation: u32) -> PathBuf {
    folder.join(format!("root-{generation}.{EXTENSION}"))
}

/// Threat: a root that lies in a token is taken for lost, since a file was configured, and the store goes on under another. So what lies
/// there decides. Only from files to another kind can be moved: they can be read without that kind's configuration.
pub(super) fn refuse_others(folder: &Path, configured: RootKind) -> Result<(), ShredError> {
    let all = Wrapped::all(folder)?;
    let Some((generation, other)) = all.iter().find(|(_, wrapped)| wrapped.kind != configured) else { return Ok(()) };
    let path = path(folder, *generation).display().to_string();
    Err(RootError::OtherKind { kind: other.kind.to_string(), path }.into())
}
