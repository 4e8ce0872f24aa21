//! Tessera's suite under S1: it has no header, and is no way past a supervisor.

use celosia::crypto::hash::payload_id;
use celosia::crypto::nacl;
use celosia::crypto::secret::Secret;
use celosia::enclave::keyfile;
use celosia::governance::Supervision;
use celosia::supervision::SupervisionCopy;
use celosia::types::{Address, Class, Codec, PayloadId, Privacy};
use celosia::wire::header::{self, day_of};
use celosia::wire::native::{Batch, Item};
use celosia::wire::{Audience, EncodedPayload, Header, Stated, Vouched};
use data_encoding::BASE64;
use serde_json::json;

use crate::http::{JSON, Request, Target};
use crate::member::Member;
use crate::net::Net;
use crate::outsider::{Outsider, now, rows};
use crate::supervision::{scope, supervised};
use crate::supervision_first::{acked, address, code, copied, seen, started};

/// A payload of a's in Tessera's suite for b.
fn nacl(by: &Member, to: &Member) -> EncodedPayload {
    let private: [u8; 32] = BASE64.decode(by.keys.private.as_bytes()).unwrap().try_into().unwrap();
    let shared = nacl::shared_key(&Secret::from_slice(&private).unwrap(), &address(to)).unwrap();
    let (data_key, nonce, recipient_nonce) = (Secret::<32>::random(), [1; 24], [2; 24]);
    EncodedPayload {
        sender: address(by),
        ciphertext: nacl::seal(data_key.expose(), &nonce, b"past the supervisor").into(),
        nonce,
        boxes: vec![nacl::seal_key(&shared, &recipient_nonce, &data_key)],
        recipient_nonce,
        recipients: vec![address(to)],
        privacy: Privacy::default(),
    }
}

/// A network in which all that a sends, of whatever class, is seen.
fn all_seen() -> Net {
    let mut net = supervised(&["a", "b", "c", "cnmv"], Vec::new());
    net.governors.policy(|policy| policy.scopes = vec![scope(Supervision::S1, &[], "cnmv")]);
    started(net, &[1, 3])
}

#[test]
fn tesseras_suite_is_no_way_past_a_supervisor() {
    let net = all_seen();
    let [a, b, c, cnmv] = &net.members[..] else { unreachable!("four") };
    let network = net.governors.network();
    let outsider = Outsider::of(&net, a);
    let payload = nacl(a, b);
    let id = payload_id(&payload.ciphertext);
    let bytes = payload.encode(Codec::Cbor).to_vec();
    let told = |words: Option<&Vouched>| {
        let (suite, body) = words.map_or((0, bytes.clone()), |words| (7, words.before(&bytes)));
        let item = Item { suite, body: body.into(), upload: None };
        let batch = Batch { epoch: outsider.epoch(a).0.encode().into(), items: vec![item], filler: Vec::new().into() };
        code(&outsider.deliver(b, &batch))
    };
    // The header that a shows its supervisor, and the one that it shows b.
    let made = |to: &[Address], class: Class, of: PayloadId| {
        let seed = Secret::random();
        let audience = Audience::new(&seed, to.iter()).unwrap();
        let header = Header {
            network,
            suite: 0,
            policy: net.governors.charter.policy_version(),
            day: day_of(now()),
            class,
            time: now(),
            sender: address(a),
            member: "a".parse().unwrap(),
            id: of,
            privacy: Privacy::default(),
            recipients: None,
            audience: audience.root(),
            escrow: None,
        };
        let header = header.encode();
        let signature = a.signing().sign(&header::signed(&network, &header));
        let copy = SupervisionCopy { header, signature, seed: *seed.expose(), recipients: to.to_vec(), sealed: Vec::new() };
        (copy, audience)
    };
    let shown = |copy: &SupervisionCopy, audience: &Audience, to: &Address| {
        let (header, signature) = (copy.header.clone(), copy.signature);
        Stated { header, signature, opening: audience.opening(to).unwrap() }
    };
    assert_eq!(told(None), 7231, "no header, as if it were of a Tessera");
    let (good, audience) = made(&[address(a), address(b)], Class::Business, id);
    let stated = || shown(&good, &audience, &address(b));
    let words = |stated, acks: &[Vec<u8>]| Vouched { stated: Some(stated), ..acked(acks) };
    assert_eq!(told(Some(&acked(&[copied(&outsider, a, cnmv, &good)]))), 7231, "an acknowledgement of who knows what");
    assert_eq!(told(Some(&words(stated(), &[]))), 7227);
    // The supervisor was told of c.
    let (other, others) = made(&[address(a), address(c)], Class::Business, id);
    let of_other = copied(&outsider, a, cnmv, &other);
    assert_eq!(told(Some(&words(shown(&other, &others, &address(c)), std::slice::from_ref(&of_other)))), 7232, "b is not in it");
    assert_eq!(told(Some(&words(stated(), std::slice::from_ref(&of_other)))), 7228);
    let (foreign, in_foreign) = made(&[address(a), address(b)], Class::Business, PayloadId::new([7; 64]));
    assert_eq!(told(Some(&words(shown(&foreign, &in_foreign, &address(b)), &[]))), 7232, "of another payload");
    // A first recipient who is in the header, with a box of nothing, before b's own.
    let before =
        EncodedPayload { boxes: vec![[0; 48], payload.boxes[0]], recipients: vec![address(c), address(b)], ..nacl(a, b) };
    let before = EncodedPayload { ciphertext: payload.ciphertext.clone(), ..before }.encode(Codec::Cbor).to_vec();
    let in_front = words(shown(&other, &others, &address(c)), std::slice::from_ref(&of_other)).before(&before);
    let item = Item { suite: 7, body: in_front.into(), upload: None };
    let batch = Batch { epoch: outsider.epoch(a).0.encode().into(), items: vec![item], filler: Vec::new().into() };
    assert_eq!(code(&outsider.deliver(b, &batch)), 7232, "another's box before b's");
    let altered = Stated { signature: [7; 64], ..stated() };
    assert_eq!(told(Some(&words(altered, &[]))), 7232);
    // Nor over Tessera's own protocol.
    let push = Request::post("/push", "application/cbor", &bytes).header("tesseraSupportedApiVersions", "5.0");
    let answer = push.send(&Target::Tcp(b.peer_port));
    assert_eq!(answer.header("celosia-error"), Some("CEL7231"), "{} {}", answer.status, answer.text());
    assert_eq!(rows(b, "\"received\""), 0, "{}", b.log());
    assert_eq!(told(Some(&words(stated(), &[copied(&outsider, a, cnmv, &good)]))), 0, "{}", b.log());
}

