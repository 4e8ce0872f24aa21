use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use super::endpoint::as_text;
use super::units;
use crate::api::admin::Role;

/// `[access]`: who may do what on the admin surface. Absent: its figures are open to whoever reaches it, and it takes no acts.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct AccessTable {
    /// How long a dangerous act waits for a second person.
    #[serde(with = "units::duration")]
    pub second_person_within: Duration,
    /// Failed log-ins of one address within a minute, before it has to wait.
    pub failed_logins: u32,
    /// `[access.oidc]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc: Option<OidcTable>,
    /// `[[access.certificate]]`.
    #[serde(rename = "certificate", skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<CertificateEntry>,
}

impl Default for AccessTable {
    fn default() -> Self {
        Self { second_person_within: Duration::from_hours(24), failed_logins: 10, oidc: None, certificates: Vec::new() }
    }
}

/// `[[access.certificate]]`: a client certificate and what its holder may be.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CertificateEntry {
    /// The person. The same in every entry and in tokens, or one person counts as two.
    pub name: String,
    /// The roles.
    pub roles: Vec<Role>,
    /// SHA-256 of the certificate (DER), or of its public key (SubjectPublicKeyInfo).
    pub fingerprint: CertificateHash,
}

/// `[access.oidc]`: bearer tokens of an OpenID Connect issuer.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct OidcTable {
    /// The issuer's identifier: a URL, exactly as in its tokens.
    pub issuer: IssuerUrl,
    /// This node's name in the claim `aud`.
    pub audience: String,
    /// The claim of the roles; dots lead into objects.
    #[serde(default = "roles_claim")]
    pub role_claim: String,
    /// The claim of the person's name.
    #[serde(default = "name_claim")]
    pub name_claim: String,
    /// Clients (`azp` or `client_id`) whose tokens are taken; empty: of all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<String>,
    /// How far the issuer's clock may differ.
    #[serde(default = "minute", with = "units::duration")]
    pub clock_skew: Duration,
    /// Authorities that vouch for the issuer, PEM; empty: those of the system.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ca: Vec<PathBuf>,
    /// What values of the role claim mean; empty: our own names of roles count.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub roles: BTreeMap<String, Role>,
}

fn roles_claim() -> String {
    "roles".to_owned()
}

fn name_claim() -> String {
    "sub".to_owned()
}

const fn minute() -> Duration {
    Duration::from_mins(1)
}

impl OidcTable {
    /// The authorities that vouch for the issuer: those that are named, else the system's.
    pub fn authorities(&self) -> Vec<PathBuf> {
        if self.ca.is_empty() { system_authorities() } else { self.ca.clone() }
    }
}

/// The file of authorities that this system trusts, if it has one.
pub fn system_authorities() -> Vec<PathBuf> {
    const PLACES: [&str; 3] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
    PLACES.iter().map(PathBuf::from).find(|path| path.exists()).into_iter().collect()
}

/// A SHA-256 hash in hexadecimal; colons between the bytes are allowed, as `openssl x509 -fingerprint` prints them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CertificateHash(pub [u8; 32]);

impl FromStr for CertificateHash {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: String = text.trim().chars().filter(|c| *c != ':').collect();
        let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
        bytes
            .map(Self)
            .ok_or("expected SHA-256 in hexadecimal: 64 digits, as `openssl x509 -noout -fingerprint -sha256` prints it")
    }
}

impl fmt::Display for CertificateHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// An issuer's identifier, kept as it was written: it is compared byte for byte.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct IssuerUrl(pub String);

impl IssuerUrl {
    /// Whether it is called over TLS.
    pub fn is_tls(&self) -> bool {
        self.0.starts_with("https:")
    }
}

impl FromStr for IssuerUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_one = text.parse::<Url>().is_ok_and(|url| {
            crate::api::admin::is_trustworthy(&url)
                && url.query().is_none()
                && url.fragment().is_none()
                && url.username().is_empty()
        });
        let expected = "expected an https:// URL without query (http:// on loopback only)";
        if is_one { Ok(Self(text.to_owned())) } else { Err(expected) }
    }
}

impl fmt::Display for IssuerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

as_text!(CertificateHash, IssuerUrl);
