//! A small router and the ways to reach it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use celosia::net::client::{Client, Target};
use celosia::net::tls::ServerTls;
use celosia::net::{Endpoint, Limits, Listener, NetError, Owner, Shutdown, serve};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// Long enough that only a defect reaches it.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub fn router() -> Router {
    Router::new()
        .route("/upcheck", get(|| async { "I'm up!" }))
        .route("/echo", post(|body: Bytes| async move { body }))
        .layer(DefaultBodyLimit::max(1 << 20))
}

/// A router with `/wait`, which answers only once it is told to.
pub fn waiting() -> (Router, Arc<Notify>, Arc<Notify>) {
    let (entered, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (inside, wait) = (Arc::clone(&entered), Arc::clone(&go));
    let handler = move || {
        let (inside, wait) = (Arc::clone(&inside), Arc::clone(&wait));
        async move {
            inside.notify_one();
            wait.notified().await;
            "done"
        }
    };
    (router().route("/wait", get(handler)), entered, go)
}

pub fn any_port() -> Endpoint {
    Endpoint::Tcp { host: "127.0.0.1".to_owned(), port: 0 }
}

pub fn socket_at(path: &Path) -> Endpoint {
    Endpoint::Unix { path: path.to_owned(), mode: 0o600, owner: Owner::default() }
}

pub async fn tcp(router: Router, limits: Limits, shutdown: &Shutdown) -> SocketAddr {
    tls(router, limits, shutdown, None).await
}

pub async fn tls(router: Router, limits: Limits, shutdown: &Shutdown, tls: Option<Arc<ServerTls>>) -> SocketAddr {
    let listener = Listener::bind(&any_port(), tls).await.unwrap();
    let address = listener.addresses()[0];
    serve(listener, router, limits, shutdown);
    address
}

pub async fn unix(path: &Path, shutdown: &Shutdown) -> Result<(), NetError> {
    serve(Listener::bind(&socket_at(path), None).await?, router(), Limits::node(), shutdown);
    Ok(())
}

pub fn client(target: &str) -> Client {
    Client::new(&target.parse::<Target>().unwrap(), None, PATIENCE)
}

/// A connection on which tests write bytes by hand.
pub struct Raw<S>(pub S);

impl Raw<TcpStream> {
    pub async fn to(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }
}

impl<S: AsyncRead + tokio::io::AsyncWrite + Unpin> Raw<S> {
    pub async fn write(&mut self, bytes: &str) {
        self.0.write_all(bytes.as_bytes()).await.unwrap();
    }

    pub async fn upcheck(&mut self) {
        self.write("GET /upcheck HTTP/1.1\r\nHost: c\r\n\r\n").await;
        assert!(self.read_until("I'm up!").await.starts_with("HTTP/1.1 200 OK\r\n"));
    }

    pub async fn read_until(&mut self, end: &str) -> String {
        let mut text = String::new();
        let mut buffer = [0; 4096];
        while !text.ends_with(end) {
            let read = tokio::time::timeout(PATIENCE, self.0.read(&mut buffer)).await.expect("an answer").unwrap();
            assert!(read > 0, "closed after {text:?}");
            text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        }
        text
    }

    /// Everything until the other side closes.
    pub async fn read_to_end(&mut self) -> String {
        let mut bytes = Vec::new();
        let read = tokio::time::timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await.expect("the connection is closed");
        let _ = read; // a reset is a close, too
        String::from_utf8(bytes).unwrap()
    }

    /// Whether nothing comes, not even an end, for a while.
    pub async fn stays_open(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.0.read(&mut [0; 1])).await.is_err()
    }
}
