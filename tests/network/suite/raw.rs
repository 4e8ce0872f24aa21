//! Payloads stored first and sent when the node has a signed transaction.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{Check, table};
use crate::http::{BYTES, JSON, JSON_2_1, JSON_4_0, Request, Target};
use crate::keys::{KeyPair, random_bytes};
use crate::member::Member;
use crate::net::{Net, holds, id_of, lacks, path_of, sorted, texts, unknown_id};

pub(super) const CHECKS: &[Check] = table![
    stored_on_the_node_and_the_application_surface,
    a_stored_payload_is_read_only_as_raw,
    a_stored_payload_is_sent_under_its_id,
    raw_bytes_of_the_id_are_sent_with_headers,
    sent_with_a_privacy_flag,
    sent_with_version_four_where_it_is_offered,
    stored_without_a_sender,
    a_stranger_cannot_store,
    nothing_cannot_be_stored,
    an_unknown_id_cannot_be_sent,
    an_unknown_recipient_of_a_stored_payload_is_404,
];

/// Stores a fresh payload; its id and the request.
fn store(member: &Member, target: &Target, media: &str) -> (String, Value) {
    let request = json!({ "payload": BASE64.encode(&random_bytes(60)), "from": member.key() });
    let answer = Request::post("/storeraw", media, request.to_string().as_bytes()).send(target).must(200);
    (id_of(&answer), request)
}

fn stored_on_the_node_and_the_application_surface(net: &Net) {
    for member in &net.members {
        for target in [&member.q2t, &member.third_party] {
            for media in [JSON, JSON_2_1] {
                let (id, _) = store(member, target, media);
                assert_eq!(BASE64.decode(id.as_bytes()).expect("base64").len(), 64);
            }
        }
    }
}

fn a_stored_payload_is_read_only_as_raw(net: &Net) {
    for member in &net.members {
        let (id, request) = store(member, &member.third_party, JSON);
        let answer = member.get(&format!("{}?isRaw=true", path_of(&id))).must(200).json();
        assert_eq!(answer["payload"], request["payload"]);
        assert_eq!(answer["privacyFlag"], 0);
        assert_eq!(answer["senderKey"], member.key());
        assert_eq!(texts(&answer["managedParties"]), [member.key()]);
        lacks(member, &id);
    }
}

fn a_stored_payload_is_sent_under_its_id(net: &Net) {
    for member in &net.members {
        let (id, request) = store(member, &member.q2t, JSON_2_1);
        let body = json!({ "hash": id, "to": [net.a().key(), net.b().key()] });
        let answer = member.post("/sendsignedtx", &body).must(201);
        assert_eq!(id_of(&answer), id);
        assert_eq!(answer.json()["senderKey"], member.key());
        assert!(texts(&answer.json()["managedParties"]).contains(&member.key().to_owned()));
        for reader in [net.a(), net.b(), member] {
            assert_eq!(holds(reader, &id, &request)["senderKey"], member.key());
        }
        assert_eq!(member.get_text(&format!("{}/isSender", path_of(&id))).must(200).text(), "true");
        // What was stored stays readable as raw: the node may ask again.
        member.get(&format!("{}?isRaw=true", path_of(&id))).must(200);
    }
}

fn raw_bytes_of_the_id_are_sent_with_headers(net: &Net) {
    for member in &net.members {
        let (id, request) = store(member, &member.q2t, JSON);
        let hash = BASE64.decode(id.as_bytes()).expect("base64");
        let call = Request::new("POST", "/sendsignedtx").header("Content-Type", BYTES).header("c11n-to", net.b().key());
        let answer = call.body(&hash).send(&member.q2t).must(200);
        assert_eq!(answer.text(), id);
        holds(net.b(), &id, &request);
    }
}

fn sent_with_a_privacy_flag(net: &Net) {
    for member in [net.a(), net.b()] {
        let (id, request) = store(member, &member.q2t, JSON_2_1);
        let body = json!({ "hash": id, "to": [net.c().key()], "privacyFlag": 3, "execHash": "c3RhdGU=" });
        member.post("/sendsignedtx", &body).must(201);
        let answer = holds(net.c(), &id, &request);
        assert_eq!((&answer["privacyFlag"], &answer["execHash"]), (&json!(3), &json!("c3RhdGU=")));
        let (id, _) = store(member, &member.q2t, JSON_2_1);
        member.post("/sendsignedtx", &json!({ "hash": id, "to": [], "privacyFlag": 3 })).must(400);
    }
}

fn sent_with_version_four_where_it_is_offered(net: &Net) {
    for member in net.members.iter().filter(|member| member.speaks("4.0")) {
        let (id, request) = store(member, &member.q2t, JSON_2_1);
        let body = json!({ "hash": id, "to": [net.b().key()], "affectedContractTransactions": [], "privacyFlag": 0,
            "mandatoryRecipients": null });
        let answer = Request::post("/sendsignedtx", JSON_4_0, body.to_string().as_bytes()).send(&member.q2t).must(201).json();
        let mut own = vec![member.key().to_owned()];
        if member.key() == net.b().key() {
            own.dedup();
        }
        assert_eq!(sorted(texts(&answer["managedParties"])), own);
        holds(net.b(), &id, &request);
    }
}

fn stored_without_a_sender(net: &Net) {
    for member in [net.a(), net.b()] {
        let body = json!({ "payload": BASE64.encode(&random_bytes(9)) });
        let id = id_of(&member.post("/storeraw", &body).must(200));
        let answer = member.get(&format!("{}?isRaw=true", path_of(&id))).must(200).json();
        assert_eq!(answer["senderKey"], member.key());
    }
}

fn a_stranger_cannot_store(net: &Net) {
    for member in &net.members {
        let body = json!({ "payload": "AAAA", "from": KeyPair::random().public });
        member.post("/storeraw", &body).must(404);
    }
}

fn nothing_cannot_be_stored(net: &Net) {
    for member in &net.members {
        for body in ["{}", "", "no json", r#"{"payload":""}"#, r#"{"payload":null}"#] {
            Request::post("/storeraw", JSON, body.as_bytes()).send(&member.third_party).must(400);
        }
    }
}

fn an_unknown_id_cannot_be_sent(net: &Net) {
    for member in &net.members {
        let id = unknown_id();
        let answer = member.post("/sendsignedtx", &json!({ "hash": id, "to": [] })).must(404);
        assert!(answer.text().contains(&id), "{}", answer.text());
        let hash = BASE64.decode(id.as_bytes()).expect("base64");
        Request::new("POST", "/sendsignedtx").header("Content-Type", BYTES).body(&hash).send(&member.q2t).must(404);
        member.post("/sendsignedtx", &json!({ "to": [] })).must(400);
    }
}

fn an_unknown_recipient_of_a_stored_payload_is_404(net: &Net) {
    for member in &net.members {
        let (id, _) = store(member, &member.q2t, JSON_2_1);
        let stranger = KeyPair::random().public;
        member.post("/sendsignedtx", &json!({ "hash": id, "to": [stranger] })).must(404).says(&stranger);
        lacks(member, &id);
    }
}
