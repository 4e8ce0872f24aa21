//! Rules between fields, the same for both formats. Each field alone was checked where it was read.

mod access;
mod governance;
mod root;
mod webhook;

use std::collections::BTreeMap;
use std::time::Duration;

use super::report::{Kind, Report};
use super::{ClientTls, Config, Endpoint, FieldPath, KeyEntry, Listen, Server, ServerTls, Surface};

/// Checks a whole configuration.
pub(super) fn check(config: &Config, report: &mut Report) {
    servers(config, report);
    peers(config, report);
    data(config, report);
    keys(config, report);
    resident_groups(config, report);
    limits(config, report);
    governance::check(config, report);
    access::check(config, report);
    webhook::check(config, report);
    root::check(config, report);
}

pub(super) fn root(name: &str) -> FieldPath {
    FieldPath::default().key(name)
}

fn servers(config: &Config, report: &mut Report) {
    let place = root("server");
    let peers = config.servers_of(Surface::Peer).count();
    if config.servers.is_empty() {
        if config.enclave.socket.is_none() {
            report.add(
                Kind::Missing,
                place,
                "no listener: a node needs at least one of surface \"peer\" and one of surface \"node\"",
            );
        }
        return;
    }
    if peers == 0 {
        report.add(Kind::Missing, place.clone(), "no listener of the peer surface: its address is what other members are told");
    }
    if peers > 1 {
        report.add(
            Kind::Conflict,
            place.clone(),
            "more than one listener of the peer surface: members know a node by one address",
        );
    }
    for (index, server) in config.servers.iter().enumerate() {
        self::server(server, &place.index(index), report);
        let twin = config.servers[..index].iter().position(|other| same_place(&other.listen(), &server.listen()));
        if let Some(twin) = twin {
            let text = format!("listens where listener {twin} (from 0) does: give it another address or bind address");
            report.add(Kind::Conflict, place.index(index), text);
        }
    }
}

fn same_place(a: &Listen, b: &Listen) -> bool {
    match (a, b) {
        (Listen::Unix { path: a, .. }, Listen::Unix { path: b, .. }) => a == b,
        (Listen::Tcp(a), Listen::Tcp(b)) => a == b && a.port != 0,
        _ => false,
    }
}

fn server(server: &Server, place: &FieldPath, report: &mut Report) {
    match &server.address {
        Endpoint::Unix(_) => {
            let is_set = [("bind", server.bind.is_some()), ("tls", server.tls.is_some()), ("cors", server.cors.is_some())];
            for (name, _) in is_set.iter().filter(|(_, is_set)| *is_set) {
                report.add(Kind::Conflict, place.key(name), "has no meaning on a Unix socket: remove it");
            }
            if server.surface == Surface::Peer {
                report.add(
                    Kind::Invalid,
                    place.key("address"),
                    "members cannot reach a Unix socket: expected an http:// or https:// URL",
                );
            }
        }
        Endpoint::Url(url) => {
            let is_set = [("socket-mode", server.socket_mode.is_some()), ("socket-owner", server.socket_owner.is_some())];
            for (name, _) in is_set.iter().filter(|(_, is_set)| *is_set) {
                report.add(Kind::Conflict, place.key(name), "has a meaning on a Unix socket only: remove it");
            }
            if server.tls.is_some() && !url.is_tls() {
                report.add(
                    Kind::Conflict,
                    place.key("address"),
                    "this listener speaks TLS: its address must begin with https://",
                );
            }
            if let Some(tls) = &server.tls {
                server_tls(tls, &place.key("tls"), report);
            }
        }
    }
}

fn server_tls(tls: &ServerTls, place: &FieldPath, report: &mut Report) {
    if tls.client_auth {
        trust(
            tls.trust_mode.needs_ca() && tls.ca.is_empty(),
            tls.trust_mode.needs_known_file() && tls.known_file.is_none(),
            place,
            report,
        );
    }
}

fn client_tls(tls: &ClientTls, place: &FieldPath, report: &mut Report) {
    if tls.cert.is_some() != tls.key.is_some() {
        report.add(
            Kind::Missing,
            place.clone(),
            "a certificate and its private key go together: give both of cert and key, or none",
        );
    }
    trust(
        tls.trust_mode.needs_ca() && tls.ca.is_empty(),
        tls.trust_mode.needs_known_file() && tls.known_file.is_none(),
        place,
        report,
    );
}

fn trust(lacks_ca: bool, lacks_known_file: bool, place: &FieldPath, report: &mut Report) {
    if lacks_ca {
        report.add(Kind::Missing, place.key("ca"), "this trust mode needs certificates of authorities (PEM files)");
    }
    if lacks_known_file {
        report.add(Kind::Missing, place.key("known-file"), "this trust mode needs a file of known certificates");
    }
}

