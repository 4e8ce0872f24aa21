//! A sender whose node is changed, under S1 to S3: whatever it makes up, nobody takes what its supervisors did not acknowledge, and what they
//! acknowledged of a send that fails is taken back from them.

use celosia::crypto::hash::sha256;
use celosia::crypto::padme::Padding;
use celosia::crypto::secret::Secret;
use celosia::crypto::sign::SigningKey;
use celosia::crypto::threshold::Prepared;
use celosia::governance::{Role, Supervision};
use celosia::seal::celosia1::{Content, NO_KEY, Sealing};
use celosia::services::{PeerError, native_path as path};
use celosia::supervision::SupervisionCopy;
use celosia::types::{Address, Class, NetworkId, PayloadId};
use celosia::wire::ack::{self, Ack};
use celosia::wire::native::{Answer, Batch, HeldAsked, Item, Withdraw};
use celosia::wire::{SignedAck, Vouched};
use serde_json::json;

use crate::erasure::{admin, must};
use crate::http::{JSON, Request};
use crate::member::Member;
use crate::net::Net;
use crate::outsider::{Forging, Made, Outsider, now, rows};
use crate::supervision::{scope, supervised};
use crate::supervision_cosign::committee;

/// Members a, b and c, and their supervisor under a mode. Those of `run` are started.
fn net(mode: Supervision, run: &[usize]) -> Net {
    let mut net = supervised(&["a", "b", "c", "cnmv"], Vec::new());
    net.governors.policy(|policy| {
        if mode.has_capsule() {
            policy.committees = vec![committee()];
        }
        policy.scopes = vec![scope(mode, &[Class::Business], "cnmv")];
    });
    started(net, run)
}

pub fn started(mut net: Net, run: &[usize]) -> Net {
    for member in &mut net.members {
        member.give(net.governors.network(), &net.governors.notes);
    }
    for at in run {
        net.members[*at].spawn(&[]);
    }
    for at in run {
        net.members[*at].wait();
    }
    net
}

pub fn content(net: &Net) -> Content {
    Content::seal(&net.governors.network(), &"a".parse().unwrap(), Padding::PadmeKib, b"an offer")
}

pub fn address(of: &Member) -> Address {
    of.keys.public.parse().unwrap()
}

/// The answer's code; 0 if it was taken.
pub fn code(answers: &[Answer]) -> u16 {
    match answers {
        [Answer::Refused { code, .. }] => *code,
        [Answer::Taken { .. }] => 0,
        other => panic!("{other:?}"),
    }
}

/// A delivery with words in front of it.
fn behind(words: &Vouched, batch: &Batch) -> Batch {
    let mut batch = batch.clone();
    (batch.items[0].suite, batch.items[0].body) = (6, words.before(&batch.items[0].body).into());
    batch
}

pub fn acked(acks: &[Vec<u8>]) -> Vouched {
    Vouched { acks: acks.to_vec(), ..Vouched::default() }
}

/// Gives a copy to a supervisor; what it signs.
pub fn copied(outsider: &Outsider<'_>, by: &Member, to: &Member, copy: &SupervisionCopy) -> Vec<u8> {
    given(outsider, by, to, copy).0
}

/// The same, with what takes it back.
fn given(outsider: &Outsider<'_>, by: &Member, to: &Member, copy: &SupervisionCopy) -> (Vec<u8>, Vec<u8>) {
    let item = Item { suite: 4, body: copy.encode().into(), upload: None };
    let batch = Batch { epoch: outsider.epoch(by).0.encode().into(), items: vec![item], filler: Vec::new().into() };
    match outsider.deliver(to, &batch).remove(0) {
        Answer::Taken { ack, withdraw } => (ack.into(), withdraw.into()),
        other => panic!("{other:?}\n{}", to.log()),
    }
}

fn take_back(outsider: &Outsider<'_>, at: &Member, id: PayloadId, token: Vec<u8>) {
    let withdraw = Withdraw { id: id.as_bytes().to_vec().into(), token: token.into() };
    outsider.call(at, path::WITHDRAW, &withdraw).unwrap();
}

/// An acknowledgement, signed by whoever it likes.
fn signed(ack: Ack, key: &SigningKey) -> Vec<u8> {
    let acks = vec![ack];
    let root = ack::root(&acks);
    let network = acks[0].network;
    ack::join(acks, &root, key.sign(&ack::root_statement(&network, &root)))[0].encode()
}

