//! `sslConfig`: PEM files are honoured, Java keystores are refused with the lines that convert them.

use std::path::PathBuf;

use super::object::{Node, Object};
use crate::config::report::Kind;
use crate::config::{ClientTls, ServerTls, Surface, TrustMode};

/// The fields of one end, server or client.
struct End {
    name: &'static str,
    keystore: &'static str,
    keystore_password: &'static str,
    key: &'static str,
    cert: &'static str,
    truststore: &'static str,
    truststore_password: &'static str,
    trust_certificates: &'static str,
    trust_mode: &'static str,
    known_file: &'static str,
}

const SERVER: End = End {
    name: "server",
    keystore: "serverKeyStore",
    keystore_password: "serverKeyStorePassword",
    key: "serverTlsKeyPath",
    cert: "serverTlsCertificatePath",
    truststore: "serverTrustStore",
    truststore_password: "serverTrustStorePassword",
    trust_certificates: "serverTrustCertificates",
    trust_mode: "serverTrustMode",
    known_file: "knownClientsFile",
};

const CLIENT: End = End {
    name: "client",
    keystore: "clientKeyStore",
    keystore_password: "clientKeyStorePassword",
    key: "clientTlsKeyPath",
    cert: "clientTlsCertificatePath",
    truststore: "clientTrustStore",
    truststore_password: "clientTrustStorePassword",
    trust_certificates: "clientTrustCertificates",
    trust_mode: "clientTrustMode",
    known_file: "knownServersFile",
};

/// What both ends have in common once read.
struct Identity {
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
    trust_mode: TrustMode,
    ca: Vec<PathBuf>,
    known_file: Option<PathBuf>,
}

/// The TLS to serve and, on the peer surface, the TLS to dial with.
pub(super) fn read(ssl: &Object<'_>, surface: Surface) -> (Option<ServerTls>, Option<ClientTls>) {
    match ssl
        .require("tls", "expected STRICT or OFF")
        .and_then(|node| node.text())
        .as_deref()
        .map(str::to_ascii_uppercase)
        .as_deref()
    {
        Some("STRICT") => {}
        Some("OFF") => {
            known_names(ssl);
            ssl.finish();
            return (None, None);
        }
        Some(_) => {
            ssl.invalid("tls", "expected STRICT or OFF");
            ssl.dismiss();
            return (None, None);
        }
        None => {
            ssl.dismiss();
            return (None, None);
        }
    }
    let generate = ssl.flag("generateKeyStoreIfNotExisted").unwrap_or(false);
    let client_auth = ssl.flag("clientAuth").unwrap_or(true);
    let exclude: Vec<String> = ssl.list("excludeCipherSuites").iter().filter_map(Node::text).collect();
    passwords_of_environment(ssl);
    let (serves, dials) = ends(ssl, surface);
    let listening = if serves { server(ssl, generate, client_auth, &exclude) } else { None };
    let dialling = if dials { client(ssl, generate, exclude) } else { None };
    if !dials {
        unused(ssl, &CLIENT, "only the P2P app calls others");
    }
    if !serves {
        unused(ssl, &SERVER, "sslConfigType is CLIENT_ONLY");
    }
    ssl.finish();
    (listening, dialling)
}

fn ends(ssl: &Object<'_>, surface: Surface) -> (bool, bool) {
    let is_peer = surface == Surface::Peer;
    match ssl.text("sslConfigType").as_deref().map(str::to_ascii_uppercase).as_deref() {
        None | Some("SERVER_AND_CLIENT" | "") => (true, is_peer),
        Some("SERVER_ONLY") => (true, false),
        Some("CLIENT_ONLY") => (false, is_peer),
        Some(_) => {
            ssl.invalid("sslConfigType", "expected SERVER_ONLY, CLIENT_ONLY or SERVER_AND_CLIENT");
            (true, is_peer)
        }
    }
}

fn server(ssl: &Object<'_>, generate: bool, client_auth: bool, exclude: &[String]) -> Option<ServerTls> {
    let identity = identity(ssl, &SERVER, client_auth)?;
    let (Some(cert), Some(key)) = (identity.cert, identity.key) else {
        let text = "a listener with TLS needs serverTlsKeyPath and serverTlsCertificatePath (PEM)";
        ssl.report(Kind::Missing, ssl.place().clone(), text);
        return None;
    };
    let generate_if_missing = generate;
    let Identity { trust_mode, ca, known_file, .. } = identity;
    Some(ServerTls {
        cert,
        key,
        generate_if_missing,
        client_auth,
        trust_mode,
        ca,
        known_file,
        exclude_cipher_suites: exclude.to_vec(),
    })
}

fn client(ssl: &Object<'_>, generate: bool, exclude_cipher_suites: Vec<String>) -> Option<ClientTls> {
    let Identity { cert, key, trust_mode, ca, known_file } = identity(ssl, &CLIENT, true)?;
    let generate_if_missing = generate && cert.is_some();
    Some(ClientTls { cert, key, generate_if_missing, trust_mode, ca, known_file, exclude_cipher_suites })
}

