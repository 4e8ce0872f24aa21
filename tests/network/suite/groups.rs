//! Privacy groups, where version 3.0 offers them.

use serde_json::{Value, json};

use super::{Check, table};
use crate::http::{Answer, JSON, Request};
use crate::member::Member;
use crate::net::{Net, holds, request, send, sorted, texts};

pub(super) const CHECKS: &[Check] = table![
    resident_groups_need_their_feature,
    a_group_is_known_to_its_members_until_it_is_deleted,
    a_group_stands_for_its_members_as_recipients,
    only_members_make_a_group,
    an_unknown_group_is_404,
];

/// Two members that know groups, if there are two.
fn with_groups(net: &Net, check: impl Fn(&Member, &Member)) {
    let members: Vec<&Member> = net.members[..3].iter().filter(|member| member.speaks("3.0")).collect();
    if let [first, second, ..] = members[..] {
        check(first, second);
        check(second, first);
    }
}

fn post(member: &Member, path: &str, body: &Value) -> Answer {
    Request::post(path, JSON, body.to_string().as_bytes()).send(&member.q2t)
}

fn create(from: &Member, members: &[&Member]) -> Answer {
    let addresses: Vec<&str> = members.iter().map(|member| member.key()).collect();
    let body = json!({ "addresses": addresses, "from": from.key(), "name": "audit", "description": "those who audit" });
    post(from, "/createPrivacyGroup", &body)
}

fn id_of(group: &Value) -> &str {
    group["privacyGroupId"].as_str().expect("an id")
}

fn resident_groups_need_their_feature(net: &Net) {
    for member in net.members.iter().filter(|member| member.speaks("3.0")) {
        let answer = Request::get("/groups/resident").header("Accept", JSON).send(&member.q2t).must(503);
        assert_eq!(answer.text(), "Multiple private state feature is not available on this privacy manager");
    }
}

fn a_group_is_known_to_its_members_until_it_is_deleted(net: &Net) {
    with_groups(net, |from, other| {
        let group = create(from, &[from, other]).must(200).json();
        assert_eq!(
            (&group["name"], &group["description"], &group["type"]),
            (&json!("audit"), &json!("those who audit"), &json!("PANTHEON"))
        );
        let keys = sorted(vec![from.key().into(), other.key().into()]);
        assert_eq!(sorted(texts(&group["members"])), keys);
        for member in [from, other] {
            let same = post(member, "/retrievePrivacyGroup", &json!({ "privacyGroupId": id_of(&group) })).must(200).json();
            assert_eq!(sorted(texts(&same["members"])), keys);
            let found = post(member, "/findPrivacyGroup", &json!({ "addresses": [other.key(), from.key()] })).must(200).json();
            assert!(found.as_array().expect("a list").iter().any(|found| id_of(found) == id_of(&group)));
        }
        let body = json!({ "privacyGroupId": id_of(&group), "from": from.key() });
        assert_eq!(post(from, "/deletePrivacyGroup", &body).must(200).json(), group["privacyGroupId"]);
        for member in [from, other] {
            post(member, "/retrievePrivacyGroup", &json!({ "privacyGroupId": id_of(&group) })).must(404);
        }
    });
}

fn a_group_stands_for_its_members_as_recipients(net: &Net) {
    with_groups(net, |from, other| {
        let group = create(from, &[from, other]).must(200).json();
        let mut request = request(from, &[]);
        request["privacyGroupId"] = group["privacyGroupId"].clone();
        request.as_object_mut().expect("an object").remove("to");
        let id = send(from, &request);
        for member in [from, other] {
            assert_eq!(holds(member, &id, &request)["privacyGroupId"], group["privacyGroupId"]);
        }
    });
}

fn only_members_make_a_group(net: &Net) {
    with_groups(net, |from, other| {
        create(from, &[other]).must(403);
    });
}

fn an_unknown_group_is_404(net: &Net) {
    with_groups(net, |from, _| {
        let id = from.key();
        let body = json!({ "privacyGroupId": id, "from": id });
        for path in ["/retrievePrivacyGroup", "/deletePrivacyGroup"] {
            assert_eq!(post(from, path, &body).must(404).text(), format!("Privacy group {id} not found"));
        }
        let mut request = request(from, &[]);
        request["privacyGroupId"] = json!(id);
        from.post("/send", &request).must(404).says(&format!("Privacy group {id} not found"));
    });
}
