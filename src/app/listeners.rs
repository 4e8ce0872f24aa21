//! Listeners and the client, as configured: nothing is served before everything is bound.

use std::sync::Arc;

use axum::Router;

use super::StartError;
use super::admin::Admin;
use crate::api::events::Feed;
use crate::api::{self, Origin};
use crate::config::{self, Config, Endpoint, Listen, Server, Surface, TrustMode};
use crate::net::admin::Readiness;
use crate::net::peers::{Budgets, HttpPeers};
use crate::net::tls::{self, ClientTls, Identity, ServerTls, TlsSettings, Trust};
use crate::net::whitelist::{self, Whitelist};
use crate::net::{self, Limits, Listener, Owner, Shutdown};
use crate::services::{Node, ResidentGroup};
use crate::telemetry::{Metrics, NodeSource, observe};

/// What listeners tell of the node.
pub(super) struct Figures {
    pub(super) source: Arc<NodeSource>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) readiness: Readiness,
    /// The door of the admin surface, where one is configured.
    pub(super) admin: Option<Admin>,
    /// Events for applications, where there is a journal.
    pub(super) events: Option<Arc<Feed>>,
}

/// Everything that touches the network, checked and ready.
pub(super) struct Transport {
    bound: Vec<Bound>,
    /// TLS of the listeners that are served.
    fresh: Vec<Arc<ServerTls>>,
    client: Option<Arc<ClientTls>>,
    budgets: Budgets,
    whitelist: Option<Arc<Whitelist>>,
}

struct Bound {
    surface: Surface,
    origin: Origin,
    /// The name in its configured address.
    host: Option<String>,
    cors: Option<api::Cors>,
    listener: Listener,
    tls: Option<Arc<ServerTls>>,
}

impl Transport {
    /// Loads TLS files and opens every listener; callers wait in the backlog until [`Transport::serve`]. While `recovering` only peers may call.
    pub(super) async fn prepare(config: &Config, recovering: bool) -> Result<Self, StartError> {
        let client = config.peers.tls.as_ref().map(client_tls).transpose()?;
        let mut bound = Vec::new();
        // The native surface has an accept loop of its own: see `app::governed`.
        for server in config.servers.iter().filter(|server| server.surface != Surface::Native) {
            if !recovering || matches!(server.surface, Surface::Peer | Surface::Admin) {
                bound.push(Bound::open(server).await?);
            }
        }
        let budgets = Budgets { exchange: config.peers.budget, max_payload: body_limit(config), ..Budgets::default() };
        let whitelist = if config.peers.whitelist { Some(Whitelist::new(&config.peers.urls).await) } else { None };
        Ok(Self { bound, fresh: Vec::new(), client, budgets, whitelist })
    }

    /// The way to other members.
    pub(super) fn peers(&self) -> HttpPeers {
        HttpPeers::new(self.client.clone(), self.budgets.clone())
    }

    /// Keeps TLS files and the whitelist up to date.
    pub(super) fn keep_fresh(self, figures: &Figures, shutdown: &Shutdown) {
        if let Some(list) = &self.whitelist {
            list.refresh(shutdown);
        }
        let issuer = figures.admin.as_ref().and_then(|admin| admin.issuer.clone());
        tls::keep_fresh(self.fresh, self.client.into_iter().chain(issuer).collect(), shutdown);
    }

    /// Serves the listeners of some surfaces until the shutdown begins.
    pub(super) fn serve_some(
        &mut self,
        which: impl Fn(Surface) -> bool,
        config: &Config,
        node: &Arc<Node>,
        figures: &Figures,
        shutdown: &Shutdown,
    ) {
        let (now, later) = std::mem::take(&mut self.bound).into_iter().partition(|bound: &Bound| which(bound.surface));
        self.bound = later;
        for bound in now {
            self.fresh.extend(bound.tls.clone());
            let limits = limits(config, bound.surface);
            let router = bound.router(config, node, figures, shutdown);
            let router = match (&self.whitelist, bound.surface) {
                (Some(list), Surface::Peer) => whitelist::guard(router, Arc::clone(list)),
                _ => router,
            };
            let router = observe(router, name(bound.surface), &figures.metrics);
            net::serve(bound.listener, router, limits, shutdown);
        }
    }
}

impl Bound {
    async fn open(server: &Server) -> Result<Self, StartError> {
        let tls = server.tls.as_ref().map(|tls| server_tls(tls, server)).transpose()?;
        let endpoint = match server.listen() {
            Listen::Unix { path, mode, owner } => {
                let owner = owner.map(|owner| owner.to_string().parse::<Owner>()).transpose()?.unwrap_or_default();
                net::Endpoint::Unix { path, mode: mode.0, owner }
            }
            Listen::Tcp(place) => net::Endpoint::Tcp { host: place.host, port: place.port },
        };
        let origin = match (&server.address, &tls) {
            (Endpoint::Unix(_), _) => Origin::Unix,
            (Endpoint::Url(url), None) if !url.is_tls() => Origin::Http,
            (Endpoint::Url(_), _) => Origin::Https,
        };
        let cors = server.cors.as_ref().map(|cors| api::Cors {
            origins: cors.origins.clone(),
            methods: cors.methods.clone(),
            headers: cors.headers.clone(),
            credentials: cors.credentials,
        });
        let listener = Listener::bind(&endpoint, tls.clone()).await?;
        let host = server.address.url().map(|url| url.host().to_owned());
        Ok(Self { host, surface: server.surface, origin, cors, listener, tls })
    }

