//! Cases that people handle, by the command line and by the surface.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::issuer::Issuer;
use crate::node::{Node, celosia, code, err, out};
use crate::people::{access, people};

#[test]
fn a_grievance_goes_from_hand_to_hand() {
    let Some(issuer) = Issuer::start(&people()) else { return };
    let node = Node::start(&access(&issuer, ""));
    let (token, letter) = (node.folder.path().join("token"), node.folder.path().join("letter.txt"));
    fs::write(&letter, "a complaint").unwrap();
    let url = node.admin_url();
    let run_as = |name: &str, words: &[&str]| {
        fs::write(&token, issuer.token(name, "member1", "ES256")).unwrap();
        celosia(&[words, &["--admin", &url, "--token-file", token.to_str().unwrap()]].concat())
    };
    // An auditor opens one, and decides nothing.
    let opened = run_as("aud", &["case", "open", "--kind", "grievance", "--title", "letter 12/2026"]);
    assert!(opened.status.success(), "{}", err(&opened));
    let case = out(&opened).trim().to_owned();
    let path = letter.to_str().unwrap();
    assert!(run_as("aud", &["case", "attach", &case, path]).status.success());
    let refused = run_as("aud", &["case", "assign", &case, "--to", "Aura"]);
    assert!(!refused.status.success() && err(&refused).contains("CEL2315"), "{}", err(&refused));
    assert!(!run_as("oto", &["case", "list"]).status.success(), "an observer reads no cases");
    // Notices wait: exit code 1, until somebody says that they know.
    let waiting = run_as("ana", &["case", "list", "--waiting"]);
    assert_eq!((waiting.status.code(), out(&waiting).contains("waits for dpo")), (Some(1), true), "{}", out(&waiting));
    assert!(run_as("ana", &["case", "acknowledge", &case]).status.success());
    assert_eq!(run_as("ana", &["case", "list", "--waiting"]).status.code(), Some(0));
    let early = run_as("ana", &["case", "close", &case]);
    assert!(err(&early).contains("CEL7301"), "{}", err(&early));
    for words in [
        &["case", "assign", &case, "--to", "Ana"][..],
        &["case", "decide", &case, "--outcome", "upheld", "--reason", "it was so"],
        &["case", "close", &case],
    ] {
        let done = run_as("ana", words);
        assert!(done.status.success(), "{words:?}: {}", err(&done));
    }
    assert!(out(&run_as("ana", &["case", "list"])).is_empty());
    assert!(out(&run_as("ana", &["case", "list", "--all"])).contains("acknowledged by Ana Díaz"));
    let known = run_as("aud", &["case", "check", &case, path]);
    assert!(known.status.success() && out(&known).contains("letter.txt by Aura"), "{}", out(&known));
    fs::write(&letter, "another complaint").unwrap();
    assert_eq!(run_as("aud", &["case", "check", &case, path]).status.code(), Some(1));
    let counted = run_as("aud", &["case", "indicators"]);
    let counted: serde_json::Value = serde_json::from_str(&out(&counted)).unwrap();
    assert_eq!(counted["cases"]["grievance"]["closed"], json!(1), "{counted}");
    assert!(run_as("ana", &["case", "show", "00000000000000000000000000000000"]).status.code() == Some(2));
}

#[test]
fn a_notice_that_climbed_is_not_for_the_level_below() {
    let Some(issuer) = Issuer::start(&people()) else { return };
    let cases = format!("[cases]\nacknowledge-within = \"1s\"\n{}", access(&issuer, ""));
    let node = Node::start(&cases);
    let token = |name: &str| issuer.token(name, "member1", "ES256");
    let body = json!({ "kind": "review", "title": "yearly" });
    let opened = node.post_as("/cases", &token("ana"), &body).must(201).json();
    let place = format!("/cases/{}", opened["id"].as_str().unwrap());
    let deadline = Instant::now() + Duration::from_mins(1);
    while node.get_as(&place, &token("gov")).must(200).json()["notice"]["level"] != "governor" {
        assert!(Instant::now() < deadline, "it does not climb");
        std::thread::sleep(Duration::from_millis(200));
    }
    let acknowledge = format!("{place}/acknowledge");
    let refused = node.post_as(&acknowledge, &token("ana"), &json!({}));
    assert_eq!((refused.status, code(&refused).as_str()), (403, "CEL7306"));
    node.post_as(&acknowledge, &token("gov"), &json!({})).must(200);
    let twice = node.post_as(&acknowledge, &token("gov"), &json!({}));
    assert_eq!((twice.status, code(&twice).as_str()), (409, "CEL7305"));
}
