//! What is given back in a recovery is judged, too: a member that keeps payloads back from the rules of the ledger, and gives them when another
//! has lost its disk.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use celosia::crypto::hash::sha256;
use celosia::crypto::padme::Padding;
use celosia::crypto::secret::Secret;
use celosia::crypto::sign::SigningKey;
use celosia::crypto::threshold::Prepared;
use celosia::governance::Supervision;
use celosia::net::native::{Admission, NativeTls, Pin, serve};
use celosia::net::{Endpoint, Listener, Shutdown};
use celosia::seal::celosia1::{Content, Pair, Parcel, Sealing, Statement, pair, parcel};
use celosia::services::native_path as path;
use celosia::supervision::{Cosignature, Lift, SignedCosignature, SignedLift, StopScope};
use celosia::types::{Address, Class, MemberId, NetworkId, PayloadId, Privacy};
use celosia::wire::header::day_of;
use celosia::wire::native::{Answer, Batch, Item, Message as _, OrdersPage, Resend, Resent, Withdraw};
use celosia::wire::{Delivery, EpochKey, GivenBack, Vouched, header};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::erasure::celosia;
use crate::http::Request;
use crate::member::Member;
use crate::net::Net;
use crate::outsider::{Outsider, now};
use crate::supervision::{order, scope, signed, supervised};
use crate::supervision_cosign::committee;

const MINUTE: u64 = 60_000;

struct Only(MemberId);

impl Admission for Only {
    fn admitted(&self, _: &Pin) -> Option<MemberId> {
        Some(self.0.clone())
    }
}

/// A payload of member a for member b, sealed and signed.
struct Made {
    content: Content,
    sigma: Option<Secret<32>>,
    header: Vec<u8>,
    opening: Vec<celosia::wire::Opening>,
    signature: [u8; 64],
    /// What is shown with it.
    ack: Option<Vec<u8>>,
    cosignature: Option<Vec<u8>>,
}

/// How it differs from what the policy wants.
#[derive(Clone, Copy)]
struct How {
    class: Class,
    time: u64,
    capsule: bool,
}

impl Made {
    fn new(net: &Net, how: How, payload: &[u8]) -> Self {
        let (a, b, network) = (net.at(0), net.at(1), net.governors.network());
        let member: MemberId = a.id.parse().unwrap();
        let content = Content::seal(&network, &member, Padding::PadmeKib, payload);
        let (key, sigma) = (Prepared::new(&committee().key), Secret::random());
        let recipient: Address = b.keys.public.parse().unwrap();
        let statement = Statement {
            network: &network,
            member: &member,
            sender: a.keys.public.parse().unwrap(),
            policy: net.governors.charter.policy_version(),
            class: how.class,
            time: how.time,
            privacy: &Privacy::default(),
            recipients: &[recipient],
            escrow: how.capsule.then_some(Sealing { epoch: 1, key: &key, sigma: &sigma }),
        };
        let (header, audience, _) = statement.about(&content, &Secret::random()).unwrap();
        let signature = a.signing().sign(&header::signed(&network, &header));
        let opening = vec![audience.opening(&recipient).unwrap()];
        let sigma = how.capsule.then_some(sigma);
        Self { content, sigma, header, opening, signature, ack: None, cosignature: None }
    }

    /// With the supervisor's word.
    fn cosigned(mut self, net: &Net) -> Self {
        let (network, id, header) = (net.governors.network(), self.content.id, sha256(&[&self.header]));
        let cosignature = Cosignature { network, supervisor: "cnmv".parse().unwrap(), id, header, time: now() };
        let signature = net.members.last().unwrap().signing().sign(&cosignature.statement());
        self.cosignature = Some(SignedCosignature { cosignature, signature }.encode());
        self
    }

    fn delivery(&self, network: &NetworkId, (epoch, private): (&EpochKey, &[u8; 32]), theirs: &EpochKey) -> Delivery {
        let keys = Pair::agree(network, private, &epoch.public, &theirs.public).unwrap();
        let Content { data_key, id, nonce, ciphertext, .. } = &self.content;
        let Self { signature, header, .. } = self;
        let parcel = Parcel { data_key, sigma: self.sigma.as_ref(), openings: &self.opening, signature, header };
        let (from, to, day, box_nonce) = (epoch.public, theirs.public, epoch.day, [9; 24]);
        let sealed = parcel.seal(keys.sending.expose(), &box_nonce, parcel::Route { from: &from, to: &to, day, id });
        let (member, sealed) = (epoch.member.clone(), sealed.unwrap());
        Delivery { member, from, day, to, box_nonce, sealed, nonce: *nonce, ciphertext: ciphertext.clone() }
    }
}

