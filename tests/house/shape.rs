//! Sizes, and things that must not be left in the sources.

use std::fs;

use crate::scan::{root, rust_files};

const MOST_LINES: usize = 400;

#[test]
fn no_file_is_longer_than_400_lines() {
    let long: Vec<String> = ["src", "tests", "benches", "fuzz/fuzz_targets"]
        .iter()
        .flat_map(|folder| rust_files(folder))
        .map(|path| (fs::read_to_string(&path).unwrap().lines().count(), path))
        .filter(|(lines, _)| *lines > MOST_LINES)
        .map(|(lines, path)| format!("{} has {lines} lines", path.strip_prefix(root()).unwrap().display()))
        .collect();
    assert!(long.is_empty(), "split these:\n{}", long.join("\n"));
}

#[test]
fn modules_are_files_named_after_them() {
    let forests: Vec<_> = rust_files("src").into_iter().filter(|path| path.ends_with("mod.rs")).collect();
    assert!(forests.is_empty(), "foo.rs beside foo/, not foo/mod.rs: {forests:?}");
}

#[test]
fn unsafe_code_is_allowed_only_with_a_reason_and_only_where_memory_is_locked() {
    for path in rust_files("src") {
        let source = fs::read_to_string(&path).unwrap();
        if source.contains("allow(unsafe_code") {
            let path = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
            assert!(path.starts_with("src/enclave") || path.starts_with("src/crypto"), "unsafe code in {path}");
        }
    }
}

#[test]
fn the_lock_file_names_one_registry() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    let sources: std::collections::BTreeSet<&str> = lock.lines().filter_map(|l| l.strip_prefix("source = ")).collect();
    assert_eq!(sources.len(), 1, "{sources:?}");
    for folder in ["tests/clients", "tests/admin/issuer"] {
        let npm = fs::read_to_string(root().join(folder).join("package-lock.json")).unwrap();
        assert!(!npm.contains("\"resolved\""), "{folder}/package-lock.json names a registry: keep its .npmrc in force");
    }
}

#[test]
fn demo_keys_are_marked_as_such() {
    let keys: Vec<String> =
        fs::read_dir(root().join("keys")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    assert!(keys.iter().any(|name| name == "README.md"));
    assert!(keys.iter().filter(|name| *name != "README.md").all(|name| name.starts_with("demo-")), "{keys:?}");
}
