//! Copies for a supervisor (mode S1): what it sees, that no send goes without it, that erasure reaches it, and how it catches up.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use celosia::crypto::padme::Padding;
use celosia::crypto::secret::Secret;
use celosia::governance::Supervision;
use celosia::seal::celosia1::{Content, Statement};
use celosia::services::native_path;
use celosia::supervision::StopScope;
use celosia::supervision::SupervisionCopy;
use celosia::types::{Address, Class, Privacy};
use celosia::wire::header;
use celosia::wire::native::{Answer, Batch, CatchUp, Item, Message as _, Resent};
use serde_json::Value;

use crate::erasure::{admin, case, celosia, copy, erase, must};
use crate::http::Request;
use crate::member::Member;
use crate::net::Net;
use crate::outsider::{Outsider, now, rows};
use crate::supervision::{order, scope, signed, supervised};
use crate::supervision_cosign::committee;

/// Members a and b, and a supervisor of their business, under S1.
fn net() -> Net {
    let mut net = supervised(&["a", "b", "cnmv"], vec![scope(Supervision::S1, &[Class::Business], "cnmv")]);
    for member in &mut net.members {
        member.extra = "[erasure]\nnode-cache = \"0s\"\n".into();
        member.spawn(&[]);
    }
    net.members.iter_mut().for_each(Member::wait);
    net
}

/// What the supervisor has seen.
fn seen(cnmv: &Member) -> Vec<Value> {
    let said = must(&["supervisor", "watch", "--admin", &admin(cnmv), "--once", "--json"]);
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[track_caller]
fn business(from: &Member, payload: &[u8], to: &[&Member]) -> String {
    let answer = from.send(payload, to, Some("business"));
    assert_eq!(answer.status, 201, "{}\n{}", answer.text(), from.log());
    answer.json()["key"].as_str().unwrap().to_owned()
}

#[test]
fn a_supervisor_sees_who_sent_what_class_to_whom_and_no_payload() {
    let net = net();
    let [a, b, cnmv] = &net.members[..] else { unreachable!("three") };
    a.sent(b"about a person", &[b]);
    let id = business(a, b"an offer", &[b]);
    let all = seen(cnmv);
    assert_eq!(all.len(), 1, "another class is not its affair: {all:?}");
    let one = &all[0];
    assert_eq!((&one["id"], &one["member"], &one["class"]), (&id.as_str().into(), &"a".into(), &"business".into()));
    assert_eq!((&one["mode"], &one["received"]), (&"S1".into(), &false.into()));
    let mut to: Vec<&str> = one["recipients"].as_array().unwrap().iter().map(|to| to["member"].as_str().unwrap()).collect();
    to.sort_unstable();
    assert_eq!(to, ["a", "b"]);
    assert_eq!(cnmv.receive(&id), None, "it has no payload");
    assert!(rows(cnmv, "\"supervised\"") == 1 && rows(a, "\"supervised\"") == 1);

    // Live: the next one comes while somebody watches.
    let mut child = Command::new(env!("CARGO_BIN_EXE_celosia"))
        .args(["supervisor", "watch", "--admin", &admin(cnmv), "--after", "0", "--json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let next = business(b, b"an answer", &[a]);
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    let live: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&live["id"], &live["member"]), (&next.as_str().into(), &"b".into()));

    // Nobody else watches, and nothing of it is on the supervisor's disk in the clear.
    let answer = Request::get("/supervision/stream").send(&a.admin);
    assert_eq!((answer.status, answer.header("celosia-error")), (403, Some("CEL7202")));
    let (good, said) =
        celosia(&["supervisor", "catch-up", "--admin", &admin(a), "--scope", "all", "--since", "2026-01-01T00:00:00Z"]);
    assert!(!good && said.contains("CEL7202"), "{said}");
}

/// Under S2 the copy holds what a committee opens on a mandate, and nothing that the supervisor opens.
#[test]
fn under_threshold_escrow_the_copy_holds_ciphertext_and_sigma_and_no_key() {
    let mut net = supervised(&["a", "b", "cnmv"], Vec::new());
    net.governors.policy(|policy| {
        policy.committees = vec![committee()];
        policy.scopes = vec![scope(Supervision::S2, &[Class::Business], "cnmv")];
    });
    for member in &mut net.members {
        member.give(net.governors.network(), &net.governors.notes);
        member.spawn(&[]);
    }
    net.members.iter_mut().for_each(Member::wait);
    let [a, b, cnmv] = &net.members[..] else { unreachable!("three") };
    let small = business(a, b"an offer", &[b]);
    let large = business(b, &vec![7; 3 << 20], &[a]);
    let all = seen(cnmv);
    for (one, id) in all.iter().zip([&small, &large]) {
        assert_eq!((&one["id"], &one["mode"]), (&id.as_str().into(), &"S2".into()));
        assert_eq!((&one["escrowed"], &one["received"]), (&true.into(), &false.into()));
        assert_eq!(cnmv.receive(id), None);
    }
    assert_eq!(all.len(), 2);
    a.sent(b"about a person", &[b]);
    erase(a, &["--id", &small]);
    cnmv.wait_until(|| seen(cnmv).len() == 1, "the copy stays");
}

/// The copy lasts over a restart, and the feed goes on behind it.
#[test]
fn the_feed_goes_on_after_a_restart() {
    let mut net = net();
    let first = business(net.at(0), b"one", &[net.at(1)]);
    net.members[2].kill();
    net.members[2].start();
    let second = business(net.at(0), b"two", &[net.at(1)]);
    let all = seen(net.at(2));
    let ids: Vec<&str> = all.iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [first, second]);
    assert!(all[0]["place"].as_u64() < all[1]["place"].as_u64());
}