/// `None` if a keystore stands in the way; it is reported.
fn identity(ssl: &Object<'_>, end: &End, checks_others: bool) -> Option<Identity> {
    let is_good = [refuse_keystore(ssl, end), refuse_truststore(ssl, end)];
    let ca: Vec<PathBuf> = ssl.list(end.trust_certificates).iter().filter_map(Node::text).map(PathBuf::from).collect();
    let known_file = ssl.path(end.known_file);
    let (cert, key) = (ssl.path(end.cert), ssl.path(end.key));
    let trust_mode = trust_mode(ssl, end, &ca, checks_others);
    let known_file = known_file.filter(|_| trust_mode.needs_known_file());
    (is_good == [true, true]).then_some(Identity { cert, key, trust_mode, ca, known_file })
}

fn trust_mode(ssl: &Object<'_>, end: &End, ca: &[PathBuf], checks_others: bool) -> TrustMode {
    match ssl.text(end.trust_mode).as_deref().map(str::to_ascii_uppercase).as_deref() {
        Some("CA") => TrustMode::Ca,
        Some("CA_OR_TOFU") => TrustMode::CaOrTofu,
        Some("NONE") => TrustMode::None,
        Some("TOFU") => TrustMode::Tofu,
        Some("WHITELIST") => TrustMode::Whitelist,
        None | Some("") => {
            let (mode, name) = if ca.is_empty() { (TrustMode::Tofu, "TOFU") } else { (TrustMode::Ca, "CA") };
            if checks_others {
                ssl.report(Kind::Warning, ssl.field(end.trust_mode), format!("is not set: {name} is taken"));
            }
            mode
        }
        Some(_) => {
            ssl.invalid(end.trust_mode, "expected NONE, CA, TOFU, CA_OR_TOFU or WHITELIST");
            TrustMode::default()
        }
    }
}

fn refuse_keystore(ssl: &Object<'_>, end: &End) -> bool {
    ssl.get(end.keystore_password);
    let Some(store) = ssl.path(end.keystore) else { return true };
    let (store, name) = (store.display(), end.name);
    ssl.refuse(
        end.keystore,
        format!(
            "Java keystores are not read. Convert it once, then set {key} to {name}.key and {cert} to {name}.pem, and remove {field}: \
             `keytool -importkeystore -srckeystore {store} -destkeystore {name}.p12 -deststoretype PKCS12`; \
             `openssl pkcs12 -in {name}.p12 -nodes -nocerts -out {name}.key`; `openssl pkcs12 -in {name}.p12 -nokeys -out {name}.pem`",
            key = end.key,
            cert = end.cert,
            field = end.keystore,
        ),
    );
    false
}

fn refuse_truststore(ssl: &Object<'_>, end: &End) -> bool {
    ssl.get(end.truststore_password);
    let Some(store) = ssl.path(end.truststore) else { return true };
    let needs = ssl.text(end.trust_mode).is_none_or(|mode| mode.to_ascii_uppercase().starts_with("CA"));
    if !needs {
        ssl.report(
            Kind::Warning,
            ssl.field(end.truststore),
            format!("has no effect: {} does not read authorities", end.trust_mode),
        );
        return true;
    }
    let (store, name) = (store.display(), end.name);
    ssl.refuse(
        end.truststore,
        format!(
            "Java truststores are not read. Convert it once, then set {certs} to [\"{name}-ca.pem\"] and remove {field}: `keytool -list -rfc -keystore {store} > {name}-ca.pem`",
            certs = end.trust_certificates,
            field = end.truststore,
        ),
    );
    false
}

/// Passwords of keystores: nothing has one here.
fn passwords_of_environment(ssl: &Object<'_>) {
    ssl.warn(
        "environmentVariablePrefix",
        "has no effect: the variables of Tessera's that it names hold passwords of Java keystores, which are not read",
    );
}

fn unused(ssl: &Object<'_>, end: &End, why: &str) {
    let names = [end.keystore, end.key, end.cert, end.truststore, end.trust_certificates, end.trust_mode, end.known_file];
    let set: Vec<&str> = names.into_iter().filter(|name| ssl.get(name).is_some()).collect();
    ssl.get(end.keystore_password);
    ssl.get(end.truststore_password);
    if !set.is_empty() {
        ssl.report(Kind::Warning, ssl.place().clone(), format!("without effect: {}; {why}", set.join(", ")));
    }
}

/// Every documented name counts as read: with `tls` OFF none has an effect, in Tessera neither.
fn known_names(ssl: &Object<'_>) {
    let mut names =
        vec!["generateKeyStoreIfNotExisted", "clientAuth", "excludeCipherSuites", "environmentVariablePrefix", "sslConfigType"];
    for end in [SERVER, CLIENT] {
        names.extend([end.keystore, end.keystore_password, end.key, end.cert, end.truststore, end.truststore_password]);
        names.extend([end.trust_certificates, end.trust_mode, end.known_file]);
    }
    for name in names {
        ssl.get(name);
    }
}
