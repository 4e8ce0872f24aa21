use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::HttpBody;
use axum::extract::{MatchedPath, Request, State};
use axum::http::Method;
use axum::middleware::{self, Next};
use axum::response::Response;

use super::Metrics;
use super::metrics;
use crate::net::Caller;

/// Counts and times every request of a surface (`node`, `application`, `peer`, `admin`), and logs it at debug.
///
/// The log has the route's pattern, not the path or query: those name payloads and recipients.
pub fn observe(router: Router, surface: &'static str, metrics: &Arc<Metrics>) -> Router {
    router.layer(middleware::from_fn_with_state(Watch { surface, metrics: Arc::clone(metrics) }, watch))
}

#[derive(Clone)]
struct Watch {
    surface: &'static str,
    metrics: Arc<Metrics>,
}

/// Counts a request as in flight until it is answered, or given up because its caller went away.
struct InFlight<'a>(&'a Watch);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.metrics.end(self.0.surface);
    }
}

async fn watch(State(watch): State<Watch>, request: Request, next: Next) -> Response {
    let start = Instant::now();
    watch.metrics.begin(watch.surface);
    let in_flight = InFlight(&watch);
    let route = request.extensions().get::<MatchedPath>().cloned();
    let caller = request.extensions().get::<Caller>().and_then(|caller| caller.address);
    let method = method_name(request.method());
    let received = request.body().size_hint().lower();
    let response = next.run(request).await;
    drop(in_flight);
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    let (status, time) = (response.status().as_u16(), start.elapsed());
    let sent = response.body().size_hint().lower();
    watch.metrics.record(&metrics::Request { surface: watch.surface, route, method, status, time, received, sent });
    tracing::debug!(surface = watch.surface, method, route, status, ?time, caller = ?caller, received, sent, "request");
    response
}

/// Methods of strangers do not become labels: each would be a new series.
fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use tower::ServiceExt as _;

    use super::*;
    use crate::telemetry::Snapshot;

    #[tokio::test]
    async fn routes_are_counted_by_their_pattern() {
        let metrics = Metrics::new();
        let router = Router::new().route("/transaction/{hash}", get(|| async { "abc" }));
        let router = observe(router, "node", &metrics);
        for (method, path) in [("GET", "/transaction/SECRET?to=KEY"), ("BREW", "/nowhere"), ("GET", "/nowhere")] {
            let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            router.clone().oneshot(request).await.unwrap();
        }
        let text = metrics.encode(Snapshot::default());
        let hit = r#"celosia_http_requests_total{surface="node",route="/transaction/{hash}",method="GET",status="200"} 1"#;
        let miss = r#"celosia_http_requests_total{surface="node",route="unmatched",method="other",status="404"} 1"#;
        assert!(text.contains(hit) && text.contains(miss), "{text}");
        assert!(text.contains(r#"celosia_http_sent_bytes_total{surface="node"} 3"#), "{text}");
        assert!(text.contains(r#"celosia_http_requests_in_flight{surface="node"} 0"#), "{text}");
        assert!(!text.contains("SECRET") && !text.contains("KEY") && !text.contains("BREW"));
    }
}
