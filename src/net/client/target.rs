use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Where a server listens: `unix:/path`, `http://host:port` or `https://host:port`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Target {
    /// A Unix socket.
    Unix(PathBuf),
    /// A URL with scheme `http` or `https`.
    Url(url::Url),
}

/// A text that names no server.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{0}` is no server address: write unix:/path, http://host:port or https://host:port")]
pub struct TargetError(String);

impl Target {
    /// What paths are appended to, without a final `/`.
    pub(super) fn base(&self) -> String {
        match self {
            Self::Unix(_) => "http://localhost".to_owned(),
            Self::Url(url) => url.as_str().trim_end_matches('/').to_owned(),
        }
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let wrong = || TargetError(text.chars().filter(|c| !c.is_control()).take(200).collect());
        if let Some(path) = text.strip_prefix("unix:") {
            // unix:/path and unix:///path are in use.
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.is_empty() { Err(wrong()) } else { Ok(Self::Unix(path.into())) };
        }
        let url = url::Url::parse(text).map_err(|_| wrong())?;
        let usable = matches!(url.scheme(), "http" | "https") && url.host().is_some() && url.query().is_none();
        if usable { Ok(Self::Url(url)) } else { Err(wrong()) }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Url(url) => f.write_str(url.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_are_read_and_others_refused() {
        assert_eq!("unix:/run/tm.ipc".parse(), Ok(Target::Unix("/run/tm.ipc".into())));
        assert_eq!("unix:///run/tm.ipc".parse(), Ok(Target::Unix("/run/tm.ipc".into())));
        assert_eq!("http://h:1/".parse::<Target>().unwrap().base(), "http://h:1");
        assert_eq!("https://[::1]:9/a/".parse::<Target>().unwrap().base(), "https://[::1]:9/a");
        for wrong in ["", "unix:", "ftp://h", "h:9000", "http://", "http://h/?q"] {
            assert!(wrong.parse::<Target>().is_err(), "{wrong}");
        }
    }
}
