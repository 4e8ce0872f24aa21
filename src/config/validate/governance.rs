//! The native surface and the directory belong together.

use std::time::Duration;

use super::root;
use crate::config::report::{Kind, Report};
use crate::config::{Config, Surface};
use crate::types::PeerUrl;

pub(super) fn check(config: &Config, report: &mut Report) {
    let natives = config.servers_of(Surface::Native).count();
    let Some(table) = &config.governance else {
        if natives > 0 {
            let text = "a listener of the native surface serves members of a directory: add [governance], or remove it";
            report.add(Kind::Missing, root("governance"), text);
        }
        return;
    };
    if table.signing_key_file.is_none() && (config.enclave.socket.is_none() || config.servers.is_empty()) {
        let text = "the node's signing key: `celosia governance member-keygen` makes one";
        report.add(Kind::Missing, root("governance").key("signing-key-file"), text);
    }
    if table.gossip_interval < Duration::from_millis(100) {
        report.add(Kind::Invalid, root("governance").key("gossip-interval"), "expected at least 100ms");
    }
    if !config.servers.is_empty() && natives != 1 {
        let text = "a governed node has exactly one listener of surface \"native\": other members reach it there";
        report.add(if natives == 0 { Kind::Missing } else { Kind::Conflict }, root("server"), text);
    }
    for (index, server) in config.servers.iter().enumerate().filter(|(_, server)| server.surface == Surface::Native) {
        let place = root("server").index(index);
        if !server.address.url().is_some_and(PeerUrl::is_tls) {
            report.add(Kind::Invalid, place.key("address"), "the native surface speaks TLS: expected an https:// URL");
        }
        if server.tls.is_some() {
            report.add(Kind::Conflict, place.key("tls"), "the native surface uses cert and key of [governance]: remove it");
        }
        if server.cors.is_some() {
            report.add(Kind::Conflict, place.key("cors"), "no web page calls the native surface: remove it");
        }
    }
}
