//! Holders that lie: one that signs an erasure that its log does not have, one that has no proof to show, one that kept a copy.

use std::path::Path;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use celosia::erasure::{Answer, ErasureReceipt, Level, SignedErasureReceipt, SignedOrder};
use celosia::net::native::{Admission, NativeTls, Pin, serve};
use celosia::net::{Endpoint, Listener, Shutdown};
use celosia::services::native_path as path;
use celosia::types::MemberId;
use celosia::wire::native::{ErasureAnswer, Message as _};
use data_encoding::{BASE64, HEXLOWER};
use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::erasure::{admin, case, celosia, certificate, copy, erase, must, quick, wait_for};
use crate::http::Request;
use crate::member::Member;
use crate::net::Net;

/// Whoever calls is the controller.
struct Only(MemberId);

impl Admission for Only {
    fn admitted(&self, _: &Pin) -> Option<MemberId> {
        Some(self.0.clone())
    }
}

/// Record, salt and proof of a receipt, as a certificate has them.
#[derive(Clone, Default)]
struct Evidence {
    record: Vec<u8>,
    salt: Vec<u8>,
    proof: String,
}

/// Speaks for a member with its own keys, and says of every order that all of it is erased for good.
struct Liar {
    _runtime: Runtime,
    shutdown: Shutdown,
    _changed: watch::Sender<u64>,
}

impl Liar {
    fn of(net: &Net, me: &Member, shown: &Evidence) -> Self {
        let runtime = Runtime::new().unwrap();
        let (shutdown, (changed, seen)) = (Shutdown::new(), watch::channel(0));
        let admission = Arc::new(Only(net.at(0).id.parse().unwrap()));
        let tls = NativeTls::load(&me.folder.join("node.crt"), &me.folder.join("node.key"), admission).unwrap();
        let (network, member, key) = (net.governors.network(), me.id.parse::<MemberId>().unwrap(), Arc::new(me.signing()));
        let shown = shown.clone();
        let lie = move |body: Bytes| {
            let signed = SignedOrder::decode(&body).unwrap();
            let receipt = ErasureReceipt {
                network,
                order: signed.digest(),
                member: member.clone(),
                time: signed.order.time,
                answers: vec![Answer::Erased(Level::E3); signed.order.items.len()],
                recoverable_until: None,
                root: "file".into(),
                word: "overwritten and removed".into(),
            };
            let signature = key.sign(&receipt.statement());
            let receipt = SignedErasureReceipt { receipt, signature }.encode();
            let (record, salt) = (shown.record.clone().into(), shown.salt.clone().into());
            let answer = ErasureAnswer { receipt: receipt.into(), record, salt, proof: shown.proof.clone() };
            async move { answer.to_bytes() }
        };
        let router = Router::new().route(path::ERASE, post(lie));
        let endpoint = Endpoint::Tcp { host: "127.0.0.1".into(), port: me.native_port };
        runtime.block_on(async {
            let listener = Listener::bind(&endpoint, None).await.unwrap();
            serve(listener, tls, router, seen, &shutdown);
        });
        Self { _runtime: runtime, shutdown, _changed: changed }
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.shutdown.begin();
    }
}

fn rotate(member: &Member) {
    must(&["root", "rotate", "--admin", &admin(member)]);
}

/// What a certificate has of a holder's first order.
fn evidence(file: &Path, of: &str) -> Value {
    let text = std::fs::read_to_string(file).unwrap();
    let body: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let holders = body["holders"].as_array().unwrap();
    holders.iter().find(|holder| holder["member"] == of).unwrap()["orders"][0].clone()
}

fn verify(net: &Net, name: &str) -> (bool, String) {
    let file = certificate(net.at(0), name, &net.at(0).folder.join("certificate"));
    celosia(&["certificate", "verify", "--network", &net.governors.network().to_string(), &file])
}

/// An erasure that everybody carries out; what b has shown of it.
fn honest(net: &Net, id: &str) -> (String, Evidence) {
    let (a, b) = (net.at(0), net.at(1));
    let name = erase(a, &["--id", id]);
    wait_for(a, &name, "purged");
    a.wait_until(|| case(a, &name)["holders"][1]["level"].as_u64() >= Some(2), "b is not purged");
    rotate(a);
    rotate(b);
    wait_for(a, &name, "certified");
    let (good, said) = verify(net, &name);
    assert!(good && said.contains("complete: every holder"), "{said}");
    let shown = evidence(&a.folder.join("certificate"), "b");
    let text = |key: &str| shown[key].as_str().unwrap().to_owned();
    let salt = BASE64.decode(text("salt").as_bytes()).unwrap();
    (name, Evidence { record: text("record").into_bytes(), salt, proof: text("proof") })
}