/// Speaks for a member with its own keys: it has nobody's orders, and gives back what it was given.
struct Giver {
    _runtime: Runtime,
    shutdown: Shutdown,
    _changed: watch::Sender<u64>,
}

/// Its own epoch key.
fn epoch_of(network: NetworkId, id: &str, key: &SigningKey) -> (EpochKey, [u8; 32]) {
    let private = *Secret::<32>::random().expose();
    let member = id.parse().unwrap();
    let mut epoch = EpochKey { network, member, day: day_of(now()), public: pair::public(&private), signature: [0; 64] };
    epoch.signature = key.sign(&epoch.statement());
    (epoch, private)
}

impl Giver {
    /// `next`: where every page says that it goes on.
    fn of(net: &Net, index: usize, all: Vec<Made>, next: Vec<u8>) -> Self {
        let (me, network) = (net.at(index), net.governors.network());
        let runtime = Runtime::new().unwrap();
        let (shutdown, (changed, seen)) = (Shutdown::new(), watch::channel(0));
        let admission = Arc::new(Only(net.at(1).id.parse().unwrap()));
        let tls = NativeTls::load(&me.folder.join("node.crt"), &me.folder.join("node.key"), admission).unwrap();
        let (epoch, private) = epoch_of(network, &me.id, &me.signing());
        let all = Arc::new(all);
        let give = move |body: Bytes| {
            let asked = Resend::from_bytes(&body).unwrap();
            let theirs = EpochKey::decode(&asked.epoch).unwrap();
            let item = |made: &Made| {
                let delivery = made.delivery(&network, (&epoch, &private), &theirs).encode();
                let words = Vouched { cosignature: made.cosignature.clone(), ..Vouched::default() };
                let given = GivenBack { ack: made.ack.clone(), words, delivery };
                Item { suite: 9, body: given.encode().into(), upload: None }
            };
            let items = all.iter().map(item).collect();
            let page = Resent { epoch: epoch.encode().into(), items, next: next.clone().into() };
            async move { page.to_bytes() }
        };
        let none = || async { OrdersPage { orders: Vec::new(), next: Vec::new().into() }.to_bytes() };
        let router = Router::new().route(path::RESEND, post(give)).route(path::ORDERS, post(none));
        let endpoint = Endpoint::Tcp { host: "127.0.0.1".into(), port: me.native_port };
        runtime.block_on(async {
            let listener = Listener::bind(&endpoint, None).await.unwrap();
            serve(listener, tls, router, seen, &shutdown);
        });
        Self { _runtime: runtime, shutdown, _changed: changed }
    }
}

impl Drop for Giver {
    fn drop(&mut self) {
        self.shutdown.begin();
    }
}

/// Its store is gone; it fetches from the others, and serves again. How the recovery ended.
fn recovered(member: &mut Member) -> bool {
    member.stop();
    let data = member.folder.join("data");
    fs::remove_dir_all(data.join("store")).unwrap();
    let accept = ["journal", "accept-rollback", "--data-dir", data.to_str().unwrap(), "--actor", "ana", "--reason", "disk lost"];
    let (good, said) = celosia(&accept);
    assert!(good, "{said}");
    member.spawn(&["--recover"]);
    let ended = member.ended().success();
    member.start();
    ended
}

fn names(all: &[(&str, Made)]) -> Vec<(String, PayloadId)> {
    all.iter().map(|(name, made)| ((*name).to_owned(), made.content.id)).collect()
}

/// Members a (spoken for), b, c and the supervisor; business goes with a co-signature and a capsule.
fn net() -> Net {
    let mut net = supervised(&["a", "b", "c", "cnmv"], Vec::new());
    net.governors.policy(|policy| {
        policy.committees = vec![committee()];
        let stops = scope(Supervision::S0, &[Class::Personal], "cnmv");
        policy.scopes = vec![scope(Supervision::S4, &[Class::Business], "cnmv"), stops];
    });
    for (index, member) in net.members.iter_mut().enumerate() {
        member.give(net.governors.network(), &net.governors.notes);
        member.extra = "[erasure]\nnode-cache = \"0s\"\n".into();
        if index == 3 {
            member.extra.push_str("[supervision]\ncosign = \"automatic\"\n");
        }
        if index > 0 {
            member.spawn(&[]);
        }
    }
    net.members[1..].iter_mut().for_each(Member::wait);
    net
}

