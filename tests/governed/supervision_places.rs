//! A supervisor's copies are their sender's: what a recipient whose node is changed gives the supervisor for a payload of another's. It has seen the
//! id before the sender's copy came, and may sign whatever it likes.

use std::collections::{BTreeMap, BTreeSet};

use celosia::crypto::padme::Padding;
use celosia::crypto::secret::Secret;
use celosia::erasure::{Answer as Fate, CaseId, Ground, Level, Order, SignedErasureReceipt, SignedOrder};
use celosia::governance::Supervision;
use celosia::seal::celosia1::{Content, Statement};
use celosia::services::native_path as path;
use celosia::supervision::SupervisionCopy;
use celosia::types::{Address, Class, ItemId, PayloadId, Privacy};
use celosia::wire::native::{Answer, Batch, ErasureAnswer, Item, Message as _};
use celosia::wire::{Header, header};
use data_encoding::BASE64;
use serde_json::Value;

use crate::erasure::{admin, erase, must};
use crate::http::Request;
use crate::member::Member;
use crate::net::Net;
use crate::outsider::{Forging, Outsider, now, rows};
use crate::supervision::{scope, supervised};

/// Suite of the headers that are made for payloads in Tessera's suite.
const TESSERA: u8 = 0;
/// Of celosia-1.
const NATIVE: u8 = 1;

/// A supervisor that runs, and members a and b that this test speaks for.
fn net() -> Net {
    let scopes = vec![scope(Supervision::S4, &[Class::Personal], "cnmv"), scope(Supervision::S1, &[Class::Business], "cnmv")];
    let mut net = supervised(&["a", "b", "cnmv"], scopes);
    net.members[2].extra = "[erasure]\nnode-cache = \"0s\"\n".into();
    net.members[2].spawn(&[]);
    net.members[2].wait();
    net
}

/// A member whose node is changed.
struct Changed<'a> {
    net: &'a Net,
    me: &'a Member,
    outside: Outsider<'a>,
}

impl<'a> Changed<'a> {
    fn of(net: &'a Net, at: usize) -> Self {
        Self { net, me: net.at(at), outside: Outsider::of(net, net.at(at)) }
    }

    fn cnmv(&self) -> &Member {
        self.net.at(2)
    }

    /// A copy of any id under its own signature. `variant` makes headers differ.
    fn copy(&self, content: &Content, suite: u8, variant: u8) -> SupervisionCopy {
        let network = self.net.governors.network();
        let recipients: Vec<Address> = (0..2).map(|at| self.net.at(at).keys.public.parse().unwrap()).collect();
        let seed = Secret::init_with(|seed| *seed = [variant; 32]);
        let statement = Statement {
            network: &network,
            member: &self.me.id.parse().unwrap(),
            sender: self.me.keys.public.parse().unwrap(),
            policy: self.net.governors.charter.policy_version(),
            class: Class::Business,
            time: now() / 3_600_000 * 3_600_000,
            privacy: &Privacy::default(),
            recipients: &recipients,
            escrow: None,
        };
        let (header, ..) = statement.about(content, &seed).unwrap();
        let mut header = Header::decode(&header).unwrap();
        (header.suite, header.time) = (suite, now());
        let header = header.encode();
        let signature = self.me.signing().sign(&header::signed(&network, &header));
        SupervisionCopy { header, signature, seed: [variant; 32], recipients, sealed: Vec::new() }
    }

    /// Gives the supervisor a copy: 0, or the code of the refusal.
    fn give(&self, copy: &SupervisionCopy) -> u16 {
        let item = Item { suite: 4, body: copy.encode().into(), upload: None };
        let epoch = self.outside.epoch(self.me).0.encode().into();
        let batch = Batch { epoch, items: vec![item], filler: Vec::new().into() };
        match &self.outside.deliver(self.cnmv(), &batch)[..] {
            [Answer::Refused { code, .. }] => *code,
            [Answer::Taken { .. }] => 0,
            other => panic!("{other:?}"),
        }
    }