#[test]
fn nothing_of_the_scope_goes_without_its_supervisor() {
    let mut net = net();
    net.members[2].kill();
    let (a, b) = (net.at(0), net.at(1));
    let answer = a.send(b"unseen", &[b], Some("business"));
    assert_eq!(answer.header("celosia-error"), Some("CEL7210"), "{} {}", answer.status, answer.text());
    assert!(answer.text().contains("cnmv"), "{}", answer.text());
    assert_eq!(rows(b, "\"received\""), 0, "the others are sent nothing before");
    a.sent(b"of another class", &[b]);
}

/// A member that makes a copy up: of another's signature, of fewer recipients, of what the supervisor does not supervise, with a key in it.
#[test]
fn copies_that_do_not_hold_are_refused() {
    let net = net();
    let (a, b, cnmv) = (net.at(0), net.at(1), net.at(2));
    let (network, outsider) = (net.governors.network(), Outsider::of(&net, b));
    let recipients: Vec<Address> = [b, a].iter().map(|member| member.keys.public.parse().unwrap()).collect();
    let seed = Secret::random();
    let made = |class: Class, sender: &Member, time: u64| {
        let content = Content::seal(&network, &"b".parse().unwrap(), Padding::PadmeKib, b"an offer");
        let statement = Statement {
            network: &network,
            member: &"b".parse().unwrap(),
            sender: sender.keys.public.parse().unwrap(),
            policy: net.governors.charter.policy_version(),
            class,
            time,
            privacy: &Privacy::default(),
            recipients: &recipients,
            escrow: None,
        };
        let (header, _, _) = statement.about(&content, &seed).unwrap();
        let signature = b.signing().sign(&header::signed(&network, &header));
        SupervisionCopy { header, signature, seed: *seed.expose(), recipients: recipients.clone(), sealed: Vec::new() }
    };
    let told = |copy: &[u8]| {
        let item = Item { suite: 4, body: copy.to_vec().into(), upload: None };
        let batch = Batch { epoch: outsider.epoch(b).0.encode().into(), items: vec![item], filler: Vec::new().into() };
        match &outsider.deliver(cnmv, &batch)[..] {
            [Answer::Refused { code, .. }] => *code,
            [Answer::Taken { .. }] => 0,
            other => panic!("{other:?}"),
        }
    };
    let good = || made(Class::Business, b, now());
    assert_eq!(told(b"no copy"), 7211);
    assert_eq!(told(&SupervisionCopy { recipients: recipients[..1].to_vec(), ..good() }.encode()), 7211, "fewer recipients");
    assert_eq!(told(&SupervisionCopy { seed: [9; 32], ..good() }.encode()), 7211);
    let forged = good();
    let signature = a.signing().sign(&header::signed(&network, &forged.header));
    assert_eq!(told(&SupervisionCopy { signature, ..forged }.encode()), 7211, "another's signature");
    assert_eq!(told(&made(Class::Business, a, now()).encode()), 3205, "another's key");
    assert_eq!(told(&made(Class::Personal, b, now()).encode()), 7212, "what it does not supervise");
    assert_eq!(told(&SupervisionCopy { sealed: vec![1; 40], ..good() }.encode()), 7212, "sigma under S1");
    assert_eq!(told(&made(Class::Business, b, now() - 3_600_000).encode()), 3206, "of an hour ago");
    assert!(seen(cnmv).is_empty());
    let copy = good().encode();
    assert_eq!((told(&copy), told(&copy)), (0, 0));
    assert_eq!(seen(cnmv).len(), 1, "each once");
}

