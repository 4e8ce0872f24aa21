//! Whom a caller of an admin surface without people means to reach.

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};

use super::Refusal;

/// Lets requests through that name this machine: an IP address, `localhost`, or the name in the configured address.
///
/// Threat: a web page's own name is made to point at this machine (DNS rebinding), and the browser of somebody who reaches the surface reads
/// journal and traffic for the page. A page that is served from an IP address can be rebound to none.
pub fn known_hosts(router: Router, configured: Option<&str>) -> Router {
    let configured: Arc<str> = configured.unwrap_or("localhost").into();
    router.layer(from_fn_with_state(configured, check))
}

async fn check(State(configured): State<Arc<str>>, request: Request, next: Next) -> Response {
    let named = request.headers().get_all(HOST).iter().map(|value| value.to_str().unwrap_or_default());
    let authority = request.uri().authority().map(axum::http::uri::Authority::as_str);
    if named.chain(authority).all(|host| is_here(host, &configured)) {
        next.run(request).await
    } else {
        Refusal::Host.into_response()
    }
}

fn is_here(host: &str, configured: &str) -> bool {
    // An IPv6 address has brackets in a Host header (RFC 9110 section 7.2).
    let name = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => host.split(':').next().unwrap_or_default(),
    };
    name.parse::<IpAddr>().is_ok() || ["localhost", configured].iter().any(|known| name.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::is_here;

    #[test]
    fn addresses_and_configured_names_are_here_and_other_names_are_not() {
        for host in ["127.0.0.1:9003", "[::1]:9003", "[::1]", "localhost", "LOCALHOST:1", "10.0.0.7", "node.example:9003"] {
            assert!(is_here(host, "node.example"), "{host}");
        }
        for host in ["evil.example", "evil.example:9003", "", "localhost.evil.example", "127.0.0.1.evil.example", "[evil]:1"] {
            assert!(!is_here(host, "node.example"), "{host}");
        }
    }
}