/// Sends it to b, with the supervisor's word: b's acknowledgement, and what takes it back.
fn delivered(net: &Net, made: &Made) -> (Vec<u8>, Vec<u8>) {
    let (sender, b) = (Outsider::of(net, net.at(0)), net.at(1));
    let own = sender.epoch(net.at(0));
    let theirs = EpochKey::decode(&sender.call(b, path::EPOCH, &None::<u8>).unwrap()).unwrap();
    let words = Vouched { cosignature: made.cosignature.clone(), ..Vouched::default() };
    let body = words.before(&made.delivery(&net.governors.network(), (&own.0, &own.1), &theirs).encode());
    let item = Item { suite: 6, body: body.into(), upload: None };
    let batch = Batch { epoch: own.0.encode().into(), items: vec![item], filler: Vec::new().into() };
    let answers = sender.deliver(b, &batch);
    let [Answer::Taken { ack, withdraw }] = &answers[..] else { panic!("{answers:?}\n{}", b.log()) };
    (ack.to_vec(), withdraw.to_vec())
}

/// A sender that takes back what its supervisor then forgets does not give it back later, though b signed for it.
#[test]
fn what_was_taken_back_is_not_given_again() {
    let mut net = net();
    let how = How { class: Class::Business, time: now(), capsule: true };
    let mut made = Made::new(&net, how, b"taken back").cosigned(&net);
    let id = made.content.id;
    let (ack, token) = delivered(&net, &made);
    let withdraw = Withdraw { id: id.as_bytes().to_vec().into(), token: token.into() };
    Outsider::of(&net, net.at(0)).call(net.at(1), path::WITHDRAW, &withdraw).unwrap();
    made.ack = Some(ack);
    let giver = Giver::of(&net, 0, vec![made], Vec::new());
    let b = &mut net.members[1];
    b.stop();
    b.spawn(&["--recover"]);
    assert!(b.ended().success(), "{}", b.log());
    b.start();
    drop(giver);
    assert_eq!(b.receive(&id.to_string()), None, "{}", b.log());
    let export = Request::get("/journal/export").send(&b.admin).must(200).text();
    assert_eq!(export.lines().filter(|line| line.contains("CEL7355") && line.contains("given-back")).count(), 1);
}

