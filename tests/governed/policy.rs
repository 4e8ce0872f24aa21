//! What the policy says is enforced before anything leaves, and again where it arrives.

use std::sync::atomic::{AtomicBool, Ordering};

use celosia::governance::Regions;

use crate::charter::CLASSES;
use crate::http::{JSON, JSON_2_1, Request};
use crate::member::Member;
use crate::net::Net;

/// `personal` may go to Spain alone; `public` anywhere.
#[test]
fn classes_go_where_the_policy_lets_them_and_a_change_takes_hold_under_load() {
    let mut net = Net::prepare(&["a", "b"]);
    net.members[1].region = "PT".into();
    let entries = net.members.iter().map(Member::entry).collect();
    net.governors.directory(entries);
    let (network, notes) = (net.governors.network(), net.governors.notes.clone());
    for member in &mut net.members {
        member.give(network, &notes);
        member.start();
    }
    let (a, b) = (net.at(0), net.at(1));
    for (class, status) in
        [(None, 403), (Some("personal"), 403), (Some("special"), 403), (Some("business"), 201), (Some("public"), 201)]
    {
        let answer = a.send(b"x", &[b], class);
        assert_eq!(answer.status, status, "{class:?}: {}", answer.text());
        if status == 403 {
            assert_eq!(answer.header("celosia-error"), Some("CEL6033"));
        }
    }
    assert_eq!(a.send(b"x", &[b], Some("secret")).status, 400);

    // Under load: business is closed to Portugal. Every send is whole or refused by that rule.
    let note = net.governors.policy(|policy| policy.classes.business.regions = Regions::Only(vec!["ES".parse().unwrap()]));
    let stop = AtomicBool::new(false);
    let (a, b) = (net.at(0), net.at(1));
    let sent = std::thread::scope(|scope| {
        let load: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let (mut sent, mut refused) = (Vec::new(), 0);
                    while !stop.load(Ordering::Relaxed) {
                        let answer = a.send(b"load", &[b], Some("business"));
                        match (answer.status, answer.header("celosia-error")) {
                            (201, _) => sent.push(answer.json()["key"].as_str().unwrap().to_owned()),
                            (403, Some("CEL6033")) => refused += 1,
                            // Judged here before the news, there after it.
                            (403, Some("CEL3005")) if answer.text().contains("CEL6033") => refused += 1,
                            other => panic!("{other:?}: {}", answer.text()),
                        }
                    }
                    (sent, refused)
                })
            })
            .collect();
        std::thread::sleep(std::time::Duration::from_millis(500));
        a.publish(&note).must(200);
        b.wait_for_version(4);
        std::thread::sleep(std::time::Duration::from_millis(300));
        stop.store(true, Ordering::Relaxed);
        let outcomes: Vec<_> = load.into_iter().map(|load| load.join().unwrap()).collect();
        assert!(outcomes.iter().all(|(_, refused)| *refused > 0));
        outcomes.into_iter().flat_map(|(sent, _)| sent).collect::<Vec<_>>()
    });
    assert!(!sent.is_empty());
    for id in sent {
        assert_eq!(b.receive(&id).as_deref(), Some(&b"load"[..]));
    }
    assert!(CLASSES.contains("personal"));
}

/// What a node notices becomes a case: at the sender, whose policy refuses, and once however often.
#[test]
fn what_the_policy_refuses_is_a_case_that_somebody_must_acknowledge() {
    let mut net = Net::prepare(&["a", "b"]);
    net.members[1].region = "PT".into();
    let entries = net.members.iter().map(Member::entry).collect();
    net.governors.directory(entries);
    let (network, notes) = (net.governors.network(), net.governors.notes.clone());
    for member in &mut net.members {
        member.give(network, &notes);
        member.start();
    }
    for _ in 0..3 {
        assert_eq!(net.at(0).send(b"x", &[net.at(1)], Some("special")).status, 403);
    }
    let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
    let cases = loop {
        let cases = Request::get("/cases").send(&net.at(0).admin).must(200).json();
        if cases[0]["times"] == 3 {
            break cases;
        }
        assert!(std::time::Instant::now() < deadline, "{cases}");
        std::thread::sleep(std::time::Duration::from_millis(200));
    };
    assert_eq!((cases.as_array().unwrap().len(), &cases[0]["code"]), (1, &"CEL6033".into()), "{cases}");
    assert_eq!((&cases[0]["kind"], &cases[0]["member"]), (&"violation".into(), &"a".into()), "{cases}");
    assert_eq!(Request::get("/cases").send(&net.at(1).admin).must(200).json(), serde_json::json!([]), "nothing reached b");
}

