//! TLS 1.3 and 1.2 (RFC 8446, RFC 5246) in Tessera's trust modes; certificates, keys and trust files are reloaded without a restart.
//!
//! Sessions are not resumed: a resumed session would skip the check of a certificate that has meanwhile been taken off the list.
//! Connections are pooled, so handshakes are rare. See `docs/tls.md`.

mod ciphers;
mod error;
mod fingerprint;
mod generate;
mod known;
mod live;
mod material;
mod verify;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::server::NoServerSessionStorage;
use rustls::{ClientConfig, ServerConfig};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::Shutdown;
use crate::types::Coded as _;
use live::Live;
use verify::Verifier;

pub use error::TlsError;
pub use fingerprint::Fingerprint;
pub use generate::generate;

/// How often files are looked at for changes.
const LOOK: Duration = Duration::from_secs(1);

/// Whom to trust: Tessera's modes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Trust {
    /// Anybody: encryption without authentication.
    None,
    /// Certificates that chain to a configured root; a server's must also name the host.
    #[default]
    Ca,
    /// As `Ca`, and otherwise as `Tofu`.
    CaOrTofu,
    /// Trust on first use: the first certificate of a common name is written down, and no other is accepted for it afterwards.
    Tofu,
    /// Certificates that are written down already.
    Whitelist,
}

/// Our own certificate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Identity {
    /// PEM: our certificate, then intermediates.
    pub certificate: PathBuf,
    /// PEM: its private key (PKCS#8, PKCS#1 or SEC1).
    pub key: PathBuf,
    /// Makes a self-signed certificate for this host name if neither file exists.
    pub generate_for: Option<String>,
}

/// One side's TLS settings: of a listener, or of the client.
#[derive(Clone, Debug, Default)]
pub struct TlsSettings {
    /// Our certificate: a listener needs one; a client where servers ask for one.
    pub identity: Option<Identity>,
    /// Whom to trust.
    pub trust: Trust,
    /// PEM files of roots, for the `Ca` modes.
    pub roots: Vec<PathBuf>,
    /// Known clients (of a listener) or known servers (of a client): lines `<subject CN> <hex of SHA-1, or SHA-256, of the DER>`.
    pub known: Option<PathBuf>,
    /// Cipher suites that are not offered: names of Java or RFC 8446, or patterns such as `^.*_AES_128_.*$`.
    pub excluded_ciphers: Vec<String>,
    /// A listener asks its clients for a certificate, and refuses those that have none.
    pub client_auth: bool,
}

/// TLS of a listener.
#[derive(Debug)]
pub struct ServerTls(Live<ServerConfig>);

/// TLS of the client.
#[derive(Debug)]
pub struct ClientTls(Live<ClientConfig>);

impl ServerTls {
    /// Reads the files. Errors name the file and what is wrong with it.
    pub fn load(settings: TlsSettings) -> Result<Arc<Self>, TlsError> {
        Live::load(settings, server_config).map(|live| Arc::new(Self(live)))
    }

    /// Reads the files anew if one of them changed. With an error the former configuration stays.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        self.0.refresh()
    }

    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<tokio_rustls::server::TlsStream<TcpStream>> {
        TlsAcceptor::from(self.0.current()).accept(stream).await
    }
}

impl ClientTls {
    /// Reads the files. Errors name the file and what is wrong with it.
    pub fn load(settings: TlsSettings) -> Result<Arc<Self>, TlsError> {
        Live::load(settings, client_config).map(|live| Arc::new(Self(live)))
    }

    /// Reads the files anew if one of them changed. With an error the former configuration stays.
    pub fn refresh(&self) -> Result<bool, TlsError> {
        self.0.refresh()
    }

    pub(super) async fn connect(&self, host: &str, stream: TcpStream) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        TlsConnector::from(self.0.current()).connect(name, stream).await
    }
}

/// Keeps TLS settings up to date until the shutdown begins: looks at their files every second, and at once on SIGHUP.
pub fn keep_fresh(servers: Vec<Arc<ServerTls>>, clients: Vec<Arc<ClientTls>>, shutdown: &Shutdown) {
    let stop = shutdown.stop.clone();
    let look = move || {
        for refreshed in servers.iter().map(|tls| tls.refresh()).chain(clients.iter().map(|tls| tls.refresh())) {
            report(refreshed);
        }
    };
    let forever = async move {
        let mut hangup = signal(SignalKind::hangup()).ok();
        loop {
            let hung_up = async {
                match &mut hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            let _ = tokio::time::timeout(LOOK, hung_up).await;
            look();
        }
    };
    shutdown.tasks.spawn(async move { stop.run_until_cancelled(forever).await });
}

fn report(refreshed: Result<bool, TlsError>) {
    match refreshed {
        Ok(true) => tracing::info!("TLS files were reloaded"),
        Ok(false) => {}
        Err(error) => {
            let code = error.code();
            tracing::error!(%error, %code, "TLS files were not reloaded; the former ones stay");
        }
    }
}

/// Our certificate chain and its key. Errors name the file.
pub(super) fn load_identity(identity: &Identity) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
    material::identity(identity)
}

fn server_config(settings: &TlsSettings) -> Result<ServerConfig, TlsError> {
    let provider = provider(settings)?;
    let identity = settings.identity.as_ref().ok_or(TlsError::NoIdentity)?;
    let (chain, key) = material::identity(identity)?;
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(TlsError::Protocol)?;
    let builder = if settings.client_auth {
        builder.with_client_cert_verifier(Arc::new(Verifier::new(settings, provider)?))
    } else {
        builder.with_no_client_auth()
    };
    let mut config = builder
        .with_single_cert(chain, key)
        .map_err(|source| TlsError::Identity { path: identity.certificate.clone(), source })?;
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

fn client_config(settings: &TlsSettings) -> Result<ClientConfig, TlsError> {
    let provider = provider(settings)?;
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let verifier = Arc::new(Verifier::new(settings, provider)?);
    let builder = builder.map_err(TlsError::Protocol)?.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match &settings.identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = material::identity(identity)?;
            let made = builder.with_client_auth_cert(chain, key);
            made.map_err(|source| TlsError::Identity { path: identity.certificate.clone(), source })?
        }
    };
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn provider(settings: &TlsSettings) -> Result<Arc<CryptoProvider>, TlsError> {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    ciphers::exclude(&mut provider.cipher_suites, &settings.excluded_ciphers)?;
    Ok(Arc::new(provider))
}
