//! How the command line reaches the admin surface of a running node, and logs in there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use hyper::{Method, StatusCode};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::config::{Config, Endpoint, Surface, load, system_authorities};
use crate::net::client::{Answer, Client, Target};
use crate::net::tls::{ClientTls, Identity, TlsSettings, Trust};

/// Longer than any honest answer takes.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longer than a node takes to go through all that it has.
const LONG: Duration = Duration::from_mins(10);

/// Which running node is meant, and as whom it is asked.
#[derive(clap::Args, Debug)]
pub(crate) struct Node {
    /// Admin surface of the node: `http://host:port`, `https://host:port` or `unix:/path`.
    #[arg(long, value_name = "ADDRESS", env = "CELOSIA_ADMIN", conflicts_with = "config", value_parser = target)]
    pub admin: Option<Target>,
    /// Configuration file of the node: its admin surface is asked, or its node surface if it has none.
    #[arg(long, visible_alias = "configfile", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// File with a bearer token.
    #[arg(long, value_name = "FILE", env = "CELOSIA_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// Client certificate, PEM.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,
    /// Private key of the client certificate, PEM.
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// Authorities that vouch for the node's certificate, PEM; default: those of this system, or the node's own certificate where `--config` names it.
    #[arg(long, value_name = "FILE")]
    pub ca: Vec<PathBuf>,
}

/// Where a running node is asked.
pub(crate) enum Asked {
    /// The admin surface.
    Admin(Door),
    /// `/upcheck` only.
    Node(Door),
}

/// A surface of a running node.
pub(crate) struct Door {
    client: Client,
    tls: Option<std::sync::Arc<ClientTls>>,
    target: Target,
    token: Option<Zeroizing<String>>,
}

/// What came back.
pub(crate) struct Said {
    pub(crate) status: StatusCode,
    pub(crate) body: Bytes,
}

impl Node {
    /// The surface to ask.
    pub(crate) fn locate(&self) -> anyhow::Result<Asked> {
        if let Some(target) = &self.admin {
            return Ok(Asked::Admin(self.door(target.clone(), Vec::new())?));
        }
        let path = self.config.as_deref().context("name the node: --config FILE or --admin ADDRESS")?;
        let config = load(path, &[])?.config;
        if let Some((target, own)) = reached(&config, Surface::Admin) {
            return Ok(Asked::Admin(self.door(target, own)?));
        }
        let (target, own) = reached(&config, Surface::Node)
            .with_context(|| format!("{} has neither an admin surface nor a node surface", path.display()))?;
        Ok(Asked::Node(self.door(target, own)?))
    }

    /// The admin surface, for a call that takes long.
    pub(crate) fn patient_admin(&self, patience: Duration) -> anyhow::Result<Door> {
        let mut door = self.admin()?;
        let tls = door.tls.clone();
        door.client = Client::new(&door.target, tls, patience);
        Ok(door)
    }

    /// The admin surface.
    pub(crate) fn admin(&self) -> anyhow::Result<Door> {
        match self.locate()? {
            Asked::Admin(door) => Ok(door),
            Asked::Node(_) => bail!("the configuration has no admin surface: add one with `surface = \"admin\"`"),
        }
    }

    /// The application surface of the configuration, or the admin surface that is named.
    pub(crate) fn application(&self) -> anyhow::Result<Door> {
        if let (None, Some(path)) = (&self.admin, self.config.as_deref())
            && let Some((target, own)) = reached(&load(path, &[])?.config, Surface::Application)
        {
            return self.door(target, own);
        }
        self.admin()
    }

    /// Another surface: the one at the address that was given, or that the configuration names.
    pub(crate) fn surface(&self, surface: Surface, patience: Duration) -> anyhow::Result<Door> {
        if let Some(target) = &self.admin {
            return self.patient_door(target.clone(), Vec::new(), patience);
        }
        let path = self.config.as_deref().context("name the node: --config FILE, or its address")?;
        let config = load(path, &[])?.config;
        let (target, own) =
            reached(&config, surface).with_context(|| format!("{} has no such surface: {surface:?}", path.display()))?;
        self.patient_door(target, own, patience)
    }

