//! `/resend`: a peer fetches what it should have.

use data_encoding::BASE64;
use serde_json::json;

use super::{Check, table};
use crate::http::{Answer, JSON, Request};
use crate::keys::KeyPair;
use crate::member::Member;
use crate::net::{Net, holds, request, send, unknown_id};

pub(super) const CHECKS: &[Check] = table![
    a_recipient_is_handed_its_own_box,
    the_sender_hands_out_the_askers_box_first,
    a_stranger_is_told_so,
    an_unknown_transaction_is_404,
    all_of_a_key_are_pushed_again,
    all_of_an_unknown_key_are_none,
    all_of_the_sender_come_back_from_a_recipient,
    a_key_that_is_no_base64_is_400,
];

pub(super) fn individual(member: &Member, key: &str, id: &str) -> Answer {
    let body = json!({ "type": "INDIVIDUAL", "publicKey": key, "key": id }).to_string();
    Request::post("/resend", JSON, body.as_bytes()).header("Accept", "text/plain").send(&member.p2p)
}

fn all(member: &Member, key: &str) -> Answer {
    let body = json!({ "type": "ALL", "publicKey": key }).to_string();
    Request::post("/resend", JSON, body.as_bytes()).header("Accept", "text/plain").send(&member.p2p)
}

/// Recipient keys of a payload in the first binary form: the sixth field.
fn recipients(payload: &[u8]) -> Vec<String> {
    let mut reader = Reader(payload);
    (0..3).for_each(|_| drop(reader.bytes()));
    reader.list();
    reader.bytes();
    reader.list().iter().map(|key| BASE64.encode(key)).collect()
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn number(&mut self) -> usize {
        let (head, rest) = self.0.split_at(8);
        self.0 = rest;
        usize::try_from(u64::from_be_bytes(head.try_into().expect("eight bytes"))).expect("a length")
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = self.number();
        let (field, rest) = self.0.split_at(length);
        self.0 = rest;
        field.to_vec()
    }

    fn list(&mut self) -> Vec<Vec<u8>> {
        (0..self.number()).map(|_| self.bytes()).collect()
    }
}

fn a_recipient_is_handed_its_own_box(net: &Net) {
    for (from, to) in [(net.a(), net.b()), (net.b(), net.a())] {
        let id = send(from, &request(from, &[to, net.c()]));
        let payload = individual(to, to.key(), &id).must(200).body;
        assert_eq!(recipients(&payload), [to.key()]);
    }
}

fn the_sender_hands_out_the_askers_box_first(net: &Net) {
    for (from, to) in [(net.a(), net.b()), (net.b(), net.a())] {
        let id = send(from, &request(from, &[net.c(), to]));
        let payload = individual(from, to.key(), &id).must(200).body;
        assert_eq!(recipients(&payload)[0], to.key());
    }
}

fn a_stranger_is_told_so(net: &Net) {
    for (from, to) in [(net.a(), net.b()), (net.b(), net.a())] {
        let id = send(from, &request(from, &[to]));
        let text = format!("Recipient {} is not a recipient of transaction", net.c().key());
        individual(from, net.c().key(), &id).must(500).says(&text);
    }
}

fn an_unknown_transaction_is_404(net: &Net) {
    for member in &net.members {
        let id = unknown_id();
        let text = format!("Message with hash {id} was not found");
        assert_eq!(individual(member, net.b().key(), &id).must(404).text(), text);
    }
}

fn all_of_a_key_are_pushed_again(net: &Net) {
    for (from, to) in [(net.a(), net.b()), (net.b(), net.a())] {
        let request = request(from, &[to]);
        let id = send(from, &request);
        assert!(all(from, to.key()).must(200).body.is_empty());
        holds(to, &id, &request);
    }
}

fn all_of_an_unknown_key_are_none(net: &Net) {
    for member in &net.members {
        assert!(all(member, &KeyPair::random().public).must(200).body.is_empty());
    }
}

fn all_of_the_sender_come_back_from_a_recipient(net: &Net) {
    for (from, to) in [(net.a(), net.b()), (net.b(), net.a())] {
        let request = request(from, &[to]);
        let id = send(from, &request);
        all(to, from.key()).must(200);
        let answer = holds(from, &id, &request);
        assert_eq!(answer["senderKey"], from.key());
    }
}

fn a_key_that_is_no_base64_is_400(net: &Net) {
    for member in &net.members {
        all(member, "not base64!").must(400);
        individual(member, "not base64!", &unknown_id()).must(400);
    }
}