pub fn seen(supervisor: &Member) -> Vec<String> {
    let said = must(&["supervisor", "watch", "--admin", &admin(supervisor), "--once", "--json"]);
    let id = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
    said.lines().map(id).collect()
}

const BUSINESS: Forging<'_> =
    Forging { class: Some(Class::Business), escrow: None, sigma: None, also: &[], shown: false, alter: None };

/// Everything that an acknowledgement can be other than what is asked for.
#[test]
fn under_s1_nobody_takes_what_its_supervisor_did_not_acknowledge() {
    let net = net(Supervision::S1, &[1, 3]);
    let [a, b, c, cnmv] = &net.members[..] else { unreachable!("four") };
    let outsider = Outsider::of(&net, a);
    let content = content(&net);
    let made = outsider.made(&content, a, b, &BUSINESS);
    let told = |acks: &[Vec<u8>]| code(&outsider.deliver(b, &behind(&acked(acks), &made.batch)));
    let honest = Ack {
        network: net.governors.network(),
        id: made.id,
        header: sha256(&[&made.header]),
        member: "cnmv".parse().unwrap(),
        addresses: Vec::new(),
        time: now(),
        durable: true,
    };
    assert_eq!(code(&outsider.deliver(b, &made.batch)), 7227, "none");
    assert_eq!(told(&[b"no acknowledgement".to_vec()]), 7227);
    let of = |ack: Ack| told(&[signed(ack, &cnmv.signing())]);
    assert_eq!(of(Ack { member: "c".parse().unwrap(), ..honest.clone() }), 7227, "another member's");
    assert_eq!(told(&[signed(honest.clone(), &c.signing())]), 7228, "in its name");
    assert_eq!(of(Ack { id: PayloadId::new([7; 64]), ..honest.clone() }), 7228, "of another id");
    assert_eq!(of(Ack { header: [7; 32], ..honest.clone() }), 7228, "of another header");
    assert_eq!(of(Ack { network: NetworkId::new([7; 32]), ..honest.clone() }), 7228, "of another network");
    assert_eq!(of(Ack { time: now() - 3_600_000, ..honest.clone() }), 7229, "an old one");
    assert_eq!(of(Ack { time: now() + 3_600_000, ..honest.clone() }), 7229, "one of tomorrow");
    assert_eq!(of(Ack { durable: false, ..honest.clone() }), 7230, "it passed it over");
    let received = Ack { addresses: vec![address(cnmv)], ..honest };
    assert_eq!(of(received), 7230, "it was a recipient among others, and was shown nobody else");
    // A second header of the same id for the supervisor: without b.
    let second = outsider.stated(&content, a, vec![address(a), address(c)], &BUSINESS);
    assert_eq!(second.id, made.id);
    let other = copied(&outsider, a, cnmv, &second.copy());
    assert_eq!(told(std::slice::from_ref(&other)), 7228, "of the header that the supervisor was shown");
    assert_eq!(rows(b, "\"received\""), 0, "{}", b.log());
    assert!(rows(b, "CEL7228") > 0, "it is in the journal");
    let violation = || must(&["case", "list", "--admin", &admin(b), "--all"]).contains("CEL7228");
    b.wait_until(violation, "no case was opened");
    // The header that b gets: with it nothing is hidden.
    let good = copied(&outsider, a, cnmv, &made.copy());
    assert_eq!(told(&[other, good]), 0, "{}", b.log());
    assert_eq!(rows(b, "\"received\""), 1);
}

/// Of another class nothing is demanded; of a supervisor nothing is, either.
#[test]
fn nothing_is_demanded_where_no_supervisor_is_named() {
    let net = net(Supervision::S1, &[1, 3]);
    let (a, b, cnmv) = (net.at(0), net.at(1), net.at(3));
    let outsider = Outsider::of(&net, a);
    assert_eq!(code(&outsider.deliver(b, &outsider.forged(&content(&net), a, b, &Forging::default()))), 0);
    assert_eq!(code(&outsider.deliver(cnmv, &outsider.forged(&content(&net), a, cnmv, &BUSINESS))), 0, "{}", cnmv.log());
}

