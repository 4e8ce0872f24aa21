use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::types::PeerUrl;

/// Where a surface is reached: `unix:/path`, `http://host:port` or `https://host:port`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Endpoint {
    /// A socket file.
    Unix(PathBuf),
    /// TCP, with TLS if the scheme is `https`.
    Url(PeerUrl),
}

impl Endpoint {
    /// What an address looks like.
    pub(super) const EXPECTED: &'static str = "expected \"unix:/path\", \"http://host:port\" or \"https://host:port\"";

    /// The socket file, if it is one.
    pub fn socket(&self) -> Option<&Path> {
        match self {
            Self::Unix(path) => Some(path),
            Self::Url(_) => None,
        }
    }

    /// The URL, if it is one.
    pub fn url(&self) -> Option<&PeerUrl> {
        match self {
            Self::Unix(_) => None,
            Self::Url(url) => Some(url),
        }
    }
}

impl FromStr for Endpoint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.trim().strip_prefix("unix:") {
            // `unix:///path` is one more slash than a path needs.
            let path = path.strip_prefix("//").filter(|path| path.starts_with('/')).unwrap_or(path);
            return if path.is_empty() { Err(Self::EXPECTED) } else { Ok(Self::Unix(path.into())) };
        }
        text.parse().map(Self::Url).map_err(|_| Self::EXPECTED)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Url(url) => f.write_str(url.as_str()),
        }
    }
}

/// An interface and a port to listen on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct HostPort {
    /// A name or an address; IPv6 without brackets.
    pub host: String,
    /// The port; 0 lets the system choose.
    pub port: u16,
}

impl HostPort {
    const EXPECTED: &'static str = "expected \"host:port\", such as \"0.0.0.0:9001\" or \"[::]:9001\"";

    /// Host and port of a URL.
    pub(super) fn of(url: &PeerUrl) -> Self {
        Self { host: url.host().to_owned(), port: url.url().port_or_known_default().unwrap_or(80) }
    }

    /// Whether only this machine can reach it.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

impl FromStr for HostPort {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(url) = text.parse::<PeerUrl>() {
            return Ok(Self::of(&url));
        }
        let (host, port) = text.trim().rsplit_once(':').ok_or(Self::EXPECTED)?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_good = !host.is_empty() && (bare.is_some() || !host.contains([':', '/', ' ']));
        let port = port.parse().map_err(|_| Self::EXPECTED)?;
        if is_good { Ok(Self { host: bare.unwrap_or(host).to_owned(), port }) } else { Err(Self::EXPECTED) }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Serde as the text form.
macro_rules! as_text {
    ($($kind:ty),+) => {$(
        impl Serialize for $kind {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}
pub(super) use as_text;

as_text!(Endpoint, HostPort);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints() {
        for (text, printed) in [
            ("unix:/a/b.ipc", Some("unix:/a/b.ipc")),
            ("unix:///a/b.ipc", Some("unix:/a/b.ipc")),
            ("unix:tm.ipc", Some("unix:tm.ipc")),
            ("http://localhost:9001", Some("http://localhost:9001/")),
            ("https://[::1]:9001/", Some("https://[::1]:9001/")),
            ("unix:", None),
            ("localhost:9001", None),
            ("ftp://a", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<Endpoint>().ok().map(|endpoint| endpoint.to_string()).as_deref(), printed, "{text}");
        }
    }

    #[test]
    fn binds() {
        for (text, printed) in [
            ("0.0.0.0:9001", Some("0.0.0.0:9001")),
            ("http://0.0.0.0:9001", Some("0.0.0.0:9001")),
            ("https://a.example", Some("a.example:443")),
            ("[::]:80", Some("[::]:80")),
            ("::1:80", None),
            (":80", None),
            ("host", None),
            ("host:99999", None),
        ] {
            assert_eq!(text.parse::<HostPort>().ok().map(|bind| bind.to_string()).as_deref(), printed, "{text}");
        }
    }
}