/// A member that has not heard of a stricter policy is refused by those who have.
#[test]
fn a_recipient_enforces_its_own_policy() {
    let mut net = Net::start(&["a", "b"]);
    let note = net.governors.policy(|policy| policy.classes.personal.regions = Regions::Only(vec!["DE".parse().unwrap()]));
    // What is stored raw goes out in Tessera's suite, which tells no class.
    let body = serde_json::json!({ "payload": "eA==", "from": net.at(0).keys.public }).to_string();
    let raw = Request::post("/storeraw", JSON, body.as_bytes()).send(&net.at(0).application).must(200).json()["key"].clone();
    // b alone learns of it: a stands still meanwhile.
    let pid = net.at(0).pid().to_string();
    assert!(std::process::Command::new("kill").args(["-STOP", &pid]).status().unwrap().success());
    net.at(1).publish(&note).must(200);
    assert!(std::process::Command::new("kill").args(["-CONT", &pid]).status().unwrap().success());
    let answer = net.at(0).send(b"x", &[net.at(1)], None);
    assert_ne!(answer.status, 201, "{}", answer.text());
    let body = serde_json::json!({ "hash": raw, "to": [net.at(1).keys.public] }).to_string();
    let answer = Request::post("/sendsignedtx", JSON, body.as_bytes()).send(&net.at(0).node);
    assert_ne!(answer.status, 201, "{}", answer.text());
    assert_eq!(net.at(1).receive(raw.as_str().unwrap()), None, "its suite got it through");
    net.members[0].wait_for_version(3);
}

/// In Tessera's suite no class is told: what no class may do is refused all the same, to a sender that asks no policy.
#[test]
fn a_recipient_enforces_its_policy_in_tesseras_suite_as_well() {
    let mut net = Net::start(&["a", "b"]);
    let raw = |net: &Net| {
        let a = net.at(0);
        let body = serde_json::json!({ "payload": "aG9sYQ==", "from": a.keys.public });
        let stored = Request::post("/storeraw", JSON, body.to_string().as_bytes()).send(&a.application).must(200).json();
        let body = serde_json::json!({ "hash": stored["key"], "to": [net.at(1).keys.public] });
        Request::post("/sendsignedtx", JSON_2_1, body.to_string().as_bytes()).send(&a.node)
    };
    assert_eq!(raw(&net).status, 201, "{}", net.at(1).log());
    let nowhere = Regions::Only(vec!["DE".parse().unwrap()]);
    let note = net.governors.policy(|policy| {
        let classes = &mut policy.classes;
        for rule in [&mut classes.public, &mut classes.business, &mut classes.personal, &mut classes.special] {
            rule.regions = nowhere.clone();
        }
    });
    // b alone learns of it.
    let pid = net.at(0).pid().to_string();
    let signal = |how: &str| assert!(std::process::Command::new("kill").args([how, &pid]).status().unwrap().success());
    signal("-STOP");
    net.at(1).publish(&note).must(200);
    signal("-CONT");
    let answer = raw(&net);
    assert_ne!(answer.status, 201, "{}", answer.text());
}

/// Quiet delivery leaves at ticks of a shared clock: sends of one class arrive together, those of another at once.
#[test]
fn quiet_delivery_waits_for_its_tick() {
    let classes = CLASSES.replace(
        "personal = { tessera = false, regions = [\"ES\"], padding = \"padme-1k\", delivery = \"prompt\",",
        "personal = { tessera = false, regions = [\"ES\"], padding = \"padme-1k\", delivery = \"quiet\", batch = \"1s\", jitter = \"0s\",",
    );
    assert_ne!(classes, CLASSES);
    let mut net = Net::with(&["a", "b"], &classes);
    net.members.iter_mut().for_each(Member::start);
    let (a, b) = (net.at(0), net.at(1));
    let ids: Vec<String> = std::thread::scope(|scope| {
        let sends: Vec<_> = (0..8).map(|_| scope.spawn(|| a.sent(b"quiet", &[b]))).collect();
        sends.into_iter().map(|send| send.join().unwrap()).collect()
    });
    let arrived = |id: &String| {
        let path = format!("/journal/about/{}", crate::member::percent(id));
        let rows = crate::http::Request::get(&path).send(&b.admin).must(200).json();
        rows[0]["what"]["at"].as_u64().unwrap()
    };
    // All of them in the same part of some second: the ticks are whole seconds.
    let places: Vec<u64> = ids.iter().map(|id| arrived(id) % 1000).collect();
    assert!(places.iter().all(|place| *place < 500), "{places:?}");
}
