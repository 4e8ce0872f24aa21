//! Two members in this process, each with its own folder, sockets and keys.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use celosia::api::{Cors, Limits, Metrics, Options, Origin, application_router, node_router, peer_router};
use celosia::crypto::secret::Secret;
use celosia::directory::{Directory, Member as Holder, Trust};
use celosia::enclave::Enclave;
use celosia::enclave::local::LocalEnclave;
use celosia::net::peers::{Budgets, HttpPeers};
use celosia::net::{Endpoint, Listener, Owner, Shutdown, serve};
use celosia::services::{Node, Settings};
use celosia::shred::{FileRoot, Forest};
use celosia::store::rocks::RocksStore;
use celosia::types::{Address, PeerUrl, VersionSet};
use tempfile::TempDir;

use crate::http::Connection;

pub(crate) struct Network {
    pub(crate) a: Member,
    pub(crate) b: Member,
    shutdown: Shutdown,
    folder: TempDir,
}

pub(crate) struct Member {
    pub(crate) keys: Vec<Address>,
    pub(crate) url: PeerUrl,
    pub(crate) peer: SocketAddr,
    pub(crate) application: SocketAddr,
    pub(crate) socket: PathBuf,
    directory: Arc<Directory>,
}

struct Figures;

#[async_trait]
impl Metrics for Figures {
    async fn metrics(&self) -> String {
        "# EOF\n".into()
    }
}

impl Network {
    /// A has two keys and B one; they know each other.
    pub(crate) async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let shutdown = Shutdown::new();
        let a = Member::start(folder.path().join("a"), 2, true, &shutdown).await;
        let b = Member::start(folder.path().join("b"), 1, true, &shutdown).await;
        a.knows(&b, VersionSet::ALL);
        b.knows(&a, VersionSet::ALL);
        Self { a, b, shutdown, folder }
    }

    /// One more member, with enhanced privacy or without.
    pub(crate) async fn join(&self, name: &str, enhanced: bool) -> Member {
        Member::start(self.folder.path().join(name), 1, enhanced, &self.shutdown).await
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        self.shutdown.begin();
    }
}

impl Member {
    async fn start(folder: PathBuf, keys: usize, enhanced: bool, shutdown: &Shutdown) -> Self {
        std::fs::create_dir_all(folder.join("keys")).unwrap();
        let listener = tcp().await;
        let peer = listener.addresses()[0];
        let url: PeerUrl = format!("http://{peer}").parse().unwrap();
        let root = Box::new(FileRoot::open(&folder.join("keys")).unwrap());
        let forest = Arc::new(Forest::open(&folder.join("keys"), root).unwrap());
        let enclave = LocalEnclave::new((0..keys).map(|_| Secret::random()).collect(), forest).unwrap();
        let keys = enclave.addresses().to_vec();
        let directory = Arc::new(Directory::new(url.clone(), &keys, Vec::new(), Trust::Open));
        let settings = Settings {
            always_send_to: Vec::new(),
            enhanced_privacy: enhanced,
            multiple_private_states: false,
            validate_keys: false,
            recovering: false,
            peer_budget: Duration::from_secs(3),
            poll_interval: Duration::from_secs(5),
            node_cache: Duration::ZERO,
            max_guards: 1_000_000,
            cosign: celosia::services::CosignSettings::default(),
            holds: celosia::services::HoldSettings::default(),
            acknowledge_within: std::time::Duration::from_mins(1),
            own_url: url.clone(),
        };
        let node = Arc::new(Node::new(
            Arc::new(enclave),
            Arc::new(RocksStore::open(&folder.join("store")).unwrap()),
            Arc::clone(&directory),
            Arc::new(HttpPeers::new(None, Budgets::default())),
            settings,
        ));
        let socket = folder.join("tm.ipc");
        let unix = Endpoint::Unix { path: socket.clone(), mode: 0o600, owner: Owner::default() };
        let unix = Listener::bind(&unix, None).await.unwrap();
        let application = tcp().await;
        let application_address = application.addresses()[0];
        run(unix, node_router(Arc::clone(&node), options(Origin::Unix, Limits::node(), None)), shutdown);
        run(listener, peer_router(Arc::clone(&node), options(Origin::Http, Limits::peer(), None)), shutdown);
        run(application, application_router(node, options(Origin::Http, Limits::application(), Some(pages()))), shutdown);
        Self { keys, url, peer, application: application_address, socket, directory }
    }

    /// Learns where another member's keys are.
    pub(crate) fn knows(&self, other: &Member, versions: VersionSet) {
        self.directory.learn(&Holder { url: other.url.clone(), versions, celosia: true }, &other.keys);
    }

    /// Believes that a key is at a URL where nobody listens.
    pub(crate) fn knows_of_nobody(&self, key: Address) {
        let url = "http://127.0.0.1:1/".parse().unwrap();
        self.directory.learn(&Holder { url, versions: VersionSet::ALL, celosia: true }, &[key]);
    }

    pub(crate) fn key(&self) -> String {
        self.keys[0].to_string()
    }

    pub(crate) async fn node(&self) -> Connection {
        Connection::unix(&self.socket).await
    }

    pub(crate) async fn peers(&self) -> Connection {
        Connection::tcp(self.peer).await
    }

    pub(crate) async fn applications(&self) -> Connection {
        Connection::tcp(self.application).await
    }
}

async fn tcp() -> Listener {
    Listener::bind(&Endpoint::Tcp { host: "127.0.0.1".into(), port: 0 }, None).await.unwrap()
}

fn run(listener: Listener, router: Router, shutdown: &Shutdown) {
    serve(listener, router, celosia::net::Limits::open(), shutdown);
}

fn options(origin: Origin, limits: Limits, cors: Option<Cors>) -> Options {
    Options { origin, limits: Limits { body: 1024 * 1024, ..limits }, cors, metrics: Arc::new(Figures), events: None }
}

fn pages() -> Cors {
    Cors {
        origins: vec!["https://*.example".into()],
        methods: vec!["GET".into(), "POST".into()],
        headers: Vec::new(),
        credentials: true,
    }
}
