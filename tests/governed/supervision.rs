//! Supervision at real processes: orders to stop, who may give them, and what they reach.

use celosia::crypto::padme::Padding;
use celosia::crypto::sign::SigningKey;
use celosia::governance::{Role, Scope, State, Supervision};
use celosia::seal::celosia1::Content;
use celosia::services::{PeerError, native_path as path};
use celosia::supervision::{Lift, SignedLift, SignedStop, StopNumber, StopOrder, StopScope};
use celosia::types::{Class, NetworkId};
use celosia::wire::native::Answer;
use serde_json::Value;

use crate::erasure::{admin, celosia, must};
use crate::http::{Answer as Reply, Request};
use crate::member::Member;
use crate::net::Net;
use crate::outsider::{Outsider, now, rows};

/// The supervisor is the last member; its scopes are these.
pub fn supervised(ids: &[&str], scopes: Vec<Scope>) -> Net {
    let mut net = Net::prepare(ids);
    let supervisor = *ids.last().unwrap();
    net.governors.change(supervisor, |member| member.roles.push(Role::Supervisor));
    net.governors.policy(|policy| policy.scopes = scopes);
    for member in &mut net.members {
        member.give(net.governors.network(), &net.governors.notes);
    }
    net
}

pub fn scope(supervision: Supervision, classes: &[Class], supervisor: &str) -> Scope {
    Scope {
        members: Vec::new(),
        contracts: Vec::new(),
        classes: classes.to_vec(),
        supervision,
        supervisors: vec![supervisor.parse().unwrap()],
    }
}

pub fn stops(of: &Member) -> Vec<Value> {
    Request::get("/stops").send(&of.admin).must(200).json().as_array().unwrap().clone()
}

pub fn active(of: &Member) -> usize {
    stops(of).iter().filter(|stop| stop["lifted"].is_null()).count()
}

/// Gives an order at the supervisor's own node; its number.
pub fn stop(supervisor: &Member, scope: &str) -> String {
    let node = admin(supervisor);
    let said = must(&[
        "supervisor",
        "stop",
        "--admin",
        &node,
        "--scope",
        scope,
        "--authority",
        "EXP 12/2026",
        "--text",
        "trading is suspended",
    ]);
    said.split_whitespace().next().unwrap().to_owned()
}

pub fn lift(supervisor: &Member, number: &str) -> (bool, String) {
    celosia(&["supervisor", "lift", "--admin", &admin(supervisor), number, "--text", "settled"])
}

#[track_caller]
pub fn refused(answer: &Reply) {
    assert_eq!(answer.status, 451, "{}", answer.text());
    assert!(answer.text().contains("trading is suspended") && answer.text().contains("cnmv"), "{}", answer.text());
}

#[test]
fn an_order_stops_new_payloads_at_every_node_until_it_is_lifted() {
    let mut net = supervised(&["a", "b", "cnmv"], vec![scope(Supervision::S0, &[], "cnmv")]);
    net.members.iter_mut().for_each(|member| member.spawn(&[]));
    net.members.iter_mut().for_each(Member::wait);
    let [a, b, cnmv] = &net.members[..] else { unreachable!("three") };
    let before = a.send(b"before", &[b], Some("business")).must(201).json()["key"].as_str().unwrap().to_owned();
    let number = stop(cnmv, "class:business");
    for member in [a, b, cnmv] {
        assert_eq!(active(member), 1, "{}", member.id);
        assert_eq!(rows(member, "\"stop-ordered\""), 1, "{}", member.id);
    }
    for (from, to) in [(a, b), (b, a)] {
        let answer = from.send(b"after", &[to], Some("business"));
        refused(&answer);
        assert_eq!(answer.header("celosia-error"), Some("CEL7200"));
        assert_eq!(rows(from, "CEL7200"), 1);
    }
    let document = Request::post("/documents", "application/octet-stream", b"a paper").header("celosia-to", &b.keys.public);
    refused(&document.header("celosia-class", "business").send(&a.application));
    a.sent(b"of another class", &[b]);
    assert_eq!(a.receive(&before).unwrap(), b"before", "reading goes on");
    let metrics = Request::get("/metrics").send(&a.admin).must(200).text();
    assert!(metrics.contains("celosia_stops_active 1"), "{metrics}");

    // It is in force after a restart, before anybody else is there.
    net.members.iter_mut().for_each(Member::kill);
    net.members[0].start();
    refused(&net.at(0).send(b"alone", &[net.at(1)], Some("business")));
    net.members[1].start();
    net.members[2].start();
    let [a, b, cnmv] = &net.members[..] else { unreachable!("three") };
    let (good, said) = lift(cnmv, &number);
    assert!(good && said.contains("lifted"), "{said}");
    for member in [a, b, cnmv] {
        member.wait_until(|| active(member) == 0, "the lift does not arrive");
        assert_eq!(rows(member, "\"stop-lifted\""), 1);
    }
    a.send(b"again", &[b], Some("business")).must(201);
    let (good, said) = lift(cnmv, &number);
    assert!(!good && said.contains("CEL7207"), "{said}");
}

