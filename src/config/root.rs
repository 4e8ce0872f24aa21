use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{WebhookUrl, system_authorities, units};
use crate::shred::{FileRoot, Pkcs11Root, Pkcs11Settings, RootKey, RootKind, ShredError, VaultRoot, VaultSettings};

/// Where a token is looked for that no file is named for.
const VAULT_TOKEN: &str = "CELOSIA_VAULT_TOKEN";
/// Where a PIN is looked for that no file is named for.
const PIN: &str = "CELOSIA_PKCS11_PIN";

/// `[root]`: what keeps the root of the key trees, and how often it is rotated. Where the enclave is a process of its own, its own
/// configuration says where the root is; the node's says how often.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RootTable {
    /// `file`, `vault` or `pkcs11`.
    pub kind: RootKind,
    /// Folder of the root's files; the key folder if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<PathBuf>,
    /// How often a new generation is made and the older ones are destroyed; `0s`: only when somebody asks.
    #[serde(with = "units::duration")]
    pub rotate_every: Duration,
    /// `[root.vault]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vault: Option<VaultTable>,
    /// `[root.pkcs11]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pkcs11: Option<Pkcs11Table>,
}

impl Default for RootTable {
    fn default() -> Self {
        let rotate_every = Duration::from_hours(24);
        Self { kind: RootKind::File, folder: None, rotate_every, vault: None, pkcs11: None }
    }
}

/// `[root.vault]`: HashiCorp Vault's or OpenBao's transit engine.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct VaultTable {
    /// The server.
    pub url: WebhookUrl,
    /// Where the transit engine is mounted.
    #[serde(default = "transit")]
    pub mount: String,
    /// Name of the transit key; it belongs to this store alone.
    pub key: String,
    /// Namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// File with the token (0600); absent: the variable `CELOSIA_VAULT_TOKEN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// Authorities that vouch for the server, PEM; empty: those of the system.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ca: Vec<PathBuf>,
}

fn transit() -> String {
    "transit".to_owned()
}

/// `[root.pkcs11]`: a token behind a PKCS #11 module.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pkcs11Table {
    /// The module, a shared library.
    pub module: PathBuf,
    /// Label of the token.
    pub token: String,
    /// File with the user PIN (0600); absent: the variable `CELOSIA_PKCS11_PIN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pin_file: Option<PathBuf>,
}

impl RootTable {
    /// The root of a key folder. Reaches nobody yet.
    pub fn open(&self, key_folder: &Path) -> Result<Box<dyn RootKey>, ShredError> {
        let folder = self.folder.as_deref().unwrap_or(key_folder);
        Ok(match (self.kind, &self.vault, &self.pkcs11) {
            (RootKind::Vault, Some(vault), _) => Box::new(VaultRoot::new(folder, vault.settings())?),
            (RootKind::Pkcs11, _, Some(pkcs11)) => Box::new(Pkcs11Root::new(folder, pkcs11.settings())),
            // Validation refuses the other two without their table.
            _ => Box::new(FileRoot::open(folder)?),
        })
    }
}

impl VaultTable {
    /// The authorities that vouch for the server.
    pub fn authorities(&self) -> Vec<PathBuf> {
        if self.ca.is_empty() { system_authorities() } else { self.ca.clone() }
    }

    fn settings(&self) -> VaultSettings {
        VaultSettings {
            url: self.url.0.to_string(),
            mount: self.mount.clone(),
            key: self.key.clone(),
            namespace: self.namespace.clone(),
            token_file: self.token_file.clone(),
            token_variable: VAULT_TOKEN.to_owned(),
            ca: self.authorities(),
        }
    }
}

impl Pkcs11Table {
    fn settings(&self) -> Pkcs11Settings {
        Pkcs11Settings {
            module: self.module.clone(),
            token: self.token.clone(),
            pin_file: self.pin_file.clone(),
            pin_variable: PIN.to_owned(),
        }
    }
}
