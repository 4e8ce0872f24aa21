//! A module names its own floor and those below, and floor 0 is free of I/O, async and clocks.
//! The floors are the table in the documentation of `src/lib.rs`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use crate::scan::{named_from_root, root, rust_files, without_comments};

type Floors = BTreeMap<String, u8>;

#[test]
fn no_module_names_a_higher_floor() {
    let floors = floors();
    let mut upward = Vec::new();
    for (file, module, depth) in modules() {
        let code = without_comments(&fs::read_to_string(root().join("src").join(&file)).unwrap());
        upward.extend(violations(&code, &module, depth, &floors).into_iter().map(|name| format!("{file} names crate::{name}")));
    }
    assert!(upward.is_empty(), "upward uses:\n{}", upward.join("\n"));
}

/// The check itself: without this, a scanner that sees nothing would pass.
#[test]
fn an_upward_use_is_caught() {
    let floors = floors();
    let caught = |code: &str, module: &str, depth| violations(&without_comments(code), module, depth, &floors);
    assert_eq!(caught("use crate::services::Node;", "store", 1), ["services"]);
    assert_eq!(caught("use crate::{\n    types::Address,\n    api::{error::Status, node},\n};", "services", 2), ["api"]);
    assert_eq!(caught("fn f() { crate::net::client() }", "wire", 2), ["net"]);
    assert_eq!(caught("use super::super::cli;", "seal", 2), ["cli"]);
    assert_eq!(caught("use super::store;", "types", 1), ["store"]);
    assert!(caught("use crate::types::Address; // see crate::api", "store", 1).is_empty());
    assert!(caught("use super::store;", "types", 2).is_empty(), "one step up stays inside the module");
    assert!(caught("use crate::api::router;", "app", 1).is_empty());
}

#[test]
fn every_module_has_a_floor() {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let declared: BTreeSet<&str> = lib
        .lines()
        .filter_map(|l| l.trim().strip_prefix("pub mod ").or(l.trim().strip_prefix("mod "))?.strip_suffix(';'))
        .collect();
    let floors = floors();
    let listed: BTreeSet<&str> = floors.keys().map(String::as_str).collect();
    assert_eq!(declared, listed);
    assert!(floors.len() >= 15 && floors["types"] == 0 && floors["cli"] == 4, "the table was not understood: {floors:?}");
}

#[test]
fn floor_zero_is_pure() {
    const IMPURE: [&str; 8] =
        ["async fn", "tokio::", "std::fs", "std::io", "SystemTime", "Instant::", "TcpStream", "std::process"];
    let floors = floors();
    let mut found = Vec::new();
    for (file, module, _) in modules().into_iter().filter(|(_, module, _)| floors.get(module) == Some(&0)) {
        if file.ends_with("tests.rs") {
            continue;
        }
        let source = fs::read_to_string(root().join("src").join(&file)).unwrap();
        let code = without_comments(source.split("#[cfg(test)]").next().unwrap());
        found.extend(IMPURE.iter().filter(|word| code.contains(*word)).map(|word| format!("{file} ({module}): {word}")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Names of a higher floor in the code of `module`.
fn violations(code: &str, module: &str, depth: usize, floors: &Floors) -> Vec<String> {
    let own = floors[module];
    named_from_root(code, depth).into_iter().filter(|name| floors.get(name).is_some_and(|floor| *floor > own)).collect()
}

/// `| 0 | [`types`] [`crypto`] … | … |` of the crate's documentation.
fn floors() -> Floors {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let mut floors = Floors::new();
    for line in lib.lines().filter_map(|l| l.strip_prefix("//! | ")) {
        let mut cells = line.split(" | ");
        let (Some(Ok(floor)), Some(modules)) = (cells.next().map(str::parse), cells.next()) else { continue };
        floors.extend(modules.split_whitespace().map(|m| (m.trim_matches(|c: char| !c.is_alphanumeric()).to_owned(), floor)));
    }
    floors
}

/// Each file of a module: path below `src`, top-level module, depth.
fn modules() -> Vec<(String, String, usize)> {
    let src = root().join("src");
    let file = |path: &Path| {
        let file = path.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
        let parts: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
        (parts[0] != "lib" && parts[0] != "main" && parts[0] != "bin").then(|| (file.clone(), parts[0].to_owned(), parts.len()))
    };
    rust_files("src").iter().filter_map(|p| file(p)).collect()
}