/// A contract is stopped by the address that its sender declares, and by what builds on the payloads that made it.
#[test]
fn a_contract_is_stopped_by_its_address_and_by_what_builds_on_it() {
    let address = "0x0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a";
    let of_contract = Scope { contracts: vec![address.parse().unwrap()], ..scope(Supervision::S0, &[], "cnmv") };
    let mut net = supervised(&["a", "b", "cnmv"], vec![of_contract]);
    net.members.iter_mut().for_each(|member| member.spawn(&[]));
    net.members.iter_mut().for_each(Member::wait);
    let [a, b, cnmv] = &net.members[..] else { unreachable!("three") };
    let send = |contract: Option<&str>, affected: &[&str]| {
        let body = serde_json::json!({
            "payload": "aG9sYQ==", "from": a.keys.public, "to": [b.keys.public], "privacyFlag": 1,
            "affectedContractTransactions": affected,
        });
        let request = Request::post("/send", crate::http::JSON_2_1, body.to_string().as_bytes());
        match contract {
            Some(contract) => request.header("celosia-contract", contract),
            None => request,
        }
        .send(&a.node)
    };
    let key = |answer: Reply| answer.must(201).json()["key"].as_str().unwrap().to_owned();
    let (creation, another) = (key(send(None, &[])), key(send(None, &[])));
    let (node, scope) = (admin(cnmv), format!("contract:{address}"));
    let wide = ["supervisor", "stop", "--admin", &node, "--scope", "all", "--authority", "A", "--text", "b"];
    let (good, said) = celosia(&wide);
    assert!(!good && said.contains("CEL7203"), "{said}");
    must(&[
        "supervisor",
        "stop",
        "--admin",
        &node,
        "--scope",
        &scope,
        "--creation",
        &creation,
        "--authority",
        "A",
        "--text",
        "trading is suspended",
    ]);
    refused(&send(Some(address), &[]));
    refused(&send(None, &[&creation]));
    send(None, &[&another]).must(201);
    send(Some("0x0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"), &[]).must(201);
}

/// What nobody told a node while it was away it asks for before it serves.
#[test]
fn a_member_that_was_away_knows_the_order_before_it_sends() {
    let mut net = supervised(&["a", "b", "cnmv"], vec![scope(Supervision::S0, &[], "cnmv")]);
    net.members[0].start();
    net.members[2].start();
    let said = must(&[
        "supervisor",
        "stop",
        "--admin",
        &admin(net.at(2)),
        "--scope",
        "all",
        "--authority",
        "A",
        "--text",
        "trading is suspended",
    ]);
    assert!(said.contains("not reached yet: b"), "{said}");
    net.members[1].start();
    refused(&net.at(1).send(b"late", &[net.at(0)], None));
}

pub fn order(network: NetworkId, supervisor: &str, scope: StopScope) -> StopOrder {
    let (authority, text) = ("EXP 12/2026".into(), "trading is suspended".into());
    StopOrder {
        network,
        number: StopNumber([7; 16]),
        supervisor: supervisor.parse().unwrap(),
        scope,
        authority,
        text,
        issued: now(),
    }
}

pub fn signed(order: StopOrder, key: &SigningKey) -> Vec<u8> {
    let signature = key.sign(&order.statement());
    [&[0], &SignedStop { order, signature }.encode()[..]].concat()
}

