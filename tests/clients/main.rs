//! Independent client libraries from npm talk to two running nodes: over the Unix socket, HTTP and mutual TLS.

#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, reason = "tests")]

mod nodes;

use std::path::Path;
use std::process::{Command, Stdio};

use nodes::Nodes;

#[test]
fn web3js_quorum_and_quorum_js() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    if Command::new("npm").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("SKIPPED: npm is not here (scripts/setup test installs it)");
        return;
    }
    if !folder.join("node_modules").is_dir() {
        let installed = Command::new("npm").arg("ci").current_dir(&folder).stdin(Stdio::null()).status().unwrap();
        assert!(installed.success(), "npm ci failed in {}", folder.display());
    }
    let nodes = Nodes::start();
    let mut test = Command::new("npm");
    test.args(["test", "--silent"]).current_dir(&folder).stdin(Stdio::null()).envs(nodes.environment());
    let output = test.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    println!("{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "a client library failed:\n{text}\n{}", nodes.logs());
    // As TAP or as a list, whatever this version of node prints; older ones count files in their summary.
    let passed = text.lines().map(str::trim_start).filter(|line| line.starts_with("ok ") || line.starts_with('✔')).count();
    assert!(passed >= 30, "only {passed} tests ran:\n{text}");
}
