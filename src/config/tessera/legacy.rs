//! Forms of Tessera before 0.9: `server`, `unixSocketFile`, `serverSocket`.

use super::object::{Node, Object};
use super::server::Servers;
use super::ssl;
use crate::config::report::Kind;
use crate::config::{Endpoint, Server, Surface};

/// Reads what old files have in place of `serverConfigs`, or beside it.
pub(super) fn read(root: &Object<'_>, servers: &mut Servers) {
    if root.get("serverConfigs").is_none() && root.get("server").is_none() && root.get("unixSocketFile").is_none() {
        root.report(Kind::Missing, root.field("serverConfigs"), "is missing: expected a list of { app, serverAddress }");
    }
    for node in root.list("server") {
        match node.object() {
            Some(server) if servers.listeners.is_empty() => table(&server, servers),
            Some(_) => root.warn("server", "is the old form of serverConfigs, which is there too: it has no effect"),
            None => {}
        }
    }
    let Some(path) = root.path("unixSocketFile") else { return };
    let mut nodes = servers.listeners.iter().filter(|(server, _)| server.surface == Surface::Node).peekable();
    if nodes.peek().is_none() {
        let place = root.field("unixSocketFile");
        root.report(Kind::Warning, place.clone(), "is the old form of a Q2T entry in serverConfigs: it is served there");
        servers.listeners.push((Server::new(Surface::Node, Endpoint::Unix(path)), place));
    } else if nodes.all(|(server, _)| server.address.socket() != Some(&path)) {
        root.warn("unixSocketFile", "has no effect: serverConfigs has a Q2T entry");
    }
}

/// `server: { hostName, port, … }`: the peer listener of Tessera before 0.8.
fn table(server: &Object<'_>, servers: &mut Servers) {
    root_warning(server);
    let address = host_and_port(server);
    server.warn("grpcPort", "has no effect: only REST is offered");
    server.warn("influxConfig", "nothing is pushed to InfluxDB: let it read /metrics of the admin surface");
    if server.text("communicationType").is_some_and(|kind| !kind.eq_ignore_ascii_case("REST")) {
        server.refuse("communicationType", "only REST is offered: set \"REST\" here and on the other members");
    }
    let bind = address.as_ref().and_then(|address| super::server::bind(server, address));
    let tls = server.object("sslConfig").map(|tls| (ssl::read(&tls, Surface::Peer), tls.place().clone()));
    server.finish();
    let Some(address) = address else { return };
    let mut listener = Server::new(Surface::Peer, address);
    listener.bind = bind;
    if let Some(((listening, dialling), place)) = tls {
        listener.tls = listening;
        servers.peer_tls = dialling;
        servers.peer_tls_origin = place;
    }
    servers.listeners.push((listener, server.place().clone()));
}

fn root_warning(server: &Object<'_>) {
    server.report(Kind::Warning, server.place().clone(), "is the old form of a P2P entry in serverConfigs: it is served as that");
}

/// `serverSocket: { type: INET, hostName, port }` or `{ type: UNIX, path }` of Tessera 0.8.
pub(super) fn socket(socket: &Object<'_>) -> Option<Endpoint> {
    socket.report(Kind::Warning, socket.place().clone(), "is the old form of serverAddress");
    let kind = socket.text("type").unwrap_or_default().to_ascii_uppercase();
    let address = match kind.as_str() {
        "UNIX" => socket
            .require("path", "expected the socket's path")
            .and_then(|node| node.text())
            .map(|path| Endpoint::Unix(path.into())),
        "INET" | "" => host_and_port(socket),
        _ => {
            socket.invalid("type", "expected INET or UNIX");
            socket.dismiss();
            None
        }
    };
    socket.finish();
    address
}

fn host_and_port(object: &Object<'_>) -> Option<Endpoint> {
    let host = object.require("hostName", "expected a host, such as \"http://localhost\"");
    let port = object.require("port", "expected a port").and_then(|node: Node<'_>| node.number());
    let host = host?;
    let text = host.text()?;
    let scheme = if text.contains("://") { "" } else { "http://" };
    let url = format!("{scheme}{}:{}", text.trim_end_matches('/'), port?);
    host.keep(url.parse(), "expected a host, such as \"http://localhost\", and a port beside it")
}
