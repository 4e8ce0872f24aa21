//! Documents that are blocked: read by nobody, delivered to nobody, back byte for byte, destroyed at their end.

use std::time::Duration;

use crate::documents::{MIB, append, base64, begin, files, get, info, listed, offset, put, putted, wait_for};
use crate::erasure::{admin, case, celosia, erase, must, wait_for as wait_for_case};
use crate::holds::{Committee, LONG, export, hold, in_seconds, place};
use crate::http::{Answer, Request};
use crate::keys::random_bytes;
use crate::member::{Member, percent};

const BLOCKED: Option<&str> = Some("CEL3321");

/// Export, committee, answer, release.
fn release(committee: &Committee, member: &Member, name: &str) {
    let (good, shown) = committee.open(&export(member, name));
    assert!(good, "{shown}");
    let (good, released) = committee.release(member, name);
    assert!(good && released.trim() == "released", "{released}");
}

fn subject_is_found(member: &Member, subject: &str) -> bool {
    let found =
        celosia(&["erase", "request", "--admin", &admin(member), "--dry-run", "--ground", "objection", "--subject", subject]);
    found.1.contains("1 item")
}

#[test]
fn a_blocked_document_is_read_by_nobody_and_comes_back_byte_for_byte() {
    let committee = Committee::new();
    let mut net = committee.net(&["a", "b"], None);
    let (a, b) = (net.at(0), net.at(1));
    let content = random_bytes(2 * MIB + 17);
    let id = putted(a, &content, &[b], "now");
    let item = base64(&id);
    let config = a.folder.join("celosia.toml").to_str().unwrap().to_owned();
    must(&["tag", "set", &item, "--config", &config, "--subject", "ana"]);
    let tags = must(&["tag", "show", &item, "--config", &config]);
    let before = info(a, &id);
    assert!(subject_is_found(a, "ana"));
    let name = place(a, "block", &item, LONG);
    assert!(!subject_is_found(a, "ana"), "the index of subjects confirms nobody");
    let path = format!("/documents/{id}");
    let share = format!("{{\"to\": [\"{}\"]}}", b.keys.public);
    let asked = |a: &Member| -> Vec<Answer> {
        let request = |method: &'static str| Request::new(method, &path).send(&a.application);
        vec![
            get(a, &id),
            Request::get(&path).header("Range", "bytes=0-9").send(&a.application),
            Request::get(&format!("{path}/info")).send(&a.application),
            Request::get(&format!("{path}/receipts")).send(&a.application),
            Request::post(&format!("{path}/share"), crate::http::JSON, share.as_bytes()).send(&a.application),
            request("DELETE"),
        ]
    };
    for answer in asked(a) {
        assert_eq!((answer.status, answer.header("celosia-error")), (451, BLOCKED), "{}", answer.text());
    }
    assert_eq!(Request::new("HEAD", &path).send(&a.application).status, 451);
    assert!(listed(a).is_empty() && get(b, &id).body == content, "b blocks its own copy, or not");
    let figures = Request::get("/metrics").send(&a.admin).must(200).text();
    assert!(figures.contains("celosia_holds_active 1") && figures.contains("celosia_items_blocked 1"), "{figures}");
    net.members[0].kill();
    net.members[0].start();
    let a = net.at(0);
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!((get(a, &id).status, files(a).len()), (451, 1), "its file stays");
    let (good, why) = celosia(&["hold", "release", "--admin", &admin(a), &name]);
    assert!(!good && why.contains("CEL3390"), "{why}");
    release(&committee, a, &name);
    assert!(get(a, &id).must(200).body == content);
    assert_eq!((info(a, &id), must(&["tag", "show", &item, "--config", &config])), (before, tags));
    assert!(subject_is_found(a, "ana"));
    // It is a document as before: erased at every holder.
    Request::new("DELETE", &path).send(&a.application).must(204);
    net.at(1).wait_until(|| get(net.at(1), &id).status == 410, "the order does not arrive");
    assert_eq!((get(a, &id).status, files(a).len()), (410, 0));
}

