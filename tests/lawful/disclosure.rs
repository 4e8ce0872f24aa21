//! What an auditor without a node gets, on whose approval, and how those concerned learn of it.

use celosia::disclosure::{Frame, frame_head};
use data_encoding::BASE64;
use serde_json::json;

use crate::court::{Court, in_minutes, in_seconds};
use crate::http::{JSON, Request};

#[test]
fn an_auditor_gets_exactly_what_was_granted_and_those_concerned_are_told() {
    let court = Court::begin(&["a", "b", "c"]);
    let (a, b) = (court.at(0), court.at(1));
    let (seen, unseen) = (a.sent(b"what the auditor sees", &[b]), a.sent(b"what nobody sees", &[b]));
    let grant = court.auditor("audit", "Auditores Unidos");
    court.asks("audit", 0, &in_minutes(60), &["--id", &seen]).well();
    assert_eq!(court.shown(0, &grant)["state"], "requested");

    // Before enough have approved there is no view, and no officer gives a share.
    court.approves(1, 0, &grant).well();
    court.releases(1, 0, &grant).refused("CEL7117");
    court.collects("audit", 0).refused("CEL7132");
    court.approves(3, 0, &grant).well();
    court.approves(5, 0, &grant).well();
    let shown = court.shown(0, &grant);
    assert_eq!((shown["state"].as_str(), shown["views"]["recorded"].as_u64()), (Some("granted"), Some(1)), "{shown}");

    // Nor is anything released before k officers gave their shares.
    court.releases(1, 0, &grant).well();
    court.collects("audit", 0).refused("CEL7145");
    court.releases(3, 0, &grant).well();
    court.releases(5, 0, &grant).well();
    court.collects("audit", 0).well();
    let told = court.audits("audit", "open", &[]).well();
    assert!(told.contains("1 payload(s) opened and verified, 0 not opened"), "{told}");
    let report = court.report("audit");
    let row = &report["payloads"][0];
    assert_eq!(row["id"], seen.as_str());
    assert_eq!(std::fs::read(court.out("audit").join(row["file"].as_str().unwrap())).unwrap(), b"what the auditor sees");
    assert_eq!(row["sender"]["name"], "a S.A.");
    assert_eq!(row["acknowledged"][0]["name"], "b S.A.");
    assert_eq!(report["officers"].as_array().unwrap().len(), 3);
    let page = std::fs::read_to_string(court.out("audit").join("report.html")).unwrap();
    assert!(page.contains("Officer 3, Entity 3") && page.contains("a S.A."), "{page}");
    assert!(!std::fs::read_to_string(court.path("audit/case.cbor").as_str()).is_ok_and(|text| text.contains(&unseen)));

    // Whoever carries the release reads nobody's dealings in it. (Its first frame names members: the directory is in it.)
    let release = std::fs::read(court.path("audit/release.cbor")).unwrap();
    let Frame::Of { head, content } = frame_head(&release).unwrap() else { panic!("a frame") };
    let payloads = &release[head + content..];
    for key in [&a.keys.public, &b.keys.public] {
        let key = BASE64.decode(key.as_bytes()).unwrap();
        assert!(!payloads.windows(key.len()).any(|window| window == key), "an address lies in the clear");
    }

    // Verified again from the files, with the node gone; and by others, who have no key.
    court.audits("audit", "verify", &[]).well();
    let network = court.network();
    for file in [court.path("audit/case.cbor"), court.path("audit/release.cbor"), court.case(0, &grant)] {
        let told = court.run(&["disclosure", "verify", &file, "--network", &network]).well();
        assert!(told.contains("approved: Officer 5 (Entity 5)") && told.contains("on record: view 1"), "{told}");
    }
    // Others have seen the log that the record is in.
    let is_witnessed = || {
        let case = court.case(0, &grant);
        court.run(&["disclosure", "verify", &case, "--network", &network, "--witnesses", "1"]).good
    };
    a.wait_until(is_witnessed, "nobody cosigns");
    court.run(&["disclosure", "verify", &court.case(0, &grant), "--network", &network, "--witnesses", "9"]).refused("CEL7117");
    let other = "00".repeat(32);
    court.run(&["disclosure", "verify", &court.path("audit/case.cbor"), "--network", &other]).refused("CEL7101");

    // The recipient was told, by name, and verifies it with its own documents.
    let notices = court.path("notices");
    std::fs::create_dir_all(&notices).unwrap();
    let admin = court.admin(1);
    let list = || court.run(&["disclosure", "notices", "--admin", &admin, "--out", &notices]).well();
    b.wait_until(|| list().contains("viewed"), "b is not told");
    let told = list();
    assert!(told.contains("requested") && told.contains("Ana Auditora, Auditores Unidos: yearly audit"), "{told}");
    let directory = b.folder.join("data/governance");
    for file in std::fs::read_dir(&notices).unwrap().map(|entry| entry.unwrap().path()) {
        let file = file.to_str().unwrap();
        let told =
            court.run(&["disclosure", "verify", file, "--network", &network, "--directory", directory.to_str().unwrap()]).well();
        assert!(told.contains(&format!("payload: {seen}")), "{told}");
        assert!(!file.contains("viewed") || told.contains("on record: view 1"), "{told}");
    }
    assert!(court.run(&["disclosure", "notices", "--admin", &court.admin(2)]).well().is_empty(), "c is not concerned");
    let journal = Request::get("/journal/export").send(&a.admin).must(200).text();
    for kind in ["disclosure-requested", "disclosure-approved", "disclosure-view", "disclosure-shares", "disclosure-released"] {
        assert!(journal.contains(kind), "{kind}: {journal}");
    }
    assert!(!journal.contains("Ana Auditora"), "the journal names nobody");

    // One view was granted.
    court.collects("audit", 0).refused("CEL7131");
    let admin = court.admin(0);
    assert!(court.run(&["disclosure", "list", "--admin", &admin]).well().contains(&grant));
}

