//! Escrow and supervision in a network of processes: what an honest sender makes, and what a cheating one is told.

use celosia::crypto::padme::Padding;
use celosia::crypto::secret::Secret;
use celosia::crypto::threshold::{KeyShare, Prepared};
use celosia::governance::{Committee, Officer, Policy, Purpose, Role, Scope, State};
use celosia::seal::celosia1::{Content, Sealing};
use celosia::seal::escrow::Carried;
use celosia::types::{Address, Class};
use celosia::wire::native::Answer;
use celosia::wire::{Header, Receipt};
use curve25519_dalek::Scalar;
use serde_json::json;

use crate::documents;
use crate::http::{JSON, Request};
use crate::member::{Member, percent};
use crate::net::Net;
use crate::outsider::{Forging, Outsider};

/// Two of three officers over a line that everybody knows.
fn committee(epoch: u64) -> Committee {
    let share = |x: u16| {
        let value = Scalar::from(7 * epoch) + Scalar::from(11 * epoch) * Scalar::from(x);
        KeyShare::new(1, Secret::init_with(|bytes| *bytes = value.to_bytes())).unwrap().verifying()
    };
    let officer = |index: u16| Officer {
        index,
        name: format!("Officer {index}"),
        entity: format!("Entity {index}"),
        signing_key: celosia::crypto::sign::VerifyKey::new([u8::try_from(index).unwrap(); 32]),
        box_key: celosia::crypto::hpke::BoxKey::new([u8::try_from(index + 9).unwrap(); 32]),
        share: share(index),
    };
    let officers = (1..=3).map(officer).collect();
    Committee { purpose: Purpose::Escrow, epoch, generation: 1, threshold: 2, key: share(0), officers }
}

fn scope(text: &str) -> Scope {
    toml::from_str(text).unwrap()
}

fn supervised(policy: &mut Policy, scopes: &[&str]) {
    policy.committees = vec![committee(1), committee(2)];
    policy.scopes = scopes.iter().map(|text| scope(text)).collect();
}

/// Members under a policy with these scopes; one called `s` is a supervisor. The rest of the work is the test's.
fn prepared(ids: &[&str], scopes: &[&str]) -> Net {
    let mut net = Net::prepare(ids);
    if ids.contains(&"s") {
        net.governors.change("s", |member| member.roles = vec![Role::Member, Role::Supervisor]);
    }
    net.governors.policy(|policy| supervised(policy, scopes));
    let (network, notes) = (net.governors.network(), net.governors.notes.clone());
    net.members.iter_mut().for_each(|member| member.give(network, &notes));
    net
}

fn started(ids: &[&str], scopes: &[&str]) -> Net {
    let mut net = prepared(ids, scopes);
    net.members.iter_mut().for_each(|member| member.spawn(&[]));
    net.members.iter_mut().for_each(Member::wait);
    net
}

fn header(at: &Member, id: &str) -> Header {
    let receipt = Request::get(&format!("/receipts/{}", percent(id))).send(&at.admin).must(200);
    Receipt::decode(&receipt.body).unwrap().header
}

