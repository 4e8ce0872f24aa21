//! Who is let in: by a client certificate, or by a bearer token. What they may do says the table in [`super::act`].

use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;

use super::failures::{Failures, Source};
use super::oidc::{self, Oidc, OidcSettings};
use super::{Act, Actor, Record, Refusal, Role};
use crate::crypto::hash::sha256;
use crate::net::{Caller, PeerCertificate};
use crate::types::Coded as _;

/// A certificate that gives roles.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KnownCertificate {
    /// Whose it is.
    pub name: String,
    /// What its holder may be.
    pub roles: Vec<Role>,
    /// SHA-256 of the certificate's DER, or of its SubjectPublicKeyInfo.
    pub fingerprint: [u8; 32],
}

/// What the admin surface is told of people.
#[derive(Clone, Debug)]
pub struct AccessSettings {
    /// Certificates.
    pub certificates: Vec<KnownCertificate>,
    /// The issuer of tokens.
    pub oidc: Option<OidcSettings>,
    /// Failed log-ins of one source within a minute, before it has to wait.
    pub failures: u32,
}

/// The door of the admin surface.
pub struct Access {
    certificates: Vec<KnownCertificate>,
    oidc: Option<Oidc>,
    failures: Failures,
    record: Arc<dyn Record>,
}

impl Access {
    /// A door for these people, whose acts are told to `record`.
    pub fn new(settings: AccessSettings, record: Arc<dyn Record>) -> Arc<Self> {
        let AccessSettings { certificates, oidc, failures } = settings;
        Arc::new(Self { certificates, oidc: oidc.map(Oidc::new), failures: Failures::new(failures.max(1)), record })
    }

    /// Lets authenticated callers alone reach the routes of a router, whoever they are. Paths that it does not have stay 404.
    pub fn protect(self: &Arc<Self>, router: Router) -> Router {
        router.route_layer(middleware::from_fn_with_state(Arc::clone(self), authenticate))
    }

    /// Lets only callers who may do this act reach the routes of a router.
    pub fn guard(self: &Arc<Self>, router: Router, act: Act) -> Router {
        self.protect(router.route_layer(middleware::from_fn_with_state(act, require)))
    }

    /// Who calls. A token counts before a certificate; with a bad token, no certificate helps.
    async fn admit(&self, caller: &Caller, headers: &HeaderMap) -> Result<Actor, Refusal> {
        let source = Source::of(caller.address);
        let admitted = match (token(headers)?, &self.oidc, &caller.certificate) {
            (Some(token), Some(oidc), certificate) => return self.by_token(oidc, token, certificate.as_ref(), source).await,
            (None, _, Some(certificate)) => self.by_certificate(certificate),
            (Some(_), None, _) | (None, _, None) => return Err(Refusal::NoCredential),
        };
        // The handshake has proved the key: a good certificate never waits for what others of its address did.
        admitted.or_else(|refusal| {
            let now = Instant::now();
            let wait = self.failures.wait(&source, now);
            self.fail(refusal, [source], wait, now)
        })
    }

    fn by_certificate(&self, certificate: &PeerCertificate) -> Result<Actor, Refusal> {
        let is_it = |known: &&KnownCertificate| known.fingerprint == certificate.der || known.fingerprint == certificate.spki;
        let known = self.certificates.iter().find(is_it).ok_or(Refusal::CertificateUnknown)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
        if !(certificate.not_before..=certificate.not_after).contains(&i64::try_from(now).unwrap_or(i64::MAX)) {
            return Err(Refusal::CertificateDates);
        }
        let credential = format!("certificate:{}", HEXLOWER.encode(&certificate.spki));
        Ok(Actor::new(known.name.clone(), known.roles.clone(), credential, Arc::clone(&self.record)))
    }

    async fn by_token(
        &self,
        oidc: &Oidc,
        token: &str,
        certificate: Option<&PeerCertificate>,
        source: Source,
    ) -> Result<Actor, Refusal> {
        let (digest, now) = (sha256(&[token.as_bytes()]), Instant::now());
        if !self.failures.was_good(&digest)
            && let Some(seconds) = self.failures.wait(&source, now)
        {
            return Err(Refusal::TooManyFailures(seconds));
        }
        let name = Source::Name(sha256(&[oidc::presented(token).unwrap_or_default().as_bytes()]));
        let wait = self.failures.wait(&name, now);
        match oidc.verify(token, certificate, wait.is_none()).await {
            Ok(bearer) => {
                self.failures.remember(digest);
                let credential = format!("oidc:{}#{}", oidc.issuer(), bearer.subject);
                Ok(Actor::new(bearer.name, bearer.roles, credential, Arc::clone(&self.record)))
            }
            Err(refusal) if refusal.is_bad_token() => self.fail(refusal, [source, name], wait, now),
            Err(refusal) => Err(refusal),
        }
    }

    /// Counts a failed log-in; one too many is told so.
    fn fail<const N: usize>(
        &self,
        refusal: Refusal,
        sources: [Source; N],
        wait: Option<u64>,
        now: Instant,
    ) -> Result<Actor, Refusal> {
        if let Some(seconds) = wait {
            return Err(Refusal::TooManyFailures(seconds));
        }
        tracing::info!(code = %refusal.code(), from = ?sources.first(), "failed log-in to the admin surface");
        for source in sources {
            self.failures.count(source, now);
        }
        Err(refusal)
    }
}

/// The bearer token (RFC 6750 section 2.1). One in the query or in a body is not looked for: those end up in logs.
fn token(headers: &HeaderMap) -> Result<Option<&str>, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(Refusal::Header)?;
    let token = token.trim();
    let is_one = values.next().is_none() && scheme.eq_ignore_ascii_case("bearer");
    let is_token = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte));
    if is_one && is_token { Ok(Some(token)) } else { Err(Refusal::Header) }
}

async fn authenticate(State(access): State<Arc<Access>>, mut request: Request, next: Next) -> Response {
    let caller = request.extensions().get::<Caller>().copied().unwrap_or_default();
    match access.admit(&caller, request.headers()).await {
        Ok(actor) => {
            request.extensions_mut().insert(actor);
            next.run(request).await
        }
        Err(refusal) => {
            let mut response = refusal.into_response();
            if access.oidc.is_none() && response.status() == StatusCode::UNAUTHORIZED {
                // No scheme is registered for client certificates; a challenge there must be (RFC 9110 section 15.5.2).
                let challenge = HeaderValue::from_static("TLS-Client-Certificate realm=\"celosia\"");
                response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            }
            response
        }
    }
}

async fn require(State(act): State<Act>, actor: Actor, request: Request, next: Next) -> Result<Response, Refusal> {
    actor.require(act).await?;
    Ok(next.run(request).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bearer_token_or_none() {
        let read = |values: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            token(&headers).map(|token| token.map(str::to_owned)).map_err(|refusal| refusal.code().0)
        };
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&["Bearer a.b-c_d"]), Ok(Some("a.b-c_d".to_owned())));
        assert_eq!(read(&["bearer  a"]), Ok(Some("a".to_owned())));
        for bad in [&["Basic YTpi"][..], &["Bearer"], &["Bearer "], &["Bearer a b"], &["Bearer a", "Bearer b"], &["Bearer \"a\""]]
        {
            assert_eq!(read(bad), Err(2304), "{bad:?}");
        }
    }
}