#[test]
fn whole_scopes_are_opened_and_what_is_outside_is_not_listed() {
    let court = Court::begin(&["a", "b"]);
    let (a, b) = (court.at(0), court.at(1));
    for number in 0..300 {
        a.sent(format!("payload {number}").as_bytes(), &[b]);
    }
    b.sent(b"of b", &[a]);
    court.grant("audit", 0, &["--member", "a"]);
    court.collects("audit", 0).well();
    let told = court.audits("audit", "open", &[]).well();
    assert!(told.contains("300 payload(s) opened and verified, 0 not opened"), "{told}");
    let report = court.report("audit");
    assert!(report["payloads"].as_array().unwrap().iter().all(|row| row["sender"]["id"] == "a"));
}

#[test]
fn under_a_secrecy_order_one_officer_more_approves_and_at_its_end_those_concerned_are_told() {
    let court = Court::begin(&["a", "b"]);
    let id = court.at(0).sent(b"x", &[court.at(1)]);
    let grant = court.auditor("audit", "Auditores Unidos");
    let until = in_seconds(45);
    let order = ["--id", &id, "--secrecy", "Juzgado 3, 12/2026", "--secret-until", &until];
    court.asks("audit", 0, &in_minutes(60), &order).well();
    for officer in [1, 2, 3] {
        court.approves(officer, 0, &grant).well();
    }
    assert_eq!(court.shown(0, &grant)["state"], "requested", "three are not enough");
    court.approves(4, 0, &grant).well();
    assert_eq!(court.shown(0, &grant)["state"], "granted");
    for officer in [1, 2, 3] {
        court.releases(officer, 0, &grant).well();
    }
    court.collects("audit", 0).well();
    court.audits("audit", "open", &[]).well();
    assert_eq!(court.report("audit")["secrecy"].as_str().unwrap().split(',').next(), Some("Juzgado 3"));
    let (b, admin) = (court.at(1), court.admin(1));
    let told = || court.run(&["disclosure", "notices", "--admin", &admin]).well();
    if jiff::Timestamp::now() < until.parse().unwrap() {
        assert!(told().is_empty(), "b was told before the order's end");
    }
    b.wait_until(|| told().contains("viewed"), "b is never told");
}

