use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use super::endpoint::as_text;
use super::system_authorities;
use crate::api::events::EventKind;
use crate::api::events::webhook::WebhookSettings;
use crate::net::tls::{ClientTls, TlsError, TlsSettings, Trust};

/// `[[webhook]]`: a URL that events are posted to.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WebhookTable {
    /// Where.
    pub url: WebhookUrl,
    /// Which kinds of events; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<EventKind>,
    /// Authorities that vouch for it, PEM; empty: those of the system.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ca: Vec<PathBuf>,
}

impl WebhookTable {
    /// What the sender of events is told.
    pub fn settings(&self) -> Result<WebhookSettings, TlsError> {
        let is_tls = self.url.0.scheme() == "https";
        let load = || ClientTls::load(TlsSettings { trust: Trust::Ca, roots: self.authorities(), ..TlsSettings::default() });
        let tls = is_tls.then(load).transpose()?;
        Ok(WebhookSettings { url: self.url.0.clone(), kinds: self.kinds.clone(), tls, first_pause: Duration::from_secs(1) })
    }

    /// The authorities that vouch for the receiver.
    pub fn authorities(&self) -> Vec<PathBuf> {
        if self.ca.is_empty() { system_authorities() } else { self.ca.clone() }
    }
}

/// The URL of a receiver.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WebhookUrl(pub Url);

impl FromStr for WebhookUrl {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "expected an https:// or http:// URL with a host, without user and fragment";
        let url = text.parse::<Url>().map_err(|_| expected)?;
        let is_one = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none();
        if is_one { Ok(Self(url)) } else { Err(expected) }
    }
}

impl fmt::Display for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

as_text!(WebhookUrl);
