//! Privacy flags and their rules.

use serde_json::{Value, json};

use super::{Check, table};
use crate::http::{Answer, JSON_4_0, Request};
use crate::member::{Maker, Member};
use crate::net::{Net, holds, lacks, path_of, private_request, request, send, sorted, texts, unknown_id};

pub(super) const CHECKS: &[Check] = table![
    party_protection_is_delivered_with_its_affected_transactions,
    a_participant_updates_a_non_participant_cannot,
    an_unknown_affected_transaction_is_403,
    a_flag_other_than_the_affected_transactions_is_403,
    state_validation_keeps_its_hash_and_its_participants,
    state_validation_without_a_hash_is_400,
    state_validation_for_others_is_403,
    a_node_without_enhanced_privacy_sends_none,
    a_recipient_without_enhanced_privacy_fails_the_send,
    standard_sends_may_name_affected_transactions,
    a_hash_goes_with_state_validation_alone,
    mandatory_recipients_are_kept,
    mandatory_recipients_have_to_be_recipients,
    a_smaller_mandatory_set_is_403,
    mandatory_recipients_are_needed_by_their_flag_alone,
];

fn party_protection_is_delivered_with_its_affected_transactions(net: &Net) {
    for from in [net.a(), net.b(), net.c()] {
        let first = send(from, &private_request(from, &[net.a(), net.b()], 1, &[]));
        let second = send(from, &private_request(from, &[net.a(), net.b()], 1, &[]));
        let update = private_request(from, &[net.a(), net.b()], 1, &[&first, &second]);
        let id = send(from, &update);
        for member in [net.a(), net.b(), from] {
            let answer = holds(member, &id, &update);
            assert_eq!(answer["privacyFlag"], 1);
            let affected = sorted(texts(&answer["affectedContractTransactions"]));
            assert_eq!(affected, sorted(vec![first.clone(), second.clone()]));
        }
    }
}

fn a_participant_updates_a_non_participant_cannot(net: &Net) {
    for from in [net.a(), net.b()] {
        let other = if from.key() == net.a().key() { net.b() } else { net.a() };
        let id = send(from, &private_request(from, &[other], 1, &[]));
        send(other, &private_request(other, &[from], 1, &[&id]));
        let answer = net.c().post("/send", &private_request(net.c(), &[from], 1, &[&id])).must(403);
        assert_eq!(answer.text(), format!("Unable to find affectedContractTransaction {id}"));
    }
}

fn an_unknown_affected_transaction_is_403(net: &Net) {
    for from in [net.a(), net.b()] {
        let id = unknown_id();
        let answer = from.post("/send", &private_request(from, &[net.c()], 1, &[&id])).must(403);
        assert_eq!(answer.text(), format!("Unable to find affectedContractTransaction {id}"));
    }
}

fn a_flag_other_than_the_affected_transactions_is_403(net: &Net) {
    for from in [net.a(), net.b()] {
        let id = send(from, &private_request(from, &[net.c()], 1, &[]));
        let answer = from.post("/send", &private_request(from, &[net.c()], 3, &[&id])).must(403);
        // Before mandatory recipients there were other words for it.
        let reason = if from.speaks("4.0") { "Privacy metadata" } else { "Private state validation flag" };
        assert_eq!(answer.text(), format!("{reason} mismatched with Affected Txn {id}"));
        let id = send(from, &private_request(from, &[net.c()], 3, &[]));
        from.post("/send", &private_request(from, &[net.c()], 1, &[&id])).must(403).says(reason);
    }
}

fn state_validation_keeps_its_hash_and_its_participants(net: &Net) {
    for from in [net.a(), net.b(), net.c()] {
        let all = [net.a(), net.b(), net.c()];
        let first = private_request(from, &all, 3, &[]);
        let first_id = send(from, &first);
        let update = private_request(from, &all, 3, &[&first_id]);
        let id = send(from, &update);
        let keys = sorted(all.iter().map(|member| member.key().to_owned()).collect());
        for member in all {
            let answer = holds(member, &id, &update);
            assert_eq!((&answer["privacyFlag"], &answer["execHash"]), (&json!(3), &update["execHash"]));
            assert_eq!(texts(&answer["affectedContractTransactions"]), [first_id.as_str()]);
            let participants = member.get_text(&format!("{}/participants", path_of(&id))).must(200).text();
            assert_eq!(sorted(participants.split(',').map(Into::into).collect()), keys);
        }
    }
}

fn state_validation_without_a_hash_is_400(net: &Net) {
    for from in [net.a(), net.b()] {
        let mut request = private_request(from, &[net.c()], 3, &[]);
        for value in [Value::Null, json!("")] {
            request["execHash"] = value;
            from.post("/send", &request).must(400);
        }
    }
}