pub fn lifted(order: &StopOrder, supervisor: &str, key: &SigningKey) -> Vec<u8> {
    let StopOrder { network, number, scope, .. } = order.clone();
    let supervisor = supervisor.parse().unwrap();
    let lift = Lift { network, number, stop: order.digest(), scope, supervisor, text: "settled".into(), issued: now() };
    let signature = key.sign(&lift.statement());
    [&[1], &SignedLift { lift, signature }.encode()[..]].concat()
}

#[track_caller]
pub fn not_taken(answer: Result<bytes::Bytes, PeerError>) {
    assert!(matches!(answer, Err(PeerError::Refused { status: 403, .. })), "{answer:?}");
}

#[test]
fn orders_that_are_forged_too_wide_or_of_an_expelled_supervisor_are_refused() {
    let mut net = supervised(&["a", "b", "cnmv"], vec![scope(Supervision::S0, &[Class::Business], "cnmv")]);
    net.members[0].start();
    let (a, b, cnmv) = (net.at(0), net.at(1), net.at(2));
    let network = net.governors.network();
    let outsider = Outsider::of(&net, b);
    let tell = |bytes: Vec<u8>| outsider.call_bytes(a, path::SUPERVISION_TELL, bytes);
    let business = || StopScope::Class(Class::Business);
    not_taken(tell(b"no order".to_vec()));
    not_taken(tell(signed(order(network, "cnmv", business()), &b.signing())));
    not_taken(tell(signed(order(network, "b", business()), &b.signing())));
    not_taken(tell(signed(order(network, "cnmv", StopScope::All), &cnmv.signing())));
    not_taken(tell(signed(order(network, "cnmv", StopScope::Class(Class::Personal)), &cnmv.signing())));
    not_taken(tell(signed(order(network, "cnmv", StopScope::Member("a".parse().unwrap())), &cnmv.signing())));
    not_taken(tell(signed(order(NetworkId::new([9; 32]), "cnmv", business()), &cnmv.signing())));
    let tomorrow = StopOrder { issued: now() + 86_400_000, ..order(network, "cnmv", business()) };
    not_taken(tell(signed(tomorrow, &cnmv.signing())));
    assert!(stops(a).is_empty());
    for code in ["CEL7201", "CEL7202", "CEL7203"] {
        assert!(rows(a, code) > 0, "{code} is not journalled");
    }

    // A good one, which others may bring. A lift by nobody lifts nothing; brought again after its lift, it does not stand.
    let good = order(network, "cnmv", business());
    tell(signed(good.clone(), &cnmv.signing())).unwrap();
    assert_eq!(active(a), 1);
    not_taken(tell(lifted(&good, "b", &b.signing())));
    not_taken(tell(lifted(&good, "cnmv", &b.signing())));
    assert_eq!(active(a), 1);
    tell(lifted(&good, "cnmv", &cnmv.signing())).unwrap();
    assert_eq!(active(a), 0);
    tell(signed(good, &cnmv.signing())).unwrap();
    assert_eq!((stops(a).len(), active(a)), (1, 0), "an order that was lifted is brought again");

    let note = net.governors.change("cnmv", |member| member.state = State::Expelled);
    let (a, b, cnmv) = (net.at(0), net.at(1), net.at(2));
    assert!(a.publish(&note).status < 300);
    let late = StopOrder { number: StopNumber([8; 16]), ..order(network, "cnmv", business()) };
    not_taken(Outsider::of(&net, b).call_bytes(a, path::SUPERVISION_TELL, signed(late, &cnmv.signing())));
    assert_eq!(active(a), 0);
}

