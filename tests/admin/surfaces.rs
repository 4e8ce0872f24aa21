//! The surfaces refuse each other's calls: each route of each is called on every other one.

use std::collections::{BTreeMap, BTreeSet};

use celosia::services::native_path as native;
use serde_json::Value;

use crate::http::{Request, Target};
use crate::net::Net;

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
        ("/governance/documents", &["get", "post"]),
        ("/governance/status", &["get"]),
        ("/governance/traffic", &["get"]),
        ("/receipts/{id}", &["get"]),
        ("/journal", &["get"]),
        ("/journal/checkpoint", &["get"]),
        ("/journal/proof", &["get"]),
        ("/journal/about/{id}", &["get"]),
        ("/journal/export", &["get"]),
        ("/journal/tile/0/x", &["get"]),
        ("/erasures", &["get", "post"]),
        ("/erasures/{case}", &["get"]),
        ("/erasures/{case}/certificate", &["get"]),
        ("/erasures/{case}/extend", &["post"]),
        ("/erasures/{case}/refuse", &["post"]),
        ("/erasure/purge", &["get", "post"]),
        ("/root", &["get"]),
        ("/root/rotate", &["post"]),
        ("/subjects/export", &["post"]),
        ("/ropa", &["get"]),
        ("/breach-radius", &["get"]),
        ("/tags/{id}", &["get", "put"]),
        ("/retention/due", &["get"]),
        ("/holds", &["get", "post"]),
        ("/holds/{hold}", &["get"]),
        ("/holds/{hold}/export", &["post"]),
        ("/holds/{hold}/answer", &["post"]),
    ];
    routes.iter().map(|(path, methods)| ((*path).to_owned(), methods.iter().map(|m| (*m).to_owned()).collect())).collect()
}

/// The native surface is HTTP/2 behind mutual TLS; on the others its paths are none.
fn native_routes() -> Routes {
    let paths = [
        native::DELIVER,
        native::DOCUMENTS,
        native::EPOCH,
        native::PART,
        native::RESEND,
        native::STANDING,
        native::WITHDRAW,
        native::WITNESS,
        native::WITNESSED,
    ];
    paths.iter().map(|path| ((*path).to_owned(), BTreeSet::from(["post".to_owned()]))).collect()
}

fn filled(path: &str) -> String {
    let part = |part: &str| if part.starts_with('{') { "x".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[test]
fn no_surface_serves_the_calls_of_another() {
    let access = "[access]\n[access.oidc]\nissuer = \"http://127.0.0.1:1\"\naudience = \"member1\"";
    let mut net = Net::prepare(&["a"]);
    net.members[0].extra = access.to_owned();
    net.members[0].start();
    let a = net.at(0);
    let targets = [("node", a.node.clone()), ("application", a.application.clone()), ("peer", Target::Tcp(a.peer_port))];
    let mut surfaces: Vec<(&str, Target, Routes)> =
        targets.into_iter().map(|(name, target)| (name, target.clone(), routes(&target))).collect();
    surfaces.push(("admin", a.admin.clone(), admin_routes()));
    let mut calls = 0;
    let all = surfaces.iter().map(|(name, _, routes)| (*name, routes.clone())).chain([("native", native_routes())]);
    for (from, theirs) in &all.collect::<Vec<_>>() {
        // Without a certificate of the directory, nobody is answered there.
        for path in theirs.keys() {
            let answer = Request::get(&filled(path)).try_send(&Target::Tcp(a.native_port));
            assert!(answer.is_none(), "GET {path} of the {from} surface was answered by the native surface");
        }
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
