//! TLS (RFC 8446, RFC 5246).

use std::io;

use tokio::net::TcpStream;

/// Server side.
#[derive(Debug)]
pub struct ServerTls(std::sync::Arc<rustls::ServerConfig>);

/// Client side.
#[derive(Debug)]
pub struct ClientTls(std::sync::Arc<rustls::ClientConfig>);

impl ServerTls {
    pub(super) async fn accept(&self, stream: TcpStream) -> io::Result<tokio_rustls::server::TlsStream<TcpStream>> {
        tokio_rustls::TlsAcceptor::from(std::sync::Arc::clone(&self.0)).accept(stream).await
    }
}

impl ClientTls {
    pub(super) async fn connect(&self, host: &str, stream: TcpStream) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        let name = rustls_pki_types::ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        tokio_rustls::TlsConnector::from(std::sync::Arc::clone(&self.0)).connect(name, stream).await
    }
}
