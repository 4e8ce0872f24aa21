use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64;
use serde_json::{Value, json};
use ureq::tls::{PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::{Agent, Body, http};
use zeroize::Zeroizing;

use super::wrapped::{self, Wrapped};
use super::{RootError, RootKey, RootKind};
use crate::crypto::secret::Secret;
use crate::shred::ShredError;
use crate::shred::disk::{io_error, read_line};

/// Longest that one call may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer that is read.
const LONGEST: u64 = 1 << 20;
/// Types of transit keys that authenticate what is bound to them.
const TYPES: [&str; 4] = ["aes128-gcm96", "aes256-gcm96", "chacha20-poly1305", "xchacha20-poly1305"];

/// How Vault or OpenBao is reached.
#[derive(Clone, Debug)]
pub struct VaultSettings {
    /// Such as `https://vault.example.org:8200`.
    pub url: String,
    /// Where the transit engine is mounted: `transit`.
    pub mount: String,
    /// Name of the transit key. It belongs to this store alone: older versions of it are destroyed.
    pub key: String,
    /// Namespace, where there are such.
    pub namespace: Option<String>,
    /// File with the token, mode 0600; read anew for every call.
    pub token_file: Option<PathBuf>,
    /// Environment variable with the token, where there is no file.
    pub token_variable: String,
    /// Certificates of the authorities that vouch for the server, PEM.
    pub ca: Vec<PathBuf>,
}

/// The root under a transit key of HashiCorp Vault or OpenBao: each generation is 32 random bytes, wrapped under a version of that key, in
/// `root-<generation>.wrapped`. A rotation makes a new version and a new generation; destroying an older one raises the key's
/// `min_decryption_version` and trims the versions before it.
///
/// API: Vault's transit secrets engine, which OpenBao keeps. Threat: a copy of the key folder with a stolen token: the older versions are
/// gone, whatever the token may do. What stays outside: snapshots of Vault's own storage, which its operators keep or not.
pub struct VaultRoot {
    folder: PathBuf,
    settings: VaultSettings,
    agent: Agent,
}

impl VaultRoot {
    /// Reaches nobody yet; fails where a certificate cannot be read.
    pub fn new(folder: &Path, settings: VaultSettings) -> Result<Self, ShredError> {
        let mut roots = Vec::new();
        for path in settings.ca.iter().filter(|_| settings.url.starts_with("https://")) {
            let pem = fs::read(path).map_err(|source| io_error(path, source))?;
            roots.extend(parse_pem(&pem).filter_map(|item| match item {
                Ok(PemItem::Certificate(certificate)) => Some(certificate),
                _ => None,
            }));
        }
        let tls = TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .root_certs(RootCerts::Specific(Arc::new(roots)))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .timeout_global(Some(PATIENCE))
            .http_status_as_error(false)
            // Threat: a redirect takes the token to another server.
            .max_redirects(0)
            .proxy(None)
            .user_agent("celosia")
            .build()
            .new_agent();
        Ok(Self { folder: folder.to_owned(), settings, agent })
    }

    fn token(&self) -> Result<Zeroizing<String>, ShredError> {
        let token = match &self.settings.token_file {
            Some(path) => read_line(path)?,
            None => Zeroizing::new(std::env::var(&self.settings.token_variable).unwrap_or_default()),
        };
        // What cannot stand in a header is no token.
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(RootError::Denied {
                place: self.place(),
                why: "no token is configured, or what is there is none".into(),
            }
            .into());
        }
        Ok(token)
    }

    fn get(&self, path: &str) -> Result<Value, ShredError> {
        let token = self.token()?;
        let request = self.agent.get(self.url(path)).header("x-vault-token", token.as_str());
        let request = self.settings.namespace.iter().fold(request, |request, name| request.header("x-vault-namespace", name));
        self.answer(request.call())
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, ShredError> {
        let token = self.token()?;
        let request = self.agent.post(self.url(path)).header("x-vault-token", token.as_str());
        let request = self.settings.namespace.iter().fold(request, |request, name| request.header("x-vault-namespace", name));
        // Plaintexts of generations are in bodies: wiped when they are sent.
        let text = Zeroizing::new(body.to_string());
        self.answer(request.header("content-type", "application/json").send(text.as_bytes()))
    }

    fn url(&self, path: &str) -> String {
        format!("{}/v1/{}/{path}", self.settings.url.trim_end_matches('/'), self.settings.mount.trim_matches('/'))
    }

    /// The answer's data; what else was said becomes an error with its own code.
    fn answer(&self, answer: Result<http::Response<Body>, ureq::Error>) -> Result<Value, ShredError> {
        let place = self.place();
        let unreachable = |error: ureq::Error| RootError::Unreachable { place: place.clone(), why: error.to_string() };
        let mut answer = answer.map_err(&unreachable)?;
        let text = answer.body_mut().with_config().limit(LONGEST).read_to_string().map(Zeroizing::new).map_err(unreachable)?;
        let body: Value = serde_json::from_str(&text).unwrap_or_default();
        let said = said(&body);
        let is_missing = said.contains("key not found") || said.contains("no handler for route");
        Err(ShredError::Root(match answer.status().as_u16() {
            200..=299 => return Ok(body["data"].clone()),
            403 => RootError::Denied { place, why: said },
            404 => RootError::KeyMissing { place, why: said },
            400 if is_missing => RootError::KeyMissing { place, why: said },
            503 if said.contains("sealed") => RootError::Sealed { place },
            status => RootError::Failed { place, why: format!("{status} {said}") },
        }))
    }

    /// What Vault says of a key, if it can serve.
    fn key(&self, name: &str) -> Result<Value, ShredError> {
        let key = self.get(&format!("keys/{name}"))?;
        let unfit = |why: String| RootError::Unfit { place: self.place(), why };
        let kind = key["type"].as_str().unwrap_or("unknown");
        if !TYPES.contains(&kind) {
            return Err(unfit(format!("the key's type is {kind}: make one of type aes256-gcm96")).into());
        }
        // Threat: a version that was trimmed lives on in a file that somebody exported.
        if key["exportable"].as_bool() == Some(true) || key["allow_plaintext_backup"].as_bool() == Some(true) {
            return Err(unfit("the key can be exported: make one that cannot".into()).into());
        }
        if key["derived"].as_bool() == Some(true) {
            return Err(unfit("the key is a derived one: make one without derivation".into()).into());
        }
        Ok(key)
    }

    fn unwrap(&self, generation: u32, wrapped: &Wrapped) -> Result<Secret<32>, ShredError> {
        let asked = json!({ "ciphertext": wrapped.sealed, "associated_data": bound(generation) });
        let mut data = self.post(&format!("decrypt/{}", wrapped.key), &asked)?;
        let text = Zeroizing::new(match data["plaintext"].take() {
            Value::String(text) => text,
            _ => String::new(),
        });
        let bytes = Zeroizing::new(crate::types::base64(text.as_bytes()).unwrap_or_default());
        Secret::from_slice(&bytes)
            .ok_or_else(|| ShredError::Broken(format!("root generation {generation} from {}", self.place())))
    }

    fn fail(&self, why: impl Into<String>) -> ShredError {
        RootError::Failed { place: self.place(), why: why.into() }.into()
    }
}

impl RootKey for VaultRoot {
    fn kind(&self) -> RootKind {
        RootKind::Vault
    }

    fn place(&self) -> String {
        format!("{}/{} at {}", self.settings.mount.trim_matches('/'), self.settings.key, self.settings.url)
    }

    fn folder(&self) -> &Path {
        &self.folder
    }

    fn unlock(&self) -> Result<BTreeMap<u32, Secret<32>>, ShredError> {
        let all = Wrapped::all(&self.folder)?;
        all.into_iter().map(|(generation, wrapped)| Ok((generation, self.unwrap(generation, &wrapped)?))).collect()
    }

    fn make(&self, generation: u32) -> Result<Secret<32>, ShredError> {
        self.key(&self.settings.key)?;
        // The first generation takes the key as it is; each later one has a version of its own.
        if !Wrapped::all(&self.folder)?.is_empty() {
            self.post(&format!("keys/{}/rotate", self.settings.key), &json!({}))?;
        }
        let key = Secret::<32>::random();
        let plaintext = Zeroizing::new(BASE64.encode(key.expose()));
        let mut asked = json!({ "plaintext": plaintext.as_str(), "associated_data": bound(generation) });
        let data = self.post(&format!("encrypt/{}", self.settings.key), &asked);
        if let Value::String(text) = asked["plaintext"].take() {
            drop(Zeroizing::new(text));
        }
        let sealed = data?["ciphertext"].as_str().unwrap_or_default().to_owned();
        version(&sealed).ok_or_else(|| self.fail("its answer to encrypt is no ciphertext"))?;
        let file = Wrapped { kind: RootKind::Vault, key: self.settings.key.clone(), sealed };
        file.write(&self.folder, generation)?;
        Ok(key)
    }

    /// Only when Vault itself says that the version is gone is the file removed: a failure is tried again.
    fn destroy(&self, generation: u32) -> Result<String, ShredError> {
        let all = Wrapped::all(&self.folder)?;
        let Some(wrapped) = all.get(&generation) else { return Ok("gone already".to_owned()) };
        let name = wrapped.key.as_str();
        let gone = version(&wrapped.sealed).ok_or_else(|| ShredError::Broken(format!("wrapped root generation {generation}")))?;
        let others = all.iter().filter(|(other, file)| **other != generation && file.key == name);
        let left = match others.filter_map(|(_, file)| version(&file.sealed)).min() {
            Some(left) => left,
            // Another key is configured since: this one keeps no version of ours at all.
            None => {
                self.post(&format!("keys/{name}/rotate"), &json!({}))?;
                self.key(name)?["latest_version"].as_u64().unwrap_or_default()
            }
        };
        if gone >= left {
            return Err(self.fail(format!("version {gone} of the key still serves another generation")));
        }
        let path = format!("keys/{name}");
        self.post(&format!("{path}/config"), &json!({ "min_decryption_version": left, "min_encryption_version": left }))?;
        self.post(&format!("{path}/trim"), &json!({ "min_available_version": left }))?;
        let key = self.key(name)?;
        let number = |field: &str| key[field].as_u64().unwrap_or_default();
        let (available, decryption) = (number("min_available_version"), number("min_decryption_version"));
        if available < left || decryption < left {
            return Err(self.fail(format!("after trim it still offers version {available}")));
        }
        wrapped::remove(&self.folder, generation)?;
        Ok(format!(
            "transit key {name} at {}: version {gone} trimmed (min_available_version {available}, min_decryption_version {decryption}, latest {}); snapshots of that server's storage are not reached",
            self.settings.url,
            number("latest_version"),
        ))
    }
}

/// What a wrapped generation is bound to, base64.
fn bound(generation: u32) -> String {
    BASE64.encode(format!("celosia/root/1/{generation}").as_bytes())
}

/// The key version of `vault:v<version>:…`.
fn version(wrapped: &str) -> Option<u64> {
    wrapped.strip_prefix("vault:v")?.split_once(':')?.0.parse().ok()
}

/// The errors of an answer in one line.
fn said(body: &Value) -> String {
    let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = errors.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ");
    if text.is_empty() {
        return "nothing was said".to_owned();
    }
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}
