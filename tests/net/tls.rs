//! Every trust mode on both sides: what it must accept, and what it must refuse.

mod certificates;
mod reload;

use std::fs;
use std::path::Path;

use celosia::net::client::{Client, Target};
use celosia::net::tls::{ClientTls, Fingerprint, Identity, ServerTls, TlsError, TlsSettings, Trust, generate};
use celosia::net::{Limits, Shutdown};

use crate::support::{PATIENCE, Raw, router, tls};
use certificates::{Authority, Files, self_signed};

/// One request over a fresh connection; the error text if it fails.
async fn call(server: TlsSettings, client: TlsSettings) -> Result<(), String> {
    let shutdown = Shutdown::new();
    let server = ServerTls::load(server).unwrap();
    let address = tls(router(), Limits::open(), &shutdown, Some(server)).await;
    call_at(&format!("https://localhost:{}", address.port()), client).await
}

async fn call_at(url: &str, client: TlsSettings) -> Result<(), String> {
    let client = Client::new(&url.parse::<Target>().unwrap(), Some(ClientTls::load(client).unwrap()), PATIENCE);
    let answer = client.get("/upcheck").await.map_err(|error| error.to_string())?;
    assert_eq!(&answer.body[..], b"I'm up!");
    Ok(())
}

fn with(identity: Option<&Files>, trust: Trust) -> TlsSettings {
    TlsSettings { identity: identity.map(Files::identity), trust, client_auth: true, ..TlsSettings::default() }
}

fn chained(identity: Option<&Files>, trust: Trust, authority: &Authority) -> TlsSettings {
    TlsSettings { roots: vec![authority.path.clone()], ..with(identity, trust) }
}

fn pinned(identity: Option<&Files>, trust: Trust, known: &Path) -> TlsSettings {
    TlsSettings { known: Some(known.to_owned()), ..with(identity, trust) }
}

fn anyone(identity: Option<&Files>) -> TlsSettings {
    with(identity, Trust::None)
}

#[tokio::test]
async fn ca_accepts_chains_to_its_roots_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let (ours, theirs) = (Authority::new(folder.path(), "ours"), Authority::new(folder.path(), "theirs"));
    let good = ours.issue("good", &["localhost"]);
    let foreign = theirs.issue("foreign", &["localhost"]);
    let expired = ours.issue_expired("expired", &["localhost"]);
    let server = |identity| chained(Some(identity), Trust::Ca, &ours);
    assert_eq!(call(server(&good), chained(Some(&good), Trust::Ca, &ours)).await, Ok(()));
    // On the server's side.
    assert!(call(server(&good), chained(Some(&foreign), Trust::Ca, &ours)).await.is_err());
    assert!(call(server(&good), chained(Some(&expired), Trust::Ca, &ours)).await.is_err());
    assert!(call(server(&good), chained(None, Trust::Ca, &ours)).await.is_err());
    let open = TlsSettings { client_auth: false, ..server(&good) };
    assert_eq!(call(open, chained(None, Trust::Ca, &ours)).await, Ok(()));
    // On the client's side.
    for bad in [&foreign, &expired] {
        assert!(call(anyone(Some(bad)), chained(Some(&good), Trust::Ca, &ours)).await.is_err());
        assert_eq!(call(anyone(Some(bad)), anyone(None)).await, Ok(()), "the control: refused for trust alone");
    }
}

#[tokio::test]
async fn ca_wants_the_name_of_the_host_and_takes_the_common_name_where_there_is_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path(), "ca");
    let client = || chained(None, Trust::Ca, &authority);
    assert!(call(anyone(Some(&authority.issue("localhost", &["other.example"]))), client()).await.is_err());
    assert_eq!(call(anyone(Some(&authority.issue("Localhost", &[]))), client()).await, Ok(()));
    assert!(call(anyone(Some(&authority.issue("other.example", &[]))), client()).await.is_err());
}

#[tokio::test]
async fn a_self_signed_certificate_among_the_roots_is_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let (own, other) = (self_signed(folder.path(), "localhost", "own"), self_signed(folder.path(), "localhost", "other"));
    let roots = |identity, root: &Files| TlsSettings { roots: vec![root.certificate.clone()], ..with(identity, Trust::Ca) };
    assert_eq!(call(roots(Some(&own), &own), roots(Some(&own), &own)).await, Ok(()));
    assert!(call(roots(Some(&own), &own), roots(Some(&other), &own)).await.is_err());
    assert!(call(roots(Some(&other), &own), roots(Some(&own), &own)).await.is_err());
}

