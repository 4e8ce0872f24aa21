//! People by client certificate, and both kinds of credential on one listener.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use celosia::net::client::{Answer, Client};
use celosia::net::tls::{ClientTls, Identity, TlsSettings, Trust};
use data_encoding::HEXLOWER;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer as Authority, KeyPair, PublicKeyData as _, date_time_ymd};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::issuer::Issuer;
use crate::node::{Node, celosia, err, out};
use crate::people::people;

/// A certificate and its key, as files, with both its fingerprints.
struct Card {
    certificate: PathBuf,
    key: PathBuf,
    der: String,
    spki: String,
}

struct Office {
    folder: PathBuf,
    authority: Authority<'static, KeyPair>,
}

fn sha256(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, bytes).as_ref())
}

impl Office {
    fn new(folder: &Path) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "office");
        fs::write(folder.join("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        Self { folder: folder.to_owned(), authority: Authority::new(params, key) }
    }

    fn issue(&self, name: &str, key: &KeyPair, is_old: bool) -> Card {
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        if is_old {
            (params.not_before, params.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
        }
        let made = params.signed_by(key, &self.authority).unwrap();
        let card = Card {
            certificate: self.folder.join(format!("{name}.pem")),
            key: self.folder.join(format!("{name}.key")),
            der: sha256(made.der()),
            spki: sha256(&key.subject_public_key_info()),
        };
        fs::write(&card.certificate, made.pem()).unwrap();
        fs::write(&card.key, key.serialize_pem()).unwrap();
        card
    }

    fn card(&self, name: &str) -> Card {
        self.issue(name, &KeyPair::generate().unwrap(), false)
    }
}

/// `[server.tls]` of the admin listener.
fn tls(folder: &Path, mode: &str) -> String {
    let at = folder.display();
    format!(
        "[server.tls]\ncert = \"{at}/server.pem\"\nkey = \"{at}/server.key\"\nca = [\"{at}/ca.pem\"]\ntrust-mode = \"{mode}\""
    )
}

fn entry(name: &str, roles: &str, fingerprint: &str) -> String {
    format!("[[access.certificate]]\nname = \"{name}\"\nroles = [{roles}]\nfingerprint = \"{fingerprint}\"\n")
}

/// A call with a certificate, a token, both or neither.
fn call(node: &Node, card: Option<&Card>, token: Option<&str>, path: &str, body: Option<&Value>) -> Result<Answer, String> {
    let identity = card.map(|card| Identity { certificate: card.certificate.clone(), key: card.key.clone(), generate_for: None });
    let roots = vec![node.folder.path().join("ca.pem")];
    let tls = ClientTls::load(TlsSettings { identity, trust: Trust::Ca, roots, ..TlsSettings::default() }).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = Client::new(&node.admin_url().parse().unwrap(), Some(Arc::clone(&tls)), Duration::from_secs(10));
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(bearer.as_deref().map(|bearer| ("authorization", bearer)));
    let (method, body) = body.map_or(("GET", String::new()), |body| ("POST", body.to_string()));
    let sent = client.request(method.parse().unwrap(), path, &headers, body.into());
    runtime.block_on(sent).map_err(|error| error.to_string())
}

fn seen(answer: Result<Answer, String>) -> (u16, String) {
    let answer = answer.unwrap();
    let code = answer.headers.get("celosia-error").map_or("none", |code| code.to_str().unwrap()).to_owned();
    (answer.status.as_u16(), code)
}

#[test]
fn a_certificate_gives_its_roles_and_no_other_does() {
    let folder = tempfile::tempdir().unwrap();
    let office = Office::new(folder.path());
    office.card("server");
    let (ana, bea, eve) = (office.card("ana"), office.card("bea"), office.card("eve"));
    let old = office.issue("old", &KeyPair::generate().unwrap(), true);
    let access = [
        "[access]\n".to_owned(),
        entry("ana", "\"dpo\"", &ana.der),
        entry("bea", "\"operator\", \"observer\"", &bea.spki),
        entry("old", "\"operator\"", &old.der),
    ];
    let server = tls(folder.path(), "none");
    let node = Node::start_in(folder, &access.concat(), &server);
    assert_eq!(seen(call(&node, Some(&ana), None, "/status", None)), (200, "none".to_owned()));
    assert_eq!(seen(call(&node, Some(&bea), None, "/status", None)), (200, "none".to_owned()));
    assert_eq!(seen(call(&node, Some(&eve), None, "/status", None)), (401, "CEL2302".to_owned()));
    assert_eq!(seen(call(&node, Some(&old), None, "/status", None)), (401, "CEL2303".to_owned()));
    assert_eq!(seen(call(&node, None, None, "/status", None)), (401, "CEL2301".to_owned()));
    assert_eq!(seen(call(&node, None, None, "/ready", None)), (200, "none".to_owned()));
    let challenge = call(&node, None, None, "/status", None).unwrap().headers["www-authenticate"].clone();
    assert_eq!(challenge, "TLS-Client-Certificate realm=\"celosia\"");
    // A failure is counted, yet a good certificate of the same address never waits.
    for _ in 0..10 {
        seen(call(&node, Some(&eve), None, "/status", None));
    }
    assert_eq!(seen(call(&node, Some(&eve), None, "/status", None)), (429, "CEL2316".to_owned()));
    assert_eq!(seen(call(&node, Some(&ana), None, "/status", None)), (200, "none".to_owned()));
}

#[test]
fn a_renewed_certificate_of_one_key_is_one_person() {
    let folder = tempfile::tempdir().unwrap();
    let office = Office::new(folder.path());
    office.card("server");
    let key = KeyPair::generate().unwrap();
    let (first, second) = (office.issue("ana", &key, false), office.issue("ana-renewed", &key, false));
    assert_ne!(first.der, second.der);
    // Two names for one key: a mistake of the operator, and still one credential.
    let access = ["[access]\n".to_owned(), entry("ana", "\"dpo\"", &first.der), entry("anna", "\"dpo\"", &second.der)];
    let server = tls(folder.path(), "ca");
    let node = Node::start_in(folder, &access.concat(), &server);
    let id = node.payload();
    let erasure = json!({ "act": "erase", "arguments": { "id": id }, "reason": "x" });
    let asked = call(&node, Some(&first), None, "/acts", Some(&erasure)).unwrap();
    let act = serde_json::from_slice::<Value>(&asked.body).unwrap()["id"].as_str().unwrap().to_owned();
    let path = format!("/acts/{act}/approve");
    assert_eq!(seen(call(&node, Some(&second), None, &path, Some(&json!({})))), (403, "CEL2321".to_owned()));
    assert_eq!(node.look_up(&id), 200);
    // Without a certificate, nobody gets through this listener's handshake.
    assert!(call(&node, None, None, "/ready", None).is_err());
}

#[test]
fn certificates_and_tokens_work_together_on_one_listener() {
    let Some(mut issuer) = Issuer::start(&people()) else { return };
    let folder = tempfile::tempdir().unwrap();
    let office = Office::new(folder.path());
    office.card("server");
    let (bea, eve) = (office.card("bea"), office.card("eve"));
    let oidc = format!("[access.oidc]\nissuer = \"{}\"\naudience = \"member1\"\nname-claim = \"name\"\n", issuer.url());
    let access = ["[access]\n".to_owned(), entry("Bea Ruiz", "\"operator\"", &bea.der), oidc].concat();
    let server = tls(folder.path(), "none");
    let node = Node::start_in(folder, &access, &server);
    let token = issuer.token("ana", "member1", "ES256");
    let id = node.payload();
    let erasure = json!({ "act": "erase", "arguments": { "id": id }, "reason": "x" });
    let asked = call(&node, None, Some(&token), "/acts", Some(&erasure)).unwrap();
    assert_eq!(asked.status.as_u16(), 202);
    let act = serde_json::from_slice::<Value>(&asked.body).unwrap()["id"].as_str().unwrap().to_owned();
    // A bad token is not made good by a good certificate.
    let bad = issuer.forge("stranger", &issuer.claims("bea"), &json!({}));
    assert_eq!(seen(call(&node, Some(&bea), Some(&bad), "/status", None)), (401, "CEL2308".to_owned()));
    // A token bound to a certificate counts with that one only (RFC 8705).
    let mut bound = issuer.claims("oto");
    bound["name"] = json!("Oto");
    let thumbprint = data_encoding::BASE64URL_NOPAD.encode(&HEXLOWER.decode(eve.der.as_bytes()).unwrap());
    bound["cnf"] = json!({ "x5t#S256": thumbprint });
    let bound = issuer.forge("issuer", &bound, &json!({}));
    assert_eq!(seen(call(&node, Some(&eve), Some(&bound), "/status", None)), (200, "none".to_owned()));
    assert_eq!(seen(call(&node, Some(&bea), Some(&bound), "/status", None)), (401, "CEL2313".to_owned()));
    assert_eq!(seen(call(&node, None, Some(&bound), "/status", None)), (401, "CEL2313".to_owned()));
    // By the command line, with the certificate.
    let path = |file: &Path| file.to_str().unwrap().to_owned();
    let (certificate, key, ca) = (path(&bea.certificate), path(&bea.key), path(&node.folder.path().join("ca.pem")));
    let url = node.admin_url();
    let login = ["--admin", &url, "--cert", &certificate, "--key", &key, "--ca", &ca];
    let status = celosia(&[&["status"][..], &login].concat());
    assert!(status.status.success(), "{}", err(&status));
    let approved = celosia(&[&["acts", "approve", &act][..], &login].concat());
    assert_eq!(out(&approved), "done", "{}", err(&approved));
    assert_eq!(node.look_up(&id), 404);
    // The node's own configuration names the certificate to believe.
    let config = path(&node.folder.path().join("celosia.toml"));
    let health = celosia(&["health", "--config", &config]);
    assert!(health.status.success(), "{}", err(&health));
}

/// A configuration that would let in nobody, or the wrong one, does not start.
#[test]
fn a_wrong_access_stops_the_start() {
    let folder = TempDir::new().unwrap();
    let hash = "00".repeat(32);
    let one = entry("ana", "\"operator\"", &hash);
    let oidc = |line: &str| format!("[access.oidc]\naudience = \"a\"\n{line}\n");
    let issuer = "issuer = \"https://issuer.example\"";
    let plain = "[[server]]\nsurface = \"admin\"\naddress = \"http://0.0.0.0:9090/\"\n";
    for (access, expected) in [
        ("[access]\n".to_owned(), "CEL1006"),
        (format!("[access]\n{one}"), "asks for client certificates"),
        (format!("[access]\n{}", entry("", "\"operator\"", &hash)), "CEL1005"),
        (format!("[access]\n{}", entry("ana", "", &hash)), "at least one role"),
        (format!("[access]\n{}", entry("ana", "\"root\"", &hash)), "unknown variant `root`"),
        (format!("[access]\n{}", entry("ana", "\"operator\"", "abcd")), "64 digits"),
        (format!("[access]\n{one}{}", entry("bea", "\"operator\"", &hash)), "another entry has this fingerprint"),
        (format!("[access]\nsecond-person-within = \"0s\"\n{one}"), "at least 1s"),
        (format!("[access]\nfailed-logins = 0\n{one}"), "more than 0"),
        (format!("[access]\nfailed = 0\n{one}"), "CEL1004"),
        (oidc("issuer = \"http://issuer.example\""), "expected an https:// URL"),
        (oidc("issuer = \"https://issuer.example/?a=b\""), "expected an https:// URL"),
        (oidc(&format!("{issuer}\nclock-skew = \"1h\"")), "at most 10m"),
        (oidc(&format!("{issuer}\n[access.oidc.roles]\nx = \"cook\"")), "unknown variant `cook`"),
        (oidc(issuer) + plain, "in the clear"),
    ] {
        let admin =
            if access.contains(plain) { "" } else { "[[server]]\nsurface = \"admin\"\naddress = \"http://127.0.0.1:9090/\"\n" };
        let text = format!(
            "data-dir = \"d\"\n{access}\n[[server]]\nsurface = \"peer\"\naddress = \"http://127.0.0.1:9001/\"\n{admin}\
             [[keys]]\nprivate-key-file = \"k\"\n"
        );
        let file = folder.path().join("c.toml");
        fs::write(&file, text).unwrap();
        let said = celosia(&["config", "check", file.to_str().unwrap()]);
        assert!(!said.status.success() && err(&said).contains(expected), "{access}: {}", err(&said));
    }
}