#[test]
fn deliveries_and_uploads_of_a_blocked_document_wait_for_its_release() {
    let committee = Committee::new();
    let mut net = committee.net(&["a", "b"], None);
    net.members[1].stop();
    let a = net.at(0);
    let (content, upload) = (random_bytes(MIB + 5), random_bytes(3 * MIB));
    let id = putted(a, &content, &[net.at(1)], "eventual");
    let path = begin(a, &[("Upload-Length", &upload.len().to_string())]);
    append(a, &path, 0, &upload[..MIB + MIB / 2]).must(204);
    let unfinished = base64(&format!("0x{}", path.rsplit('/').next().unwrap().trim_start_matches("0x")));
    let names = [place(a, "block", &base64(&id), LONG), place(a, "block", &unfinished, LONG)];
    net.members[1].start();
    let (a, b) = (net.at(0), net.at(1));
    std::thread::sleep(Duration::from_secs(4));
    assert_eq!(get(b, &id).status, 404, "it is not delivered");
    assert_eq!(append(a, &path, MIB + MIB / 2, &upload[..10]).status, 451);
    assert_eq!(Request::new("HEAD", &path).send(&a.application).status, 451);
    for name in &names {
        release(&committee, a, name);
    }
    wait_for(b, &id);
    assert!(get(b, &id).body == content);
    // What came behind the last whole chunk is sent again.
    assert_eq!(offset(a, &path), MIB);
    append(a, &path, MIB, &upload[MIB..]).must(204);
    assert!(Request::get(&path).send(&a.application).must(200).body == upload);
    // Blocked at a recipient: a sender hears what it hears of an erased one.
    let name = place(b, "block", &base64(&id), LONG);
    let refused = put(a, &content, &[b], "now");
    assert_eq!(refused.status, 201, "another one is taken");
    release(&committee, b, &name);
    assert!(get(b, &id).must(200).body == content);
}

#[test]
fn at_the_end_of_its_block_a_document_is_destroyed() {
    let committee = Committee::new();
    let net = committee.net(&["a", "b"], None);
    let (a, b) = (net.at(0), net.at(1));
    let content = random_bytes(MIB);
    let id = putted(a, &content, &[b], "now");
    let name = place(b, "block", &base64(&id), &in_seconds(6));
    let case_of = erase(a, &["--id", &base64(&id)]);
    a.wait_until(|| case(a, &case_of)["holders"][1]["held"] == 1, "b does not say that it is held");
    assert_eq!((get(b, &id).status, files(b).len()), (451, 1));
    b.wait_until(|| hold(b, &name)["state"] == "expired", "it does not end");
    let gone = get(b, &id).must(410);
    assert_eq!((gone.header("celosia-error"), files(b).len()), (Some("CEL3303"), 0), "its file is removed");
    a.wait_until(|| case(a, &case_of)["holders"][1]["level"].as_u64() >= Some(1), "b's receipt did not come");
    let figures = Request::get("/metrics").send(&b.admin).must(200).text();
    assert!(figures.contains("celosia_items_blocked 0") && figures.contains("celosia_documents_erased_total 1"), "{figures}");
}

#[test]
fn under_spanish_law_documents_are_blocked_first_too() {
    let committee = Committee::new();
    let shipped = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/profiles/es.toml")).unwrap();
    let profile = committee.folder.path().join("es.toml");
    std::fs::write(&profile, shipped.replace("for = \"1096d\"", "for = \"8s\"")).unwrap();
    let net = committee.net(&["a", "b"], Some(&profile));
    let (a, b) = (net.at(0), net.at(1));
    let id = putted(a, &random_bytes(1_000), &[b], "now");
    let name = erase(a, &["--id", &base64(&id), "--urgent"]);
    assert_eq!((get(a, &id).status, case(a, &name)["state"].as_str()), (451, Some("blocked")));
    b.wait_until(|| get(b, &id).status == 451, "b does not block");
    assert_eq!((files(a).len(), files(b).len()), (1, 1), "it is not destroyed yet");
    wait_for_case(a, &name, "backup-safe");
    must(&["root", "rotate", "--admin", &admin(b)]);
    wait_for_case(a, &name, "certified");
    for member in [a, b] {
        assert_eq!((get(member, &id).status, files(member).len()), (410, 0));
        let rows = Request::get("/journal/export").send(&member.admin).must(200).text();
        assert!(rows.contains("\"blocked\"") && rows.contains("\"erased\""), "{rows}");
    }
}

