//! A payload's whole life in one process: sent, read, erased, purged. What is looked for is the same before and after.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use data_encoding::{BASE64, HEXLOWER};
use serde_json::Value;

use crate::support::{Node, letter, parts, scan};

fn purge(node: &Node) {
    let purged = node.operator(&["purge"]);
    assert!(purged.status.success(), "{}", String::from_utf8_lossy(&purged.stderr));
    assert!(String::from_utf8_lossy(&purged.stdout).starts_with("purged: "));
}

#[test]
fn after_erasure_and_purge_nothing_is_left_in_files_logs_and_memory() {
    let node = Node::start("");
    let (data, log) = (node.path("data"), node.path("log"));
    let (small, large) = (letter(100), letter(30_000));
    let ids = [node.send(&small), node.send(&large)];
    let stays = letter(100);
    let kept = node.send(&stays);
    // To files, as after a night.
    purge(&node);
    for (id, payload) in ids.iter().zip([&small, &large]) {
        assert_eq!(node.receive(id).as_ref(), Some(payload));
    }
    for (at, id) in ids.iter().enumerate() {
        let needles = node.path(&format!("needles-{at}"));
        let (exit, report) = scan(&["--for", id, "--data-dir", &data, "--save", &needles, &data, &log]);
        assert_eq!((exit, parts(&report)), (1, ["ciphertext", "index row", "nonce", "sealed head"].map(String::from).to_vec()));
        let searched = report["searched-for"].to_string();
        assert!(searched.contains("data key") && searched.contains("leaf key"), "{report}");
        assert_eq!(fs::metadata(&needles).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let plain: Vec<String> = [("small", &small), ("large", &large), ("stays", &stays)]
        .map(|(name, payload)| {
            let path = node.path(&format!("{name}.plain"));
            fs::write(&path, payload).unwrap();
            path
        })
        .to_vec();
    let before = node.core_image("core-before");
    let before = before.to_str().unwrap();
    let (_, report) = scan(&["--needles", &node.path("needles-1"), before]);
    let seen = parts(&report);
    assert!(
        ["ciphertext", "nonce", "sealed head"].iter().all(|part| seen.contains(&(*part).to_owned())),
        "the control: {seen:?}"
    );
    leak(&node);

    for id in &ids {
        node.erase(id);
    }
    let (exit, _) = scan(&["--needles", &node.path("needles-0"), &data]);
    assert_eq!(exit, 1, "erased, and still in the files: the control of the purge");
    purge(&node);

    let after = node.core_image("core-after");
    let after = after.to_str().unwrap();
    for needles in ["needles-0", "needles-1"] {
        let (exit, report) = scan(&["--needles", &node.path(needles), &data, &log]);
        assert_eq!((exit, &report["found"]), (0, &serde_json::json!([])), "{report:#}");
        let (exit, report) = scan(&["--needles", &node.path(needles), after]);
        assert_eq!((exit, &report["found"]), (0, &serde_json::json!([])), "in memory: {report:#}");
    }
    for path in &plain[..2] {
        let (exit, report) = scan(&["--plaintext", path, &data, &log, after]);
        assert_eq!((exit, &report["found"]), (0, &serde_json::json!([])), "{report:#}");
    }
    // What was not erased is still there.
    assert_eq!(node.receive(&kept), Some(stays));
}

/// The control of the keys, which no file of ours holds in the clear: one that leaks is found, however it is written down.
fn leak(node: &Node) {
    let needles: Value = serde_json::from_slice(&fs::read(node.path("needles-0")).unwrap()).unwrap();
    for key in ["data key", "leaf key"] {
        let line = needles["needles"].as_array().unwrap().iter().find(|line| line["what"] == key).unwrap();
        let bytes = BASE64.decode(line["bytes"].as_str().unwrap().as_bytes()).unwrap();
        fs::write(node.path("leak"), format!("debug: key={}\n", HEXLOWER.encode(&bytes))).unwrap();
        assert_eq!(parts(&scan(&["--needles", &node.path("needles-0"), &node.path("leak")]).1), [key]);
    }
}