fn peers(config: &Config, report: &mut Report) {
    let place = root("peers");
    if let Some(tls) = &config.peers.tls {
        client_tls(tls, &place.key("tls"), report);
    }
    if config.peers.poll_interval < Duration::from_millis(100) {
        report.add(Kind::Invalid, place.key("poll-interval"), "expected at least 100ms");
    }
    if config.peers.budget.is_zero() {
        report.add(Kind::Invalid, place.key("budget"), "expected more than 0s");
    }
    if config.peers.budget >= Duration::from_secs(5) {
        report.add(Kind::Warning, place.key("budget"), "GoQuorum gives up on a send after 5s, before this budget is over");
    }
    if config.peers.whitelist && config.peers.urls.is_empty() {
        report.add(Kind::Warning, place.key("urls"), "the whitelist is on and no peer is listed: every peer will be refused");
    }
}

fn data(config: &Config, report: &mut Report) {
    let place = root("data-dir");
    let is_enclave_alone = config.servers.is_empty() && config.enclave.data_dir.is_some();
    match (&config.data_dir, config.temporary_data) {
        (None, false) if !is_enclave_alone => {
            report.add(Kind::Missing, place, "no folder to keep payloads and key trees in: set it, such as \"/var/lib/celosia\"");
        }
        (Some(_), true) => report.add(Kind::Conflict, place, "a folder is named and temporary-data is true: keep one of them"),
        (Some(folder), false) if folder.as_os_str().is_empty() => {
            report.add(Kind::Invalid, place, "expected a folder, found an empty string");
        }
        _ => {}
    }
}

fn keys(config: &Config, report: &mut Report) {
    let place = root("keys");
    if config.keys.is_empty() && (config.enclave.socket.is_none() || config.servers.is_empty()) {
        report.add(Kind::Missing, place.clone(), "no key pair: `celosia keygen -filename NAME` makes one");
    }
    if !config.keys.is_empty() && config.enclave.socket.is_some() && !config.servers.is_empty() {
        let text = "the enclave is a process of its own and holds the keys: they are not read here; name them in the enclave's configuration only";
        report.add(Kind::Warning, place.clone(), text);
    }
    for (index, key) in config.keys.iter().enumerate() {
        self::key(key, &place.index(index), report);
    }
}

fn key(key: &KeyEntry, place: &FieldPath, report: &mut Report) {
    let sources = [key.private_key_file.is_some(), key.private_key.is_some(), key.private_key_json.is_some()];
    match sources.iter().filter(|is_set| **is_set).count() {
        0 => report.add(Kind::Missing, place.clone(), "no private key: set private-key-file"),
        1 => {}
        _ => report.add(
            Kind::Conflict,
            place.clone(),
            "more than one private key: keep one of private-key-file, private-key, private-key-json",
        ),
    }
    if key.public_key.is_some() && key.public_key_file.is_some() {
        report.add(
            Kind::Conflict,
            place.key("public-key"),
            "the public key is named twice: keep one of public-key, public-key-file",
        );
    }
    if key.password.is_some() && key.password_file.is_some() {
        report.add(Kind::Conflict, place.key("password"), "the password is named twice: keep password-file");
    }
    if key.password_line.is_some() && key.password_file.is_none() {
        report.add(Kind::Missing, place.key("password-line"), "names a line of password-file, which is not set");
    }
    if key.password_line == Some(0) {
        report.add(Kind::Invalid, place.key("password-line"), "lines count from 1");
    }
}

fn resident_groups(config: &Config, report: &mut Report) {
    let place = root("resident-groups");
    let mut names = BTreeMap::new();
    let mut owners = BTreeMap::new();
    for (index, group) in config.resident_groups.iter().enumerate() {
        let place = place.index(index);
        if group.name.is_empty() {
            report.add(Kind::Invalid, place.key("name"), "expected a name, found an empty string");
        }
        if names.insert(&group.name, index).is_some() {
            report.add(Kind::Conflict, place.key("name"), "another group has this name");
        }
        for (member, address) in group.members.iter().enumerate() {
            if owners.insert(address, index).is_some_and(|other| other != index) {
                report.add(
                    Kind::Conflict,
                    place.key("members").index(member),
                    "this key is in another group too: a key belongs to one group",
                );
            }
        }
    }
}

/// Larger documents than any that was tried.
const MAX_DOCUMENT: u64 = 256 << 30;

fn limits(config: &Config, report: &mut Report) {
    let limits = &config.limits;
    let values = [
        ("max-body", limits.max_body),
        ("max-document", limits.max_document),
        ("max-documents", limits.max_documents),
        ("max-connections", limits.max_connections.into()),
        ("queue", limits.queue.into()),
    ];
    for (name, _) in values.iter().filter(|(_, value)| *value == 0) {
        report.add(Kind::Invalid, root("limits").key(name), "expected more than 0");
    }
    if limits.max_document > MAX_DOCUMENT {
        report.add(Kind::Invalid, root("limits").key("max-document"), "expected at most 256GiB");
    }
    if tracing_subscriber::EnvFilter::try_new(&config.log.level).is_err() {
        let text = "expected error, warn, info, debug, trace, or a filter such as \"info,celosia::net=debug\"";
        report.add(Kind::Invalid, root("log").key("level"), text);
    }
}
