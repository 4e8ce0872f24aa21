//! A grant's folder.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::cli::disclosure::{REQUEST, document};
use crate::cli::{Failure, keyupdate, prompt};
use crate::crypto::hpke::BoxKey;
use crate::crypto::kdf;
use crate::crypto::secret::Secret;
use crate::crypto::sign::{SigningKey, VerifyKey};
use crate::disclosure::{GrantId, SignedRequest};
use crate::enclave::keyfile;
use crate::types::NetworkId;

pub(in crate::cli) const KEY: &str = "auditor.key";
pub(in crate::cli) const KNOWN: &str = "auditor.json";
pub(in crate::cli) const REQUEST_FILE: &str = "request.json";
pub(in crate::cli) const CASE: &str = "case.cbor";
pub(in crate::cli) const SHARES: &str = "shares.cbor";
pub(in crate::cli) const RELEASE: &str = "release.cbor";
pub(in crate::cli) const OUT: &str = "out";

/// What of a folder is no secret.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::cli) struct Known {
    pub(in crate::cli) grant: GrantId,
    pub(in crate::cli) name: String,
    pub(in crate::cli) entity: String,
    pub(in crate::cli) key: VerifyKey,
    pub(in crate::cli) box_key: BoxKey,
}

/// The keys of a grant: derived from one secret, each for its use.
pub(in crate::cli) struct Keys {
    pub(in crate::cli) signing: SigningKey,
    pub(in crate::cli) private: Secret<32>,
}

impl Keys {
    pub(in crate::cli) fn of(master: &Secret<32>) -> Self {
        let of = |name: &[u8]| kdf::hkdf(&[], master.expose(), &[name]);
        Self { signing: SigningKey::from_seed(&of(b"celosia auditor signing 1")), private: of(b"celosia auditor box 1") }
    }
}

impl Known {
    pub(in crate::cli) fn read(folder: &Path) -> anyhow::Result<Self> {
        let file = folder.join(KNOWN);
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        serde_json::from_str(&text).with_context(|| file.display().to_string())
    }

    /// The network of the request in the folder: what everything that came later is held to.
    pub(in crate::cli) fn network(folder: &Path) -> Result<NetworkId, Failure> {
        Ok(Self::request(folder)?.request.network)
    }

    /// The request in the folder.
    pub(in crate::cli) fn request(folder: &Path) -> Result<SignedRequest, Failure> {
        let bytes = document(&folder.join(REQUEST_FILE), REQUEST)?;
        SignedRequest::decode(&bytes).map_err(|refused| Failure::coded(2, &refused))
    }
}

/// A folder, and how it is unlocked.
#[derive(clap::Args, Clone, Debug)]
pub(in crate::cli) struct Unlock {
    /// The folder.
    #[arg(long, value_name = "FOLDER")]
    pub(in crate::cli) folder: PathBuf,
    /// File whose first line is the password; asked if absent.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Unlock {
    /// The keys.
    pub(in crate::cli) fn keys(&self) -> Result<Keys, Failure> {
        let coded = |error: keyfile::KeyFileError| Failure::coded(2, &error);
        let file = self.folder.join(KEY);
        let locked = keyfile::load(&file).map_err(coded)?;
        let password = match &self.password_file {
            Some(file) => keyupdate::first_line(file)?,
            None => prompt::password_of(&file.display().to_string())?,
        };
        Ok(Keys::of(&locked.unlock(Some(&password)).map_err(coded)?))
    }
}