/// A box between two keys opens with either: whoever has a key makes payloads from any recipient to it.
#[test]
fn nobody_brings_a_member_a_payload_in_its_own_name() {
    let net = all_seen();
    let (a, b) = (net.at(0), net.at(1));
    let mut own = nacl(a, b);
    (own.sender, own.recipients) = (address(b), vec![address(a)]);
    let pushed = |payload: &EncodedPayload| {
        let bytes = payload.encode(Codec::Cbor);
        let push = Request::post("/push", "application/cbor", &bytes).header("tesseraSupportedApiVersions", "5.0");
        let answer = push.send(&Target::Tcp(b.peer_port));
        assert_eq!(answer.header("celosia-error"), Some("CEL3212"), "{} {}", answer.status, answer.text());
    };
    pushed(&own);
    // With a key of nobody's.
    let (nobody, of_nobody) = keyfile::generate();
    let (data_key, recipient_nonce) = (Secret::<32>::random(), [2; 24]);
    let shared = nacl::shared_key(&nobody, &address(b)).unwrap();
    own.ciphertext = nacl::seal(data_key.expose(), &own.nonce, b"from nobody").into();
    own.boxes = vec![nacl::seal_key(&shared, &recipient_nonce, &data_key)];
    own.recipients = vec![of_nobody];
    pushed(&own);
    assert_eq!(rows(b, "\"received\""), 0, "{}", b.log());
}

/// What an honest application stores first and sends later.
#[test]
fn a_raw_payload_comes_with_its_supervisors_word() {
    let mut net = all_seen();
    net.members[0].start();
    let (a, b, cnmv) = (net.at(0), net.at(1), net.at(3));
    let sent = |payload: &str, class: &str| {
        let stored = json!({ "payload": payload, "from": a.keys.public });
        let raw = Request::post("/storeraw", JSON, stored.to_string().as_bytes()).send(&a.node).must(200).json();
        let signed = json!({ "hash": raw["key"], "to": [b.keys.public] });
        let request = Request::post("/sendsignedtx", JSON, signed.to_string().as_bytes()).header("celosia-class", class);
        (raw["key"].as_str().unwrap().to_owned(), request.send(&a.node))
    };
    let (id, answer) = sent("aG9sYQ==", "business");
    answer.must(201);
    assert_eq!(b.receive(&id).as_deref(), Some(b"hola".as_slice()), "{}", b.log());
    assert_eq!(seen(cnmv), [id]);
    net.members[3].kill();
    let (_, answer) = {
        let (a, b) = (net.at(0), net.at(1));
        let stored = json!({ "payload": "YWRpb3M=", "from": a.keys.public });
        let raw = Request::post("/storeraw", JSON, stored.to_string().as_bytes()).send(&a.node).must(200).json();
        let signed = json!({ "hash": raw["key"], "to": [b.keys.public] });
        (raw, Request::post("/sendsignedtx", JSON, signed.to_string().as_bytes()).send(&a.node))
    };
    assert_eq!(answer.header("celosia-error"), Some("CEL7210"), "{}", answer.text());
    assert_eq!(rows(net.at(1), "\"received\""), 1);
}

/// Personal data is seen, business is not: a raw payload says which it is, and its recipients need not take it for the other.
#[test]
fn a_raw_payload_of_a_class_that_nobody_supervises_goes_without() {
    let mut net = supervised(&["a", "b", "c", "cnmv"], Vec::new());
    net.governors.policy(|policy| policy.scopes = vec![scope(Supervision::S1, &[Class::Personal], "cnmv")]);
    let net = started(net, &[0, 1]);
    let (a, b) = (net.at(0), net.at(1));
    let stored = json!({ "payload": "aG9sYQ==", "from": a.keys.public });
    let raw = Request::post("/storeraw", JSON, stored.to_string().as_bytes()).send(&a.node).must(200).json();
    let signed = json!({ "hash": raw["key"], "to": [b.keys.public] });
    let request = Request::post("/sendsignedtx", JSON, signed.to_string().as_bytes()).header("celosia-class", "business");
    request.send(&a.node).must(201);
    assert_eq!(b.receive(raw["key"].as_str().unwrap()).as_deref(), Some(b"hola".as_slice()));
}
