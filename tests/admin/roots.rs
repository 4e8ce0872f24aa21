//! The root of the key trees from the outside: looked at, rotated by a person and by the clock, written down.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::{Request, Target};
use crate::issuer::Issuer;
use crate::member::Member;
use crate::net::Net;
use crate::node::{Node, celosia, code, err, out};
use crate::people::{access, people};

fn metric(node: &Node, token: &str, name: &str) -> u64 {
    let text = node.get_as("/metrics", token).must(200).text();
    let line = text.lines().find(|line| line.split(' ').next() == Some(name)).unwrap_or_else(|| panic!("{name} in {text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn an_operator_rotates_the_root_and_everybody_sees_it() {
    let Some(issuer) = Issuer::start(&people()) else { return };
    let mut node = Node::start(&access(&issuer, ""));
    let token = |name: &str| issuer.token(name, "member1", "ES256");
    let (kept, gone) = (node.payload(), node.payload());
    let before = node.get_as("/root", &token("oto")).must(200).json();
    assert_eq!(
        (&before["kind"], &before["generation"], &before["rotated-at"]),
        (&json!("file"), &json!(1), &json!(0)),
        "{before}"
    );
    let next = before["next-rotation"].as_u64().unwrap();
    let refused = node.post_as("/root/rotate", &token("ana"), &json!({}));
    assert_eq!((refused.status, code(&refused).as_str()), (403, "CEL2315"), "a data protection officer does not rotate");
    assert_eq!(Request::get("/root").send(&Target::Tcp(node.admin)).status, 401);

    let erase = format!("/transaction/{}", gone.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"));
    assert_eq!(Request::new("DELETE", &erase).send(&Target::Tcp(node.peer)).status, 404, "not on the peer surface");
    let asked =
        node.post_as("/acts", &token("ana"), &json!({ "act": "erase", "arguments": { "id": gone }, "reason": "case 17" }));
    let act = asked.must(202).json()["id"].as_str().unwrap().to_owned();
    node.post_as(&format!("/acts/{act}/approve"), &token("bea"), &json!({})).must(200);

    // By the command line, as in the manual.
    let file = node.folder.path().join("token");
    fs::write(&file, token("bea")).unwrap();
    let (url, file) = (node.admin_url(), file.display().to_string());
    let run = |words: &[&str]| celosia(&[words, &["--admin", &url, "--token-file", &file]].concat());
    let rotated = run(&["root", "rotate"]);
    assert!(rotated.status.success(), "{}", err(&rotated));
    let told = out(&rotated);
    assert!(told.contains("1 -> 2") && told.contains("root-1.key overwritten, synced, unlinked"), "{told}");
    let status = out(&run(&["root", "status"]));
    assert!(
        status.contains("generation  2") && status.contains("kind        file") && !status.contains("unfinished"),
        "{status}"
    );
    assert_eq!((node.look_up(&kept), node.look_up(&gone)), (200, 404));
    let keys = node.folder.path().join("data/enclave");
    assert!(!keys.join("root-1.key").exists() && keys.join("root-2.key").exists());
    assert_eq!(metric(&node, &token("oto"), "celosia_root_generation"), 2);
    assert_eq!(metric(&node, &token("oto"), "celosia_root_unfinished"), 0);
    assert!(metric(&node, &token("oto"), "celosia_root_age_seconds") < 600);

    let after = node.get_as("/root", &token("oto")).must(200).json();
    assert!(after["next-rotation"].as_u64().unwrap() > next, "planned anew: {after}");
    node.kill_and_restart();
    let restarted = node.get_as("/root", &token("oto")).must(200).json();
    assert_eq!((&restarted["rotated-at"], &restarted["last"]), (&after["rotated-at"], &after["last"]), "{restarted}");
    assert!(restarted["rotated-at"].as_u64().unwrap() > 0);
    assert_eq!((node.look_up(&kept), node.look_up(&gone)), (200, 404));
    assert!(
        node.log().lines().any(|line| line.contains("admin act") && line.contains("rotate-root") && line.contains("Bea Ruiz"))
    );
}

/// On a surface of this machine alone; but never because a page made a browser send a form.
#[test]
fn without_access_the_root_is_rotated_by_whoever_is_on_this_machine() {
    let node = Node::start("[root]\nrotate-every = \"0s\"");
    let admin = Target::Tcp(node.admin);
    let shown = Request::get("/root").send(&admin).must(200).json();
    assert_eq!((&shown["generation"], &shown["next-rotation"]), (&json!(1), &Value::Null));
    let refused = Request::new("POST", "/root/rotate").send(&admin);
    assert_eq!((refused.status, code(&refused).as_str()), (400, "CEL2319"));
    let rotated = Request::post("/root/rotate", "application/json", b"{}").send(&admin).must(200).json();
    assert_eq!((&rotated["from"], &rotated["to"]), (&json!(1), &json!(2)));
}

#[test]
fn rotations_run_by_the_clock_under_load_and_stand_in_the_journal() {
    let Some(issuer) = Issuer::start(&people()) else { return };
    let mut net = Net::prepare(&["a", "b"]);
    net.members[0].extra = format!("[root]\nrotate-every = \"1s\"\n{}", access(&issuer, ""));
    net.members.iter_mut().for_each(Member::start);
    let token = format!("Bearer {}", issuer.token("aud", "member1", "ES256"));
    let export = || Request::get("/journal/export").header("Authorization", &token).send(&net.at(0).admin).must(200).text();
    let (mut ids, deadline) = (Vec::new(), Instant::now() + Duration::from_mins(2));
    let rotated = loop {
        ids.push(net.at(0).sent(b"a secret", &[net.at(1)]));
        let rotated: Vec<Value> = export()
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| {
                line["record"]["kind"] == "root-rotated" || line["record"].as_str().is_some_and(|r| r.contains("root-rotated"))
            })
            .collect();
        if rotated.len() >= 2 {
            break rotated;
        }
        assert!(Instant::now() < deadline, "no rotation by the clock: {}", net.at(0).log());
    };
    let text = rotated[0].to_string();
    assert!(text.contains("root-1.key") && text.contains("schedule") && text.contains("started-at"), "{text}");
    for id in &ids {
        assert_eq!(net.at(0).receive(id).as_deref(), Some(b"a secret".as_slice()));
    }
}

/// Each start has a rotation to do at once, or one to finish: the process dies in the middle of it, at another place each time.
#[test]
fn kill_nine_in_the_middle_of_rotations_loses_nothing() {
    let mut node = Node::start("[root]\nrotate-every = \"1s\"");
    let mut kept = Vec::new();
    for round in 0..24_u64 {
        kept.push(node.payload());
        // The first seconds have nothing that is due.
        let pause = if round == 0 { 1100 } else { round * 5 };
        std::thread::sleep(Duration::from_millis(pause));
        node.kill_and_restart();
    }
    assert!(kept.iter().all(|id| node.look_up(id) == 200));
    let admin = Target::Tcp(node.admin);
    let (deadline, root) = (Instant::now() + Duration::from_mins(1), || Request::get("/root").send(&admin).must(200).json());
    while root()["oldest"] != root()["generation"] || root()["last"].is_null() {
        assert!(Instant::now() < deadline, "it is never finished: {}", node.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(root()["generation"].as_u64().unwrap() > 2, "no rotation was cut into: {}", node.log());
    assert!(kept.iter().all(|id| node.look_up(id) == 200));
}
