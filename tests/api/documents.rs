//! Documents that must agree with the program: the OpenAPI document, and the list of codes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::http::get;
use crate::network::Network;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// A change of the contract is a visible diff. `UPDATE_GOLDEN=1 cargo test` rewrites the file.
#[test]
fn the_openapi_document_is_the_golden_file() {
    let (file, document) = (root().join("docs/openapi.json"), celosia::api::document());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&file, &document).unwrap();
    }
    let golden = fs::read_to_string(&file).unwrap_or_default();
    assert!(golden == document, "docs/openapi.json is not what the routes say; UPDATE_GOLDEN=1 rewrites it");
    for path in ["/send", "/transaction/{hash}", "/transaction/{hash}/isSender", "/push", "/partyinfo/keys", "/api"] {
        assert!(document.contains(&format!("\"{path}\": {{")), "{path} is missing");
    }
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let document: serde_json::Value = serde_json::from_str(&celosia::api::document()).unwrap();
    let operations = document["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let names: Vec<&str> = operations.filter_map(|operation| operation["operationId"].as_str()).collect();
    let distinct: BTreeSet<&str> = names.iter().copied().collect();
    assert!(names.len() > 35, "{names:?}");
    assert_eq!(distinct.len(), names.len(), "{names:?}");
}

/// `docs/errors.md` has a heading for each code in the sources, and for no other.
#[test]
fn every_code_is_documented_once() {
    let mut used = BTreeSet::new();
    collect(&root().join("src"), &mut used);
    let text = fs::read_to_string(root().join("docs/errors.md")).unwrap();
    let listed: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("### CEL")).filter_map(|rest| rest.get(..4)).collect();
    let documented: BTreeSet<String> = listed.iter().map(|code| (*code).to_owned()).collect();
    assert_eq!(documented.len(), listed.len(), "a code has two headings");
    assert!(used.len() > 50, "the scanner sees nothing: {used:?}");
    let missing: Vec<_> = used.difference(&documented).collect();
    let stale: Vec<_> = documented.difference(&used).collect();
    assert!(missing.is_empty() && stale.is_empty(), "docs/errors.md lacks {missing:?} and has {stale:?} for nothing");
}

fn collect(folder: &Path, used: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, used);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let rests = text.split("Code(").skip(1);
            used.extend(
                rests
                    .filter_map(|rest| rest.split_once(')'))
                    .map(|(code, _)| code)
                    .filter(|code| is_code(code))
                    .map(str::to_owned),
            );
        }
    }
}

fn is_code(text: &str) -> bool {
    text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_surface_serves_its_own_document() {
    let network = Network::start().await;
    let surfaces = [
        (network.a.node().await, "/transaction/{hash}/mandatory"),
        (network.a.applications().await, "/partyinfo/keys"),
        (network.a.peers().await, "/push"),
    ];
    for (mut surface, path) in surfaces {
        for accept in [Some("application/json"), Some("*/*"), None] {
            let request = accept.map_or_else(|| get("/api"), |accept| get("/api").with("Accept", accept));
            let answer = surface.send(&request).await;
            assert_eq!((answer.status, answer.media()), (200, "application/json"));
            assert!(answer.json()["paths"][path].is_object(), "{path}");
        }
        assert!(surface.send(&get("/openapi.json")).await.json()["paths"][path].is_object());
        let yaml = surface.send(&get("/api").with("Accept", "application/yaml")).await;
        assert_eq!((yaml.status, yaml.media()), (200, "application/yaml"));
        assert!(yaml.text().starts_with("openapi: ") && yaml.text().contains(path));
        let other = surface.send(&get("/api").with("Accept", "text/html")).await;
        assert_eq!((other.status, other.header("celosia-error")), (400, Some("CEL2108")));
    }
}