#[test]
fn a_holder_that_signs_what_its_log_does_not_have_is_refused_and_convicted() {
    let mut net = quick(&["a", "b"]);
    let [before, id, other] = [&b"one"[..], b"two", b"three"].map(|text| net.at(0).sent(text, &[net.at(1)]));
    let (_, shown) = honest(&net, &before);

    // It shows a true record and a true proof of its log: of another receipt.
    net.members[1].stop();
    let liar = Liar::of(&net, net.at(1), &shown);
    let a = net.at(0);
    let name = erase(a, &["--id", &id]);
    wait_for(a, &name, "purged");
    rotate(a);
    wait_for(a, &name, "certified");
    assert_eq!(case(a, &name)["holders"][1]["level"], 3, "it is believed, until somebody verifies");
    let (good, why) = verify(&net, &name);
    assert!(!good && why.contains("CEL3377") && why.contains("the journal of b does not have its receipt"), "{why}");
    let signed = BASE64.decode(evidence(&a.folder.join("certificate"), "b")["receipt"].as_str().unwrap().as_bytes()).unwrap();
    let signed = SignedErasureReceipt::decode(&signed).unwrap();
    drop(liar);

    // It shows nothing: the certificate says that something is missing, whatever was signed, and the order goes on.
    let liar = Liar::of(&net, net.at(1), &Evidence::default());
    let second = erase(a, &["--id", &other]);
    wait_for(a, &second, "purged");
    rotate(a);
    wait_for(a, &second, "backup-safe");
    a.wait_until(|| case(a, &second)["holders"][1]["level"] == 3, "it was not asked");
    a.wait_until(|| case(a, &second)["holders"][0]["done"] == 1, "a's own log does not have its receipt");
    let (good, said) = verify(&net, &second);
    assert!(good && said.contains("NOT complete yet"), "{said}");
    assert_eq!(said.matches("its journal has the receipt").count(), 1, "{said}");
    assert!(said.contains("1 receipt(s) that its journal has not been shown to have"), "{said}");
    drop(liar);

    // The copies are there; the signature on the receipt is b's, and b's log, whole, has no such receipt.
    net.members[1].start();
    let (a, b) = (net.at(0), net.at(1));
    assert_eq!(b.receive(&id).as_deref(), Some(&b"two"[..]), "its copy is readable");
    signed.verify(&b.signing().verify_key()).unwrap();
    let log = Request::get("/journal/export").send(&b.admin).must(200).text();
    let has = |receipt: &str| log.lines().any(|line| line.contains(receipt));
    let true_record: Value = serde_json::from_slice(&shown.record).unwrap();
    assert!(has(true_record["details"]["receipt"].as_str().unwrap()), "the search finds what is there");
    assert!(!has(&HEXLOWER.encode(&signed.digest())));
    // The order without a proof is asked again, and answered in truth now.
    b.wait_until(|| b.receive(&other).is_none(), "it is not asked again");
    a.wait_until(|| case(a, &second)["holders"][1]["level"] == 2, "b does not answer");
    rotate(b);
    wait_for(a, &second, "certified");
    let (good, said) = verify(&net, &second);
    assert!(good && said.contains("complete: every holder"), "{said}");
}

/// It erases, signs and logs, and has put a copy of everything aside. No log shows that; once the copy is found, its own words convict it.
#[test]
fn a_copy_that_is_found_contradicts_what_its_holder_signed_and_logged() {
    let mut net = quick(&["a", "b"]);
    let id = net.at(0).sent(b"about a person", &[net.at(1)]);
    net.members[1].stop();
    let (data, aside) = (net.at(1).folder.join("data"), net.folder.path().join("aside"));
    copy(&data, &aside);
    net.members[1].start();
    let (name, _) = honest(&net, &id);
    let (good, said) = verify(&net, &name);
    assert!(good && said.matches("its journal has the receipt").count() == 2, "{said}");
    let opens = |folder: &Path| {
        let folder = folder.to_str().unwrap();
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_celosia"))
            .args(["scan", "--json", "--for", &id, "--data-dir", folder, folder])
            .output()
            .unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        report["searched-for"].to_string().contains("data key")
    };
    assert!(opens(&aside), "the copy opens");
    assert!(!opens(&data), "what the node has does not");
}
