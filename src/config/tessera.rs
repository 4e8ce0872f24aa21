//! Tessera's JSON, versions 0.6 to 24.4, mapped to [`Config`].
//!
//! Every field that Tessera documents is honoured, or refused by name with what to do instead, or accepted with a warning that names it. None is
//! passed over silently. Like Tessera's reader, this one takes a single element where a list is meant, and booleans and numbers as strings.

mod jdbc;
mod keys;
mod legacy;
mod object;
mod server;
mod ssl;

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use serde_json::Value;

use self::object::{Object, Reports};
use super::path::Step;
use super::report::{Issue, Kind, Report};
use super::{Config, FieldPath, Format, LogFormat, ResidentGroup, Surface, units};
use crate::types::Address;

pub(super) use self::object::UNKNOWN;
use self::server::Servers;

/// Where in the JSON the parts of a [`Config`] came from, for messages.
#[derive(Debug, Default)]
pub(super) struct Origins {
    servers: Vec<FieldPath>,
    keys: Vec<FieldPath>,
    peer_tls: FieldPath,
}

impl Origins {
    /// A remark on a field of the model as a remark on the field of the file.
    pub(super) fn translated(&self, issue: Issue, format: Format) -> Issue {
        if format == Format::Celosia {
            return issue;
        }
        let root = FieldPath::default();
        let field = match issue.field.steps() {
            [Step::Key(name), Step::Index(index), ..] if name == "server" => self.servers.get(*index).cloned(),
            [Step::Key(name), Step::Index(index), ..] if name == "keys" => self.keys.get(*index).cloned(),
            [Step::Key(name), Step::Key(tls), ..] if name == "peers" && tls == "tls" => Some(self.peer_tls.clone()),
            [Step::Key(name), ..] if name == "resident-groups" => Some(issue.field.rebased(1, &root.key("residentGroups"))),
            [Step::Key(name), ..] if name == "server" => Some(root.key("serverConfigs")),
            [Step::Key(name), ..] if name == "peers" => Some(root.key("peer")),
            [Step::Key(name), ..] if name == "data-dir" => Some(root.key("jdbc").key("url")),
            _ => None,
        };
        Issue { field: field.unwrap_or(issue.field), ..issue }
    }
}

/// Reads a document. `None` if it is no object; a configuration with errors in the report is not to be used.
pub(super) fn read(document: &Value, report: &mut Report) -> Option<(Config, Origins)> {
    let reports = RefCell::new(std::mem::take(report));
    let read = Object::root(document, &reports).map(|root| whole(&root));
    *report = reports.into_inner();
    read
}

fn whole(root: &Object<'_>) -> (Config, Origins) {
    let mut config = Config::default();
    let ours = root.object("celosia");
    harmless(root);
    let fetch = root.get("fetchSize").is_some();
    let folder = ours.as_ref().and_then(|ours| ours.path("dataDir"));
    jdbc::read(root, folder, fetch, &mut config);

    let mut servers = Servers::default();
    server::read_all(root, &mut servers);
    legacy::read(root, &mut servers);
    if let Some(ours) = &ours {
        extras(ours, &mut servers, &mut config);
    }
    let data_dir = config.data_dir.clone().unwrap_or_else(|| PathBuf::from("."));
    servers.name_known_files(root.reports(), &data_dir);
    config.peers.urls = root.list("peer").iter().filter_map(object::Node::object).filter_map(|entry| peer(&entry)).collect();
    config.peers.whitelist = root.flag("useWhiteList").unwrap_or(false);
    config.peers.discovery = !root.flag("disablePeerDiscovery").unwrap_or(false);
    features(root, &mut config);
    config.always_send_to = root.list("alwaysSendTo").iter().flat_map(always_send_to).collect();
    config.resident_groups =
        root.list("residentGroups").iter().filter_map(object::Node::object).filter_map(|group| resident_group(&group)).collect();
    let key_origins = keys::read(root, &mut config);
    root.finish();

    if let Some(interval) = servers.poll_interval {
        config.peers.poll_interval = interval;
    }
    config.peers.tls = servers.peer_tls;
    config.enclave.socket = servers.enclave_socket;
    let (listeners, origins) = servers.listeners.into_iter().unzip();
    config.servers = listeners;
    (config, Origins { servers: origins, keys: key_origins, peer_tls: servers.peer_tls_origin })
}

