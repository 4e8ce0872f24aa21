//! Who is trusted: the only file that decides it. Signatures in the handshake are always checked, by rustls, in every mode.
//!
//! A pinned certificate (`TOFU`, `WHITELIST`) is trusted for what it is: neither its dates nor its issuer nor the host matter, as in
//! Tessera. A chained one (`CA`) must be in date, and a server's must name the host that was called.

use std::io;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ParsedCertificate, WebPkiClientVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::known::{KnownPeers, Standing};
use super::{TlsError, TlsSettings, Trust, material};

/// Decides about peers' certificates, on either side.
#[derive(Debug)]
pub(super) struct Verifier {
    trust: Trust,
    known: Option<KnownPeers>,
    chains: Option<Chains>,
    algorithms: WebPkiSupportedAlgorithms,
    /// Issuers that we tell clients of; empty means any.
    hints: Vec<DistinguishedName>,
}

/// What chains may end in.
#[derive(Debug)]
struct Chains {
    roots: Arc<RootCertStore>,
    clients: Arc<dyn ClientCertVerifier>,
    /// The configured certificates themselves: a peer may present one of them, as a self-signed certificate in a trust store.
    direct: Vec<CertificateDer<'static>>,
}

impl Verifier {
    pub(super) fn new(settings: &TlsSettings, provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let trust = settings.trust;
        let algorithms = provider.signature_verification_algorithms;
        let chains = matches!(trust, Trust::Ca | Trust::CaOrTofu).then(|| Chains::load(settings, provider)).transpose()?;
        let known = match trust {
            Trust::None | Trust::Ca => None,
            Trust::CaOrTofu | Trust::Tofu | Trust::Whitelist => {
                let path = settings.known.as_deref().ok_or(TlsError::NoKnownFile)?;
                Some(KnownPeers::open(path, trust != Trust::Whitelist)?)
            }
        };
        let hints = match (&chains, trust) {
            (Some(chains), Trust::Ca) => chains.clients.root_hint_subjects().to_vec(),
            _ => Vec::new(),
        };
        Ok(Self { trust, known, chains, algorithms, hints })
    }

    /// The decision; `chained` says whether the certificate chains to a root.
    fn decide(&self, certificate: &CertificateDer<'_>, chained: impl FnOnce(&Chains) -> Result<(), Error>) -> Result<(), Error> {
        let chained = || self.chains.as_ref().map_or(Err(CertificateError::UnknownIssuer.into()), chained);
        match self.trust {
            Trust::None => Ok(()),
            Trust::Ca => chained(),
            Trust::CaOrTofu => chained().or_else(|_| self.pinned(certificate)),
            Trust::Tofu | Trust::Whitelist => self.pinned(certificate),
        }
    }

    fn pinned(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        let name = common_name(certificate).ok_or_else(|| refused("it has no common name that can be written down"))?;
        let Some(known) = &self.known else { return Err(CertificateError::UnknownIssuer.into()) };
        let standing = match self.trust {
            Trust::Whitelist => known.standing(&name, certificate),
            _ => known.learn(&name, certificate).map_err(|error| refused(&format!("it cannot be written down: {error}")))?,
        };
        match standing {
            Standing::Known => Ok(()),
            Standing::Another => Err(refused("another certificate is known for its common name")),
            Standing::New => Err(refused("it is not on the list")),
        }
    }
}

impl Chains {
    fn load(settings: &TlsSettings, provider: Arc<CryptoProvider>) -> Result<Self, TlsError> {
        let (mut roots, mut direct) = (RootCertStore::empty(), Vec::new());
        for path in &settings.roots {
            for certificate in material::certificates(path)? {
                roots.add(certificate.clone()).map_err(|_| TlsError::Root(path.clone()))?;
                direct.push(certificate);
            }
        }
        let roots = Arc::new(roots);
        let clients =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), provider).build().map_err(|_| TlsError::NoRoots)?;
        Ok(Self { roots, clients, direct })
    }

    fn is_direct(&self, certificate: &CertificateDer<'_>, now: UnixTime) -> bool {
        self.direct.iter().any(|known| known.as_ref() == certificate.as_ref()) && is_in_date(certificate, now)
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.decide(end_entity, |chains| {
            let parsed = ParsedCertificate::try_from(end_entity)?;
            if !chains.is_direct(end_entity, now) {
                verify_server_cert_signed_by_trust_anchor(&parsed, &chains.roots, intermediates, now, self.algorithms.all)?;
            }
            names(end_entity, &parsed, server_name)
        })?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

impl ClientCertVerifier for Verifier {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    /// Mode `NONE` takes a certificate if there is one and does not insist.
    fn client_auth_mandatory(&self) -> bool {
        self.trust != Trust::None
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.decide(end_entity, |chains| {
            if chains.is_direct(end_entity, now) {
                return Ok(());
            }
            chains.clients.verify_client_cert(end_entity, intermediates, now).map(drop)
        })?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// Whether a certificate names the host: by its alternative names or, if it has none at all, by its common name, as Java does.
fn names(certificate: &CertificateDer<'_>, parsed: &ParsedCertificate<'_>, host: &ServerName<'_>) -> Result<(), Error> {
    let by_names = verify_server_name(parsed, host);
    let Ok((_, read)) = X509Certificate::from_der(certificate) else { return by_names };
    let has_names = read.subject_alternative_name().map_or(true, |names| names.is_some());
    if by_names.is_err() && !has_names && common_name(certificate).is_some_and(|name| name.eq_ignore_ascii_case(&host.to_str())) {
        return Ok(());
    }
    by_names
}

fn is_in_date(certificate: &CertificateDer<'_>, now: UnixTime) -> bool {
    let Ok((_, read)) = X509Certificate::from_der(certificate) else { return false };
    let Ok(now) = i64::try_from(now.as_secs()) else { return false };
    (read.validity().not_before.timestamp()..=read.validity().not_after.timestamp()).contains(&now)
}

/// The subject's common name: the last one, which Java's text form puts first.
///
/// Threat: a name with a line break would add lines of its own to the file of known peers. No name with control characters is taken.
fn common_name(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, read) = X509Certificate::from_der(certificate).ok()?;
    let name = read.subject().iter_common_name().last()?.as_str().ok()?.trim().to_owned();
    let usable = !name.is_empty() && !name.starts_with('#') && name.len() <= 256 && !name.chars().any(char::is_control);
    usable.then_some(name)
}

fn refused(why: &str) -> Error {
    CertificateError::Other(OtherError(Arc::new(io::Error::other(format!("certificate refused: {why}"))))).into()
}