#[test]
fn under_s2_the_copy_is_of_the_header_that_recipients_have() {
    let net = net(Supervision::S2, &[1, 3]);
    let [a, b, c, cnmv] = &net.members[..] else { unreachable!("four") };
    let outsider = Outsider::of(&net, a);
    let (key, sigma) = (Prepared::new(&committee().key), Secret::random());
    let forging = || Forging { escrow: Some(Sealing { epoch: 1, key: &key, sigma: &sigma }), sigma: Some(&sigma), ..BUSINESS };
    let content = content(&net);
    let made = outsider.made(&content, a, b, &forging());
    let second = outsider.stated(&content, a, vec![address(a), address(c)], &forging());
    let copy = |made: &Made| {
        let sealed = outsider.parcel((&content, made), a, cnmv, &Secret::init_with(|key| *key = NO_KEY), Some(&sigma), &[]);
        SupervisionCopy { sealed: sealed.encode().to_vec(), ..made.copy() }
    };
    let told = |acks: &[Vec<u8>]| code(&outsider.deliver(b, &behind(&acked(acks), &made.batch)));
    assert_eq!(told(&[]), 7227);
    assert_eq!(told(&[copied(&outsider, a, cnmv, &copy(&second))]), 7228);
    assert_eq!(rows(b, "\"received\""), 0);
    assert_eq!(told(&[copied(&outsider, a, cnmv, &copy(&made))]), 0, "{}", b.log());
}

#[test]
fn under_s3_a_supervisor_that_is_addressed_must_have_received() {
    let net = net(Supervision::S3, &[1, 3]);
    let [a, b, _, cnmv] = &net.members[..] else { unreachable!("four") };
    let outsider = Outsider::of(&net, a);
    let (key, sigma) = (Prepared::new(&committee().key), Secret::random());
    let also = [address(cnmv)];
    let escrow = || Some(Sealing { epoch: 1, key: &key, sigma: &sigma });
    let content = content(&net);
    let forging = Forging { escrow: escrow(), sigma: Some(&sigma), also: &also, shown: true, ..BUSINESS };
    let made = outsider.made(&content, a, b, &forging);
    let told = |acks: &[Vec<u8>]| code(&outsider.deliver(b, &behind(&acked(acks), &made.batch)));
    assert_eq!(code(&outsider.deliver(b, &made.batch)), 7227, "addressed, and not delivered to");
    let honest = Ack {
        network: net.governors.network(),
        id: made.id,
        header: sha256(&[&made.header]),
        member: "cnmv".parse().unwrap(),
        addresses: Vec::new(),
        time: now(),
        durable: true,
    };
    assert_eq!(told(&[signed(honest.clone(), &cnmv.signing())]), 7230, "a copy is no delivery");
    let of_another = Ack { addresses: vec![address(b)], ..honest };
    assert_eq!(told(&[signed(of_another, &cnmv.signing())]), 7230, "for an address that is not its own");
    assert_eq!(rows(b, "\"received\""), 0);
    // What it signs when it has the payload.
    let delivery = outsider.parcel((&content, &made), a, cnmv, &content.data_key, Some(&sigma), &[address(cnmv)]);
    let item = Item { suite: 1, body: delivery.encode().to_vec().into(), upload: None };
    let batch = Batch { items: vec![item], ..made.batch.clone() };
    let answer = outsider.deliver(cnmv, &batch).remove(0);
    let Answer::Taken { ack, .. } = answer else { panic!("{answer:?}\n{}", cnmv.log()) };
    assert_eq!(SignedAck::decode(&ack).unwrap().ack.addresses, [address(cnmv)]);
    assert_eq!(told(&[ack.into()]), 0, "{}", b.log());
}

#[test]
fn without_its_supervisor_a_send_fails_with_its_name_and_nobody_keeps_anything() {
    for mode in [Supervision::S1, Supervision::S2, Supervision::S3] {
        let net = net(mode, &[0, 1]);
        let (a, b) = (net.at(0), net.at(1));
        let answer = a.send(b"unseen", &[b], Some("business"));
        assert_eq!((answer.status, answer.header("celosia-error")), (410, Some("CEL7210")), "{mode}: {}", answer.text());
        assert!(answer.text().contains("cnmv"), "{mode}: {}", answer.text());
        assert_eq!((rows(a, "\"stored\""), rows(b, "\"received\"")), (0, 0), "{mode}: nobody was sent anything");
        a.sent(b"of another class", &[b]);
    }
}