/// Fields of the root that change nothing here, and modes that do not exist here.
fn harmless(root: &Object<'_>) {
    root.warn("bootstrapNode", "has no effect: every node answers party info, and none is needed to find the others");
    root.warn("type", "has no meaning");
    root.warn("version", "has no meaning");
    match root.text("mode").as_deref().map(str::to_ascii_lowercase).as_deref() {
        None | Some("tessera" | "") => {}
        Some("orion") => {
            root.refuse("mode", "orion mode (Besu) is not offered: Besu itself removed it; GoQuorum needs mode \"tessera\"");
        }
        Some(_) => root.invalid("mode", "expected \"tessera\""),
    }
    if let Some(encryptor) = root.object("encryptor") {
        match encryptor.text("type").as_deref().map(str::to_ascii_uppercase).as_deref() {
            None | Some("NACL") => encryptor.warn("properties", "has no effect on the NACL encryptor"),
            Some(_) => {
                encryptor.refuse("type", "only NACL is offered: every member of a network has the same encryptor, so this network needs new NACL keys first");
                encryptor.get("properties");
            }
        }
        encryptor.finish();
    }
}

fn features(root: &Object<'_>, config: &mut Config) {
    let Some(features) = root.object("features") else { return };
    config.peers.validate_keys = features.flag("enableRemoteKeyValidation").unwrap_or(false);
    config.features.privacy_enhancements = features.flag("enablePrivacyEnhancements").unwrap_or(false);
    config.features.multiple_private_states = features.flag("enableMultiplePrivateStates").unwrap_or(false);
    features.finish();
}

fn peer(peer: &Object<'_>) -> Option<crate::types::PeerUrl> {
    let url = peer.require("url", "expected the peer's URL").and_then(|node| node.parse("expected an http:// or https:// URL"));
    peer.finish();
    url
}

/// A key; in Tessera before 0.8, the path of a file with keys.
fn always_send_to(node: &object::Node<'_>) -> Vec<Address> {
    let Some(text) = node.text().filter(|text| !text.is_empty()) else { return Vec::new() };
    let error = match text.parse() {
        Ok(address) => return vec![address],
        Err(error) => error,
    };
    let Ok(content) = std::fs::read_to_string(&text) else {
        node.invalid(format!("expected a public key, 32 bytes in base64 ({error}), or a file with such keys"));
        return Vec::new();
    };
    let lines = content.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.filter_map(|line| node.keep(line.parse(), "names a file with a line that is not a public key")).collect()
}

fn resident_group(group: &Object<'_>) -> Option<ResidentGroup> {
    let name = group.require("name", "expected the group's name").and_then(|node| node.text());
    let members =
        group.list("members").iter().filter_map(|node| node.parse("expected a public key, 32 bytes in base64")).collect();
    let description = group.text("description").unwrap_or_default();
    group.finish();
    Some(ResidentGroup { name: name?, description, members })
}

/// `celosia.*`: what Tessera's format has no word for.
fn extras(ours: &Object<'_>, servers: &mut Servers, config: &mut Config) {
    ours.get("dataDir");
    if let Some(address) = ours.get("adminAddress").and_then(|node| node.parse_with(super::Endpoint::EXPECTED)) {
        servers.listeners.push((super::Server::new(Surface::Admin, address), ours.field("adminAddress")));
    }
    let mode = ours.get("socketMode").and_then(|node| node.parse_with("expected permission bits in octal, such as \"0600\""));
    let owner: Option<super::SocketOwner> = ours.get("socketOwner").and_then(|node| node.parse_with("expected \"user:group\""));
    for (server, _) in servers.listeners.iter_mut().filter(|(server, _)| server.address.socket().is_some()) {
        server.socket_mode = mode;
        server.socket_owner.clone_from(&owner);
    }
    if let Some(socket) = ours.path("enclaveSocket") {
        servers.enclave_socket = Some(socket);
    }
    match ours.text("logFormat").as_deref() {
        None | Some("text") => {}
        Some("json") => config.log.format = LogFormat::Json,
        Some(_) => ours.invalid("logFormat", "expected \"text\" or \"json\""),
    }
    if let Some(level) = ours.text("logLevel") {
        config.log.level = level;
    }
    if let Some(node) = ours.get("maxBody") {
        let size = node.text().and_then(|text| units::size::parse(&text));
        config.limits.max_body = node.keep(size.ok_or(()), units::size::EXPECTED).unwrap_or(config.limits.max_body);
    }
    if let Some(node) = ours.get("rootRotateEvery") {
        let every = node.text().and_then(|text| units::duration::parse(&text));
        config.root.rotate_every = node.keep(every.ok_or(()), units::duration::EXPECTED).unwrap_or(config.root.rotate_every);
    }
    ours.finish();
}

/// A folder named after a file: `/a/db` gives `/a/db.celosia`.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".celosia");
    name.into()
}

/// Adds a remark of a kind that [`Object`] has no verb for.
fn remark(reports: &Reports, kind: Kind, field: FieldPath, text: impl Into<String>) {
    reports.borrow_mut().add(kind, field, text);
}
