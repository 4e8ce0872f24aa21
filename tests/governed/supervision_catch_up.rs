//! Catching up with what has no header of its own.

use std::fs;

use celosia::governance::Supervision;
use serde_json::{Value, json};

use crate::erasure::{admin, celosia, copy, must};
use crate::http::{JSON, Request};
use crate::member::Member;
use crate::net::Net;
use crate::supervision::{scope, supervised};

/// Members a and b, and a supervisor of all that they send, under S1.
fn net() -> Net {
    let mut net = supervised(&["a", "b", "cnmv"], vec![scope(Supervision::S1, &[], "cnmv")]);
    for member in &mut net.members {
        member.extra = "[erasure]\nnode-cache = \"0s\"\n".into();
    }
    net
}

fn seen(cnmv: &Member) -> Vec<Value> {
    let said = must(&["supervisor", "watch", "--admin", &admin(cnmv), "--once", "--json"]);
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn catch_up(cnmv: &Member) -> (bool, String) {
    celosia(&["supervisor", "catch-up", "--admin", &admin(cnmv), "--scope", "all", "--since", "2026-01-01T00:00:00Z"])
}

/// A payload of `/storeraw`, which keeps Tessera's suite, to some.
fn sent_raw(from: &Member, payload: &str, to: &[&Member]) -> String {
    let stored = json!({ "payload": payload, "from": from.keys.public });
    let raw = Request::post("/storeraw", JSON, stored.to_string().as_bytes()).send(&from.node).must(200).json();
    let to: Vec<&str> = to.iter().map(|member| member.keys.public.as_str()).collect();
    let body = json!({ "hash": raw["key"], "to": to }).to_string();
    Request::post("/sendsignedtx", JSON, body.as_bytes()).header("celosia-class", "business").send(&from.node).must(201);
    raw["key"].as_str().unwrap().to_owned()
}

#[test]
fn payloads_in_tesseras_suite_are_caught_up_with_as_they_were_copied() {
    let mut net = net();
    net.members.iter_mut().for_each(|member| member.spawn(&[]));
    net.members.iter_mut().for_each(Member::wait);
    net.members[2].stop();
    let (data, saved) = (net.at(2).folder.join("data"), net.at(2).folder.join("saved"));
    copy(&data, &saved);
    net.members[2].start();
    let id = sent_raw(net.at(0), "aG9sYQ==", &[net.at(1)]);
    let first = seen(net.at(2));
    assert_eq!((first.len(), &first[0]["id"]), (1, &id.as_str().into()));
    net.members[2].kill();
    fs::remove_dir_all(&data).unwrap();
    copy(&saved, &data);
    let accept = ["journal", "accept-rollback", "--data-dir", data.to_str().unwrap(), "--actor", "ana", "--reason", "disk lost"];
    must(&accept);
    net.members[2].start();
    let cnmv = net.at(2);
    assert!(seen(cnmv).is_empty());
    let (good, said) = catch_up(cnmv);
    assert!(good && said.contains("a: 1 new, 0 known") && said.contains("b: 0 new, 0 known"), "{said}\n{}", cnmv.log());
    let again = seen(cnmv);
    // The same words of the same day: what was sealed and signed then.
    for field in ["id", "member", "sender", "recipients", "class", "policy", "time"] {
        assert_eq!(again[0][field], first[0][field], "{field}");
    }
    let (good, said) = catch_up(cnmv);
    assert!(good && said.contains("a: 0 new, 1 known"), "{said}");
}