/// A recipient fails after the supervisor has its copy, or the payload: the supervisor forgets it, and keeps a record of it.
#[test]
fn what_a_supervisor_has_of_a_send_that_fails_is_taken_back() {
    for mode in [Supervision::S1, Supervision::S2, Supervision::S3] {
        let mut net = net(mode, &[0, 1, 3]);
        let good =
            net.at(0).send(b"an offer", &[net.at(1)], Some("business")).must(201).json()["key"].as_str().unwrap().to_owned();
        net.members[1].kill();
        let (a, b, cnmv) = (net.at(0), net.at(1), net.at(3));
        let answer = a.send(b"another", &[b], Some("business"));
        assert_ne!(answer.status, 201);
        cnmv.wait_until(|| rows(cnmv, "\"withdrawn\"") == 1, "nothing is taken back");
        assert_eq!(seen(cnmv), [good], "{mode}");
        let journal = Request::get("/journal/export").send(&cnmv.admin).must(200).text();
        let record = journal.lines().find(|line| line.contains("\"withdrawn\"")).unwrap();
        let is_copy = mode != Supervision::S3;
        // Who, of which class, which payload under which header.
        assert!(["\\\"a\\\"", "\"a\""].iter().any(|name| record.contains(name)), "{record}");
        assert!(record.contains("business") && record.contains("payload") && record.contains("header"), "{record}");
        assert_eq!(record.contains("true"), is_copy, "{record}");
    }
}

/// Of two supervisors one is away: the other one keeps nothing, either.
#[test]
fn a_copy_at_one_supervisor_is_taken_back_if_another_has_none() {
    let mut net = Net::prepare(&["a", "b", "s", "t"]);
    for supervisor in ["s", "t"] {
        net.governors.change(supervisor, |member| member.roles.push(Role::Supervisor));
    }
    let both = |mode| {
        let mut both = scope(mode, &[Class::Business], "s");
        both.supervisors.push("t".parse().unwrap());
        both
    };
    net.governors.policy(|policy| policy.scopes = vec![both(Supervision::S1)]);
    let mut net = started(net, &[0, 1, 2, 3]);
    net.at(0).send(b"an offer", &[net.at(1)], Some("business")).must(201);
    assert_eq!((seen(net.at(2)).len(), seen(net.at(3)).len()), (1, 1), "both have a copy");
    net.members[3].kill();
    let (a, b, s) = (net.at(0), net.at(1), net.at(2));
    let answer = a.send(b"another", &[b], Some("business"));
    assert_eq!(answer.header("celosia-error"), Some("CEL7210"), "{}", answer.text());
    assert!(answer.text().contains(" t "), "{}", answer.text());
    s.wait_until(|| rows(s, "\"withdrawn\"") == 1, "the copy stays");
    assert_eq!((seen(s).len(), rows(b, "\"received\"")), (1, 1));
}

/// A sender has its supervisor forget what the others have, or get afterwards.
#[test]
fn nobody_has_what_its_supervisor_was_made_to_forget() {
    let net = net(Supervision::S1, &[1, 3]);
    let [a, b, c, cnmv] = &net.members[..] else { unreachable!("four") };
    let outsider = Outsider::of(&net, a);
    let content = content(&net);
    let made = outsider.made(&content, a, b, &BUSINESS);
    let told = |ack: &[u8]| code(&outsider.deliver(b, &behind(&acked(&[ack.to_vec()]), &made.batch)));
    // First taken back, then delivered.
    let (ack, token) = given(&outsider, a, cnmv, &made.copy());
    take_back(&outsider, cnmv, made.id, token);
    cnmv.wait_until(|| seen(cnmv).is_empty(), "the copy stays");
    assert_eq!(rows(cnmv, "\"withdrawn\""), 1);
    assert_eq!(told(&ack), 7235, "{}", b.log());
    assert_eq!(rows(b, "\"received\""), 0);
    // Told anew, and delivered before it is taken back.
    let other =
        outsider.made(&Content::seal(&net.governors.network(), &"a".parse().unwrap(), Padding::PadmeKib, b"x"), a, b, &BUSINESS);
    let (ack, token) = given(&outsider, a, cnmv, &other.copy());
    assert_eq!(code(&outsider.deliver(b, &behind(&acked(&[ack]), &other.batch))), 0, "{}", b.log());
    take_back(&outsider, cnmv, other.id, token);
    cnmv.wait_until(|| rows(cnmv, "CEL7234") > 0, "nothing is noticed");
    assert_eq!(seen(cnmv), [other.id.to_string()], "it keeps what b has");
    let violation = || must(&["case", "list", "--admin", &admin(cnmv), "--all"]).contains("CEL7234");
    cnmv.wait_until(violation, "no case was opened");
    // Nobody else asks who has what.
    let asked = HeldAsked { id: other.id.as_bytes().to_vec().into(), header: sha256(&[&other.header]).to_vec().into() };
    let answer = Outsider::of(&net, c).call(b, path::SUPERVISION_HELD, &asked);
    assert!(matches!(answer, Err(PeerError::Refused { status: 403, .. })), "{answer:?}");
}