    /// Orders the erasure of ids at the supervisor: its signed answers.
    fn order(&self, ids: &[PayloadId]) -> Vec<Fate> {
        let order = Order {
            network: self.net.governors.network(),
            case: CaseId(*Secret::<16>::random().expose()),
            page: 0,
            controller: self.me.id.parse().unwrap(),
            holder: self.cnmv().id.parse().unwrap(),
            ground: Ground::ControllerDecision,
            time: now(),
            deadline: now() + 1_000_000,
            items: ids.iter().copied().map(ItemId::Payload).collect(),
        };
        let signature = self.me.signing().sign(&order.statement());
        let bytes = SignedOrder { order, signature }.encode();
        let answer = self.outside.call_bytes(self.cnmv(), path::ERASE, bytes).unwrap();
        let answer = ErasureAnswer::from_bytes(&answer).unwrap();
        SignedErasureReceipt::decode(&answer.receipt).unwrap().receipt.answers
    }
}

fn content(net: &Net, text: &[u8]) -> Content {
    Content::seal(&net.governors.network(), &"a".parse().unwrap(), Padding::PadmeKib, text)
}

/// What the supervisor sees, as lines of its feed.
fn seen(cnmv: &Member) -> Vec<Value> {
    let said = must(&["supervisor", "watch", "--admin", &admin(cnmv), "--once", "--json"]);
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Whose copies of an id the supervisor sees.
fn whose(cnmv: &Member, id: &PayloadId) -> Vec<String> {
    let all = seen(cnmv).into_iter().filter(|one| one["id"] == id.to_string());
    all.map(|one| one["member"].as_str().unwrap().to_owned()).collect()
}

const ERASED: Fate = Fate::Erased(Level::E1);

/// (a) A recipient leaves a copy of its own first, and answers for the erasure of the sender's: the sender's order is carried out all the same.
#[test]
fn a_senders_order_reaches_its_copy_whoever_left_another_first() {
    let net = net();
    let (a, b, cnmv) = (Changed::of(&net, 0), Changed::of(&net, 1), net.at(2));
    let content = content(&net, b"an offer");
    assert_eq!((b.give(&b.copy(&content, NATIVE, 1)), a.give(&a.copy(&content, NATIVE, 2))), (0, 0));
    assert_eq!(whose(cnmv, &content.id), ["b", "a"]);
    assert_eq!(a.order(&[content.id]), [ERASED]);
    assert_eq!(whose(cnmv, &content.id), ["b"], "what b said stays b's");
    assert_eq!(a.give(&a.copy(&content, NATIVE, 2)), 3104, "it is not taken again");
    assert_eq!(a.order(&[content.id]), [ERASED], "a later order is answered as the first");
}

/// (b), (c) A recipient's order buries nothing of the sender's, neither what is there nor what comes after.
#[test]
fn a_recipients_order_reaches_neither_a_copy_nor_one_that_comes_later() {
    let net = net();
    let (a, b, cnmv) = (Changed::of(&net, 0), Changed::of(&net, 1), net.at(2));
    let there = content(&net, b"there before");
    assert_eq!(a.give(&a.copy(&there, NATIVE, 1)), 0);
    assert_eq!(b.order(&[there.id]), [Fate::Absent], "nothing of it is b's");
    assert_eq!(whose(cnmv, &there.id), ["a"]);
    assert_eq!(b.give(&b.copy(&there, NATIVE, 2)), 3104, "b said that nothing of it is to be taken from b");

    let later = content(&net, b"comes later");
    assert_eq!(b.give(&b.copy(&later, NATIVE, 1)), 0);
    assert_eq!(b.order(&[later.id]), [ERASED]);
    assert_eq!(whose(cnmv, &later.id), Vec::<String>::new());
    assert_eq!(a.give(&a.copy(&later, NATIVE, 2)), 0, "a is not b");
    assert_eq!(whose(cnmv, &later.id), ["a"]);
    assert_eq!(b.give(&b.copy(&later, NATIVE, 3)), 3104);
    // The supervisor's own decision is of whatever it has.
    erase(cnmv, &["--id", &later.id.to_string()]);
    cnmv.wait_until(|| whose(cnmv, &later.id).is_empty(), "the copy stays");
    assert_eq!(a.give(&a.copy(&later, NATIVE, 2)), 3104);
}

/// (d) A copy that somebody gave before keeps the payload itself out of nothing; and its end takes nothing from what is copied.
#[test]
fn a_copy_stands_before_no_payload_and_a_payload_before_no_copy() {
    let net = net();
    let (a, b, cnmv) = (Changed::of(&net, 0), Changed::of(&net, 1), net.at(2));
    let content = content(&net, b"for the supervisor");
    assert_eq!(b.give(&b.copy(&content, NATIVE, 1)), 0);
    assert_eq!(a.give(&a.copy(&content, NATIVE, 2)), 0, "as if it were of another class");
    let forging = Forging { class: Some(Class::Personal), also: &[], shown: true, ..Forging::default() };
    let batch = b.outside.forged(&content, b.me, cnmv, &forging);
    let answers = b.outside.deliver(cnmv, &batch);
    assert!(matches!(answers[..], [Answer::Taken { .. }]), "{answers:?}\n{}", cnmv.log());
    let all = seen(cnmv);
    let received: Vec<bool> = all.iter().map(|one| one["received"].as_bool().unwrap()).collect();
    assert_eq!(received, [false, false, true], "the payload itself is seen");
    // b sent it, and has it erased: its copy goes as well, a's stays.
    assert_eq!(b.order(&[content.id]), [ERASED]);
    assert_eq!(whose(cnmv, &content.id), ["a"]);
    assert_eq!(a.order(&[content.id]), [ERASED]);
    assert_eq!(whose(cnmv, &content.id), Vec::<String>::new());

    // The other way round: a payload that was erased stands before nobody else's copy.
    let second = self::content(&net, b"once more");
    assert!(matches!(b.outside.deliver(cnmv, &b.outside.forged(&second, b.me, cnmv, &forging))[..], [Answer::Taken { .. }]));
    assert_eq!(a.order(&[second.id]), [Fate::NotControllers], "it is b's");
    assert_eq!(b.order(&[second.id]), [ERASED]);
    assert_eq!(b.give(&b.copy(&second, NATIVE, 1)), 3104);
    assert_eq!(a.give(&a.copy(&second, NATIVE, 1)), 0);
}

/// Two headers for one id under one signature are evidence; a raw payload that is sent again to others is none, and has an end.
#[test]
fn a_second_header_is_kept_as_evidence_and_copies_of_a_raw_payload_are_bounded() {
    let mut net = net();
    let (a, b, cnmv) = (Changed::of(&net, 0), Changed::of(&net, 1), net.at(2));
    let content = content(&net, b"to two supervisors");
    let (first, second) = (a.copy(&content, NATIVE, 1), a.copy(&content, NATIVE, 2));
    assert_eq!((a.give(&first), a.give(&first)), (0, 0));
    assert_eq!((a.give(&second), a.give(&second), a.give(&a.copy(&content, TESSERA, 3))), (7236, 7236, 7236));
    assert_eq!(b.give(&b.copy(&content, NATIVE, 2)), 0, "another's is another's");
    let all = seen(cnmv);
    assert_eq!(all.len(), 2);
    let (two, one) = (&all[0]["second"], &all[1]);
    assert!(one["second"].is_null());
    let decoded = |name: &str| BASE64.decode(two[name].as_str().unwrap().as_bytes()).unwrap();
    assert_eq!((decoded("first"), decoded("second")), (first.header, second.header));
    let network = net.governors.network();
    for (header, signature) in [("first", "first-signature"), ("second", "second-signature")] {
        let signature = decoded(signature).try_into().unwrap();
        header::verify(&network, &decoded(header), &signature, &a.me.signing().verify_key()).unwrap();
    }
    assert_eq!(rows(cnmv, "CEL7236"), 1, "once in the journal");
    let violations = || Request::get("/cases").send(&cnmv.admin).text().contains("CEL7236");
    cnmv.wait_until(violations, "no case");
    assert!(Request::get("/metrics").send(&cnmv.admin).text().contains("supervision_second_headers_total 1"));

    let raw = self::content(&net, b"a raw payload");
    for variant in 0..64 {
        assert_eq!(a.give(&a.copy(&raw, TESSERA, variant)), 0, "{variant}");
    }
    assert_eq!(a.give(&a.copy(&raw, TESSERA, 100)), 7237);
    assert_eq!(a.give(&a.copy(&raw, NATIVE, 100)), 7236);
    assert_eq!(whose(cnmv, &raw.id).len(), 64);
    // All of them are erased, with the evidence.
    assert_eq!(a.order(&[raw.id, content.id]), [ERASED, ERASED]);
    assert_eq!(whose(cnmv, &raw.id).len(), 0);
    assert_eq!(whose(cnmv, &content.id), ["b"]);
    assert!(seen(cnmv).iter().all(|one| one["second"].is_null()));
    drop((a, b));
    net.members[2].stop();
    let data = net.at(2).folder.join("data");
    let said = must(&["fsck", "--data-dir", data.to_str().unwrap()]);
    assert!(said.contains("1 copies of a supervisor") && said.contains("every record is as it was kept"), "{said}");
}

/// What is known of one member's copies of one id.
#[derive(Default)]
struct Model {
    /// Headers that stand, by suite.
    headers: BTreeSet<(u8, u8)>,
    /// Nothing of it is taken any more.
    is_over: bool,
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u8) -> u8 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u8::try_from((self.0 >> 33) % u64::from(sides)).unwrap()
    }
}