    pub(crate) fn door(&self, target: Target, own: Vec<PathBuf>) -> anyhow::Result<Door> {
        self.patient_door(target, own, PATIENCE)
    }

    fn patient_door(&self, target: Target, own: Vec<PathBuf>, patience: Duration) -> anyhow::Result<Door> {
        let is_tls = matches!(&target, Target::Url(url) if url.scheme() == "https");
        let tls = is_tls.then(|| self.tls(own)).transpose()?;
        let token = self.token_file.as_deref().map(read_token).transpose()?;
        Ok(Door { client: Client::new(&target, tls.clone(), patience), tls, target, token })
    }

    fn tls(&self, own: Vec<PathBuf>) -> anyhow::Result<std::sync::Arc<ClientTls>> {
        let identity = self.cert.clone().zip(self.key.clone());
        let roots = match (self.ca.is_empty(), own.is_empty()) {
            (false, _) => self.ca.clone(),
            (true, false) => own,
            (true, true) => system_authorities(),
        };
        let settings = TlsSettings {
            identity: identity.map(|(certificate, key)| Identity { certificate, key, generate_for: None }),
            trust: Trust::Ca,
            roots,
            ..TlsSettings::default()
        };
        ClientTls::load(settings).context("TLS towards the node")
    }
}

impl Door {
    /// `GET path`.
    pub(crate) async fn get(&self, path: &str) -> anyhow::Result<Said> {
        self.call(Method::GET, path, None).await
    }

    /// `POST path` with a signed document.
    pub(crate) async fn post_note(&self, path: &str, text: String) -> anyhow::Result<Said> {
        self.send(Method::POST, path, Some("application/vnd.celosia.note"), text.into()).await
    }

    /// `POST path` with bytes of a media type.
    pub(crate) async fn post_bytes(&self, path: &str, media: &str, body: Bytes) -> anyhow::Result<Said> {
        self.send(Method::POST, path, Some(media), body).await
    }

    /// `GET path`, or `POST path` with JSON, whose answer may be long: each piece is given to `take` as it comes.
    pub(crate) async fn download(
        &self,
        path: &str,
        body: Option<&Value>,
        take: &mut dyn FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let bearer = self.token.as_ref().map(|token| Zeroizing::new(format!("Bearer {}", token.as_str())));
        let mut headers = vec![("accept", "application/cbor-seq")];
        headers.extend(bearer.as_ref().map(|bearer| ("authorization", bearer.as_str())));
        headers.extend(body.map(|_| ("content-type", "application/json")));
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let body = Bytes::from(body.map(ToString::to_string).unwrap_or_default());
        let answer = self.client.open(method, path, &headers, body, LONG).await;
        let mut answer = answer.with_context(|| format!("no answer from {}", self.target))?;
        let (status, mut refused) = (answer.status, Vec::new());
        while let Some(piece) = answer.next().await.context("the answer broke off")? {
            if status.is_success() {
                take(&piece)?;
            } else {
                refused.extend_from_slice(&piece);
            }
        }
        if status.is_success() { Ok(()) } else { bail!("{}", Said { status, body: refused.into() }.text()) }
    }

    /// Where it is.
    pub(crate) fn place(&self) -> &Target {
        &self.target
    }

