//! `/send` and `/sendraw` that succeed.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{Check, table};
use crate::http::{BYTES, JSON, JSON_2_1, JSON_4_0, Request};
use crate::keys::random_bytes;
use crate::net::{Net, encode, holds, id_of, lacks, path_of, request, send, sorted, texts};

pub(super) const CHECKS: &[Check] = table![
    a_payload_reaches_its_recipients_alone,
    the_answer_names_id_sender_and_own_keys,
    the_plain_answer_names_only_the_id,
    the_location_is_absolute_and_can_be_followed,
    without_a_sender_a_key_of_the_node_sends,
    without_recipients_it_is_kept_for_the_sender,
    null_members_count_as_absent,
    unknown_members_are_ignored,
    repeated_recipients_and_the_sender_itself_are_one_each,
    two_keys_of_one_node_are_both_managed,
    a_megabyte_goes_through,
    raw_bytes_are_sent_with_headers,
    raw_bytes_need_no_headers,
    version_four_is_understood_where_it_is_offered,
    many_sends_at_once_all_arrive,
];

fn a_payload_reaches_its_recipients_alone(net: &Net) {
    for from in &net.members {
        let request = request(from, &[net.a(), net.b()]);
        let id = send(from, &request);
        holds(from, &id, &request);
        holds(net.a(), &id, &request);
        holds(net.b(), &id, &request);
        net.members.iter().filter(|m| ![from.key(), net.a().key(), net.b().key()].contains(&m.key())).for_each(|m| lacks(m, &id));
    }
}

fn the_answer_names_id_sender_and_own_keys(net: &Net) {
    let answer = net.a().post("/send", &request(net.a(), &[net.b()])).must(201);
    assert_eq!(answer.media(), JSON_2_1);
    let answer = answer.json();
    assert_eq!(BASE64.decode(answer["key"].as_str().expect("a key").as_bytes()).expect("base64").len(), 64);
    assert_eq!(answer["senderKey"], net.a().key());
    assert_eq!(texts(&answer["managedParties"]), [net.a().key()]);
}

fn the_plain_answer_names_only_the_id(net: &Net) {
    let body = request(net.a(), &[net.b()]).to_string();
    let answer = Request::post("/send", JSON, body.as_bytes()).send(&net.a().q2t).must(201);
    assert_eq!(answer.media(), JSON);
    let answer = answer.json();
    assert_eq!(answer.as_object().expect("an object").keys().collect::<Vec<_>>(), ["key"], "{answer}");
}

fn the_location_is_absolute_and_can_be_followed(net: &Net) {
    for member in &net.members {
        let request = request(member, &[net.b()]);
        let body = request.to_string();
        let answer = Request::post("/send", JSON_2_1, body.as_bytes()).host("named.example:1234").send(&member.q2t).must(201);
        let location = answer.header("location").expect("a Location").to_owned();
        let path = location.strip_prefix("http://named.example:1234").unwrap_or_else(|| panic!("{location}"));
        assert_eq!(path, path_of(&id_of(&answer)));
        assert_eq!(member.get(path).must(200).json()["payload"], request["payload"]);
    }
}

fn without_a_sender_a_key_of_the_node_sends(net: &Net) {
    for member in &net.members {
        let mut request = request(member, &[net.b()]);
        request.as_object_mut().expect("an object").remove("from");
        let sender = member.post("/send", &request).must(201).json()["senderKey"].clone();
        assert!(member.keys.iter().any(|key| sender == key.public.as_str()), "{sender}");
    }
}

fn without_recipients_it_is_kept_for_the_sender(net: &Net) {
    for to in [json!([]), Value::Null] {
        let mut request = request(net.a(), &[]);
        request["to"] = to;
        let id = send(net.a(), &request);
        holds(net.a(), &id, &request);
        assert_eq!(net.a().get_text(&format!("{}/participants", path_of(&id))).must(200).text(), net.a().key());
        lacks(net.b(), &id);
    }
}

fn null_members_count_as_absent(net: &Net) {
    for member in &net.members {
        let mut request = request(member, &[net.b()]);
        for name in ["affectedContractTransactions", "execHash", "mandatoryRecipients", "privacyGroupId"] {
            request[name] = Value::Null;
        }
        let id = send(member, &request);
        holds(net.b(), &id, &request);
    }
}

