//! Co-signatures (mode S4): a supervisor receives first, its word travels with the deliveries to the others, who demand it.

use std::time::{Duration, Instant};

use celosia::crypto::hash::sha256;
use celosia::crypto::hpke::BoxKey;
use celosia::crypto::padme::Padding;
use celosia::crypto::secret::Secret;
use celosia::crypto::sign::VerifyKey;
use celosia::crypto::threshold::{GroupKey, KeyShare, Prepared};
use celosia::governance::{Committee, Officer, Purpose, Supervision};
use celosia::seal::celosia1::{Content, Sealing};
use celosia::types::Class;
use celosia::wire::Vouched;
use celosia::wire::native::Answer;
use serde_json::Value;

use crate::erasure::{admin, must};
use crate::http::Answer as Reply;
use crate::member::Member;
use crate::net::Net;
use crate::outsider::{Forging, Outsider, rows};
use crate::supervision::{scope, supervised};

/// Two of three officers over a polynomial that everybody knows: 5 + 3x.
pub fn committee() -> Committee {
    let key = |scalar: u8| -> GroupKey {
        let mut bytes = [0; 32];
        bytes[0] = scalar;
        KeyShare::new(1, Secret::from_slice(&bytes).unwrap()).unwrap().verifying()
    };
    let officer = |index: u8| Officer {
        index: index.into(),
        name: format!("officer {index}"),
        entity: format!("entity {index}"),
        signing_key: VerifyKey::new(sha256(&[b"sign", &[index]])),
        box_key: BoxKey::new(sha256(&[b"box", &[index]])),
        share: key(5 + 3 * index),
    };
    let officers = (1..=3).map(officer).collect();
    Committee { purpose: Purpose::Escrow, epoch: 1, generation: 1, threshold: 2, key: key(5), officers }
}

fn net(extra: [&str; 3]) -> Net {
    let mut net = supervised(&["a", "b", "cnmv"], Vec::new());
    net.governors.policy(|policy| {
        policy.committees = vec![committee()];
        policy.scopes = vec![scope(Supervision::S4, &[Class::Business], "cnmv")];
    });
    for (member, extra) in net.members.iter_mut().zip(extra) {
        member.give(net.governors.network(), &net.governors.notes);
        member.extra = extra.to_owned();
        member.spawn(&[]);
    }
    net.members.iter_mut().for_each(Member::wait);
    net
}

fn queue(cnmv: &Member) -> Vec<Value> {
    let said = must(&["supervisor", "queue", "--admin", &admin(cnmv), "--waiting", "--json"]);
    serde_json::from_str(&said).unwrap()
}

/// Sends business from a to b; meanwhile the supervisor answers for it.
fn answered(net: &Net, answer: &[&str]) -> (Reply, String) {
    let [a, b, cnmv] = &net.members[..] else { unreachable!("three") };
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| a.send(b"an offer", &[b], Some("business")));
        cnmv.wait_until(|| queue(cnmv).len() == 1, "nothing waits");
        let id = queue(cnmv)[0]["id"].as_str().unwrap().to_owned();
        assert!(!sending.is_finished(), "the send does not wait");
        assert_eq!(b.receive(&id), None, "the others have it before the word");
        let node = admin(cnmv);
        must(&[&["supervisor", "cosign", "--admin", &node, &id], answer].concat());
        (sending.join().unwrap(), id)
    })
}

#[test]
fn a_payload_goes_when_the_supervisor_lets_it() {
    let net = net(["", "", ""]);
    let (reply, id) = answered(&net, &["--approve"]);
    assert_eq!(reply.status, 201, "{}\n{}", reply.text(), net.at(0).log());
    assert_eq!(reply.json()["key"].as_str().unwrap(), id);
    assert_eq!(net.at(1).receive(&id).unwrap(), b"an offer");
    let cnmv = net.at(2);
    assert_eq!((rows(cnmv, "\"cosign-asked\""), rows(cnmv, "\"cosigned\"")), (1, 1));
    assert!(queue(cnmv).is_empty());
    net.at(0).sent(b"of another class", &[net.at(1)]);
}

#[test]
fn a_payload_does_not_go_when_the_supervisor_refuses() {
    let net = net(["", "", ""]);
    let (reply, id) = answered(&net, &["--refuse", "limits are exceeded"]);
    assert_eq!((reply.status, reply.header("celosia-error")), (451, Some("CEL7221")), "{}", reply.text());
    assert!(reply.text().contains("limits are exceeded") && reply.text().contains("cnmv"), "{}", reply.text());
    for member in &net.members {
        assert_eq!(member.receive(&id), None, "{}", member.id);
    }
    assert_eq!(rows(net.at(2), "\"cosign-refused\""), 1);
}

#[test]
fn a_send_waits_for_its_time_and_is_taken_back() {
    let net = net(["[supervision]\ncosign-within = \"2s\"\n", "", ""]);
    let [a, b, cnmv] = &net.members[..] else { unreachable!("three") };
    let begun = Instant::now();
    let reply = a.send(b"an offer", &[b], Some("business"));
    assert_eq!(reply.header("celosia-error"), Some("CEL7222"), "{} {}", reply.status, reply.text());
    assert!(begun.elapsed() >= Duration::from_secs(2));
    assert!(queue(cnmv).is_empty(), "it waits for nobody");
    let all: Value = serde_json::from_str(&must(&["supervisor", "queue", "--admin", &admin(cnmv), "--json"])).unwrap();
    assert_eq!((all.as_array().unwrap().len(), &all[0]["state"]), (1, &"ended".into()), "{all}");
    assert_eq!(rows(b, "\"received\""), 0);
}

#[test]
fn a_rule_answers_where_no_person_is_wanted() {
    let net = net(["", "", "[supervision]\ncosign = \"automatic\"\n"]);
    let (a, b) = (net.at(0), net.at(1));
    let reply = a.send(b"an offer", &[b], Some("business")).must(201);
    assert_eq!(b.receive(reply.json()["key"].as_str().unwrap()).unwrap(), b"an offer");
}

/// A sender that goes past its supervisor.
#[test]
fn a_recipient_takes_nothing_without_a_cosignature() {
    let net = net(["", "", ""]);
    let (a, b) = (net.at(0), net.at(1));
    let outsider = Outsider::of(&net, a);
    let network = net.governors.network();
    let content = Content::seal(&network, &"a".parse().unwrap(), Padding::PadmeKib, b"past the supervisor");
    // With a capsule, as the policy asks: only the word of the supervisor is missing.
    let (key, sigma) = (Prepared::new(&committee().key), Secret::random());
    let escrow = Some(Sealing { epoch: 1, key: &key, sigma: &sigma });
    let forging = Forging { class: Some(Class::Business), escrow, sigma: Some(&sigma), ..Forging::default() };
    let mut batch = outsider.forged(&content, a, b, &forging);
    let refused = |answers: Vec<Answer>| assert!(matches!(answers[..], [Answer::Refused { code: 7220, .. }]), "{answers:?}");
    refused(outsider.deliver(b, &batch));
    // Behind bytes that are no co-signature.
    let words = Vouched { cosignature: Some(b"abc".to_vec()), ..Vouched::default() };
    (batch.items[0].suite, batch.items[0].body) = (6, words.before(&batch.items[0].body).into());
    refused(outsider.deliver(b, &batch));
    assert_eq!(rows(b, "\"received\""), 0);
}