    /// `POST path` with JSON.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Said> {
        self.call(Method::POST, path, Some(body)).await
    }

    /// `PUT path` with JSON.
    pub(crate) async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Said> {
        self.call(Method::PUT, path, Some(body)).await
    }

    /// Any request whose answer may be long: each line is given to `take` as it comes.
    pub(crate) async fn stream(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        take: &mut dyn FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let bearer = self.token.as_ref().map(|token| Zeroizing::new(format!("Bearer {}", token.as_str())));
        let mut headers = vec![("accept", "application/json")];
        headers.extend(bearer.as_ref().map(|bearer| ("authorization", bearer.as_str())));
        headers.extend(body.map(|_| ("content-type", "application/json")));
        let body = Bytes::from(body.map(ToString::to_string).unwrap_or_default());
        let answer = self.client.open(method, path, &headers, body, LONG).await;
        let mut answer = answer.with_context(|| format!("no answer from {}", self.target))?;
        let (status, mut waiting) = (answer.status, Vec::new());
        while let Some(piece) = answer.next().await.context("the answer broke off")? {
            waiting.extend_from_slice(&piece);
            while status.is_success()
                && let Some(end) = waiting.iter().position(|byte| *byte == b'\n')
            {
                let line: Vec<u8> = waiting.drain(..=end).collect();
                take(&line[..end])?;
            }
        }
        if !status.is_success() {
            bail!("{}", Said { status, body: waiting.into() }.text());
        }
        if waiting.is_empty() { Ok(()) } else { take(&waiting) }
    }

    /// Any request; the answer as it is.
    pub(crate) async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> anyhow::Result<Answer> {
        let answer = self.client.request(method, path, headers, body).await;
        answer.with_context(|| format!("no answer from {}", self.target))
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Said> {
        let media = body.map(|_| "application/json");
        self.send(method, path, media, body.map(ToString::to_string).unwrap_or_default().into()).await
    }

    async fn send(&self, method: Method, path: &str, media: Option<&str>, body: Bytes) -> anyhow::Result<Said> {
        let bearer = self.token.as_ref().map(|token| Zeroizing::new(format!("Bearer {}", token.as_str())));
        let mut headers = vec![("accept", "application/json")];
        headers.extend(bearer.as_ref().map(|bearer| ("authorization", bearer.as_str())));
        headers.extend(media.map(|media| ("content-type", media)));
        let answer = self.client.request(method, path, &headers, body).await;
        let answer = answer.with_context(|| format!("no answer from {}", self.target))?;
        Ok(Said { status: answer.status, body: answer.body })
    }
}

impl Said {
    /// The body as text, on one line; of an error, its code and message.
    pub(crate) fn text(&self) -> String {
        let json = serde_json::from_slice::<Value>(&self.body).ok();
        let part = |name: &str| json.as_ref().and_then(|json| json[name].as_str()).map(str::to_owned);
        match (part("message"), part("code")) {
            // Threat: a node whose message writes over what the terminal said before.
            (Some(message), Some(code)) if !self.status.is_success() => {
                format!("{message} [{code}]").replace(|c: char| c.is_control() && c != '\n', " ")
            }
            _ => String::from_utf8_lossy(&self.body).trim().to_owned(),
        }
    }

    /// The body as JSON, if the status is a success.
    pub(crate) fn json(&self) -> anyhow::Result<Value> {
        if !self.status.is_success() {
            bail!("{}: {}", self.status, self.text());
        }
        serde_json::from_slice(&self.body).context("the answer is not JSON")
    }
}

/// `unix:/path`, `/path` or a URL.
pub(super) fn target(text: &str) -> Result<Target, String> {
    let written = if text.starts_with('/') { format!("unix:{text}") } else { text.to_owned() };
    written.parse().map_err(|error: crate::net::client::TargetError| error.to_string())
}

/// Where a surface is reached, and the certificate that it shows there.
fn reached(config: &Config, surface: Surface) -> Option<(Target, Vec<PathBuf>)> {
    // A listener of the node surface with TLS is for others; this machine has the socket.
    let usable = |endpoint: &Endpoint| surface != Surface::Node || endpoint.url().is_none_or(|url| !url.is_tls());
    let server = config.servers_of(surface).find(|server| usable(&server.address))?;
    let own = server.tls.iter().map(|tls| tls.cert.clone()).collect();
    Some((server.address.to_string().parse().ok()?, own))
}

/// Threat: a token that everybody on the machine can read is everybody's.
fn read_token(path: &Path) -> anyhow::Result<Zeroizing<String>> {
    use std::os::unix::fs::PermissionsExt as _;
    let named = || format!("token file {}", path.display());
    let mode = std::fs::metadata(path).with_context(named)?.permissions().mode();
    if mode & 0o077 != 0 {
        eprintln!("warning: {} can be read by others: chmod 600 {0}", path.display());
    }
    let text = Zeroizing::new(std::fs::read_to_string(path).with_context(named)?);
    let token = Zeroizing::new(text.trim().to_owned());
    if token.is_empty() || token.contains(char::is_whitespace) {
        bail!("{} holds no single token", named());
    }
    Ok(token)
}
