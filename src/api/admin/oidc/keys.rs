//! The issuer's keys: found by discovery (OpenID Connect Discovery 1.0), fetched when they are needed, kept while they are fresh.
//!
//! Threats: a caller with made-up `kid`s makes us ask the issuer for ever (one question in [`GAP`], whoever asks); a key that the issuer
//! withdrew stays in force ([`FRESH`], and [`STALE`] while the issuer does not answer).

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, StatusCode, header};
use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use super::is_trustworthy;
use crate::api::admin::Refusal;
use crate::net::client::{Connector, Exchange, Http};
use crate::net::tls::ClientTls;

/// Keys are asked for anew after this long.
const FRESH: Duration = Duration::from_mins(5);
/// Keys are used this long while the issuer does not answer.
const STALE: Duration = Duration::from_hours(1);
/// Shortest time between two questions.
const GAP: Duration = Duration::from_secs(5);
/// How long one question may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer in bytes.
const MAX_BODY: usize = 256 * 1024;
/// Keys of one issuer that are looked at.
const MAX_KEYS: usize = 100;

/// The keys of one issuer.
pub(super) struct Keys {
    issuer: String,
    http: Http,
    current: ArcSwapOption<KeySet>,
    /// When the issuer was last asked; held while it is, so that many callers ask once.
    asked: Mutex<Option<Instant>>,
}

struct KeySet {
    keys: Vec<Jwk>,
    fetched: Instant,
}

impl Keys {
    pub(super) fn new(issuer: &str, tls: Option<Arc<ClientTls>>) -> Self {
        let http = Http::new(Connector::network(tls, PATIENCE));
        Self { issuer: issuer.to_owned(), http, current: ArcSwapOption::empty(), asked: Mutex::default() }
    }

    /// The key that a token names. `may_ask`: one that we do not know makes us ask the issuer, for it may be new.
    pub(super) async fn find(&self, kid: Option<&str>, algorithm: Algorithm, may_ask: bool) -> Result<Jwk, Refusal> {
        let mut set = self.usable().await?;
        if let Some(key) = set.find(kid, algorithm) {
            return Ok(key);
        }
        if may_ask && self.refresh(&set.fetched).await.is_ok() {
            set = self.usable().await?;
        }
        set.find(kid, algorithm).ok_or(Refusal::TokenKey)
    }

    /// Keys that are fresh, or as fresh as can be had.
    async fn usable(&self) -> Result<Arc<KeySet>, Refusal> {
        match self.current.load_full() {
            Some(set) if set.fetched.elapsed() < FRESH => Ok(set),
            Some(set) => match self.refresh(&set.fetched).await {
                Err(error) if set.fetched.elapsed() >= STALE => Err(error),
                _ => Ok(self.current.load_full().unwrap_or(set)),
            },
            None => {
                self.refresh_first().await?;
                self.current.load_full().ok_or(Refusal::Issuer("it was asked a moment ago and had no answer"))
            }
        }
    }

    async fn refresh_first(&self) -> Result<(), Refusal> {
        let mut asked = self.asked.lock().await;
        if self.current.load().is_some() {
            return Ok(());
        }
        self.ask(&mut asked).await
    }

    /// Asks the issuer unless somebody has done so since `seen`.
    async fn refresh(&self, seen: &Instant) -> Result<(), Refusal> {
        let mut asked = self.asked.lock().await;
        if self.current.load().as_ref().is_some_and(|set| set.fetched > *seen) {
            return Ok(());
        }
        self.ask(&mut asked).await
    }

    async fn ask(&self, asked: &mut Option<Instant>) -> Result<(), Refusal> {
        if asked.is_some_and(|at| at.elapsed() < GAP) {
            return Err(Refusal::Issuer("it was asked a moment ago"));
        }
        *asked = Some(Instant::now());
        let fetched = self.fetch().await.inspect_err(|error| {
            tracing::warn!(issuer = self.issuer, %error, "the issuer's keys were not fetched");
        });
        let keys = fetched?;
        tracing::debug!(issuer = self.issuer, keys = keys.len(), "the issuer's keys were fetched");
        self.current.store(Some(Arc::new(KeySet { keys, fetched: Instant::now() })));
        Ok(())
    }

