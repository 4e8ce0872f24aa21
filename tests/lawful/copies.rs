//! A supervisor's copies under S2 are a source of disclosure: officers open on a mandate what the supervisor keeps and does not read.

use celosia::governance::{Role, Scope, Supervision};
use celosia::types::Class;
use serde_json::Value;

use crate::court::{Court, in_minutes};

/// Members a and b, and a supervisor of what they send: headers of what is public, ciphertext and sigma of everything else.
pub fn supervised() -> Court {
    Court::under(&["a", "b", "cnmv"], |governors| {
        governors.change("cnmv", |member| member.roles.push(Role::Supervisor));
        governors.policy(|policy| {
            let supervisors = vec!["cnmv".parse().unwrap()];
            policy.scopes[0].supervisors.clone_from(&supervisors);
            let (members, contracts, classes) = (Vec::new(), Vec::new(), vec![Class::Public]);
            policy.scopes.insert(0, Scope { members, contracts, classes, supervision: Supervision::S1, supervisors });
        });
    })
}

fn rows(report: &Value) -> Vec<&Value> {
    report["payloads"].as_array().unwrap().iter().collect()
}

#[test]
fn an_auditor_gets_from_a_supervisor_what_its_copies_hold() {
    let court = supervised();
    let (a, b, cnmv) = (court.at(0), court.at(1), court.at(2));
    let (seen, later, before) = (a.sent(b"what is granted", &[b]), a.sent(b"erased on the way", &[b]), a.sent(b"erased", &[b]));
    let answer = a.send(b"of which there is a header", &[b], Some("public"));
    assert_eq!(answer.status, 201, "{}", answer.text());
    let header = answer.json()["key"].as_str().unwrap().to_owned();
    assert_eq!(cnmv.receive(&seen), None, "the supervisor has no payload");
    let admin = court.admin(0);
    let erase = |id: &str| {
        court.run(&["erase", "request", "--admin", &admin, "--ground", "consent-withdrawn", "--now", "--id", id]).well();
    };
    let watched = || court.run(&["supervisor", "watch", "--admin", &court.admin(2), "--once", "--json"]).well();
    erase(&before);
    cnmv.wait_until(|| !watched().contains(&before), "the copy stays");

    let ids = ["--id", &seen, "--id", &later, "--id", &before, "--id", &header];
    let grant = court.grant("audit", 2, &ids);
    erase(&later);
    cnmv.wait_until(|| !watched().contains(&later), "the copy stays");
    court.collects("audit", 2).well();
    let told = court.audits("audit", "open", &[]).well();
    assert!(told.contains("1 payload(s) opened and verified, 3 not opened"), "{told}");
    assert!(told.contains("its scope has no escrow") && told.contains("erased"), "{told}");
    let report = court.report("audit");
    let row = rows(&report).into_iter().find(|row| row["id"] == seen.as_str()).unwrap();
    assert_eq!(std::fs::read(court.out("audit").join(row["file"].as_str().unwrap())).unwrap(), b"what is granted");
    assert_eq!((&row["sender"]["id"], &row["acknowledged"][0]["id"]), (&"a".into(), &"cnmv".into()));
    assert_eq!(row["acknowledged"].as_array().unwrap().len(), 1, "of others it knows nothing");
    let network = court.network();
    for file in ["audit/case.cbor", "audit/release.cbor"] {
        let told = court.run(&["disclosure", "verify", &court.path(file), "--network", &network]).well();
        assert!(told.contains("on record: view 1"), "{told}");
    }
    court.audits("audit", "verify", &[]).well();

    // Sender and recipient are told: the copy names them.
    for (at, member) in [(0, a), (1, b)] {
        let admin = court.admin(at);
        let list = || court.run(&["disclosure", "notices", "--admin", &admin]).well();
        member.wait_until(|| list().contains("viewed"), "a member that is concerned is not told");
    }
    let shown = court.shown(2, &grant);
    assert_eq!(shown["views"]["recorded"].as_u64(), Some(1), "{shown}");
}

#[test]
fn a_scope_reaches_copies_by_sender_class_and_time_and_each_once() {
    let court = supervised();
    let (a, b, cnmv) = (court.at(0), court.at(1), court.at(2));
    let (of_a, of_b) = (a.sent(b"of a", &[b]), b.sent(b"of b", &[a]));
    let business = a.send(b"business", &[b], Some("business")).json()["key"].as_str().unwrap().to_owned();
    // What the supervisor received itself is no copy.
    let received = a.sent(b"to the supervisor, too", &[cnmv]);
    let public = a.send(b"a header alone", &[b], Some("public")).json()["key"].as_str().unwrap().to_owned();
    let mut asked = 0;
    let mut listed = |scope: &[&str]| {
        asked += 1;
        let name = format!("audit{asked}");
        let grant = court.auditor(&name, "Auditores Unidos");
        court.asks(&name, 2, &in_minutes(60), scope).well();
        let case = court.case(2, &grant);
        let verified = court.run(&["disclosure", "verify", &case, "--network", &court.network()]);
        let shown = court.shown(2, &grant)["items"].as_u64().unwrap();
        assert!(!verified.text.contains("there twice"), "{}", verified.text);
        shown
    };
    assert_eq!(listed(&["--member", "a"]), 3, "{of_a} {business} {received}, and not {public}");
    assert_eq!(listed(&["--member", "b"]), 1, "{of_b}");
    assert_eq!(listed(&["--class", "business"]), 1, "{business}");
    assert_eq!(listed(&["--made-from", "2026-01-01T00:00:00Z", "--made-until", &in_minutes(2_000)]), 4);
    assert_eq!(listed(&["--id", &public]), 1, "it is answered for, and cannot be opened");
}
