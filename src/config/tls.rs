use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Whom a TLS end believes. Tessera's modes.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustMode {
    /// A chain to one of the `ca` files.
    #[default]
    Ca,
    /// A chain to one of the `ca` files, else the first certificate seen under a name.
    CaOrTofu,
    /// Anybody: encryption without authentication.
    None,
    /// The first certificate seen under a name, kept in `known-file`.
    Tofu,
    /// Only certificates in `known-file`.
    Whitelist,
}

impl TrustMode {
    /// Whether the mode reads a file of known certificates.
    pub const fn needs_known_file(self) -> bool {
        matches!(self, Self::CaOrTofu | Self::Tofu | Self::Whitelist)
    }

    /// Whether the mode reads certificates of authorities.
    pub const fn needs_ca(self) -> bool {
        matches!(self, Self::Ca | Self::CaOrTofu)
    }
}

/// `[server.tls]`: how a listener authenticates itself, and whom it lets in.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServerTls {
    /// Certificate chain, PEM.
    pub cert: PathBuf,
    /// Private key of the certificate, PEM (PKCS#8, PKCS#1 or SEC1).
    pub key: PathBuf,
    /// Make a self-signed pair if both files are missing.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub generate_if_missing: bool,
    /// Ask callers for a certificate, and refuse those without.
    #[serde(default = "yes")]
    pub client_auth: bool,
    /// Whose certificates are let in.
    #[serde(default)]
    pub trust_mode: TrustMode,
    /// Authorities of callers, PEM.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ca: Vec<PathBuf>,
    /// Known callers: lines of subject name and fingerprint, as Tessera writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_file: Option<PathBuf>,
    /// Cipher suites (IANA names) that are not offered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude_cipher_suites: Vec<String>,
}

/// `[peers.tls]`: how this node authenticates itself to peers with `https` URLs, and which of them it believes.
#[derive(Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ClientTls {
    /// Certificate chain, PEM; absent: none is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert: Option<PathBuf>,
    /// Private key of the certificate, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<PathBuf>,
    /// Make a self-signed pair if both files are missing.
    #[serde(default, skip_serializing_if = "super::is_false")]
    pub generate_if_missing: bool,
    /// Which certificates are believed.
    #[serde(default)]
    pub trust_mode: TrustMode,
    /// Authorities of peers, PEM.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ca: Vec<PathBuf>,
    /// Known peers: lines of subject name and fingerprint, as Tessera writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_file: Option<PathBuf>,
    /// Cipher suites (IANA names) that are not offered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude_cipher_suites: Vec<String>,
}

const fn yes() -> bool {
    true
}