#[test]
fn an_erasure_reaches_the_supervisors_copy() {
    let net = net();
    let [a, b, cnmv] = &net.members[..] else { unreachable!("three") };
    let (gone, kept) = (business(a, b"to be erased", &[b]), business(a, b"to stay", &[b]));
    assert_eq!(seen(cnmv).len(), 2);
    // Not by anybody else.
    erase(b, &["--id", &gone]);
    b.wait_until(|| b.receive(&gone).is_none(), "b's own copy stays");
    assert_eq!(seen(cnmv).len(), 2, "b answers for its own copy alone");
    let name = erase(a, &["--id", &gone]);
    a.wait_until(|| seen(cnmv).len() == 1, "the copy stays");
    assert_eq!(seen(cnmv)[0]["id"].as_str().unwrap(), kept);
    let holders = case(a, &name)["holders"].as_array().unwrap().iter().map(|holder| holder["member"].clone()).collect::<Vec<_>>();
    assert!(holders.contains(&"cnmv".into()), "{holders:?}");
}

/// A supervisor whose disk was put back asks for what it lacks: only of its scope, and each once.
#[test]
fn a_supervisor_catches_up_with_what_it_was_entitled_to() {
    let mut net = net();
    let before = business(net.at(0), b"before", &[net.at(1)]);
    net.members[2].stop();
    let (data, saved) = (net.at(2).folder.join("data"), net.at(2).folder.join("saved"));
    copy(&data, &saved);
    net.members[2].start();
    let lost = [business(net.at(0), b"lost", &[net.at(1)]), business(net.at(1), b"lost, too", &[net.at(0)])];
    net.at(0).sent(b"about a person", &[net.at(1)]);
    net.members[2].kill();
    std::fs::remove_dir_all(&data).unwrap();
    copy(&saved, &data);
    let (good, said) =
        celosia(&["journal", "accept-rollback", "--data-dir", data.to_str().unwrap(), "--actor", "ana", "--reason", "disk lost"]);
    assert!(good, "{said}");
    net.members[2].start();
    let cnmv = net.at(2);
    let ids = || seen(cnmv).iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(ids(), std::slice::from_ref(&before));
    let catch_up =
        || must(&["supervisor", "catch-up", "--admin", &admin(cnmv), "--scope", "all", "--since", "2026-01-01T00:00:00Z"]);
    let said = catch_up();
    assert!(said.contains("a: 1 new, 1 known") && said.contains("b: 1 new, 0 known"), "{said}");
    let mut all = ids();
    all.sort();
    let mut expected = [&lost[..], &[before]].concat();
    expected.sort();
    assert_eq!(all, expected);
    assert!(catch_up().contains("a: 0 new, 2 known"));
    for member in [net.at(0), net.at(1), cnmv] {
        assert!(rows(member, "\"caught-up\"") > 0, "{}", member.id);
    }
}

/// A supervisor whose program writes nothing down is on record at everybody else: its orders, and what it asks for, wherever it begins to ask.
#[test]
fn a_supervisor_that_keeps_no_record_is_on_record_at_the_others() {
    let mut net = net();
    business(net.at(0), b"an offer", &[net.at(1)]);
    net.members[2].stop();
    let [a, b, cnmv] = &net.members[..] else { unreachable!("three") };
    let outsider = Outsider::of(&net, cnmv);
    let before = rows(a, "\"caught-up\"");
    let ask = |after: Vec<u8>| {
        let epoch = outsider.epoch(cnmv).0.encode().into();
        let asked = CatchUp { epoch, scope: "all".into(), since: 0, after: after.into() };
        let answer = outsider.call(a, native_path::SUPERVISION_CATCH_UP, &asked).unwrap();
        Resent::from_bytes(&answer).unwrap().items.len()
    };
    assert_eq!(ask(Vec::new()), 1);
    assert_eq!(rows(a, "\"caught-up\""), before + 1);
    // In the middle of the ids, as if it went on.
    assert_eq!(ask(vec![0; 64]), 1);
    assert_eq!(rows(a, "\"caught-up\""), before + 2);
    // An order that it tells one member alone.
    let order = order(net.governors.network(), "cnmv", StopScope::Class(Class::Business));
    outsider.call_bytes(a, native_path::SUPERVISION_TELL, signed(order, &cnmv.signing())).unwrap();
    for member in [a, b] {
        member.wait_until(|| rows(member, "\"stop-ordered\"") == 1, "the order is not on record");
    }
    // The order holds as any other.
    assert_eq!(a.send(b"unseen", &[b], Some("business")).status, 451);
}