fn metric(at: &Member, name: &str) -> u64 {
    let text = Request::get("/metrics").send(&at.admin).must(200).text();
    let line =
        text.lines().find(|line| line.split(' ').next() == Some(name)).unwrap_or_else(|| panic!("{name} is not in\n{text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

fn address(of: &Member) -> Address {
    of.keys.public.parse().unwrap()
}

#[test]
fn under_s2_every_payload_has_a_capsule_and_arrives() {
    let net = started(&["a", "b"], &["classes = [\"public\"]\nsupervision = \"S0\"", "supervision = \"S2\""]);
    let (a, b) = (net.at(0), net.at(1));
    let id = a.sent(b"under two officers' eyes", &[b]);
    assert_eq!(b.receive(&id).as_deref(), Some(b"under two officers' eyes".as_slice()));
    let carried = Carried::from_bytes(&header(a, &id).escrow.expect("a capsule")).expect("a capsule");
    assert_eq!(carried.epoch, 2, "the highest epoch");
    assert_eq!((metric(a, "celosia_capsules_made_total"), metric(b, "celosia_capsules_refused_total")), (1, 0));
    let free = a.send(b"for all", &[b], Some("public")).must(201).json()["key"].as_str().unwrap().to_owned();
    assert_eq!(header(a, &free).escrow, None, "a class without supervision");
}

/// Each sender's trick, and what the recipient says to it before it acknowledges anything.
#[test]
fn a_cheating_sender_gets_no_acknowledgement() {
    let mut net = prepared(&["a", "b"], &["supervision = \"S2\""]);
    net.members[1].start();
    let (a, b) = (net.at(0), net.at(1));
    let outsider = Outsider::of(&net, a);
    let network = net.governors.network();
    let content = || Content::seal(&network, &"a".parse().unwrap(), Padding::PadmeKib, b"a contract");
    let [first, second] = [1, 2].map(|epoch| Prepared::new(&committee(epoch).key));
    let (sigma, other) = (Secret::random(), Secret::random());
    let sealing = |epoch, key| Some(Sealing { epoch, key, sigma: &sigma });
    let honest = || Forging { escrow: sealing(2, &second), sigma: Some(&sigma), ..Forging::default() };
    let code = |forging: Forging<'_>| {
        let made = content();
        match &outsider.deliver(b, &outsider.forged(&made, a, b, &forging))[..] {
            [Answer::Refused { code, .. }] => *code,
            [Answer::Taken { .. }] => 0,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(code(honest()), 0, "{}", b.log());
    let garbage = |header: &mut Header| header.escrow = Some(vec![7; Carried::LEN]);
    assert_eq!(code(Forging { alter: Some(&garbage), ..honest() }), 5029);
    // The capsule of another payload: another data key, another id.
    let of_another = content();
    let foreign = Sealing { epoch: 2, key: &second, sigma: &sigma };
    let capsule = capsule_of(&of_another, &net, a, foreign);
    let swapped = move |header: &mut Header| header.escrow = Some(capsule.clone());
    assert_eq!(code(Forging { alter: Some(&swapped), ..honest() }), 5032);
    assert_eq!(code(Forging { sigma: Some(&other), ..honest() }), 5032, "another sigma");
    assert_eq!(code(Forging { escrow: sealing(2, &first), ..honest() }), 5032, "the key of another epoch under this one's name");
    let reclassed = |header: &mut Header| header.class = Class::Business;
    assert_eq!(code(Forging { alter: Some(&reclassed), ..honest() }), 5032, "a swapped label");
    assert_eq!(code(Forging { escrow: sealing(3, &second), ..honest() }), 5030);
    assert_eq!(code(Forging { escrow: sealing(1, &first), ..honest() }), 6044, "whole, and for a key of yesterday");
    assert_eq!(code(Forging { sigma: None, ..honest() }), 5031);
    assert_eq!(code(Forging { escrow: None, ..honest() }), 5031);
    assert_eq!(code(Forging::default()), 6043, "none at all");
    assert_eq!(metric(b, "celosia_capsules_refused_total"), 10);
    let stored = Request::get("/metrics").send(&b.admin).must(200).text();
    assert!(stored.contains("celosia_payloads_pushed_native_total 1\n"), "nothing but the honest one is kept");
}

/// What the header of a payload would carry.
fn capsule_of(content: &Content, net: &Net, by: &Member, escrow: Sealing<'_>) -> Vec<u8> {
    let statement = celosia::seal::celosia1::Statement {
        network: &net.governors.network(),
        member: &by.id.parse().unwrap(),
        sender: address(by),
        policy: net.governors.charter.policy_version(),
        class: Class::Personal,
        time: 0,
        privacy: &celosia::types::Privacy::default(),
        recipients: &[address(by)],
        escrow: Some(escrow),
    };
    let (bytes, _, _) = statement.about(content, &Secret::random()).unwrap();
    Header::decode(&bytes).unwrap().escrow.unwrap()
}

const S3: &str = "supervision = \"S3\"\nsupervisors = [\"s\"]";

#[test]
fn under_s3_the_supervisor_receives_what_it_is_not_sent() {
    let net = started(&["a", "b", "s"], &[S3]);
    let (a, b, s) = (net.at(0), net.at(1), net.at(2));
    let id = a.sent(b"seen", &[b]);
    for at in [b, s] {
        assert_eq!(at.receive(&id).as_deref(), Some(b"seen".as_slice()), "{}", at.id);
    }
    // In Tessera's suite nobody sees who else receives: a raw payload is not sent.
    let stored = json!({ "payload": "aG9sYQ==", "from": a.keys.public });
    let raw = Request::post("/storeraw", JSON, stored.to_string().as_bytes()).send(&a.node).must(200).json();
    let signed = json!({ "hash": raw["key"], "to": [b.keys.public] });
    let answer = Request::post("/sendsignedtx", JSON, signed.to_string().as_bytes()).send(&a.node);
    assert_eq!((answer.status, answer.header("celosia-error")), (403, Some("CEL6047")), "{}", answer.text());
}

#[test]
fn under_s3_a_sender_that_leaves_the_supervisor_out_is_refused() {
    let mut net = prepared(&["a", "b", "s"], &[S3]);
    net.members[1].start();
    let (a, b, s) = (net.at(0), net.at(1), net.at(2));
    let outsider = Outsider::of(&net, a);
    let network = net.governors.network();
    let (key, sigma) = (Prepared::new(&committee(2).key), Secret::random());
    let also = [address(s)];
    let code = |also: &[Address], shown| {
        let escrow = Some(Sealing { epoch: 2, key: &key, sigma: &sigma });
        let forging = Forging { escrow, sigma: Some(&sigma), also, shown, ..Forging::default() };
        let content = Content::seal(&network, &"a".parse().unwrap(), Padding::PadmeKib, b"a contract");
        match &outsider.deliver(b, &outsider.forged(&content, a, b, &forging))[..] {
            [Answer::Refused { code, .. }] => *code,
            [Answer::Taken { .. }] => 0,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(code(&[], false), 6046, "not a recipient");
    assert_eq!(code(&[Address::new([9; 32])], true), 6046, "somebody else in its place");
    assert_eq!(code(&also, false), 6046, "a recipient, says the sender, and proves nothing");
    assert_eq!(code(&also, true), 7227, "a recipient, and nobody delivered to it");
}

#[test]
fn nothing_is_sent_while_its_supervisor_is_suspended() {
    let mut net = prepared(&["a", "b", "s"], &["classes = [\"public\"]\nsupervision = \"S0\"", S3]);
    net.governors.change("s", |member| member.state = State::Suspended);
    let (network, notes) = (net.governors.network(), net.governors.notes.clone());
    for member in &mut net.members[..2] {
        member.give(network, &notes);
        member.start();
    }
    let (a, b) = (net.at(0), net.at(1));
    let answer = a.send(b"x", &[b], None);
    assert_eq!((answer.status, answer.header("celosia-error")), (403, Some("CEL6045")), "{}", answer.text());
    a.send(b"x", &[b], Some("public")).must(201);
}

/// In Tessera's suite (an application that stores first and sends later) sender and recipient make a capsule each.
#[test]
fn under_s2_tesseras_suite_has_a_capsule_at_each_holder() {
    let net = started(&["a", "b"], &["supervision = \"S2\""]);
    let (a, b) = (net.at(0), net.at(1));
    let stored = json!({ "payload": "aG9sYQ==", "from": a.keys.public });
    let raw = Request::post("/storeraw", JSON, stored.to_string().as_bytes()).send(&a.node).must(200).json();
    let signed = json!({ "hash": raw["key"], "to": [b.keys.public] });
    Request::post("/sendsignedtx", JSON, signed.to_string().as_bytes()).send(&a.node).must(201);
    assert_eq!(b.receive(raw["key"].as_str().unwrap()).as_deref(), Some(b"hola".as_slice()));
    assert_eq!([a, b].map(|at| metric(at, "celosia_capsules_made_total")), [1, 1]);
}

#[test]
fn under_s3_a_document_reaches_the_supervisor_too() {
    let net = started(&["a", "b", "s"], &[S3]);
    let (a, b, s) = (net.at(0), net.at(1), net.at(2));
    let id = documents::putted(a, b"a report", &[b], "now");
    for at in [b, s] {
        documents::wait_for(at, &id);
        assert_eq!(documents::get(at, &id).body, b"a report", "{}", at.id);
    }
    assert!(metric(a, "celosia_capsules_made_total") >= 2, "one for each member's manifest");
}
