//! Bearer tokens (RFC 6750) of an OpenID Connect issuer: signed JWTs (RFC 7519, RFC 9068), verified here and nowhere asked about.
//!
//! Threats, and where they are met: `alg: none` and HMAC with a public key as the secret ([`ALGORITHMS`]); keys that the token itself
//! brings (`jwk`, `jku`, `x5u` are never read); a token for another audience or of another issuer; an identity token or a bound token
//! shown as a bearer token (`typ`, `cnf`); unknown `kid`s that make us ask the issuer for ever ([`keys`]).

mod claims;
mod keys;

use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::{Refusal, Role};
use crate::net::PeerCertificate;
use crate::net::tls::ClientTls;
use keys::Keys;

/// Longest token in bytes that is looked at.
const MAX_TOKEN: usize = 16 * 1024;

/// Asymmetric signatures only.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::EdDSA,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
];

/// Whose tokens are taken, and what they say.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    /// The issuer's identifier, exactly as in its tokens.
    pub issuer: String,
    /// Our name in `aud`.
    pub audience: String,
    /// Where the roles stand; dots lead into objects.
    pub role_claim: String,
    /// Where the person's name stands.
    pub name_claim: String,
    /// What values of the role claim mean; without any, our own names of roles count.
    pub roles: Vec<(String, Role)>,
    /// Clients (`azp`, `client_id`) whose tokens are taken; none: of all.
    pub clients: Vec<String>,
    /// How far clocks may differ.
    pub clock_skew: Duration,
    /// TLS towards the issuer.
    pub tls: Option<Arc<ClientTls>>,
}

/// Who a token is of.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Bearer {
    pub(super) name: String,
    pub(super) subject: String,
    pub(super) roles: Vec<Role>,
}

/// A verifier of tokens.
pub(super) struct Oidc {
    settings: OidcSettings,
    keys: Keys,
}

/// The header of a token, as far as it is read.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<Value>,
}

impl Oidc {
    pub(super) fn new(settings: OidcSettings) -> Self {
        let keys = Keys::new(&settings.issuer, settings.tls.clone());
        Self { settings, keys }
    }

    /// The issuer's identifier.
    pub(super) fn issuer(&self) -> &str {
        &self.settings.issuer
    }

    /// Verifies a token. `may_ask`: an unknown key may make us ask the issuer.
    pub(super) async fn verify(
        &self,
        token: &str,
        certificate: Option<&PeerCertificate>,
        may_ask: bool,
    ) -> Result<Bearer, Refusal> {
        let header = header(token)?;
        let algorithm = header.alg.parse::<Algorithm>().ok().filter(|algorithm| ALGORITHMS.contains(algorithm));
        let algorithm = algorithm.ok_or(Refusal::TokenAlgorithm)?;
        let jwk = self.keys.find(header.kid.as_deref(), algorithm, may_ask).await?;
        let key = DecodingKey::from_jwk(&jwk).map_err(|_| Refusal::TokenKey)?;
        let claims = decode::<Map<String, Value>>(token, &key, &self.validation(algorithm)).map_err(refusal)?.claims;
        // The library takes a list in which ours is one; RFC 7519 section 4.1.1 has one text.
        if claims.get("iss").and_then(Value::as_str) != Some(&self.settings.issuer) {
            return Err(Refusal::TokenIssuer);
        }
        claims::check_binding(&claims, certificate)?;
        claims::check_client(&claims, &self.settings.clients)?;
        Ok(Bearer {
            name: claims::text(&claims, &self.settings.name_claim).ok_or(Refusal::TokenClaim("of the name"))?,
            subject: claims::text(&claims, "sub").ok_or(Refusal::TokenClaim("sub"))?,
            roles: claims::roles(&claims, &self.settings.role_claim, &self.settings.roles),
        })
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.set_issuer(&[&self.settings.issuer]);
        validation.set_audience(&[&self.settings.audience]);
        validation.validate_nbf = true;
        validation.leeway = self.settings.clock_skew.as_secs();
        validation
    }
}