fn state_validation_for_others_is_403(net: &Net) {
    for from in [net.a(), net.b()] {
        let id = send(from, &private_request(from, &[net.c()], 3, &[]));
        for to in [&[net.a(), net.b(), net.c()][..], &[]] {
            let answer = from.post("/send", &private_request(from, to, 3, &[&id])).must(403);
            assert_eq!(answer.text(), format!("Recipients mismatched for Affected Txn {id}"));
        }
    }
}

fn a_node_without_enhanced_privacy_sends_none(net: &Net) {
    for flag in [1, 3] {
        let answer = net.d().post("/send", &private_request(net.d(), &[net.a()], flag, &[])).must(403);
        assert_eq!(answer.text(), "Enhanced Privacy is not enabled");
    }
}

fn a_recipient_without_enhanced_privacy_fails_the_send(net: &Net) {
    for from in [net.a(), net.b()] {
        let request = private_request(from, &[net.d()], 1, &[]);
        let answer = from.post("/send", &request).must(500);
        let text = format!("Unable to push payload to recipient url {}", net.d().url());
        assert_eq!(answer.text(), text);
    }
}

/// A node that is no party of a contract sends to it without knowing of it: the receivers sort it out.
fn standard_sends_may_name_affected_transactions(net: &Net) {
    for from in [net.a(), net.b()] {
        let id = send(from, &request(from, &[net.c()]));
        let update = private_request(from, &[net.c()], 0, &[&id]);
        let answer = holds(net.c(), &send(from, &update), &update);
        assert_eq!(texts(&answer["affectedContractTransactions"]), [id]);
    }
}

fn a_hash_goes_with_state_validation_alone(net: &Net) {
    for from in [net.a(), net.b()] {
        let mut request = private_request(from, &[net.c()], 3, &[]);
        request["privacyFlag"] = json!(0);
        // Older ones take it and drop it.
        from.post("/send", &request).must(if from.speaks("4.0") { 500 } else { 201 });
    }
}

/// Two members that both know mandatory recipients, and a third of whatever kind.
fn with_mandatory(net: &Net, check: impl Fn(&Member, &Member)) {
    let members: Vec<&Member> = net.members[..3].iter().filter(|member| member.speaks("4.0")).collect();
    for from in &members {
        for to in members.iter().filter(|to| to.key() != from.key()) {
            check(from, to);
        }
    }
}

fn post_4_0(from: &Member, request: &Value) -> Answer {
    Request::post("/send", JSON_4_0, request.to_string().as_bytes()).send(&from.q2t)
}

fn mandatory_request(from: &Member, to: &[&Member], mandatory: &[&Member], affected: &[&str]) -> Value {
    let mut request = private_request(from, to, 2, affected);
    request["mandatoryRecipients"] = mandatory.iter().map(|member| member.key()).collect();
    request
}

fn mandatory_recipients_are_kept(net: &Net) {
    with_mandatory(net, |from, to| {
        let request = mandatory_request(from, &[to], &[to], &[]);
        let answer = post_4_0(from, &request).must(201).json();
        let id = answer["key"].as_str().expect("a key");
        for member in [from, to] {
            assert_eq!(holds(member, id, &request)["privacyFlag"], 2);
            assert_eq!(member.get_text(&format!("{}/mandatory", path_of(id))).must(200).text(), to.key());
        }
        let standard = send(from, &crate::net::request(from, &[to]));
        from.get_text(&format!("{}/mandatory", path_of(&standard))).must(400);
    });
}

fn mandatory_recipients_have_to_be_recipients(net: &Net) {
    with_mandatory(net, |from, to| {
        let answer = post_4_0(from, &mandatory_request(from, &[], &[to], &[])).must(403);
        assert_eq!(answer.text(), "One or more mandatory recipients not included in the participant list");
    });
}

fn a_smaller_mandatory_set_is_403(net: &Net) {
    with_mandatory(net, |from, to| {
        let both = post_4_0(from, &mandatory_request(from, &[to], &[from, to], &[])).must(201).json();
        let id = both["key"].as_str().expect("a key");
        let smaller = mandatory_request(from, &[to], &[to], &[id]);
        let answer = post_4_0(from, &smaller).must(403);
        assert_eq!(answer.text(), format!("Privacy metadata mismatched with Affected Txn {id}"));
        post_4_0(from, &mandatory_request(from, &[to], &[from, to], &[id])).must(201);
        net.members.iter().filter(|m| ![from.key(), to.key()].contains(&m.key())).for_each(|m| lacks(m, id));
    });
}

fn mandatory_recipients_are_needed_by_their_flag_alone(net: &Net) {
    with_mandatory(net, |from, to| {
        let without = private_request(from, &[to], 2, &[]);
        assert!(post_4_0(from, &without).status >= 400);
        let mut other_flag = mandatory_request(from, &[to], &[to], &[]);
        other_flag["privacyFlag"] = json!(1);
        assert!(post_4_0(from, &other_flag).status >= 400);
        assert_eq!(from.maker, Maker::Celosia, "no other of ours speaks 4.0");
    });
}