fn unknown_members_are_ignored(net: &Net) {
    for member in &net.members {
        let mut request = request(member, &[net.b()]);
        request["somethingElse"] = json!({ "deep": [1, 2] });
        holds(net.b(), &send(member, &request), &request);
    }
}

fn repeated_recipients_and_the_sender_itself_are_one_each(net: &Net) {
    for member in [net.a(), net.b()] {
        let request = request(member, &[net.c(), member, net.c()]);
        let id = send(member, &request);
        let answer = member.get_text(&format!("{}/participants", path_of(&id))).must(200).text();
        let listed = sorted(answer.split(',').map(Into::into).collect());
        assert_eq!(listed, sorted(vec![member.key().into(), net.c().key().into()]));
        holds(net.c(), &id, &request);
    }
}

fn two_keys_of_one_node_are_both_managed(net: &Net) {
    let own = sorted(net.c().keys.iter().map(|key| key.public.clone()).collect());
    let mut request = request(net.a(), &[]);
    request["to"] = json!(own);
    let id = send(net.a(), &request);
    let received = holds(net.c(), &id, &request);
    assert_eq!(sorted(texts(&received["managedParties"])), own);
    assert_eq!(received["senderKey"], net.a().key());
    // The second key sends as well, to the first of its own node and to another.
    request["from"] = json!(net.c().keys[1].public);
    request["to"] = json!([net.c().key(), net.b().key()]);
    request["payload"] = json!(BASE64.encode(&random_bytes(20)));
    let answer = net.c().post("/send", &request).must(201).json();
    assert_eq!(sorted(texts(&answer["managedParties"])), own);
    assert_eq!(answer["senderKey"], net.c().keys[1].public.as_str());
    holds(net.b(), answer["key"].as_str().expect("a key"), &request);
}

fn a_megabyte_goes_through(net: &Net) {
    for (from, to) in [(net.a(), net.b()), (net.b(), net.a())] {
        let mut request = request(from, &[to]);
        request["payload"] = json!(BASE64.encode(&random_bytes(1 << 20)));
        holds(to, &send(from, &request), &request);
    }
}

fn raw_bytes_are_sent_with_headers(net: &Net) {
    for from in &net.members {
        let payload = random_bytes(77);
        let to = format!("{},{}", net.b().key(), net.a().key());
        let answer = Request::post("/sendraw", BYTES, &payload)
            .header("Accept", "text/plain")
            .header("c11n-from", from.key())
            .header("c11n-to", &to)
            .send(&from.q2t)
            .must(200);
        assert_eq!(answer.media(), "text/plain");
        let id = answer.text();
        let location = answer.header("location").expect("a Location");
        assert_eq!(location, format!("http://localhost/transaction/{}", encode(&id)));
        for member in [net.a(), net.b(), from] {
            let received = Request::get("/receiveraw").header("Content-Type", BYTES).header("c11n-key", &id).send(&member.q2t);
            assert_eq!(received.must(200).body, payload);
        }
    }
}

fn raw_bytes_need_no_headers(net: &Net) {
    for member in &net.members {
        let payload = random_bytes(3);
        let id = Request::new("POST", "/sendraw").header("Content-Type", BYTES);
        let id = id.body(&payload).send(&member.q2t).must(200).text();
        let request = json!({ "payload": BASE64.encode(&payload) });
        holds(member, &id, &request);
    }
}

fn version_four_is_understood_where_it_is_offered(net: &Net) {
    for member in net.members.iter().filter(|member| member.speaks("4.0")) {
        let body = request(member, &[net.b()]).to_string();
        let answer = Request::post("/send", JSON_4_0, body.as_bytes()).send(&member.q2t).must(201);
        assert_eq!(answer.media(), JSON_4_0);
        assert_eq!(answer.json()["senderKey"], member.key());
    }
}

fn many_sends_at_once_all_arrive(net: &Net) {
    let sent: Vec<(String, Value)> = std::thread::scope(|scope| {
        let send_some = |from: usize| {
            let from = &net.members[from];
            (0..10).map(|_| request(from, &[net.a(), net.b(), net.c()])).map(|request| (send(from, &request), request)).collect()
        };
        let threads: Vec<_> = (0..6).map(|place| scope.spawn(move || -> Vec<_> { send_some(place % 3) })).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a sender")).collect()
    });
    for (id, request) in &sent {
        for member in [net.a(), net.b(), net.c()] {
            holds(member, id, request);
        }
    }
}
