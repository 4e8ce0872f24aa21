//! The files that a configuration names: there and readable before anything starts.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::report::{Kind, Report};
use super::{Config, FieldPath, TrustMode};

/// Checks every file that must exist.
pub(super) fn check(config: &Config, report: &mut Report) {
    let is_held_elsewhere = config.enclave.socket.is_some() && !config.servers.is_empty();
    for (index, key) in config.keys.iter().enumerate().filter(|_| !is_held_elsewhere) {
        let place = FieldPath::default().key("keys").index(index);
        // The mode of private key files is looked at where they are read.
        readable(key.private_key_file.as_deref(), &place.key("private-key-file"), report);
        readable(key.public_key_file.as_deref(), &place.key("public-key-file"), report);
        secret(key.password_file.as_deref(), &place.key("password-file"), report);
    }
    for (index, server) in config.servers.iter().enumerate() {
        let place = FieldPath::default().key("server").index(index).key("tls");
        if let Some(tls) = &server.tls {
            pair(Some(&tls.cert), Some(&tls.key), tls.generate_if_missing, &place, report);
            tls.ca.iter().enumerate().for_each(|(index, ca)| readable(Some(ca), &place.key("ca").index(index), report));
            whitelist(tls.trust_mode, tls.known_file.as_deref(), &place, report);
        }
    }
    for (index, webhook) in config.webhooks.iter().enumerate() {
        let place = FieldPath::default().key("webhook").index(index).key("ca");
        webhook.ca.iter().enumerate().for_each(|(index, ca)| readable(Some(ca), &place.index(index), report));
    }
    if let Some(governance) = &config.governance {
        let place = FieldPath::default().key("governance");
        pair(Some(&governance.cert), Some(&governance.key), false, &place, report);
        let keys = governance.signing_key_file.as_deref().filter(|_| !is_held_elsewhere);
        secret(keys, &place.key("signing-key-file"), report);
        secret(governance.signing_password_file.as_deref(), &place.key("signing-password-file"), report);
    }
    if !is_held_elsewhere {
        root(config, report);
    }
    if let Some(oidc) = config.access.as_ref().and_then(|access| access.oidc.as_ref()) {
        let place = FieldPath::default().key("access").key("oidc").key("ca");
        oidc.ca.iter().enumerate().for_each(|(index, ca)| readable(Some(ca), &place.index(index), report));
        if oidc.issuer.is_tls() && oidc.authorities().is_empty() {
            report.add(Kind::Missing, place, "this system has no list of authorities: name those of the issuer (PEM files)");
        }
    }
    if let Some(tls) = &config.peers.tls {
        let place = FieldPath::default().key("peers").key("tls");
        pair(tls.cert.as_deref(), tls.key.as_deref(), tls.generate_if_missing, &place, report);
        tls.ca.iter().enumerate().for_each(|(index, ca)| readable(Some(ca), &place.key("ca").index(index), report));
        whitelist(tls.trust_mode, tls.known_file.as_deref(), &place, report);
    }
}

/// What the root of the key trees is reached with.
fn root(config: &Config, report: &mut Report) {
    let place = FieldPath::default().key("root");
    if let Some(vault) = &config.root.vault {
        let place = place.key("vault");
        secret(vault.token_file.as_deref(), &place.key("token-file"), report);
        vault.ca.iter().enumerate().for_each(|(index, ca)| readable(Some(ca), &place.key("ca").index(index), report));
        if vault.url.0.scheme() == "https" && vault.authorities().is_empty() {
            report.add(
                Kind::Missing,
                place.key("ca"),
                "this system has no list of authorities: name those of the server (PEM files)",
            );
        }
    }
    if let Some(pkcs11) = &config.root.pkcs11 {
        let place = place.key("pkcs11");
        readable(Some(&pkcs11.module), &place.key("module"), report);
        secret(pkcs11.pin_file.as_deref(), &place.key("pin-file"), report);
    }
}

/// A certificate and its key: both there, or both missing and to be made.
fn pair(cert: Option<&Path>, key: Option<&Path>, generate: bool, place: &FieldPath, report: &mut Report) {
    let is_missing = |path: Option<&Path>| path.is_some_and(|path| !path.exists());
    if generate && is_missing(cert) && is_missing(key) {
        return;
    }
    readable(cert, &place.key("cert"), report);
    secret(key, &place.key("key"), report);
}

/// Known certificates are learned in other modes, but in this one they are all there is.
fn whitelist(mode: TrustMode, known_file: Option<&Path>, place: &FieldPath, report: &mut Report) {
    if mode == TrustMode::Whitelist {
        readable(known_file, &place.key("known-file"), report);
    }
}

fn readable(path: Option<&Path>, place: &FieldPath, report: &mut Report) {
    if let Some(path) = path
        && let Some(reason) = unreadable(path)
    {
        report.add(Kind::File, place.clone(), format!("{} cannot be read: {reason}", path.display()));
    }
}

fn unreadable(path: &Path) -> Option<String> {
    match File::open(path).and_then(|file| file.metadata()) {
        Ok(metadata) if metadata.is_dir() => Some("it is a folder".to_owned()),
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    }
}

/// A file that nobody else should be able to read.
fn secret(path: Option<&Path>, place: &FieldPath, report: &mut Report) {
    readable(path, place, report);
    let mode = path.and_then(|path| path.metadata().ok()).map_or(0, |metadata| metadata.permissions().mode());
    if let Some(path) = path.filter(|_| mode & 0o077 != 0) {
        let text = format!("{0} can be read by others (mode {1:04o}): chmod 600 {0}", path.display(), mode & 0o777);
        report.add(Kind::Warning, place.clone(), text);
    }
}
