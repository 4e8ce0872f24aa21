//! The surfaces refuse each other's calls: each route of each is called on every other one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::http::{Request, Target};
use crate::node::Node;

/// Routes as pairs of path and method.
type Routes = BTreeMap<String, BTreeSet<String>>;

const METHODS: [(&str, &str); 4] = [("get", "GET"), ("post", "POST"), ("put", "PUT"), ("delete", "DELETE")];

/// What a surface says of itself, in its own document.
fn routes(target: &Target) -> Routes {
    let document = Request::get("/openapi.json").send(target).must(200).json();
    let methods = |path: &Value| path.as_object().unwrap().keys().cloned().collect();
    document["paths"].as_object().unwrap().iter().map(|(path, item)| (path.clone(), methods(item))).collect()
}

/// The admin surface has no document: `docs/roles.md` and `docs/operations.md` list its paths.
fn admin_routes() -> Routes {
    let routes = [
        ("/live", &["get"][..]),
        ("/ready", &["get"]),
        ("/status", &["get"]),
        ("/metrics", &["get"]),
        ("/acts", &["get", "post"]),
        ("/acts/{id}/approve", &["post"]),
    ];
    routes.iter().map(|(path, methods)| ((*path).to_owned(), methods.iter().map(|m| (*m).to_owned()).collect())).collect()
}

fn filled(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "x".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[test]
fn no_surface_serves_the_calls_of_another() {
    let access = "[access]\n[access.oidc]\nissuer = \"http://127.0.0.1:1\"\naudience = \"member1\"";
    let node = Node::start(access);
    let targets =
        [("node", node.node_surface()), ("application", Target::Tcp(node.application)), ("peer", Target::Tcp(node.peer))];
    let mut surfaces: Vec<(&str, Target, Routes)> =
        targets.into_iter().map(|(name, target)| (name, target.clone(), routes(&target))).collect();
    surfaces.push(("admin", Target::Tcp(node.admin), admin_routes()));
    let mut calls = 0;
    for (from, _, theirs) in &surfaces {
        for (to, target, own) in surfaces.iter().filter(|(to, ..)| to != from) {
            for (path, methods) in theirs {
                for (method, word) in METHODS.iter().filter(|(method, _)| methods.contains(*method)) {
                    if own.get(path).is_some_and(|own| own.contains(*method)) {
                        continue;
                    }
                    let answer = Request::new(word, &filled(path)).send(target);
                    let expected = if own.contains_key(path) { (405, "CEL2106") } else { (404, "CEL2105") };
                    let found = (answer.status, answer.header("celosia-error").unwrap_or(expected.1));
                    assert_eq!(found, expected, "{word} {path} of the {from} surface was served by the {to} surface");
                    calls += 1;
                }
            }
        }
    }
    assert!(calls > 100, "only {calls} calls were tried");
    // What surfaces share is what Tessera shares, and nothing that acts.
    let shared: BTreeSet<&String> = surfaces[0].2.keys().filter(|path| surfaces[2].2.contains_key(*path)).collect();
    let common = ["/", "/api", "/metrics", "/openapi.json", "/upcheck", "/version", "/version/api", "/version/distribution"];
    assert_eq!(shared.into_iter().map(String::as_str).collect::<Vec<_>>(), common);
}
