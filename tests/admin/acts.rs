//! Acts that need a second person, from the outside: over HTTP, by the command line, across a restart.

use std::fs;

use serde_json::{Value, json};

use crate::http::{Request, Target};
use crate::issuer::Issuer;
use crate::node::{Node, celosia, code, err, out};
use crate::people::{access, people};

fn erasure(id: &str) -> Value {
    json!({ "act": "erase", "arguments": { "id": id }, "reason": "case 17" })
}

#[test]
fn an_erasure_needs_two_people_and_survives_a_restart() {
    let Some(issuer) = Issuer::start(&people()) else { return };
    let mut node = Node::start(&access(&issuer, ""));
    let token = |name: &str| issuer.token(name, "member1", "ES256");
    let id = node.payload();
    let refused = node.post_as("/acts", &token("bea"), &erasure(&id));
    assert_eq!((refused.status, code(&refused).as_str()), (403, "CEL2315"), "an operator cannot ask for an erasure");
    let asked = node.post_as("/acts", &token("ana"), &erasure(&id)).must(202).json();
    assert_eq!(asked["waits-for"], json!(["operator", "dpo"]));
    let act = asked["id"].as_str().unwrap().to_owned();
    let approve = format!("/acts/{act}/approve");
    for (name, status, expected) in [
        ("ana", 403, "CEL2321"),
        ("ana-2", 403, "CEL2321"),
        ("gov", 403, "CEL2315"),
        ("oto", 403, "CEL2315"),
        ("nil", 403, "CEL2314"),
    ] {
        let answer = node.post_as(&approve, &token(name), &json!({}));
        assert_eq!((answer.status, code(&answer).as_str()), (status, expected), "{name}");
    }
    assert_eq!(node.look_up(&id), 200);

    node.kill_and_restart();
    let listed = node.get_as("/acts", &token("gov")).must(200).json();
    assert_eq!((&listed[0]["id"], &listed[0]["state"]), (&json!(act), &json!("waiting")));
    assert_eq!(node.look_up(&id), 200);
    let done = node.post_as(&approve, &token("bea"), &json!({})).must(200).json();
    assert_eq!((&done["state"], &done["result"]["erased"]), (&json!("done"), &json!(id)));
    assert_eq!(node.look_up(&id), 404);
    let again = node.post_as(&approve, &token("bea"), &json!({}));
    assert_eq!((again.status, code(&again).as_str()), (409, "CEL2323"));

    let log = node.log();
    for (actor, outcome) in [("Bea Ruiz", "refused"), ("Ana Díaz", "requested"), ("Bea Ruiz", "approved"), ("Bea Ruiz", "done")]
    {
        let told =
            |line: &str| line.contains("admin act") && line.contains(actor) && line.contains(outcome) && line.contains("erase");
        assert!(log.lines().any(told), "{actor} {outcome} is not told:\n{log}");
    }
}

#[test]
fn an_act_that_nobody_approves_expires() {
    let Some(issuer) = Issuer::start(&people()) else { return };
    let node = Node::start(&access(&issuer, "second-person-within = \"1s\""));
    let id = node.payload();
    let token = |name: &str| issuer.token(name, "member1", "ES256");
    let act = node.post_as("/acts", &token("ana"), &erasure(&id)).must(202).json();
    let path = format!("/acts/{}/approve", act["id"].as_str().unwrap());
    std::thread::sleep(std::time::Duration::from_millis(2100));
    let late = node.post_as(&path, &token("bea"), &json!({}));
    assert_eq!((late.status, code(&late).as_str()), (410, "CEL2322"));
    assert_eq!(node.look_up(&id), 200);
}

#[test]
fn what_is_no_act_is_refused() {
    let Some(issuer) = Issuer::start(&people()) else { return };
    let node = Node::start(&access(&issuer, ""));
    let token = issuer.token("ana", "member1", "ES256");
    let id = node.payload();
    for body in [
        json!({}),
        json!({"act": "erase", "arguments": {"id": id}}),
        json!({"act": "erase", "reason": "x"}),
        json!({"act": "erase", "arguments": {"id": "AA=="}, "reason": "x"}),
        json!({"act": "burn", "reason": "x"}),
        json!({"act": "read-status", "reason": "x"}),
        json!({"act": "erase", "arguments": {"id": id}, "reason": "x", "force": true}),
    ] {
        let answer = node.post_as("/acts", &token, &body);
        assert_eq!((answer.status, code(&answer).as_str()), (400, "CEL2319"), "{body}");
    }
    // What a page elsewhere can make a browser send.
    for media in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let request = Request::new("POST", "/acts").body(erasure(&id).to_string().as_bytes());
        let request = request.header("Content-Type", media).header("Authorization", &format!("Bearer {token}"));
        assert_eq!(code(&request.send(&Target::Tcp(node.admin)).must(400)), "CEL2319", "{media}");
    }
    let bea = issuer.token("bea", "member1", "ES256");
    let answer = node.post_as("/acts/0123/approve", &bea, &json!({}));
    assert_eq!((answer.status, code(&answer).as_str()), (404, "CEL2320"));
    let nothing = node.post_as("/acts", &bea, &json!({"act": "accept-rollback", "reason": "x"})).must(202).json();
    let path = format!("/acts/{}/approve", nothing["id"].as_str().unwrap());
    let answer = node.post_as(&path, &issuer.token("gov", "member1", "ES256"), &json!({}));
    assert_eq!((answer.status, code(&answer).as_str()), (409, "CEL2325"));
}

#[test]
fn the_command_line_asks_lists_and_approves() {
    let Some(issuer) = Issuer::start(&people()) else { return };
    let node = Node::start(&access(&issuer, ""));
    let id = node.payload();
    let url = node.admin_url();
    let file = |name: &str| {
        let path = node.folder.path().join(format!("{name}.jwt"));
        fs::write(&path, issuer.token(name, "member1", "ES256")).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (ana, bea) = (file("ana"), file("bea"));
    let argument = format!("id={id}");
    let asked = celosia(&[
        "acts",
        "request",
        "erase",
        "--argument",
        &argument,
        "--reason",
        "case 18",
        "--admin",
        &url,
        "--token-file",
        &ana,
    ]);
    assert!(asked.status.success(), "{}", err(&asked));
    let act = out(&asked);
    let listed = celosia(&["acts", "list", "--admin", &url, "--token-file", &bea]);
    assert!(out(&listed).contains(&act) && out(&listed).contains("case 18"), "{}{}", out(&listed), err(&listed));
    let own = celosia(&["acts", "approve", &act, "--admin", &url, "--token-file", &ana]);
    assert!(!own.status.success() && err(&own).contains("[CEL2321]"), "{}", err(&own));
    let done = celosia(&["acts", "approve", &act, "--admin", &url, "--token-file", &bea]);
    assert_eq!(out(&done), "done", "{}", err(&done));
    assert_eq!(node.look_up(&id), 404);
}
