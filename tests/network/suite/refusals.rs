//! Requests that are wrong, and what is said about it.

use data_encoding::BASE64;
use serde_json::json;

use super::{Check, table};
use crate::http::{BYTES, JSON_2_1, Request};
use crate::keys::{KeyPair, random_bytes};
use crate::member::{Maker, Member};
use crate::net::{Net, holds, request, send};

pub(super) const CHECKS: &[Check] = table![
    an_unknown_recipient_is_404,
    an_unknown_sender_is_404,
    no_payload_is_400,
    text_that_is_no_json_is_400,
    an_empty_raw_payload_is_400,
    an_unknown_media_type_is_refused,
    a_wrong_method_is_refused,
    a_recipient_that_is_no_base64_is_refused,
    a_recipient_of_a_wrong_length_is_refused,
    a_payload_that_is_no_base64_is_refused,
    an_id_that_is_no_base64_is_refused,
    an_unknown_flag_counts_as_standard,
    the_peer_surface_sends_nothing,
];

/// `/sendraw` with one of its headers.
fn raw(header: &str, key: &str, payload: &[u8]) -> Request {
    Request::new("POST", "/sendraw").header("Content-Type", BYTES).header(header, key).body(payload)
}

fn an_unknown_recipient_is_404(net: &Net) {
    for member in &net.members {
        let stranger = KeyPair::random().public;
        let mut request = request(member, &[net.b()]);
        request["to"].as_array_mut().expect("a list").push(json!(stranger));
        let text = format!("Recipient not found for key: {stranger}");
        assert_eq!(member.post("/send", &request).must(404).text(), text);
        raw("c11n-to", &stranger, b"x").send(&member.q2t).must(404).says(&stranger);
    }
}

fn an_unknown_sender_is_404(net: &Net) {
    for member in &net.members {
        let stranger = KeyPair::random().public;
        let mut request = request(member, &[net.b()]);
        request["from"] = json!(stranger);
        member.post("/send", &request).must(404);
        raw("c11n-from", &stranger, b"x").send(&member.q2t).must(404);
    }
}

fn no_payload_is_400(net: &Net) {
    for member in &net.members {
        let mut absent = request(member, &[net.b()]);
        absent.as_object_mut().expect("an object").remove("payload");
        let mut null = request(member, &[net.b()]);
        null["payload"] = json!(null);
        let mut empty = request(member, &[net.b()]);
        empty["payload"] = json!("");
        for body in [json!({}), absent, null, empty] {
            member.post("/send", &body).must(400);
        }
    }
}

fn text_that_is_no_json_is_400(net: &Net) {
    for member in &net.members {
        for body in ["", "no json", "{", "{\"payload\":"] {
            let answer = Request::post("/send", JSON_2_1, body.as_bytes()).send(&member.q2t);
            assert!(answer.status == 400, "{body:?}: {} {}", answer.status, answer.text());
        }
    }
}

fn an_empty_raw_payload_is_400(net: &Net) {
    for member in &net.members {
        raw("c11n-to", net.b().key(), b"").send(&member.q2t).must(400);
    }
}

fn an_unknown_media_type_is_refused(net: &Net) {
    for member in &net.members {
        let body = request(member, &[]).to_string();
        let answer = Request::post("/send", "application/vnd.tessera-9.9+json", body.as_bytes()).send(&member.q2t);
        match member.maker {
            Maker::Celosia => answer.must(415),
            Maker::Tessera => answer.must(500).says("HTTP 415"),
        };
    }
}

fn a_wrong_method_is_refused(net: &Net) {
    for member in &net.members {
        match member.maker {
            Maker::Celosia => member.get("/send").must(405),
            Maker::Tessera => member.get("/send").must(500).says("HTTP 405"),
        };
    }
}

fn a_recipient_that_is_no_base64_is_refused(net: &Net) {
    for member in &net.members {
        let mut request = request(member, &[]);
        request["to"] = json!(["not base64!"]);
        member.post("/send", &request).must(by_maker(member));
    }
}

fn a_recipient_of_a_wrong_length_is_refused(net: &Net) {
    for member in &net.members {
        let mut request = request(member, &[]);
        request["to"] = json!([BASE64.encode(&random_bytes(31))]);
        // Tessera runs into the end of the array.
        member.post("/send", &request).must(if member.maker == Maker::Tessera { 500 } else { 404 });
    }
}

fn a_payload_that_is_no_base64_is_refused(net: &Net) {
    for member in &net.members {
        let mut request = request(member, &[]);
        request["payload"] = json!("not base64!");
        member.post("/send", &request).must(by_maker(member));
    }
}

fn an_id_that_is_no_base64_is_refused(net: &Net) {
    for member in &net.members {
        member.get("/transaction/not-base64!").must(400);
    }
}

fn an_unknown_flag_counts_as_standard(net: &Net) {
    for member in &net.members {
        let mut request = request(member, &[net.b()]);
        request["privacyFlag"] = json!(9);
        let id = send(member, &request);
        assert_eq!(holds(net.b(), &id, &request)["privacyFlag"], 0);
    }
}

fn the_peer_surface_sends_nothing(net: &Net) {
    for member in &net.members {
        let body = request(member, &[]).to_string();
        for target in [&member.p2p, &member.third_party] {
            Request::post("/send", JSON_2_1, body.as_bytes()).send(target).must(404);
        }
    }
}

/// What is the caller's fault: Tessera calls it its own.
fn by_maker(member: &Member) -> u16 {
    if member.maker == Maker::Tessera { 500 } else { 400 }
}