/// `kill -9` at growing distances into placing, releasing and ending a block of many documents.
#[test]
fn a_killed_node_ends_what_it_began_with_blocked_documents() {
    const DOCUMENTS: usize = 24;
    let committee = Committee::new();
    let mut net = committee.net(&["a"], None);
    let contents: Vec<Vec<u8>> = (0..DOCUMENTS).map(|_| random_bytes(2_000)).collect();
    let ids: Vec<String> = contents.iter().map(|content| putted(net.at(0), content, &[], "eventual")).collect();
    let scope: Vec<String> = ids.iter().flat_map(|id| ["--id".to_owned(), base64(id)]).collect();
    let begin = |member: &Member, arguments: &[&str]| {
        let admin = admin(member);
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_celosia"));
        command.args(arguments).args(["--admin", &admin]).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        command.spawn().unwrap()
    };
    // 0: the application surface is not open yet.
    let status = |member: &Member, id: &String| {
        Request::get(&format!("/documents/{id}")).try_send(&member.application).map_or(0, |answer| answer.status)
    };
    let statuses = |member: &Member| -> Vec<u16> { ids.iter().map(|id| status(member, id)).collect() };
    let active = |member: &Member| -> Vec<String> {
        let listed = must(&["hold", "list", "--admin", &admin(member), "--active"]);
        listed
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .filter(|word| word.len() == 32)
            .map(str::to_owned)
            .collect()
    };
    let mut blocked = 0;
    for millis in [40, 120, 250, 500, 2_000] {
        let mut arguments =
            vec!["hold", "place", "--kind", "block", "--ground", "legal-claims", "--reference", "1", "--until", LONG];
        arguments.extend(scope.iter().map(String::as_str));
        let mut placing = begin(net.at(0), &arguments);
        std::thread::sleep(Duration::from_millis(millis));
        net.members[0].kill();
        placing.wait().unwrap();
        net.members[0].start();
        let a = net.at(0);
        let holds = active(a);
        let expected = if holds.is_empty() { 200 } else { 451 };
        a.wait_until(|| statuses(a).iter().all(|status| *status == expected), "it is half blocked");
        blocked += holds.len();
        for name in holds {
            let (good, shown) = committee.open(&export(net.at(0), &name));
            assert!(good, "{shown}");
            let answers = [committee.file("o3.json"), committee.file("o1.json")];
            let mut releasing = begin(net.at(0), &["hold", "release", &name, &answers[0], &answers[1]]);
            std::thread::sleep(Duration::from_millis(millis));
            net.members[0].kill();
            releasing.wait().unwrap();
            net.members[0].start();
            let a = net.at(0);
            a.wait_until(|| !statuses(a).contains(&0), "it does not answer");
            if hold(a, &name)["state"] == "active" {
                if statuses(a).contains(&451) {
                    release(&committee, a, &name);
                } else {
                    must(&["hold", "release", "--admin", &admin(a), &name]);
                }
            }
        }
        let a = net.at(0);
        for (id, content) in ids.iter().zip(&contents) {
            assert!(get(a, id).must(200).body == *content, "{millis}");
        }
    }
    assert!(blocked > 0, "every kill came too early");
    let mut arguments = vec!["hold", "place", "--kind", "block", "--ground", "legal-claims", "--reference", "1"];
    let until = in_seconds(3);
    arguments.extend(["--until", &until]);
    arguments.extend(scope.iter().map(String::as_str));
    begin(net.at(0), &arguments).wait().unwrap();
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(1_200));
        net.members[0].kill();
        net.members[0].start();
    }
    let a = net.at(0);
    a.wait_until(|| statuses(a).iter().all(|status| *status == 410), "not all are destroyed");
    a.wait_until(|| files(a).is_empty(), "a file stays");
    assert_eq!(Request::get(&format!("/transaction/{}", percent(&base64(&ids[0])))).send(&a.node).status, 404);
}