    async fn fetch(&self) -> Result<Vec<Jwk>, Refusal> {
        let base = self.issuer.trim_end_matches('/');
        let document = self.get(&format!("{base}/.well-known/openid-configuration")).await?;
        // Threat: another issuer on the same host answers for this one (Discovery section 4.3).
        if document["issuer"].as_str() != Some(&self.issuer) {
            return Err(Refusal::Issuer("its discovery document names another issuer"));
        }
        let place = document["jwks_uri"].as_str().and_then(|uri| uri.parse::<Url>().ok()).filter(is_trustworthy);
        let place = place.ok_or(Refusal::Issuer("its discovery document names no place of keys that can be trusted"))?;
        if self.issuer.starts_with("https:") && place.scheme() != "https" {
            return Err(Refusal::Issuer("its keys are not served over TLS"));
        }
        let set = self.get(place.as_str()).await?;
        let keys = set["keys"].as_array().ok_or(Refusal::Issuer("what it serves is no set of keys"))?;
        // A kind of key that we do not know is no reason to know none.
        Ok(keys.iter().take(MAX_KEYS).filter_map(|key| serde_json::from_value(key.clone()).ok()).filter(is_for_us).collect())
    }

    async fn get(&self, url: &str) -> Result<Value, Refusal> {
        let request = Request::get(url).header(header::ACCEPT, "application/json").body(Full::new(Bytes::new()));
        let request = request.map_err(|_| Refusal::Issuer("its URL cannot be called"))?;
        let bounds = Exchange { budget: PATIENCE, max_body: MAX_BODY, repeat: true };
        let answer = self.http.exchange(request, &bounds).await.map_err(|error| {
            tracing::debug!(%error, url, "no answer of the issuer");
            Refusal::Issuer("it does not answer")
        })?;
        if answer.status != StatusCode::OK {
            return Err(Refusal::Issuer("it answers with an error"));
        }
        serde_json::from_slice(&answer.body).map_err(|_| Refusal::Issuer("its answer is not JSON"))
    }
}

impl KeySet {
    /// The key with this id; without an id, the only key that fits.
    fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Option<Jwk> {
        let mut fitting = self.keys.iter().filter(|key| fits(key, algorithm));
        match kid {
            Some(kid) => fitting.find(|key| key.common.key_id.as_deref() == Some(kid)).cloned(),
            None => fitting.next().filter(|_| fitting.next().is_none()).cloned(),
        }
    }
}

/// A public key that signs. Symmetric ones have no place in a published set.
fn is_for_us(key: &Jwk) -> bool {
    let signs = key.common.public_key_use.as_ref().is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
    signs && !matches!(key.algorithm, AlgorithmParameters::OctetKey(_))
}

/// Whether a key is of the algorithm that the token says: by its own `alg`, else by its kind.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let name = format!("{algorithm:?}");
    match &key.common.key_algorithm {
        Some(own) => own.to_string() == name,
        None => match key.algorithm {
            AlgorithmParameters::RSA(_) => name.starts_with("RS") || name.starts_with("PS"),
            AlgorithmParameters::EllipticCurve(_) => name.starts_with("ES"),
            AlgorithmParameters::OctetKeyPair(_) => name == "EdDSA",
            AlgorithmParameters::OctetKey(_) => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(keys: &[Value]) -> KeySet {
        let read = keys.iter().filter_map(|key| serde_json::from_value(key.clone()).ok()).filter(is_for_us);
        KeySet { keys: read.collect(), fetched: Instant::now() }
    }

    #[test]
    fn only_the_named_or_the_only_fitting_key_is_taken() {
        let rsa = |kid: &str| json!({"kty": "RSA", "kid": kid, "n": "AQAB", "e": "AQAB", "use": "sig"});
        let okp = json!({"kty": "OKP", "kid": "e", "crv": "Ed25519", "x": "AA", "alg": "EdDSA"});
        let keys = set(&[
            rsa("a"),
            rsa("b"),
            okp,
            json!({"kty": "RSA", "kid": "c", "n": "AQAB", "e": "AQAB", "use": "enc"}),
            json!({"kty": "RSA", "kid": "d", "n": "AQAB", "e": "AQAB", "alg": "PS256"}),
            json!({"kty": "oct", "kid": "s", "k": "AAAA"}),
            json!({"kty": "AKP", "kid": "future"}),
        ]);
        let found = |kid, algorithm| keys.find(kid, algorithm).and_then(|key| key.common.key_id);
        assert_eq!(found(Some("a"), Algorithm::RS256).as_deref(), Some("a"));
        assert_eq!(found(None, Algorithm::RS256), None, "two keys fit");
        assert_eq!(found(None, Algorithm::EdDSA).as_deref(), Some("e"));
        assert_eq!(found(Some("a"), Algorithm::ES256), None, "of another kind");
        assert_eq!(found(Some("d"), Algorithm::RS256), None, "of another algorithm");
        for kid in ["c", "s", "future", "nobody"] {
            assert_eq!(found(Some(kid), Algorithm::RS256), None, "{kid}");
        }
    }
}