#[tokio::test]
async fn tofu_writes_the_first_certificate_down_and_refuses_another_of_that_name() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (self_signed(folder.path(), "peer 1", "first"), self_signed(folder.path(), "peer 1", "second"));
    let third = self_signed(folder.path(), "peer 2", "third");
    let (clients, servers) = (folder.path().join("clients"), folder.path().join("servers"));
    let server = |identity| pinned(Some(identity), Trust::Tofu, &clients);
    let client = |identity| pinned(Some(identity), Trust::Tofu, &servers);
    for _ in 0..2 {
        assert_eq!(call(server(&first), client(&first)).await, Ok(()));
    }
    let line = format!("peer 1 {}\n", Fingerprint::sha1(&first.der()));
    assert_eq!(fs::read_to_string(&clients).unwrap(), line);
    assert_eq!(fs::read_to_string(&servers).unwrap(), line);
    assert!(call(server(&first), client(&second)).await.is_err());
    assert!(call(server(&second), client(&first)).await.is_err());
    assert!(call(server(&first), anyone(None)).await.is_err(), "a client must have a certificate");
    assert_eq!(call(server(&first), client(&third)).await, Ok(()));
    assert_eq!(fs::read_to_string(&clients).unwrap(), line + &format!("peer 2 {}\n", Fingerprint::sha1(&third.der())));
}

#[tokio::test]
async fn a_whitelist_accepts_what_is_on_it_and_follows_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let (listed, other) = (self_signed(folder.path(), "listed", "a"), self_signed(folder.path(), "other", "b"));
    let known = folder.path().join("known");
    fs::write(&known, format!("listed {}\n", Fingerprint::sha1(&listed.der()))).unwrap();
    let settings = |identity| pinned(Some(identity), Trust::Whitelist, &known);
    assert_eq!(call(settings(&listed), settings(&listed)).await, Ok(()));
    assert!(call(settings(&listed), settings(&other)).await.is_err());
    assert!(call(settings(&other), settings(&listed)).await.is_err());

    let shutdown = Shutdown::new();
    let server = ServerTls::load(settings(&listed)).unwrap();
    let url = format!("https://localhost:{}", tls(router(), Limits::open(), &shutdown, Some(server)).await.port());
    assert!(call_at(&url, settings(&other)).await.is_err());
    let both = fs::read_to_string(&known).unwrap() + &format!("other {}\n", Fingerprint::sha256(&other.der()));
    fs::write(&known, both).unwrap();
    assert_eq!(call_at(&url, settings(&other)).await, Ok(()));
    fs::write(&known, format!("listed {}\n", Fingerprint::sha1(&listed.der()))).unwrap();
    assert!(call_at(&url, settings(&other)).await.is_err());
}

#[tokio::test]
async fn ca_or_tofu_writes_down_only_what_does_not_chain() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new(folder.path(), "ca");
    let (issued, own) = (authority.issue("node", &["localhost"]), self_signed(folder.path(), "own", "own"));
    let (clients, servers) = (folder.path().join("clients"), folder.path().join("servers"));
    let settings = |identity, known: &Path| TlsSettings {
        known: Some(known.to_owned()),
        ..chained(Some(identity), Trust::CaOrTofu, &authority)
    };
    assert_eq!(call(settings(&issued, &clients), settings(&issued, &servers)).await, Ok(()));
    assert_eq!(fs::read_to_string(&clients).unwrap() + &fs::read_to_string(&servers).unwrap(), "");
    assert_eq!(call(settings(&own, &clients), settings(&own, &servers)).await, Ok(()));
    assert_eq!(fs::read_to_string(&clients).unwrap(), format!("own {}\n", Fingerprint::sha1(&own.der())));
    let impostor = self_signed(folder.path(), "own", "impostor");
    assert!(call(settings(&issued, &clients), settings(&impostor, &servers)).await.is_err());
}

