//! `/encodedpayload`: sealing and opening without keeping.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{Check, table};
use crate::http::{JSON, JSON_2_1, Request};
use crate::member::Member;
use crate::net::{Net, private_request, request, send, sorted, texts};

pub(super) const CHECKS: &[Check] = table![
    it_is_sealed_with_every_field,
    the_sender_among_the_recipients_has_one_box,
    everyone_named_opens_it_and_nobody_else,
    one_box_without_a_recipient_key_is_opened,
    the_six_fields_of_a_node_are_enough,
    altered_bytes_are_not_opened,
    party_protection_is_sealed_with_its_affected_transactions,
    state_validation_is_sealed_with_its_hash,
    a_payload_is_needed,
];

fn create(member: &Member, request: &Value) -> Value {
    member.post("/encodedpayload/create", request).must(200).json()
}

fn bytes(value: &Value) -> Vec<u8> {
    BASE64.decode(value.as_str().expect("a text").as_bytes()).expect("base64")
}

fn it_is_sealed_with_every_field(net: &Net) {
    for member in &net.members {
        let sealed = create(member, &request(member, &[net.b(), net.c()]));
        assert_eq!(sealed["senderKey"], member.key());
        assert_eq!(bytes(&sealed["cipherText"]).len(), 100 + 16);
        assert_eq!(bytes(&sealed["cipherTextNonce"]).len(), 24);
        assert_eq!(bytes(&sealed["recipientNonce"]).len(), 24);
        let mut keys = sorted(texts(&sealed["recipientKeys"]));
        let mut expected = sorted([net.b(), net.c(), member].iter().map(|member| member.key().to_owned()).collect());
        expected.dedup();
        keys.dedup();
        assert_eq!(keys, expected);
        assert_eq!(texts(&sealed["recipientBoxes"]).len(), texts(&sealed["recipientKeys"]).len());
        assert_eq!(sealed["privacyMode"], 0);
        assert!(sealed["affectedContractTransactions"].as_object().is_none_or(serde_json::Map::is_empty));
    }
}

fn the_sender_among_the_recipients_has_one_box(net: &Net) {
    for member in [net.a(), net.b()] {
        let sealed = create(member, &request(member, &[member, net.c()]));
        assert_eq!(sorted(texts(&sealed["recipientKeys"])), sorted(vec![member.key().into(), net.c().key().into()]));
        assert_eq!(texts(&sealed["recipientBoxes"]).len(), 2);
    }
}

fn everyone_named_opens_it_and_nobody_else(net: &Net) {
    for member in [net.a(), net.b()] {
        for media in [JSON, JSON_2_1] {
            let request = request(member, &[net.c()]);
            let body = request.to_string();
            let sealed = Request::post("/encodedpayload/create", media, body.as_bytes()).send(&member.q2t).must(200).json();
            for reader in [member, net.c()] {
                let body = sealed.to_string();
                let opened = Request::post("/encodedpayload/decrypt", media, body.as_bytes()).send(&reader.q2t).must(200).json();
                assert_eq!((&opened["payload"], &opened["privacyFlag"]), (&request["payload"], &json!(0)));
            }
            net.d().post("/encodedpayload/decrypt", &sealed).must(500);
        }
    }
}

fn one_box_without_a_recipient_key_is_opened(net: &Net) {
    for member in [net.a(), net.b()] {
        let request = request(member, &[net.c()]);
        let mut sealed = create(member, &request);
        let place = texts(&sealed["recipientKeys"]).iter().position(|key| key == net.c().key()).expect("the recipient");
        sealed["recipientBoxes"] = json!([sealed["recipientBoxes"][place]]);
        sealed["recipientKeys"] = json!([]);
        let opened = net.c().post("/encodedpayload/decrypt", &sealed).must(200).json();
        assert_eq!(opened["payload"], request["payload"]);
    }
}

fn the_six_fields_of_a_node_are_enough(net: &Net) {
    for (from, to) in [(net.a(), net.b()), (net.b(), net.a())] {
        let request = request(from, &[to]);
        let sealed = create(from, &request);
        let names = ["senderKey", "cipherText", "cipherTextNonce", "recipientBoxes", "recipientNonce", "recipientKeys"];
        let six: Value =
            names.iter().map(|name| ((*name).to_owned(), sealed[*name].clone())).collect::<serde_json::Map<_, _>>().into();
        for reader in [from, to] {
            let opened = reader.post("/encodedpayload/decrypt", &six).must(200).json();
            assert_eq!(opened["payload"], request["payload"]);
        }
    }
}

fn altered_bytes_are_not_opened(net: &Net) {
    for member in [net.a(), net.b()] {
        let mut sealed = create(member, &request(member, &[net.c()]));
        let mut cipher_text = bytes(&sealed["cipherText"]);
        cipher_text[20] ^= 1;
        sealed["cipherText"] = json!(BASE64.encode(&cipher_text));
        net.c().post("/encodedpayload/decrypt", &sealed).must(500);
    }
}

/// Versions before 4.0 write the map in a way of their own, and stumble over it when they read it.
fn party_protection_is_sealed_with_its_affected_transactions(net: &Net) {
    for member in [net.a(), net.b()] {
        let first = send(member, &private_request(member, &[net.c()], 1, &[]));
        let update = private_request(member, &[net.c()], 1, &[&first]);
        let mut sealed = create(member, &update);
        assert_eq!(sealed["privacyMode"], 1);
        let affected = &sealed["affectedContractTransactions"][&first];
        assert_eq!(bytes(if member.speaks("4.0") { affected } else { &affected[0] }).len(), 64);
        let is_read = member.speaks("4.0") && net.c().speaks("4.0");
        if !is_read {
            sealed.as_object_mut().expect("an object").remove("affectedContractTransactions");
        }
        let opened = net.c().post("/encodedpayload/decrypt", &sealed).must(200).json();
        assert_eq!((&opened["payload"], &opened["privacyFlag"]), (&update["payload"], &json!(1)));
        assert_eq!(texts(&opened["affectedContractTransactions"]), if is_read { vec![first] } else { Vec::new() });
    }
}

fn state_validation_is_sealed_with_its_hash(net: &Net) {
    for member in [net.a(), net.b()] {
        let request = private_request(member, &[net.c()], 3, &[]);
        let sealed = create(member, &request);
        assert_eq!(sealed["privacyMode"], 3);
        // Versions before 4.0 encode the text once more, here and there.
        let hash = request["execHash"].as_str().expect("a text");
        let twice = BASE64.encode(hash.as_bytes());
        assert_eq!(sealed["execHash"], if member.speaks("4.0") { hash } else { &twice });
        if member.speaks("4.0") == net.c().speaks("4.0") {
            let opened = net.c().post("/encodedpayload/decrypt", &sealed).must(200).json();
            assert_eq!((&opened["privacyFlag"], &opened["execHash"]), (&json!(3), &request["execHash"]));
        }
    }
}

fn a_payload_is_needed(net: &Net) {
    for member in &net.members {
        member.post("/encodedpayload/create", &json!({})).must(400);
    }
}
