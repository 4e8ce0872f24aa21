use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use celosia::net::tls::{Fingerprint, ServerTls, TlsError, Trust, keep_fresh};
use celosia::net::{Limits, Shutdown};

use super::certificates::{Files, self_signed};
use super::{anyone, call_at, pinned};
use crate::support::{PATIENCE, router, tls};

/// Puts another certificate and key in the place of one.
fn replace(old: &Files, new: &Files) {
    fs::copy(&new.certificate, &old.certificate).unwrap();
    fs::copy(&new.key, &old.key).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_certificate_is_taken_over_under_load() {
    let folder = tempfile::tempdir().unwrap();
    let (own, new) = (self_signed(folder.path(), "node", "own"), self_signed(folder.path(), "node", "new"));
    let shutdown = Shutdown::new();
    let server = ServerTls::load(anyone(Some(&own))).unwrap();
    let address = tls(router(), Limits::open(), &shutdown, Some(Arc::clone(&server))).await;
    let url = format!("https://localhost:{}", address.port());

    let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let load = (0..4).map(|_| {
        let (url, stop, calls) = (url.clone(), Arc::clone(&stop), Arc::clone(&calls));
        tokio::spawn(async move {
            while !stop.load(Ordering::SeqCst) {
                call_at(&url, anyone(None)).await.unwrap();
                calls.fetch_add(1, Ordering::SeqCst);
            }
        })
    });
    let load: Vec<_> = load.collect();
    let more = |than: usize| {
        let calls = Arc::clone(&calls);
        async move {
            while calls.load(Ordering::SeqCst) <= than {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    more(8).await;
    replace(&own, &new);
    assert!(server.refresh().unwrap());
    more(calls.load(Ordering::SeqCst) + 8).await;
    stop.store(true, Ordering::SeqCst);
    for task in load {
        task.await.unwrap();
    }

    let known = folder.path().join("known");
    fs::write(&known, format!("node {}\n", Fingerprint::sha1(&new.der()))).unwrap();
    assert_eq!(call_at(&url, pinned(None, Trust::Whitelist, &known)).await, Ok(()));
}

#[tokio::test]
async fn a_broken_new_file_keeps_the_old_certificate() {
    let folder = tempfile::tempdir().unwrap();
    let own = self_signed(folder.path(), "node", "own");
    let good = fs::read(&own.certificate).unwrap();
    let shutdown = Shutdown::new();
    let server = ServerTls::load(anyone(Some(&own))).unwrap();
    let url = format!("https://localhost:{}", tls(router(), Limits::open(), &shutdown, Some(Arc::clone(&server))).await.port());
    assert!(!server.refresh().unwrap());
    fs::write(&own.certificate, "-----BEGIN CERTIFICATE-----\nbroken").unwrap();
    assert!(matches!(server.refresh(), Err(TlsError::Pem { .. })));
    assert!(!server.refresh().unwrap(), "told once for each change");
    assert_eq!(call_at(&url, anyone(None)).await, Ok(()));
    fs::write(&own.certificate, good).unwrap();
    assert!(server.refresh().unwrap());
    assert_eq!(call_at(&url, anyone(None)).await, Ok(()));
}

#[tokio::test]
async fn files_are_looked_at_without_being_told() {
    let folder = tempfile::tempdir().unwrap();
    let (own, new) = (self_signed(folder.path(), "node", "own"), self_signed(folder.path(), "node", "new"));
    let known = folder.path().join("known");
    fs::write(&known, format!("node {}\n", Fingerprint::sha1(&new.der()))).unwrap();
    let shutdown = Shutdown::new();
    let server = ServerTls::load(anyone(Some(&own))).unwrap();
    let url = format!("https://localhost:{}", tls(router(), Limits::open(), &shutdown, Some(Arc::clone(&server))).await.port());
    keep_fresh(vec![server], Vec::new(), &shutdown);
    assert!(call_at(&url, pinned(None, Trust::Whitelist, &known)).await.is_err());
    replace(&own, &new);
    let start = Instant::now();
    while call_at(&url, pinned(None, Trust::Whitelist, &known)).await.is_err() {
        assert!(start.elapsed() < PATIENCE, "the new certificate never came into use");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    shutdown.finish(PATIENCE).await;
}