/// Reads a header. A token of another type (an identity token of some issuers, a logout token) is none; so is one with critical extensions (RFC 7515 section 4.1.11).
fn header(token: &str) -> Result<Header, Refusal> {
    if token.len() > MAX_TOKEN || token.split('.').count() != 3 {
        return Err(Refusal::TokenMalformed);
    }
    let header: Header = part(token, 0).ok_or(Refusal::TokenMalformed)?;
    let typ = header.typ.as_deref().map(str::to_ascii_lowercase);
    let is_access = typ.is_none_or(|typ| matches!(typ.trim_start_matches("application/"), "at+jwt" | "jwt"));
    if is_access && header.crit.is_none() { Ok(header) } else { Err(Refusal::TokenMalformed) }
}

/// The name that a token presents, unverified: only for counting failures.
pub(super) fn presented(token: &str) -> Option<String> {
    let claims: Map<String, Value> = (token.len() <= MAX_TOKEN).then(|| part(token, 1))??;
    claims::text(&claims, "sub")
}

fn part<T: for<'de> Deserialize<'de>>(token: &str, index: usize) -> Option<T> {
    let bytes = BASE64URL_NOPAD.decode(token.split('.').nth(index)?.as_bytes()).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn refusal(error: jsonwebtoken::errors::Error) -> Refusal {
    match error.kind() {
        ErrorKind::ExpiredSignature => Refusal::TokenExpired,
        ErrorKind::ImmatureSignature => Refusal::TokenNotYet,
        ErrorKind::InvalidIssuer => Refusal::TokenIssuer,
        ErrorKind::InvalidAudience => Refusal::TokenAudience,
        ErrorKind::InvalidSignature => Refusal::TokenSignature,
        ErrorKind::InvalidAlgorithm => Refusal::TokenAlgorithm,
        ErrorKind::MissingRequiredClaim(name) => Refusal::TokenClaim(match name.as_str() {
            "exp" => "exp",
            "iss" => "iss",
            "aud" => "aud",
            _ => "sub",
        }),
        ErrorKind::InvalidClaimFormat(_) => Refusal::TokenClaim("exp or nbf"),
        _ => Refusal::TokenMalformed,
    }
}

/// Whether what is fetched from here can be believed: `https`, or plain HTTP that does not leave this machine.
pub fn is_trustworthy(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_loopback_are_trustworthy() {
        for (text, expected) in [
            ("https://issuer.example/a", true),
            ("http://127.0.0.1:4000", true),
            ("http://[::1]:4000", true),
            ("http://localhost", true),
            ("http://issuer.example", false),
            ("http://127.0.0.1.example", false),
            ("http://10.0.0.1", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(is_trustworthy(&text.parse().unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn headers_of_other_things_are_refused() {
        let token = |header: &str| format!("{}.e30.AA", BASE64URL_NOPAD.encode(header.as_bytes()));
        for (text, is_taken) in [
            (r#"{"alg":"ES256"}"#, true),
            (r#"{"alg":"ES256","typ":"at+jwt"}"#, true),
            (r#"{"alg":"ES256","typ":"application/AT+JWT"}"#, true),
            (r#"{"alg":"ES256","typ":"logout+jwt"}"#, false),
            (r#"{"alg":"ES256","typ":"dpop+jwt"}"#, false),
            (r#"{"alg":"ES256","crit":["b64"],"b64":false}"#, false),
            (r#"{"typ":"JWT"}"#, false),
            ("[]", false),
            ("", false),
        ] {
            assert_eq!(header(&token(text)).is_ok(), is_taken, "{text}");
        }
        for text in ["", "a", "a.b", "a.b.c.d", "e30.e30.e30.e30.e30", &"a".repeat(MAX_TOKEN + 1)] {
            assert!(header(text).is_err() && presented(text).is_none());
        }
    }
}
