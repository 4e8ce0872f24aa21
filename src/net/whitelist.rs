//! `useWhiteList`: only hosts of configured peers may call.
//!
//! Threat: an address can be spoofed or shared, so this is a fence and no proof of identity; TLS is. Names are resolved in the
//! background, never in a request: a caller cannot make us wait for DNS.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tokio::net::lookup_host;

use super::{Caller, Shutdown};
use crate::types::PeerUrl;

/// How often host names are resolved anew.
const REFRESH: Duration = Duration::from_secs(30);

/// The addresses that may call.
#[derive(Debug)]
pub struct Whitelist {
    hosts: Vec<String>,
    admitted: ArcSwap<BTreeSet<IpAddr>>,
}

impl Whitelist {
    /// The hosts of these peers, resolved once.
    pub async fn new(peers: &[PeerUrl]) -> Arc<Self> {
        let hosts: BTreeSet<String> = peers.iter().map(|peer| peer.host().to_ascii_lowercase()).collect();
        let this = Self { hosts: hosts.into_iter().collect(), admitted: ArcSwap::default() };
        this.resolve().await;
        Arc::new(this)
    }

    /// Whether a caller may enter. A Unix socket has no address: its permission bits decide.
    pub fn admits(&self, caller: Caller) -> bool {
        caller.address.is_none_or(|address| self.admitted.load().contains(&address.to_canonical()))
    }

    /// Resolves the names anew every half minute until the shutdown begins.
    pub fn refresh(self: &Arc<Self>, shutdown: &Shutdown) {
        let (this, stop) = (Arc::clone(self), shutdown.stop.clone());
        let forever = async move {
            loop {
                tokio::time::sleep(REFRESH).await;
                this.resolve().await;
            }
        };
        shutdown.tasks.spawn(async move { stop.run_until_cancelled(forever).await });
    }

    async fn resolve(&self) {
        let mut admitted = BTreeSet::new();
        for host in &self.hosts {
            match lookup_host((host.as_str(), 0)).await {
                Ok(found) => admitted.extend(found.map(|address| address.ip().to_canonical())),
                Err(error) => {
                    tracing::warn!(host, %error, "a host of the whitelist does not resolve; what it was before is kept");
                    admitted.extend(self.admitted.load().iter().copied());
                }
            }
        }
        self.admitted.store(Arc::new(with_loopback(admitted)));
    }
}

/// `localhost`, 127.0.0.1 and ::1 are one host.
fn with_loopback(mut addresses: BTreeSet<IpAddr>) -> BTreeSet<IpAddr> {
    if addresses.iter().any(IpAddr::is_loopback) {
        addresses.insert(Ipv4Addr::LOCALHOST.into());
        addresses.insert(Ipv6Addr::LOCALHOST.into());
    }
    addresses
}

/// Answers callers that are not on the list with an empty 401, on every path.
pub fn guard(router: Router, list: Arc<Whitelist>) -> Router {
    router.layer(middleware::from_fn_with_state(list, check))
}

async fn check(State(list): State<Arc<Whitelist>>, request: Request, next: Next) -> Response {
    let admitted = request.extensions().get::<Caller>().is_some_and(|caller| list.admits(*caller));
    if admitted { next.run(request).await } else { StatusCode::UNAUTHORIZED.into_response() }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn list(urls: &[&str]) -> Arc<Whitelist> {
        Whitelist::new(&urls.iter().map(|url| url.parse().unwrap()).collect::<Vec<_>>()).await
    }

    fn caller(address: &str) -> Caller {
        Caller { address: Some(address.parse().unwrap()), certificate: None }
    }

    #[tokio::test]
    async fn listed_addresses_enter_and_others_do_not() {
        let list = list(&["http://10.1.2.3:9001/", "http://[2001:db8::1]:9001"]).await;
        assert!(list.admits(caller("10.1.2.3")));
        assert!(list.admits(caller("::ffff:10.1.2.3")));
        assert!(list.admits(caller("2001:db8::1")));
        assert!(!list.admits(caller("10.1.2.4")));
        assert!(!list.admits(caller("127.0.0.1")));
        assert!(list.admits(Caller::default()));
    }

    #[tokio::test]
    async fn the_names_of_loopback_are_one() {
        for url in ["http://localhost:9001/", "http://127.0.0.1:9001/", "http://[::1]:9001/"] {
            let list = list(&[url]).await;
            assert!(list.admits(caller("127.0.0.1")) && list.admits(caller("::1")), "{url}");
            assert!(!list.admits(caller("10.0.0.1")), "{url}");
        }
    }
}