/// A lift of a small scope that comes before the order of a large one lifts nothing.
#[test]
fn a_lift_of_another_scope_lifts_nothing_whichever_comes_first() {
    let mut net = supervised(&["a", "cnmv"], vec![scope(Supervision::S0, &[], "cnmv")]);
    net.governors.policy(|policy| policy.scopes.insert(0, scope(Supervision::S0, &[Class::Public], "a")));
    net.governors.change("a", |member| member.roles.push(Role::Supervisor));
    let (network, notes) = (net.governors.network(), net.governors.notes.clone());
    net.members[0].give(network, &notes);
    net.members[0].start();
    let (a, cnmv) = (net.at(0), net.at(1));
    let outsider = Outsider::of(&net, cnmv);
    let tell = |bytes: Vec<u8>| outsider.call_bytes(a, path::SUPERVISION_TELL, bytes);
    let all = order(network, "cnmv", StopScope::All);
    let mut small = all.clone();
    small.scope = StopScope::Class(Class::Public);
    let lift = Lift {
        network,
        number: all.number,
        stop: all.digest(),
        scope: small.scope.clone(),
        supervisor: "a".parse().unwrap(),
        text: "mine".into(),
        issued: now(),
    };
    let signature = a.signing().sign(&lift.statement());
    let early = [&[1], &SignedLift { lift, signature }.encode()[..]].concat();
    tell(early.clone()).unwrap();
    tell(signed(all.clone(), &cnmv.signing())).unwrap();
    assert_eq!(active(a), 1);
    tell(lifted(&all, "cnmv", &cnmv.signing())).unwrap();
    assert_eq!(active(a), 0);
}

/// Whatever the sender thinks: a recipient takes nothing new of what is stopped.
#[test]
fn a_recipient_refuses_what_is_stopped_from_a_sender_that_does_not_care() {
    let mut net = supervised(&["a", "b", "cnmv"], vec![scope(Supervision::S0, &[], "cnmv")]);
    net.members[1].start();
    let (a, b, cnmv) = (net.at(0), net.at(1), net.at(2));
    let network = net.governors.network();
    let made = || Content::seal(&network, &"a".parse().unwrap(), Padding::PadmeKib, b"a contract");
    let sender = Outsider::of(&net, a);
    let answers = sender.deliver(b, &sender.addressed(&made(), a, b));
    assert!(matches!(answers[..], [Answer::Taken { .. }]), "{answers:?}");
    let scope = StopScope::Member("a".parse().unwrap());
    sender.call_bytes(b, path::SUPERVISION_TELL, signed(order(network, "cnmv", scope), &cnmv.signing())).unwrap();
    let answers = sender.deliver(b, &sender.addressed(&made(), a, b));
    assert!(matches!(answers[..], [Answer::Refused { code: 7200, status: 451, .. }]), "{answers:?}");
}

/// The order comes while a payload is on its way: one recipient has it, another does not answer yet. The id is not told, and it is taken back.
#[test]
fn a_send_in_flight_is_taken_back() {
    let mut net = supervised(&["a", "b", "c", "cnmv"], vec![scope(Supervision::S0, &[], "cnmv")]);
    for member in &mut net.members[..3] {
        member.spawn(&[]);
    }
    net.members[..3].iter_mut().for_each(Member::wait);
    let [a, b, c, cnmv] = &net.members[..] else { unreachable!("four") };
    a.sent(b"connections are open", &[b, c]);
    let signal = |name: &str| {
        assert!(std::process::Command::new("kill").args([name, &b.pid().to_string()]).status().unwrap().success());
    };
    let stored = |of: &Member| rows(of, "\"received\"");
    let before = stored(c);
    signal("-STOP");
    let answer = std::thread::scope(|scope| {
        let sending = scope.spawn(|| a.send(b"in flight", &[b, c], None));
        c.wait_until(|| stored(c) > before, "the payload does not arrive at the other recipient");
        let order = order(net.governors.network(), "cnmv", StopScope::All);
        Outsider::of(&net, cnmv).call_bytes(a, path::SUPERVISION_TELL, signed(order, &cnmv.signing())).unwrap();
        signal("-CONT");
        sending.join().unwrap()
    });
    refused(&answer);
    c.wait_until(|| rows(c, "\"withdrawn\"") + count(c, "withdrawn") > 0, "it is not taken back");
}

/// A counter of a node by a part of its name.
fn count(of: &Member, name: &str) -> usize {
    let metrics = Request::get("/metrics").send(&of.admin).must(200).text();
    let line = metrics.lines().find(|line| line.contains(name) && !line.starts_with('#'));
    line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).map_or(0, |value| usize::from(value > 0.0))
}
