//! What an operator writes, read once and checked whole before any port is bound.
//!
//! [`Config`] is Celosia's own model, plain data, written as TOML; an unchanged Tessera JSON file is mapped to it ([`load`] tells them apart by content).
//! Every table refuses fields that it does not know. `docs/configuration.md` is the manual, `config/celosia.toml` the commented example.

mod access;
mod endpoint;
mod erasure;
mod error;
mod export;
mod files;
mod governance;
mod keys;
mod load;
mod locate;
mod overrides;
mod path;
mod peers;
mod report;
mod root;
mod secret;
mod server;
mod supervision;
mod tessera;
mod tls;
mod units;
mod validate;
mod webhook;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::types::Address;

pub use access::{AccessTable, CertificateEntry, CertificateHash, IssuerUrl, OidcTable, system_authorities};
pub use endpoint::{Endpoint, HostPort};
pub use erasure::{CasesTable, ErasureTable, HoldsTable};
pub use error::{ConfigError, Place, Rejected, Warning};
pub use governance::Governance;
pub use keys::{EnclaveTable, KeyEntry, PrivateSource, PublicSource, ResidentGroup};
pub use load::{Format, Loaded, load, load_text};
pub use overrides::Override;
pub use path::FieldPath;
pub use peers::Peers;
pub use root::{Pkcs11Table, RootTable, VaultTable};
pub use secret::SecretText;
pub use server::{Cors, Listen, Server, SocketMode, SocketOwner, Surface};
pub use supervision::{Cosign, SupervisionTable};
pub use tls::{ClientTls, ServerTls, TrustMode};
pub use webhook::{WebhookTable, WebhookUrl};

/// The whole configuration of one node.
#[derive(Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Config {
    /// Folder of payloads and key trees. Made (0700) if missing. Absent exactly when `temporary-data` is set, or for an enclave of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// Keep everything in a temporary folder that is removed at the end.
    #[serde(default, skip_serializing_if = "is_false")]
    pub temporary_data: bool,
    /// Recipients added to every transaction.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub always_send_to: Vec<Address>,
    /// `[features]`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub features: Features,
    /// `[peers]`.
    #[serde(default)]
    pub peers: Peers,
    /// `[enclave]`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub enclave: EnclaveTable,
    /// `[erasure]`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub erasure: ErasureTable,
    /// `[root]`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub root: RootTable,
    /// `[governance]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governance: Option<Governance>,
    /// `[holds]`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub holds: HoldsTable,
    /// `[supervision]`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub supervision: SupervisionTable,
    /// `[cases]`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cases: CasesTable,
    /// `[limits]`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub limits: Limits,
    /// `[store]`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub store: StoreTable,
    /// `[log]`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub log: Log,
    /// `[access]`: people of the admin surface. Absent: it has no log-in and takes no acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessTable>,
    /// `[[webhook]]`: URLs that events are posted to.
    #[serde(default, rename = "webhook", skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<WebhookTable>,
    /// `[[server]]`: one listener each.
    #[serde(default, rename = "server", skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<Server>,
    /// `[[resident-groups]]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resident_groups: Vec<ResidentGroup>,
    /// `[[keys]]`: the first is the default sender. Never serialised: secrets are written out by name only.
    #[serde(default, skip_serializing)]
    pub keys: Vec<KeyEntry>,
}

impl Config {
    /// The listeners of a surface.
    pub fn servers_of(&self, surface: Surface) -> impl Iterator<Item = &Server> {
        self.servers.iter().filter(move |server| server.surface == surface)
    }

    /// The peer listener: its address is what other members are told. There is exactly one unless the file is for an enclave alone.
    pub fn peer_server(&self) -> Option<&Server> {
        self.servers_of(Surface::Peer).next()
    }

    /// Folder of the network's documents: `[governance] folder`, or `governance` below the data folder `data_dir` in use.
    pub fn governance_dir(&self, data_dir: &Path) -> PathBuf {
        self.governance.as_ref().and_then(|table| table.folder.clone()).unwrap_or_else(|| data_dir.join("governance"))
    }

    /// Folder of the key trees and their root: `[enclave] data-dir`, or `enclave` below the data folder `data_dir` in use.
    pub fn enclave_dir(&self, data_dir: &Path) -> PathBuf {
        self.enclave.data_dir.clone().unwrap_or_else(|| data_dir.join("enclave"))
    }
}

/// `[features]`: what is allowed here beyond standard payloads.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Features {
    /// Privacy flags 1 to 3.
    #[serde(default)]
    pub privacy_enhancements: bool,
    /// Resident groups (multi-tenancy).
    #[serde(default)]
    pub multiple_private_states: bool,
}

/// `[limits]`: bounds that keep memory flat.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// Largest request body, bytes.
    #[serde(with = "units::size")]
    pub max_body: u64,
    /// Largest document, bytes.
    #[serde(with = "units::size")]
    pub max_document: u64,
    /// What all documents together take up on the disk, bytes.
    #[serde(with = "units::size")]
    pub max_documents: u64,
    /// Connections that one listener holds at once.
    pub max_connections: u32,
    /// Requests that may wait; beyond it the application surface answers 503 and the node surface is slowed.
    pub queue: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_body: 64 << 20, max_document: 5 << 30, max_documents: 1 << 40, max_connections: 1024, queue: 1024 }
    }
}

/// `[store]`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct StoreTable {
    /// How often, at most, the bytes of what was erased are taken out of the store's files. `"0s"`: only when asked.
    #[serde(with = "units::duration")]
    pub purge_every: Duration,
}

impl Default for StoreTable {
    fn default() -> Self {
        Self { purge_every: Duration::from_hours(1) }
    }
}

/// `[log]`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Log {
    /// One line of text, or one JSON object, for each event.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,celosia::net=debug`.
    pub level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

/// For `skip_serializing_if`: a table that says nothing new is not written.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(value: &bool) -> bool {
    !value
}
