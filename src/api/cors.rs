use axum::http::{HeaderName, HeaderValue, Method, request};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// Which web pages may call a surface.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Cors {
    /// Origins; `*` stands for any run of characters.
    pub origins: Vec<String>,
    /// Methods; names that are none are passed over.
    pub methods: Vec<String>,
    /// Request headers; empty allows those that the browser asks for.
    pub headers: Vec<String>,
    /// Whether pages may send cookies and authorisation.
    pub credentials: bool,
}

impl Cors {
    /// The origin is always answered by name, never by `*`: so credentials and wildcards go together (Fetch, section 3.3).
    pub(crate) fn layer(&self) -> CorsLayer {
        let origins = self.origins.clone();
        let allowed = move |origin: &HeaderValue, _: &request::Parts| {
            origin.to_str().is_ok_and(|origin| origins.iter().any(|pattern| matches(pattern, origin)))
        };
        let headers = match self.headers.as_slice() {
            [] => AllowHeaders::mirror_request(),
            names if names.iter().any(|name| name == "*") => AllowHeaders::mirror_request(),
            names => AllowHeaders::list(names.iter().filter_map(|name| name.parse::<HeaderName>().ok())),
        };
        CorsLayer::new()
            .allow_origin(AllowOrigin::predicate(allowed))
            .allow_methods(self.methods.iter().filter_map(|name| name.parse::<Method>().ok()).collect::<Vec<_>>())
            .allow_headers(headers)
            .allow_credentials(self.credentials)
    }
}

/// Whether an origin fits a pattern in which `*` stands for any run of characters. Linear: no pattern can make us backtrack for long.
fn matches(pattern: &str, origin: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern.eq_ignore_ascii_case(origin);
    };
    let (pattern, origin) = (rest.to_ascii_lowercase(), origin.to_ascii_lowercase());
    let Some(mut left) = origin.strip_prefix(&start.to_ascii_lowercase()) else { return false };
    let mut parts: Vec<&str> = pattern.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = left.find(part) else { return false };
        left = &left[at + part.len()..];
    }
    left.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_stand_for_any_run() {
        assert!(matches("*", "https://a.example"));
        assert!(matches("https://*.example", "https://a.b.example"));
        assert!(matches("http*://*.example:*", "https://x.example:8443"));
        assert!(matches("https://A.example", "https://a.example"));
        assert!(!matches("https://*.example", "https://example"));
        assert!(!matches("https://*.example", "https://a.example.evil"));
        assert!(!matches("https://a*a", "https://a"));
        assert!(!matches("", "https://a"));
    }
}
