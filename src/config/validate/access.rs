//! Rules of `[access]`.

use std::time::Duration;

use super::root;
use crate::config::report::{Kind, Report};
use crate::config::{AccessTable, Config, Listen, Server, Surface};

/// Threat: an `[access]` that lets in nobody, or that lets in somebody whom nobody meant.
pub(super) fn check(config: &Config, report: &mut Report) {
    let Some(access) = &config.access else { return };
    let place = root("access");
    if access.certificates.is_empty() && access.oidc.is_none() {
        let text = "nobody could log in: add [[access.certificate]] or [access.oidc], or remove the table";
        report.add(Kind::Missing, place.clone(), text);
    }
    if config.servers_of(Surface::Admin).next().is_none() {
        report.add(Kind::Missing, place.clone(), "there is no listener of the admin surface that it could be for");
    }
    if access.second_person_within < Duration::from_secs(1) {
        report.add(Kind::Invalid, place.key("second-person-within"), "expected at least 1s");
    }
    if access.failed_logins == 0 {
        report.add(Kind::Invalid, place.key("failed-logins"), "expected more than 0");
    }
    certificates(config, access, report);
    tokens(config, access, report);
}

fn certificates(config: &Config, access: &AccessTable, report: &mut Report) {
    let place = root("access").key("certificate");
    for (index, entry) in access.certificates.iter().enumerate() {
        let place = place.index(index);
        if !is_name(&entry.name) {
            report.add(Kind::Invalid, place.key("name"), "expected a name in one line, at most 128 bytes");
        }
        if entry.roles.is_empty() {
            report.add(Kind::Invalid, place.key("roles"), "expected at least one role");
        }
        if access.certificates[..index].iter().any(|other| other.fingerprint == entry.fingerprint) {
            report.add(
                Kind::Conflict,
                place.key("fingerprint"),
                "another entry has this fingerprint: one certificate is one person's",
            );
        }
    }
    let asks = |server: &Server| server.tls.as_ref().is_some_and(|tls| tls.client_auth);
    if !access.certificates.is_empty() && !config.servers_of(Surface::Admin).any(asks) {
        let text = "no listener of the admin surface asks for client certificates: give it [server.tls] with client-auth";
        report.add(Kind::Missing, place, text);
    }
}

fn tokens(config: &Config, access: &AccessTable, report: &mut Report) {
    let Some(oidc) = &access.oidc else { return };
    let place = root("access").key("oidc");
    for (name, value) in [("audience", &oidc.audience), ("role-claim", &oidc.role_claim), ("name-claim", &oidc.name_claim)] {
        if value.is_empty() {
            report.add(Kind::Invalid, place.key(name), "expected a text, found an empty string");
        }
    }
    if oidc.clock_skew > Duration::from_mins(10) {
        report.add(Kind::Invalid, place.key("clock-skew"), "expected at most 10m: a token would live on after its end");
    }
    for (index, server) in config.servers.iter().enumerate().filter(|(_, server)| server.surface == Surface::Admin) {
        let is_open = server.tls.is_none() && server.address.url().is_some_and(|url| !url.is_tls());
        if is_open && matches!(server.listen(), Listen::Tcp(place) if !place.is_loopback()) {
            let text = "bearer tokens would cross the network in the clear: give it [server.tls], or an address on loopback";
            report.add(Kind::Conflict, root("server").index(index).key("address"), text);
        }
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= 128 && name.trim() == name && !name.chars().any(char::is_control)
}
