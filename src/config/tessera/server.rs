//! `serverConfigs`: Tessera's applications and where each listens.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::object::{Node, Object, Reports};
use super::{legacy, remark, ssl};
use crate::config::report::Kind;
use crate::config::{ClientTls, Cors, Endpoint, FieldPath, HostPort, Server, Surface};

/// What the listeners of a file come to.
#[derive(Default)]
pub(super) struct Servers {
    pub(super) listeners: Vec<(Server, FieldPath)>,
    /// TLS towards peers, from the P2P entry.
    pub(super) peer_tls: Option<ClientTls>,
    pub(super) peer_tls_origin: FieldPath,
    pub(super) enclave_socket: Option<PathBuf>,
    pub(super) poll_interval: Option<Duration>,
}

impl Servers {
    /// Trust on first use needs a file; Tessera's default was a file in the working directory, ours is in the data folder.
    pub(super) fn name_known_files(&mut self, reports: &Reports, data_dir: &Path) {
        let name = |known_file: &mut Option<PathBuf>, place: FieldPath, file: &str| {
            let path = data_dir.join(file);
            remark(reports, Kind::Warning, place, format!("is not set: known certificates are kept in {}", path.display()));
            *known_file = Some(path);
        };
        for (server, place) in &mut self.listeners {
            if let Some(tls) =
                server.tls.as_mut().filter(|tls| tls.client_auth && tls.trust_mode.needs_known_file() && tls.known_file.is_none())
            {
                name(&mut tls.known_file, place.key("sslConfig").key("knownClientsFile"), "known-clients");
            }
        }
        if let Some(tls) = self.peer_tls.as_mut().filter(|tls| tls.trust_mode.needs_known_file() && tls.known_file.is_none()) {
            name(&mut tls.known_file, self.peer_tls_origin.key("knownServersFile"), "known-servers");
        }
    }
}

/// Reads every entry.
pub(super) fn read_all(root: &Object<'_>, servers: &mut Servers) {
    for node in root.list("serverConfigs") {
        if let Some(entry) = node.object() {
            read(&entry, servers);
            entry.finish();
        }
    }
}

/// Which of our surfaces an application is; an enclave is none.
enum App {
    Enclave,
    Surface(Surface),
}

fn app(entry: &Object<'_>) -> Option<App> {
    const EXPECTED: &str = "expected P2P, Q2T, ThirdParty, ENCLAVE or ADMIN";
    let node = entry.require("app", EXPECTED)?;
    let app = match node.text()?.to_ascii_lowercase().as_str() {
        "p2p" => App::Surface(Surface::Peer),
        "q2t" => App::Surface(Surface::Node),
        "thirdparty" => App::Surface(Surface::Application),
        "admin" => App::Surface(Surface::Admin),
        "enclave" => App::Enclave,
        _ => {
            node.invalid(EXPECTED);
            return None;
        }
    };
    Some(app)
}

fn read(entry: &Object<'_>, servers: &mut Servers) {
    let (Some(app), Some(address)) = (app(entry), address(entry)) else {
        return entry.dismiss();
    };
    common(entry, &address);
    match app {
        App::Enclave => enclave(entry, address, servers),
        App::Surface(surface) => listener(entry, surface, address, servers),
    }
}

fn address(entry: &Object<'_>) -> Option<Endpoint> {
    match entry.get("serverSocket") {
        Some(socket) if entry.get("serverAddress").is_none() => legacy::socket(&socket.object()?),
        _ => entry.require("serverAddress", Endpoint::EXPECTED)?.parse_with(Endpoint::EXPECTED),
    }
}

/// Fields that every application has.
fn common(entry: &Object<'_>, address: &Endpoint) {
    if entry.flag("enabled") == Some(false) {
        let text = "has no effect, as in Tessera since 20: the listener is opened; remove the entry to close it";
        entry.report(Kind::Warning, entry.field("enabled"), text);
    }
    match entry.text("communicationType").as_deref().map(str::to_ascii_uppercase).as_deref() {
        None | Some("REST" | "") => {}
        Some("UNIX_SOCKET") if address.socket().is_some() => {
            entry.warn("communicationType", "is an old spelling: the address alone says that it is a Unix socket");
        }
        Some(_) => entry.refuse(
            "communicationType",
            "only REST is offered, as in Tessera since 20: set \"REST\" here and on the other members",
        ),
    }
    entry.warn("influxConfig", "nothing is pushed to InfluxDB: let it, or Prometheus, read /metrics of the admin surface (`-o celosia.adminAddress=http://127.0.0.1:9090`)");
}