/// A random game of two members against a small model: whatever one gives or orders, the other's copies are as if it were alone.
#[test]
fn however_two_members_give_and_order_each_has_its_own() {
    let mut net = net();
    let contents: Vec<Content> = (0..4_u8).map(|at| content(&net, &[at])).collect();
    let mut model: BTreeMap<(usize, usize), Model> = BTreeMap::new();
    let mut copies: BTreeMap<(usize, usize, u8, u8), SupervisionCopy> = BTreeMap::new();
    let seed = now();
    let mut dice = Dice(seed);
    for turn in 0..3 {
        {
            let members = [Changed::of(&net, 0), Changed::of(&net, 1)];
            for _ in 0..60 {
                let (who, what) = (usize::from(dice.roll(2)), usize::from(dice.roll(4)));
                let (member, state) = (&members[who], model.entry((who, what)).or_default());
                let content = &contents[what];
                if dice.roll(6) == 0 {
                    let expected = if state.is_over || !state.headers.is_empty() { ERASED } else { Fate::Absent };
                    let was_over = state.is_over;
                    (state.headers, state.is_over) = (BTreeSet::new(), true);
                    let fate = member.order(&[content.id]);
                    // What was never there is absent, however often it is asked for.
                    assert!(fate == [expected] || (was_over && fate == [Fate::Absent]), "seed {seed}: {fate:?}");
                    continue;
                }
                let (suite, variant) = (u8::from(dice.roll(3) > 0), dice.roll(3));
                let copy = copies.entry((who, what, suite, variant)).or_insert_with(|| member.copy(content, suite, variant));
                let is_native = suite == NATIVE || state.headers.iter().any(|(suite, _)| *suite == NATIVE);
                let expected = if state.is_over {
                    3104
                } else if state.headers.contains(&(suite, variant)) || !is_native || state.headers.is_empty() {
                    state.headers.insert((suite, variant));
                    0
                } else {
                    7236
                };
                assert_eq!(member.give(copy), expected, "seed {seed}: {who} {what} {suite} {variant}");
            }
        }
        if turn == 1 {
            net.members[2].kill();
            net.members[2].start();
        }
        for (what, content) in contents.iter().enumerate() {
            let of = |who: usize| model.get(&(who, what)).map_or(0, |state| state.headers.len());
            let all = whose(net.at(2), &content.id);
            let count = |name: &str| all.iter().filter(|one| *one == name).count();
            assert_eq!((count("a"), count("b")), (of(0), of(1)), "seed {seed}");
        }
    }
}