#[tokio::test]
async fn none_takes_anybody() {
    let folder = tempfile::tempdir().unwrap();
    let own = self_signed(folder.path(), "elsewhere.example", "own");
    assert_eq!(call(anyone(Some(&own)), anyone(None)).await, Ok(()));
    assert_eq!(call(anyone(Some(&own)), anyone(Some(&own))).await, Ok(()));
}

#[tokio::test]
async fn a_name_with_a_line_break_is_not_written_down() {
    let folder = tempfile::tempdir().unwrap();
    let own = self_signed(folder.path(), "own", "own");
    let evil = self_signed(folder.path(), "evil\nroot 00", "evil");
    let known = folder.path().join("known");
    assert!(call(pinned(Some(&own), Trust::Tofu, &known), anyone(Some(&evil))).await.is_err());
    assert_eq!(fs::read_to_string(&known).unwrap(), "");
}

#[tokio::test]
async fn excluded_suites_are_not_offered() {
    let folder = tempfile::tempdir().unwrap();
    let own = self_signed(folder.path(), "own", "own");
    let without = |identity, pattern: &str| TlsSettings { excluded_ciphers: vec![pattern.to_owned()], ..anyone(identity) };
    assert_eq!(call(without(Some(&own), "^TLS_(AES|CHACHA20)_.*$"), anyone(None)).await, Ok(()));
    assert!(call(without(Some(&own), "^TLS_(AES|CHACHA20)_.*$"), without(None, "^TLS_ECDHE_.*$")).await.is_err());
}

#[tokio::test]
async fn plain_http_on_a_tls_port_is_closed_and_harms_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let own = self_signed(folder.path(), "own", "own");
    let shutdown = Shutdown::new();
    let address = tls(router(), Limits::open(), &shutdown, Some(ServerTls::load(anyone(Some(&own))).unwrap())).await;
    let mut plain = Raw::to(address).await;
    plain.write("GET /upcheck HTTP/1.1\r\nHost: c\r\n\r\n").await;
    let mut silent = Raw::to(address).await;
    silent.write("\x16").await;
    let mut bytes = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut plain.0, &mut bytes).await;
    assert!(!bytes.starts_with(b"HTTP"));
    assert_eq!(call_at(&format!("https://localhost:{}", address.port()), anyone(None)).await, Ok(()));
}

#[test]
fn a_generated_pair_is_private_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let identity = Identity {
        certificate: folder.path().join("c.pem"),
        key: folder.path().join("k.pem"),
        generate_for: Some("node-1.example".to_owned()),
    };
    let load = || ServerTls::load(TlsSettings { identity: Some(identity.clone()), ..TlsSettings::default() });
    load().unwrap();
    assert_eq!(fs::metadata(&identity.key).unwrap().permissions().mode() & 0o777, 0o600);
    let made = fs::read(&identity.certificate).unwrap();
    load().unwrap();
    assert_eq!(fs::read(&identity.certificate).unwrap(), made);
    assert!(matches!(generate("h", &identity.certificate, &identity.key), Err(TlsError::File { .. })));
    fs::remove_file(&identity.key).unwrap();
    assert!(matches!(load(), Err(TlsError::HalfIdentity(path)) if path == identity.certificate));
}

#[test]
fn what_is_missing_or_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (self_signed(folder.path(), "a", "a"), self_signed(folder.path(), "b", "b"));
    assert!(matches!(ServerTls::load(with(None, Trust::None)), Err(TlsError::NoIdentity)));
    assert!(matches!(ClientTls::load(with(None, Trust::Ca)), Err(TlsError::NoRoots)));
    for trust in [Trust::Tofu, Trust::Whitelist] {
        assert!(matches!(ClientTls::load(with(None, trust)), Err(TlsError::NoKnownFile)));
    }
    let crossed = Files { certificate: a.certificate.clone(), key: b.key };
    assert!(matches!(ServerTls::load(with(Some(&crossed), Trust::None)), Err(TlsError::Identity { .. })));
    let swapped = Files { certificate: a.key.clone(), key: a.certificate };
    assert!(matches!(ServerTls::load(with(Some(&swapped), Trust::None)), Err(TlsError::Pem { what: "certificate", .. })));
    let gone = Files { certificate: folder.path().join("none"), key: a.key };
    assert!(matches!(ServerTls::load(with(Some(&gone), Trust::None)), Err(TlsError::File { .. })));
}
