use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::endpoint::as_text;
use super::{Endpoint, HostPort, ServerTls};

/// `[[server]]`: one listener of one surface.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Server {
    /// Which routes it serves.
    pub surface: Surface,
    /// Where it is reached. On the peer surface this is what other members are told.
    pub address: Endpoint,
    /// Interface and port to listen on, where they differ from `address` (behind a proxy, in a container).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind: Option<HostPort>,
    /// Permissions of the socket file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket_mode: Option<SocketMode>,
    /// Owner of the socket file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub socket_owner: Option<SocketOwner>,
    /// `[server.tls]`: serve TLS. An `https` address without it means that a proxy in front does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<ServerTls>,
    /// `[server.cors]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cors: Option<Cors>,
}

/// What a listener opens.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Listen {
    /// A socket file with its permissions and owner.
    Unix {
        /// The file.
        path: PathBuf,
        /// Permissions.
        mode: SocketMode,
        /// Owner, if it is to change.
        owner: Option<SocketOwner>,
    },
    /// An interface and a port.
    Tcp(HostPort),
}

impl Server {
    /// A listener without TLS, CORS or a bind address of its own.
    pub fn new(surface: Surface, address: Endpoint) -> Self {
        Self { surface, address, bind: None, socket_mode: None, socket_owner: None, tls: None, cors: None }
    }

    /// What to open: the bind address if there is one, else exactly what the address says.
    pub fn listen(&self) -> Listen {
        match (&self.bind, &self.address) {
            (_, Endpoint::Unix(path)) => {
                Listen::Unix { path: path.clone(), mode: self.socket_mode.unwrap_or_default(), owner: self.socket_owner.clone() }
            }
            (Some(bind), Endpoint::Url(_)) => Listen::Tcp(bind.clone()),
            (None, Endpoint::Url(url)) => Listen::Tcp(HostPort::of(url)),
        }
    }
}

/// Who talks to a listener.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Surface {
    /// Metrics, liveness, readiness, status.
    Admin,
    /// Applications: Tessera's third-party API.
    Application,
    /// Celosias of the same directory: the native protocol.
    Native,
    /// The Ethereum node: Tessera's Q2T API.
    Node,
    /// Other members: Tessera's P2P API.
    Peer,
}

/// `[server.cors]`: which web pages may call a listener.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Cors {
    /// Origins; `*` stands for any run of characters.
    pub origins: Vec<String>,
    /// Methods.
    pub methods: Vec<String>,
    /// Request headers; empty allows those that the browser asks for.
    pub headers: Vec<String>,
    /// Whether pages may send cookies and authorisation.
    pub credentials: bool,
}

impl Default for Cors {
    fn default() -> Self {
        let methods = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"].map(str::to_owned).to_vec();
        Self { origins: Vec::new(), methods, headers: Vec::new(), credentials: true }
    }
}

/// Permission bits of a socket file, written in octal: `"0660"`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SocketMode(pub u32);

impl Default for SocketMode {
    /// The owner alone: whoever may connect may read every payload.
    fn default() -> Self {
        Self(0o600)
    }
}

impl FromStr for SocketMode {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_octal = (3..=4).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit());
        u32::from_str_radix(text, 8)
            .ok()
            .filter(|mode| is_octal && *mode <= 0o777)
            .map(Self)
            .ok_or("expected permission bits in octal, such as \"0600\" or \"0660\"")
    }
}

impl fmt::Display for SocketMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.0)
    }
}

/// `"user"`, `"user:group"` or `":group"`; names or numbers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SocketOwner {
    /// The user, if it is to change.
    pub user: Option<String>,
    /// The group, if it is to change.
    pub group: Option<String>,
}

impl FromStr for SocketOwner {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (user, group) = text.split_once(':').unwrap_or((text, ""));
        let part = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let is_bad = text.chars().any(char::is_whitespace) || group.contains(':') || (user.is_empty() && group.is_empty());
        if is_bad {
            Err("expected \"user\", \"user:group\" or \":group\"")
        } else {
            Ok(Self { user: part(user), group: part(group) })
        }
    }
}

impl fmt::Display for SocketOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.user.as_deref().unwrap_or_default())?;
        self.group.iter().try_for_each(|group| write!(f, ":{group}"))
    }
}

as_text!(SocketMode, SocketOwner);
