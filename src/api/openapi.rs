//! The OpenAPI documents, made from the routes themselves.

use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder};

use super::{Limits, application, node, peer};

/// The document of a surface, before its paths.
pub(crate) fn titled(surface: &str) -> OpenApi {
    let info = InfoBuilder::new()
        .title(format!("Celosia: {surface}"))
        .version("5.0")
        .description(Some(
            "Private transaction manager for GoQuorum. Errors are text/plain; the header celosia-error holds a stable code.",
        ))
        .build();
    OpenApiBuilder::new().info(info).build()
}

/// The paths of all surfaces in one document, told apart by tags; the golden file `docs/openapi.json`.
pub fn document() -> String {
    let mut all = titled("all surfaces");
    all.merge(node::routes(&Limits::node()).into_openapi());
    all.merge(application::routes(&Limits::application()).into_openapi());
    all.merge(peer::routes(&Limits::peer()).into_openapi());
    let mut text = json(&all);
    text.push('\n');
    text
}

/// A document as JSON.
pub(crate) fn json(document: &OpenApi) -> String {
    document.to_pretty_json().unwrap_or_default()
}

/// A document as YAML.
pub(crate) fn yaml(document: &OpenApi) -> String {
    document.to_yaml().unwrap_or_default()
}