/// The same under S3: the supervisor, who does not know the recipients, asks everybody.
#[test]
fn nobody_has_what_its_supervisor_received_and_was_made_to_forget() {
    let net = net(Supervision::S3, &[1, 3]);
    let [a, b, _, cnmv] = &net.members[..] else { unreachable!("four") };
    let outsider = Outsider::of(&net, a);
    let (key, sigma) = (Prepared::new(&committee().key), Secret::random());
    let also = [address(cnmv)];
    let send = |delivered_before: bool| {
        let content = content(&net);
        let escrow = Some(Sealing { epoch: 1, key: &key, sigma: &sigma });
        let made = outsider.made(&content, a, b, &Forging { escrow, sigma: Some(&sigma), also: &also, shown: true, ..BUSINESS });
        let delivery = outsider.parcel((&content, &made), a, cnmv, &content.data_key, Some(&sigma), &also);
        let item = Item { suite: 1, body: delivery.encode().to_vec().into(), upload: None };
        let answer = outsider.deliver(cnmv, &Batch { items: vec![item], ..made.batch.clone() }).remove(0);
        let Answer::Taken { ack, withdraw } = answer else { panic!("{answer:?}\n{}", cnmv.log()) };
        let deliver = || code(&outsider.deliver(b, &behind(&acked(&[ack.to_vec()]), &made.batch)));
        let before = delivered_before.then(deliver);
        take_back(&outsider, cnmv, made.id, withdraw.into());
        if delivered_before {
            cnmv.wait_until(|| rows(cnmv, "CEL7234") > 0, "nothing is noticed");
        } else {
            cnmv.wait_until(|| rows(cnmv, "\"withdrawn\"") > 0, "it is not taken back");
        }
        (before.unwrap_or_else(deliver), seen(cnmv).contains(&made.id.to_string()))
    };
    assert_eq!(send(false), (7235, false), "{}", b.log());
    assert_eq!(send(true), (0, true), "{}", cnmv.log());
}

/// A scope for some contracts before the one for all: recipients, who do not know the contract, take what either wants.
#[test]
fn a_contract_of_another_scope_is_taken_with_its_own_supervisor() {
    let mut net = Net::prepare(&["a", "b", "s", "t"]);
    for supervisor in ["s", "t"] {
        net.governors.change(supervisor, |member| member.roles.push(Role::Supervisor));
    }
    let contract = "0x00000000000000000000000000000000000000aa";
    net.governors.policy(|policy| {
        let mut first = scope(Supervision::S1, &[Class::Business], "s");
        first.contracts = vec![contract.parse().unwrap()];
        policy.scopes = vec![first, scope(Supervision::S1, &[Class::Business], "t")];
    });
    let net = started(net, &[0, 1, 2, 3]);
    let [a, b, s, t] = &net.members[..] else { unreachable!("four") };
    let send = |contract: Option<&str>| {
        let body = json!({ "payload": "aG9sYQ==", "from": a.keys.public, "to": [b.keys.public] });
        let request = Request::post("/send", JSON, body.to_string().as_bytes()).header("celosia-class", "business");
        let request = match contract {
            Some(contract) => request.header("celosia-contract", contract),
            None => request,
        };
        request.send(&a.node).must(201);
    };
    send(Some(contract));
    assert_eq!((seen(s).len(), seen(t).len()), (1, 0));
    send(None);
    assert_eq!((seen(s).len(), seen(t).len()), (1, 1));
}
