//! TLS 1.3 alone, a certificate on both sides, no authority: the pin decides.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::version::TLS13;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use super::{Admission, Pin, pin_of};
use crate::net::tls::{Identity, TlsError, load_identity};
use crate::types::MemberId;

/// What both sides offer in the handshake (RFC 7301).
const ALPN: &[u8] = b"h2";
/// The name in the handshake says nothing of who is called.
const NAME: &str = "celosia.invalid";

/// Our side of native connections: certificate and key, and who may come in.
pub struct NativeTls {
    provider: Arc<CryptoProvider>,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
    pin: Pin,
    server: Arc<ServerConfig>,
    admission: Arc<dyn Admission>,
}

impl NativeTls {
    /// Reads certificate and key. Errors name the file.
    pub fn load(certificate: &Path, key: &Path, admission: Arc<dyn Admission>) -> Result<Arc<Self>, TlsError> {
        let identity = Identity { certificate: certificate.to_owned(), key: key.to_owned(), generate_for: None };
        let (chain, key) = load_identity(&identity)?;
        let unusable = |source| TlsError::Identity { path: certificate.to_owned(), source };
        let pin = chain.first().and_then(|first| pin_of(first));
        let pin = pin.ok_or_else(|| unusable(Error::InvalidCertificate(CertificateError::BadEncoding)))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier = Arc::new(Members(Arc::clone(&admission), provider.signature_verification_algorithms));
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(&[&TLS13]);
        let builder = builder.map_err(TlsError::Protocol)?.with_client_cert_verifier(verifier);
        let mut server = builder.with_single_cert(chain.clone(), key.clone_key()).map_err(unusable)?;
        server.alpn_protocols = vec![ALPN.to_vec()];
        // A resumed session would skip the look at the directory.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        Ok(Arc::new(Self { provider, chain, key, pin, server: Arc::new(server), admission }))
    }

    /// The pin of our own certificate: what the directory must say of us.
    pub fn pin(&self) -> Pin {
        self.pin
    }

    /// Who may come in.
    pub(super) fn admission(&self) -> &Arc<dyn Admission> {
        &self.admission
    }

    /// The server's side of a handshake; the caller's pin and name.
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<(server::TlsStream<TcpStream>, Pin, MemberId)> {
        let stream = TlsAcceptor::from(Arc::clone(&self.server)).accept(stream).await?;
        let certificate = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
        let pin = certificate.and_then(|certificate| pin_of(certificate)).ok_or(io::ErrorKind::PermissionDenied)?;
        let member = self.admission.admitted(&pin).ok_or(io::ErrorKind::PermissionDenied)?;
        Ok((stream, pin, member))
    }

    /// The client's side, to the holder of `pin` and nobody else.
    pub(super) async fn connect(&self, stream: TcpStream, pin: Pin) -> io::Result<client::TlsStream<TcpStream>> {
        let verifier = Arc::new(Only(pin, self.provider.signature_verification_algorithms));
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider)).with_protocol_versions(&[&TLS13]);
        let builder = builder.map_err(io::Error::other)?.dangerous().with_custom_certificate_verifier(verifier);
        let mut config = builder.with_client_auth_cert(self.chain.clone(), self.key.clone_key()).map_err(io::Error::other)?;
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.resumption = Resumption::disabled();
        config.enable_sni = false;
        let name = ServerName::try_from(NAME).map_err(io::Error::other)?;
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }
}

impl fmt::Debug for NativeTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NativeTls({})", data_encoding::HEXLOWER.encode(&self.pin))
    }
}

/// Callers: whoever the directory lets in.
struct Members(Arc<dyn Admission>, WebPkiSupportedAlgorithms);

/// A server: the holder of one key.
#[derive(Debug)]
struct Only(Pin, WebPkiSupportedAlgorithms);

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Members")
    }
}

impl ClientCertVerifier for Members {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let member = pin_of(end_entity).and_then(|pin| self.0.admitted(&pin));
        member
            .map(|_| ClientCertVerified::assertion())
            .ok_or(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 only".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.1)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.1.supported_schemes()
    }
}

impl ServerCertVerifier for Only {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if pin_of(end_entity) == Some(self.0) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 only".into()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.1)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.1.supported_schemes()
    }
}
