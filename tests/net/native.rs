//! Native connections: the directory's pins decide, at the handshake, at every request, and while a connection is open.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::routing::post;
use axum::{Extension, Router};
use bytes::Bytes;
use celosia::net::native::{Admission, NativeCaller, NativePool, NativeTls, Pin, serve};
use celosia::net::tls::generate;
use celosia::net::{Listener, Shutdown};
use celosia::services::{NativeAddress, NativePeers, PeerError};
use celosia::types::{MemberId, PeerUrl};
use tokio::sync::watch;

use crate::support::{PATIENCE, any_port};

/// Who is let in, as a directory says it.
#[derive(Default)]
struct Admitted(Mutex<BTreeMap<Pin, MemberId>>);

impl Admission for Admitted {
    fn admitted(&self, pin: &Pin) -> Option<MemberId> {
        self.0.lock().unwrap().get(pin).cloned()
    }
}

fn id(name: &str) -> MemberId {
    name.parse().unwrap()
}

fn tls(folder: &Path, name: &str, admitted: &Arc<Admitted>) -> Arc<NativeTls> {
    let (certificate, key) = (folder.join(format!("{name}.crt")), folder.join(format!("{name}.key")));
    generate("localhost", &certificate, &key).unwrap();
    NativeTls::load(&certificate, &key, Arc::clone(admitted) as Arc<dyn Admission>).unwrap()
}

struct Server {
    _folder: tempfile::TempDir,
    admitted: Arc<Admitted>,
    news: watch::Sender<u64>,
    shutdown: Shutdown,
    address: NativeAddress,
    caller: Arc<NativeTls>,
}

/// A server that says who calls, and one member that it lets in.
async fn server() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let admitted = Arc::new(Admitted::default());
    let (own, caller) = (tls(folder.path(), "server", &admitted), tls(folder.path(), "caller", &admitted));
    admitted.0.lock().unwrap().insert(caller.pin(), id("caller"));
    let router = Router::new()
        .route(
            "/who",
            post(|Extension(NativeCaller(member)): Extension<NativeCaller>, body: Bytes| async move {
                format!("{member} {}", body.len())
            }),
        )
        .route("/slow", post(|| async { std::future::pending::<()>().await }));
    let listener = Listener::bind(&any_port(), None).await.unwrap();
    let endpoint: PeerUrl = format!("https://{}", listener.addresses()[0]).parse().unwrap();
    let address = NativeAddress { member: id("server"), endpoint, pin: own.pin() };
    let (news, changed) = watch::channel(1);
    let shutdown = Shutdown::new();
    serve(listener, own, router, changed, &shutdown);
    Server { _folder: folder, admitted, news, shutdown, address, caller }
}

async fn who(pool: &NativePool, to: &NativeAddress) -> Result<Bytes, PeerError> {
    pool.call(to, "/who", Bytes::from(vec![0; 100_000]), PATIENCE).await
}

#[tokio::test]
async fn members_of_the_directory_talk_and_nobody_else() {
    let server = server().await;
    let pool = NativePool::new(Arc::clone(&server.caller));
    assert_eq!(who(&pool, &server.address).await.unwrap(), "caller 100000");
    // Many at once share the connection.
    let many = futures_util::future::join_all((0..100).map(|_| who(&pool, &server.address))).await;
    assert!(many.iter().all(Result::is_ok));
    let folder = tempfile::tempdir().unwrap();
    let stranger = NativePool::new(tls(folder.path(), "stranger", &server.admitted));
    assert!(matches!(who(&stranger, &server.address).await, Err(PeerError::Offline(_))));
    // The server's key is another than the directory says.
    let mut impostor = server.address.clone();
    impostor.pin = [7; 32];
    assert!(matches!(who(&pool, &impostor).await, Err(PeerError::Offline(_))));
    assert!(who(&pool, &server.address).await.is_ok());
    server.shutdown.finish(PATIENCE).await;
}

#[tokio::test]
async fn whoever_leaves_the_directory_is_cut_off_without_a_restart() {
    let server = server().await;
    let pool = NativePool::new(Arc::clone(&server.caller));
    assert!(who(&pool, &server.address).await.is_ok());
    let open = tokio::spawn({
        let (pool, to) = (Arc::clone(&pool), server.address.clone());
        async move { pool.call(&to, "/slow", Bytes::new(), PATIENCE).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    // Before the news has come round no request is begun any more; with it the connection ends under the open one.
    server.admitted.0.lock().unwrap().clear();
    assert!(matches!(who(&pool, &server.address).await, Err(PeerError::Refused { status: 403, .. })));
    server.news.send(2).unwrap();
    assert!(matches!(open.await.unwrap(), Err(PeerError::Offline(_))));
    assert!(matches!(who(&pool, &server.address).await, Err(PeerError::Offline(_))));
    // Admitted again: no restart of either side.
    server.admitted.0.lock().unwrap().insert(server.caller.pin(), id("caller"));
    assert!(who(&pool, &server.address).await.is_ok());
    server.shutdown.finish(PATIENCE).await;
}

#[tokio::test]
async fn a_member_has_a_few_connections() {
    let server = server().await;
    let pools: Vec<_> = (0..16).map(|_| NativePool::new(Arc::clone(&server.caller))).collect();
    for pool in &pools {
        assert!(who(pool, &server.address).await.is_ok());
    }
    let one_more = NativePool::new(Arc::clone(&server.caller));
    assert!(matches!(who(&one_more, &server.address).await, Err(PeerError::Offline(_))));
    assert!(who(&pools[0], &server.address).await.is_ok(), "those that are open stay");
    let folder = tempfile::tempdir().unwrap();
    let other = tls(folder.path(), "other", &server.admitted);
    server.admitted.0.lock().unwrap().insert(other.pin(), id("other"));
    assert!(who(&NativePool::new(other), &server.address).await.is_ok(), "another member is let in");
    server.shutdown.finish(PATIENCE).await;
}

#[tokio::test]
async fn only_tls_1_3_with_a_certificate_is_spoken() {
    use rustls_pki_types::ServerName;
    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::{ClientConfig, version};

    let server = server().await;
    let port = server.address.endpoint.url().port().unwrap();
    for (version, why) in [(&version::TLS12, "TLS 1.2"), (&version::TLS13, "no certificate")] {
        let config = ClientConfig::builder_with_protocol_versions(&[version])
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody))
            .with_no_client_auth();
        let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let ended = async {
            let mut stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
            // In TLS 1.3 the refusal comes after the client's side is done.
            tokio::io::AsyncReadExt::read_u8(&mut stream).await
        };
        assert!(tokio::time::timeout(PATIENCE, ended).await.expect("an end").is_err(), "{why}");
    }
    server.shutdown.finish(PATIENCE).await;
}

#[derive(Debug)]
struct Anybody;

impl rustls::client::danger::ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &rustls_pki_types::CertificateDer<'_>,
        _: &[rustls_pki_types::CertificateDer<'_>],
        _: &rustls_pki_types::ServerName<'_>,
        _: &[u8],
        _: rustls_pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &rustls_pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &rustls_pki_types::CertificateDer<'_>,
        _: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        Ok(rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
