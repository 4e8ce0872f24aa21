//! Payloads between Celosias of one directory.

use crate::http::Request;
use crate::keys::random_bytes;
use crate::member::percent;
use crate::net::Net;

#[test]
fn payloads_go_to_their_recipients_and_a_receipt_is_kept() {
    let net = Net::start(&["a", "b", "c"]);
    let (a, b, c) = (net.at(0), net.at(1), net.at(2));
    for length in [1, 100, 5_000, 70_000, 1_100_000, 5_000_000] {
        let payload = random_bytes(length);
        let id = a.sent(&payload, &[b]);
        assert_eq!(a.receive(&id).as_ref(), Some(&payload), "{length}");
        assert_eq!(b.receive(&id).as_ref(), Some(&payload), "{length}");
        assert_eq!(c.receive(&id), None);
    }
    let id = b.sent(b"to both", &[a, c]);
    assert_eq!((a.receive(&id), c.receive(&id)), (Some(b"to both".to_vec()), Some(b"to both".to_vec())));
    let receipt = Request::get(&format!("/receipts/{}", percent(&id))).send(&b.admin).must(200);
    assert!(celosia::wire::Receipt::decode(&receipt.body).unwrap().acks.len() == 2);
}

fn celosia(arguments: &[&str]) -> (bool, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_celosia")).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// With the documents of the network alone, on a machine that knows no node.
#[test]
fn a_receipt_is_verified_offline_and_a_changed_one_is_not() {
    let net = Net::start(&["a", "b", "c"]);
    let (a, b, c) = (net.at(0), net.at(1), net.at(2));
    let id = a.sent(b"a contract", &[b, c]);
    let about = || Request::get(&format!("/journal/about/{}", percent(&id))).send(&a.admin).must(200).json();
    a.wait_until(|| about().as_array().unwrap().len() == 2, "the acknowledgements are not kept");
    let crate::http::Target::Tcp(port) = a.admin else { unreachable!("a port") };
    let (admin, file) = (format!("http://127.0.0.1:{port}"), net.folder.path().join("receipt"));
    let file = file.to_str().unwrap();
    let (good, text) = celosia(&["receipt", "show", "--admin", &admin, &id, "--out", file]);
    assert!(good && text.contains("\"b\"") && text.contains("\"c\""), "{text}");
    let directory = b.folder.join("data/governance");
    let verify = || celosia(&["receipt", "verify", file, "--directory", directory.to_str().unwrap(), "--id", &id]);
    let (good, text) = verify();
    assert!(good && text.contains("good: sent by a (a S.A.)"), "{text}");
    let bytes = std::fs::read(file).unwrap();
    for at in [60, bytes.len() / 2, bytes.len() - 5] {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        std::fs::write(file, changed).unwrap();
        let (good, text) = verify();
        assert!(!good, "byte {at}: {text}");
    }
    // A recipient has the sender's signature, too, and no word of the other recipient.
    let at_b = Request::get(&format!("/receipts/{}", percent(&id))).send(&b.admin).must(200).body;
    let other = data_encoding::BASE64.decode(c.keys.public.as_bytes()).unwrap();
    assert!(!at_b.windows(32).any(|window| window == other));
    let unknown = celosia(&["receipt", "show", "--admin", &admin, &data_encoding::BASE64.encode(&[7; 64])]);
    assert!(!unknown.0 && unknown.1.contains("CEL2001"), "{}", unknown.1);
}