    fn router(&self, config: &Config, node: &Arc<Node>, figures: &Figures, shutdown: &Shutdown) -> Router {
        let options = |limits: api::Limits| api::Options {
            origin: self.origin,
            limits: api::Limits { body: body_limit(config), ..limits },
            cors: self.cors.clone(),
            metrics: Arc::clone(&figures.source) as Arc<dyn api::Metrics>,
            events: figures.events.clone(),
        };
        let queue = usize::try_from(config.limits.queue).unwrap_or(usize::MAX);
        match self.surface {
            Surface::Node => api::node_router(Arc::clone(node), options(api::Limits::node())),
            Surface::Application => {
                let limits = api::Limits { queue: Some(queue), ..api::Limits::application() };
                api::application_router(Arc::clone(node), options(limits))
            }
            Surface::Peer => api::peer_router(Arc::clone(node), options(api::Limits::peer())),
            Surface::Native => Router::new(),
            Surface::Admin => {
                let (source, readiness) = (Arc::clone(&figures.source) as _, figures.readiness.clone());
                let network = |access| {
                    let purge = api::admin::purge::routes(node, access);
                    match node.governed() {
                        Some(_) => {
                            let network = api::admin::network::routes(node, access);
                            let erasures = api::admin::erasure_routes(node, access);
                            let relayed = api::admin::ceremony_routes(node, access);
                            let relayed = relayed.merge(api::admin::supervision_routes(node, access, shutdown));
                            purge.merge(network).merge(erasures).merge(relayed)
                        }
                        None => purge,
                    }
                };
                let rights = |access| {
                    let rights = api::admin::rights::routes(node, access).merge(api::admin::root::routes(node, access));
                    let people = api::admin::hold_routes(node, access).merge(api::admin::case_routes(node, access));
                    let seen = api::admin::disclosure_routes(node, access).merge(api::admin::recovery_routes(node, access));
                    network(access).merge(rights).merge(people).merge(seen)
                };
                let Some(admin) = &figures.admin else {
                    let open = net::admin::router(source, readiness, shutdown.clone()).merge(rights(None));
                    // A browser reaches no Unix socket.
                    let is_reached = self.origin != Origin::Unix;
                    return if is_reached { api::admin::known_hosts(open, self.host.as_deref()) } else { open };
                };
                let probes = net::admin::probes(readiness, shutdown.clone());
                let router = api::admin::router(probes, net::admin::figures(source), &admin.access, Arc::clone(&admin.acts));
                router.merge(rights(Some(&admin.access)))
            }
        }
    }
}

/// Surfaces and addresses, for the status.
pub(super) fn names(config: &Config) -> Vec<(String, String)> {
    config.servers.iter().map(|server| (name(server.surface).to_owned(), server.address.to_string())).collect()
}

const fn name(surface: Surface) -> &'static str {
    match surface {
        Surface::Admin => "admin",
        Surface::Application => "application",
        Surface::Native => "native",
        Surface::Node => "node",
        Surface::Peer => "peer",
    }
}

/// The configured resident groups in the words of the services.
pub(super) fn groups(config: &Config) -> Vec<ResidentGroup> {
    let group = |group: &config::ResidentGroup| ResidentGroup {
        name: group.name.clone(),
        description: group.description.clone(),
        members: group.members.clone(),
    };
    config.resident_groups.iter().map(group).collect()
}

fn limits(config: &Config, surface: Surface) -> Limits {
    let limits = if surface == Surface::Node { Limits::node() } else { Limits::open() };
    Limits { connections: usize::try_from(config.limits.max_connections).unwrap_or(usize::MAX), ..limits }
}

fn body_limit(config: &Config) -> usize {
    usize::try_from(config.limits.max_body).unwrap_or(usize::MAX)
}

fn server_tls(tls: &config::ServerTls, server: &Server) -> Result<Arc<ServerTls>, StartError> {
    let host = server.address.url().map_or("localhost", |url| url.host());
    Ok(ServerTls::load(TlsSettings {
        identity: Some(identity(&tls.cert, &tls.key, tls.generate_if_missing, host)),
        trust: trust(tls.trust_mode),
        roots: tls.ca.clone(),
        known: tls.known_file.clone(),
        excluded_ciphers: tls.exclude_cipher_suites.clone(),
        client_auth: tls.client_auth,
    })?)
}

fn client_tls(tls: &config::ClientTls) -> Result<Arc<ClientTls>, StartError> {
    let identity =
        tls.cert.as_ref().zip(tls.key.as_ref()).map(|(cert, key)| identity(cert, key, tls.generate_if_missing, "localhost"));
    Ok(ClientTls::load(TlsSettings {
        identity,
        trust: trust(tls.trust_mode),
        roots: tls.ca.clone(),
        known: tls.known_file.clone(),
        excluded_ciphers: tls.exclude_cipher_suites.clone(),
        client_auth: false,
    })?)
}

fn identity(certificate: &std::path::Path, key: &std::path::Path, generate: bool, host: &str) -> Identity {
    Identity { certificate: certificate.to_owned(), key: key.to_owned(), generate_for: generate.then(|| host.to_owned()) }
}

fn trust(mode: TrustMode) -> Trust {
    match mode {
        TrustMode::Ca => Trust::Ca,
        TrustMode::CaOrTofu => Trust::CaOrTofu,
        TrustMode::None => Trust::None,
        TrustMode::Tofu => Trust::Tofu,
        TrustMode::Whitelist => Trust::Whitelist,
    }
}