#[test]
fn what_was_kept_back_is_judged_when_it_is_given_back() {
    let mut net = net();
    let network = net.governors.network();
    let (b, c, cnmv) = (net.at(1), net.at(2), net.at(3));
    // What b took before: with its own acknowledgement it comes back, whatever else is missing; and what others sent it.
    let how = |class: Class, ago: u64, capsule: bool| How { class, time: now() - ago * MINUTE, capsule };
    let business = |ago: u64| how(Class::Business, ago, true);
    let mut taken = Made::new(&net, business(0), b"signed for").cosigned(&net);
    taken.ack = Some(delivered(&net, &taken).0);
    taken.cosignature = None;
    let answer = c.send(b"of an honest member", &[b], Some("business")).must(201);
    let honest = answer.json()["key"].as_str().unwrap().to_owned();

    // An order that stood from forty to twenty minutes ago.
    let mut stop = order(network, "cnmv", StopScope::Class(Class::Personal));
    stop.issued = now() - 40 * MINUTE;
    let lift = Lift {
        network,
        number: stop.number,
        stop: stop.digest(),
        scope: stop.scope.clone(),
        supervisor: stop.supervisor.clone(),
        text: "settled".into(),
        issued: now() - 20 * MINUTE,
    };
    let told = Outsider::of(&net, cnmv);
    for member in [b, c, cnmv] {
        told.call_bytes(member, path::SUPERVISION_TELL, signed(stop.clone(), &cnmv.signing())).unwrap();
        let signature = cnmv.signing().sign(&lift.statement());
        let bytes = SignedLift { lift: lift.clone(), signature }.encode();
        told.call_bytes(member, path::SUPERVISION_TELL, [&[1], &bytes[..]].concat()).unwrap();
    }
    let personal = |ago: u64| how(Class::Personal, ago, false);
    let bare = how(Class::Business, 30, false);
    let of_another = Made { ack: taken.ack.clone(), ..Made::new(&net, business(30), b"with another's word") };
    let all = vec![
        ("CEL7220 of now", Made::new(&net, business(0), b"kept back until today")),
        ("CEL7220 of before", Made::new(&net, business(30), b"past its supervisor")),
        ("CEL7220 of another", of_another),
        ("CEL6043", Made::new(&net, bare, b"without a capsule").cosigned(&net)),
        ("CEL7200", Made::new(&net, personal(30), b"while it was stopped")),
        ("CEL7353", Made::new(&net, personal(180), b"before its policy")),
        ("taken, both", Made::new(&net, business(30), b"as it should be").cosigned(&net)),
        ("taken, signed for", taken),
        ("taken, before", Made::new(&net, personal(50), b"before the order")),
        ("taken, after", Made::new(&net, personal(15), b"after the order")),
    ];
    let ids = names(&all);
    let giver = Giver::of(&net, 0, all.into_iter().map(|(_, made)| made).collect(), Vec::new());
    let good = recovered(&mut net.members[1]);
    drop(giver);
    let b = net.at(1);
    assert!(good, "{}", b.log());
    for (name, id) in &ids {
        let is_here = b.receive(&id.to_string()).is_some();
        assert_eq!(is_here, name.starts_with("taken"), "{name}\n{}", b.log());
    }
    assert_eq!(b.receive(&honest).as_deref(), Some(&b"of an honest member"[..]), "{}", b.log());
    let export = Request::get("/journal/export").send(&b.admin).must(200).text();
    for (code, count) in [("CEL7220", 3), ("CEL6043", 1), ("CEL7200", 1), ("CEL7353", 1)] {
        let rows = export.lines().filter(|line| line.contains(code) && line.contains("given-back"));
        assert_eq!(rows.count(), count, "{code}");
    }
}

/// Under S4 a sender and its recipients keep the supervisor's word: each gives it back to the other.
#[test]
fn the_supervisors_word_is_kept_and_given_back_by_both_sides() {
    let mut net = net();
    let (b, c) = (net.at(1), net.at(2));
    let answer = c.send(b"to b", &[b], Some("business")).must(201);
    let id = answer.json()["key"].as_str().unwrap().to_owned();
    let given = |to: &Member, by: &Member| {
        let outsider = Outsider::of(&net, to);
        let asked = Resend { epoch: outsider.epoch(to).0.encode().into(), after: Vec::new().into() };
        let page = Resent::from_bytes(&outsider.call(by, path::RESEND, &asked).unwrap()).unwrap();
        let [item] = &page.items[..] else { panic!("{}", page.items.len()) };
        let given = GivenBack::decode(&item.body.to_vec().into()).unwrap();
        let signed = SignedCosignature::decode(given.words.cosignature.as_ref().unwrap()).unwrap();
        assert_eq!(signed.cosignature.id.to_string(), id);
        given.ack.is_some()
    };
    // Acknowledgements are their sender's; the word is everybody's.
    b.wait_until(|| given(b, c), "the sender has no acknowledgement");
    assert!(!given(c, b));
    let _silent = Giver::of(&net, 0, Vec::new(), Vec::new());
    assert!(recovered(&mut net.members[2]), "{}", net.at(2).log());
    let c = net.at(2);
    assert_eq!(c.receive(&id).as_deref(), Some(&b"to b"[..]), "{}", c.log());
}

/// A member whose pages do not go on is named; the others are asked.
#[test]
fn pages_without_end_end_and_the_others_give_what_they_have() {
    let mut net = net();
    let (b, c) = (net.at(1), net.at(2));
    let id = c.sent(b"of c", &[b]);
    let _endless = Giver::of(&net, 0, Vec::new(), vec![7; 64]);
    assert!(!recovered(&mut net.members[1]), "it ends with 1");
    let b = net.at(1);
    assert!(b.log().contains("CEL7351"), "{}", b.log());
    assert_eq!(b.receive(&id).as_deref(), Some(&b"of c"[..]));
    let codes: BTreeSet<_> = b.log().lines().filter(|line| line.contains("did not resend")).map(str::to_owned).collect();
    assert_eq!(codes.len(), 1, "{codes:?}");
}