fn enclave(entry: &Object<'_>, address: Endpoint, servers: &mut Servers) {
    entry.dismiss();
    match address {
        Endpoint::Unix(socket) => servers.enclave_socket = Some(socket),
        Endpoint::Url(_) => entry.refuse(
            "serverAddress",
            "an enclave behind HTTP is not offered: leave this entry out (the enclave then runs in process), or run `celosia enclave` on this machine and set a unix: address",
        ),
    }
}

fn listener(entry: &Object<'_>, surface: Surface, address: Endpoint, servers: &mut Servers) {
    let mut server = Server::new(surface, address);
    server.bind = bind(entry, &server.address);
    server.cors = entry.object("cors").map(|cors| self::cors(&cors));
    if let Some(tls) = entry.object("sslConfig") {
        if server.address.socket().is_some() {
            tls.dismiss();
            entry.warn("sslConfig", "has no effect on a Unix socket");
        } else {
            let (listening, dialling) = ssl::read(&tls, surface);
            server.tls = listening;
            if dialling.is_some() {
                servers.peer_tls = dialling;
                servers.peer_tls_origin = tls.place().clone();
            }
        }
    }
    if server.address.socket().is_some() && server.cors.take().is_some() {
        entry.warn("cors", "has no effect on a Unix socket");
    }
    if let Some(properties) = entry.object("properties") {
        self::properties(&properties, surface, servers);
    }
    servers.listeners.push((server, entry.place().clone()));
}

/// Without a binding address Tessera listens on every interface. So do we, unless the address itself is this machine's own.
pub(super) fn bind(entry: &Object<'_>, address: &Endpoint) -> Option<HostPort> {
    let Endpoint::Url(url) = address else {
        entry.warn("bindingAddress", "has no effect on a Unix socket");
        return None;
    };
    let address = HostPort::of(url);
    let Some(node) = entry.get("bindingAddress").filter(|node| node.value.as_str() != Some("")) else {
        if address.is_loopback() {
            let text = "is not set: listening on this machine only, as the address says (Tessera listened on every interface); set \"http://0.0.0.0:PORT\" if others call it";
            entry.report(Kind::Warning, entry.field("bindingAddress"), text);
            return None;
        }
        let any = if address.host.contains(':') { "::" } else { "0.0.0.0" };
        let bind = HostPort { host: any.to_owned(), port: address.port };
        entry.report(
            Kind::Warning,
            entry.field("bindingAddress"),
            format!("is not set: listening on every interface ({bind}), as Tessera does"),
        );
        return Some(bind);
    };
    let bind: HostPort = node.parse_with("expected an http:// or https:// URL, such as \"http://0.0.0.0:9001\"")?;
    if bind.is_loopback() && !address.is_loopback() {
        let text =
            "listens on this machine only (Tessera listened on every interface); set \"http://0.0.0.0:PORT\" if others call it";
        entry.report(Kind::Warning, entry.field("bindingAddress"), text);
    }
    (bind != address).then_some(bind)
}

fn cors(cors: &Object<'_>) -> Cors {
    let words = |name: &str| -> Vec<String> { cors.list(name).iter().filter_map(Node::text).collect() };
    let mut rules = Cors { origins: words("allowedOrigins"), headers: words("allowedHeaders"), ..Cors::default() };
    let methods = words("allowedMethods");
    if !methods.is_empty() {
        rules.methods = methods;
    }
    rules.credentials = cors.flag("allowCredentials").unwrap_or(true);
    cors.finish();
    rules
}

fn properties(properties: &Object<'_>, surface: Surface, servers: &mut Servers) {
    if surface == Surface::Peer {
        let interval = properties.get("partyInfoInterval").and_then(|node| node.number());
        servers.poll_interval = interval.map(Duration::from_millis).or(servers.poll_interval);
    } else {
        properties.warn("partyInfoInterval", "has an effect on the P2P app only");
    }
    properties.warn("enclaveKeySyncInterval", "has no effect: keys of the enclave are known at once");
    properties.warn("syncInterval", "has no effect: there is no periodic resend; `--recover` fetches what is missing");
    properties.warn("resendWaitTime", "has no effect: there is no periodic resend; `--recover` fetches what is missing");
    properties.finish();
}
