//! Reading and deleting.

use data_encoding::BASE64;
use serde_json::json;

use super::{Check, table};
use crate::http::{BYTES, JSON, Request};
use crate::keys::random_bytes;
use crate::member::Maker;
use crate::net::{Net, encode, holds, lacks, node_path_of, path_of, request, send, sorted, texts, unknown_id};

pub(super) const CHECKS: &[Check] = table![
    a_recipient_reads_everything_about_it,
    the_sender_reads_it_as_well,
    both_spellings_of_an_id_are_paths,
    the_plain_answer_has_payload_and_flag,
    a_key_of_the_node_may_be_named,
    an_unknown_id_is_404_with_its_text,
    raw_reading_wants_a_known_id,
    only_the_sender_is_the_sender,
    participants_are_all_at_the_sender_and_own_at_a_recipient,
    questions_about_an_unknown_id_are_404,
    deleted_is_gone_here_and_only_here,
    the_old_way_to_delete,
];

fn a_recipient_reads_everything_about_it(net: &Net) {
    for from in &net.members {
        let request = request(from, &[net.b()]);
        let answer = holds(net.b(), &send(from, &request), &request);
        assert_eq!(answer["privacyFlag"], 0);
        assert_eq!(texts(&answer["managedParties"]), [net.b().key()]);
        assert_eq!(answer["senderKey"], from.key());
        assert!(texts(&answer["affectedContractTransactions"]).is_empty());
        assert_eq!(answer["execHash"].as_str().unwrap_or_default(), "");
    }
}

fn the_sender_reads_it_as_well(net: &Net) {
    let request = request(net.a(), &[net.b()]);
    let answer = holds(net.a(), &send(net.a(), &request), &request);
    assert_eq!(texts(&answer["managedParties"]), [net.a().key()]);
    assert_eq!(answer["senderKey"], net.a().key());
}

fn both_spellings_of_an_id_are_paths(net: &Net) {
    for member in [net.a(), net.b()] {
        // Until an id with both special characters has been there.
        let mut seen = (false, false);
        while seen != (true, true) {
            let request = request(member, &[net.c()]);
            let id = send(member, &request);
            seen = (seen.0 || id.contains('+'), seen.1 || id.contains('/'));
            for path in [node_path_of(&id), path_of(&id), format!("{}?isRaw=false", node_path_of(&id))] {
                assert_eq!(member.get(&path).must(200).json()["payload"], request["payload"], "{path}");
            }
        }
    }
}

fn the_plain_answer_has_payload_and_flag(net: &Net) {
    for member in &net.members {
        let request = request(member, &[net.b()]);
        let id = send(member, &request);
        let answer = Request::get(&path_of(&id)).header("Accept", JSON).send(&member.q2t).must(200);
        assert_eq!(answer.media(), JSON);
        let answer = answer.json();
        assert_eq!((&answer["payload"], &answer["privacyFlag"]), (&request["payload"], &json!(0)));
        assert!(answer.get("managedParties").is_none(), "{answer}");
    }
}

fn a_key_of_the_node_may_be_named(net: &Net) {
    let request = request(net.a(), &[net.b()]);
    let id = send(net.a(), &request);
    let path = format!("{}?to={}", path_of(&id), encode(net.b().key()));
    assert_eq!(net.b().get(&path).must(200).json()["payload"], request["payload"]);
}

fn an_unknown_id_is_404_with_its_text(net: &Net) {
    for member in &net.members {
        // Also those of a wrong length.
        for id in [unknown_id(), BASE64.encode(&random_bytes(32)), BASE64.encode(&random_bytes(65))] {
            lacks(member, &id);
        }
    }
}

fn raw_reading_wants_a_known_id(net: &Net) {
    for member in &net.members {
        let id = unknown_id();
        let answer = Request::get("/receiveraw").header("Content-Type", BYTES).header("c11n-key", &id).send(&member.q2t);
        assert_eq!(answer.must(404).text(), format!("Message with hash {id} was not found"));
    }
}

fn only_the_sender_is_the_sender(net: &Net) {
    for from in &net.members {
        let id = send(from, &request(from, &[net.a(), net.b(), net.c()]));
        for member in [net.a(), net.b(), net.c(), from] {
            let answer = member.get_text(&format!("{}/isSender", node_path_of(&id))).must(200);
            assert_eq!(answer.text(), (member.key() == from.key()).to_string());
        }
    }
}

fn participants_are_all_at_the_sender_and_own_at_a_recipient(net: &Net) {
    for from in [net.a(), net.b()] {
        let id = send(from, &request(from, &[net.c(), net.d()]));
        let path = format!("{}/participants", node_path_of(&id));
        let all = from.get_text(&path).must(200).text();
        let all = sorted(all.split(',').map(Into::into).collect());
        assert_eq!(all, sorted([from, net.c(), net.d()].iter().map(|member| member.key().into()).collect()));
        assert_eq!(net.c().get_text(&path).must(200).text(), net.c().key());
    }
}

fn questions_about_an_unknown_id_are_404(net: &Net) {
    for member in &net.members {
        let path = path_of(&unknown_id());
        member.get_text(&format!("{path}/isSender")).must(404);
        member.get_text(&format!("{path}/participants")).must(404);
        member.get(&format!("{path}?isRaw=true")).must(404);
        if member.maker == Maker::Celosia {
            member.get_text(&format!("{path}/mandatory")).must(404);
        }
    }
}

fn deleted_is_gone_here_and_only_here(net: &Net) {
    for from in [net.a(), net.b()] {
        let request = request(from, &[net.c()]);
        let id = send(from, &request);
        assert!(Request::new("DELETE", &path_of(&id)).send(&from.q2t).must(204).body.is_empty());
        lacks(from, &id);
        from.get_text(&format!("{}/isSender", path_of(&id))).must(404);
        Request::new("DELETE", &path_of(&id)).send(&from.q2t).must(404);
        holds(net.c(), &id, &request);
    }
}

fn the_old_way_to_delete(net: &Net) {
    for member in &net.members {
        let id = send(member, &request(member, &[net.b()]));
        let body = json!({ "key": id }).to_string();
        let answer = Request::post("/delete", JSON, body.as_bytes()).header("Accept", "text/plain").send(&member.q2t);
        assert_eq!(answer.must(200).text(), "Delete successful");
        lacks(member, &id);
    }
}