#[test]
fn a_renewal_takes_a_new_approval_and_contracts_are_a_scope() {
    let court = Court::begin(&["a", "b"]);
    let (a, b) = (court.at(0), court.at(1));
    let other = a.sent(b"another", &[b]);
    let contract = format!("0x{}", "ab".repeat(20));
    let body = json!({ "payload": BASE64.encode(b"of the contract"), "from": a.keys.public, "to": [b.keys.public] });
    let request = Request::post("/send", JSON, body.to_string().as_bytes()).header("celosia-contract", &contract);
    let of_contract = request.send(&a.node).must(201).json()["key"].as_str().unwrap().to_owned();
    let first = court.grant("audit", 0, &["--contract", &contract]);
    court.collects("audit", 0).well();
    court.audits("audit", "open", &[]).well();
    let report = court.report("audit");
    assert_eq!(report["payloads"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!(report["payloads"][0]["id"], of_contract.as_str(), "not {other}");
    court.collects("audit", 0).refused("CEL7131");
    // The same once more, under the old approvals, is nothing: a renewal is asked for and approved anew.
    let again = court.auditor("again", "Auditores Unidos");
    court.asks("again", 0, &in_minutes(60), &["--contract", &contract, "--renews", &first]).well();
    assert_eq!(court.shown(0, &again)["renews"], first.as_str());
    court.releases(1, 0, &again).refused("CEL7117");
    court.collects("again", 0).refused("CEL7132");
}

#[test]
fn a_payload_with_a_long_history_does_not_keep_its_list_from_being_read() {
    let court = Court::begin(&["a", "b"]);
    let (a, b) = (court.at(0), court.at(1));
    let body = json!({ "payload": BASE64.encode(b"about a person"), "from": a.keys.public, "to": [b.keys.public] });
    let request = Request::post("/send", JSON, body.to_string().as_bytes()).header("celosia-class", "special");
    let special = request.send(&a.node).must(201).json()["key"].as_str().unwrap().to_owned();
    let other = a.sent(b"another", &[b]);
    // Each read of it is a row of the journal.
    for _ in 0..120 {
        assert!(a.receive(&special).is_some());
    }
    let admin = court.admin(0);
    court.run(&["erase", "request", "--admin", &admin, "--ground", "consent-withdrawn", "--now", "--id", &special]).well();
    a.wait_until(|| a.receive(&special).is_none(), "it is not erased");
    let grant = court.grant("audit", 0, &["--id", &special, "--id", &other]);
    let told = court.run(&["disclosure", "verify", &court.case(0, &grant), "--network", &court.network()]).well();
    assert!(told.contains("1 in escrow, 1 erased") && told.contains(" of them)"), "{told}");
    court.collects("audit", 0).well();
    let told = court.audits("audit", "open", &[]).well();
    assert!(told.contains("1 payload(s) opened and verified, 1 not opened"), "{told}");
}

#[test]
fn another_with_the_role_takes_nothing_and_every_view_is_told() {
    let mut court = Court::begin(&["a", "b"]);
    let id = court.at(0).sent(b"x", &[court.at(1)]);
    let grant = court.auditor("audit", "Auditores Unidos");
    court.asks("audit", 0, &in_minutes(60), &["--id", &id, "--views", "2"]).well();
    // Killed at once: what b is to be told stands with the request.
    court.members[0].kill();
    court.members[0].spawn(&[]);
    court.members[0].wait();
    for officer in [1, 3, 5] {
        court.approves(officer, 0, &grant).well();
    }
    for officer in [1, 3, 5] {
        court.releases(officer, 0, &grant).well();
    }
    // Whoever reaches the node and knows everything but the grant's key.
    let path = format!("/disclosures/{grant}/release");
    Request::get(&path).send(&court.at(0).admin).must(405);
    court.auditor("other", "Auditores Unidos");
    for file in ["request.json", "auditor.json"] {
        std::fs::copy(court.path(&format!("audit/{file}")), court.path(&format!("other/{file}"))).unwrap();
    }
    court.collects("other", 0).refused("CEL7134");
    assert_eq!(court.shown(0, &grant)["views"]["released"], 0);

    let node = court.admin(0);
    court.run(&["disclosure", "revoke", "--admin", &node, &grant, "--text", "a\nb\u{1b}[2J"]).refused("CEL7100");

    court.collects("audit", 0).well();
    court.audits("audit", "open", &[]).well();
    court.collects("audit", 0).well();
    court.audits("audit", "open", &[]).well();
    court.collects("audit", 0).refused("CEL7131");
    let (b, admin) = (court.at(1), court.admin(1));
    let told = || court.run(&["disclosure", "notices", "--admin", &admin]).well();
    b.wait_until(|| told().matches("viewed").count() == 2, "b is not told of the second view");
    assert_eq!(told().matches("requested").count(), 1, "{}", told());
}
