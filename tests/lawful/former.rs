//! What was in force before: committees, keys.

use std::path::Path;

use celosia::ceremony::CommitteeFile;
use celosia::crypto::secret::Secret;
use celosia::crypto::sign::{SigningKey, VerifyKey};
use serde_json::Value;

use crate::court::{Court, in_minutes};

fn fresh_key() -> VerifyKey {
    SigningKey::from_seed(&Secret::random()).verify_key()
}

#[test]
fn a_case_of_before_is_answered_until_the_later_generation_was_seen_in_force() {
    let mut court = Court::begin(&["a", "b"]);
    let id = court.at(0).sent(b"of before", &[court.at(1)]);
    let grant = court.auditor("audit", "Auditores Unidos");
    court.asks("audit", 0, &in_minutes(60), &["--id", &id]).well();
    for officer in [2, 3, 4] {
        court.approves(officer, 0, &grant).well();
    }
    let old = court.path("old.case");
    std::fs::rename(court.case(0, &grant), &old).unwrap();
    // New shares, of which 4 gets none; the policy comes later.
    let plan = ["officer", "handover", "--ceremony", "next", "--committee", "dkg/committee.toml", "--remove", "Officer 4"];
    court.run(&plan).well();
    let next = court.ceremony("handover", &court.path("next"), &[1, 2, 3, 5]);
    let released = |officer: usize, case: &str| {
        let out = court.path(&format!("{officer}.shares"));
        court.officer(officer, "release", &[case, "--out", &out])
    };
    released(1, &old).well();
    let status = |arguments: &[&str]| {
        let folder = court.path("o1");
        court.run(&[&["officer", "status", "--folder", &folder], arguments].concat()).well()
    };
    let told = status(&[]);
    assert!(told.contains("destroy it when the policy in force names a later one") && !told.contains("is over"), "{told}");

    let text = std::fs::read_to_string(&next).unwrap();
    let committee = CommitteeFile::parse(&text).unwrap().committee;
    let note = court.governors.policy(|policy| policy.committees = vec![committee]);
    let answer = court.at(0).publish(&note);
    assert!(answer.status < 300, "{}", answer.text());
    // Who has not seen it answers still; who saw it, in a newer case or in the network's documents, does not.
    let released = |officer: usize, case: &str| {
        let out = court.path(&format!("{officer}.shares"));
        court.officer(officer, "release", &[case, "--out", &out])
    };
    released(3, &old).well();
    let documents = court.at(0).folder.join("data/governance");
    let folder = court.path("o1");
    let seen = ["officer", "status", "--folder", &folder, "--directory", documents.to_str().unwrap()];
    let told = court.run(&seen).well();
    assert!(told.contains("generation 1 of escrow 1 is over"), "{told}");
    released(1, &old).refused("CEL7050");
    let out = court.path("verdict.json");
    court.officer(1, "approve", &[&old, "--text", "seen", "--out", &out]).refused("CEL7050");
    let told: Value = serde_json::from_str(&court.run(&[&seen[..], &["--json"]].concat()).well()).unwrap();
    assert_eq!((&told["committees"][0]["destroy"], &told["committees"][1]["destroy"]), (&true.into(), &false.into()), "{told}");

    let other = court.auditor("again", "Auditores Unidos");
    court.asks("again", 0, &in_minutes(60), &["--id", &id]).well();
    for officer in [2, 3, 5] {
        court.approves(officer, 0, &other).well();
    }
    released(2, &old).refused("CEL7050");
    released(3, &old).refused("CEL7050");
    released(5, &court.case(0, &other)).well();
}

#[test]
fn receipts_and_certificates_hold_after_keys_were_replaced_and_only_for_their_time() {
    let mut court = Court::begin(&["a", "b"]);
    let (sent, gone) = (court.at(0).sent(b"kept", &[court.at(1)]), court.at(0).sent(b"erased", &[court.at(1)]));
    let (admin, receipt) = (court.admin(0), court.path("receipt"));
    court.run(&["receipt", "show", "--admin", &admin, &sent, "--out", &receipt]).well();
    let case = erased(&court, &gone);

    // The holder's key is another when the certificate is written, and so is the sender's when the receipt is shown.
    let note = court.governors.change("b", |member| member.signing_key = Some(fresh_key()));
    let answer = court.at(0).publish(&note);
    assert!(answer.status < 300, "{}", answer.text());
    court.run(&["erase", "certificate", "--admin", &admin, &case, "--out", "certificate.json"]).well();
    let network = court.network();
    let told = court.run(&["certificate", "verify", "--network", &network, "certificate.json"]).well();
    assert!(told.contains("complete: every holder") && told.contains("its journal has the receipt"), "{told}");
    let certificate = std::fs::read_to_string(court.path("certificate.json")).unwrap();
    assert!(certificate.contains("celosia-directory-change-1 "), "the directory of before is not brought");
    court.governors.change("a", |member| member.signing_key = Some(fresh_key()));
    let verify = |court: &Court| {
        let folder = court.path("documents");
        documents(court, Path::new(&folder));
        court.run(&["receipt", "verify", &receipt, "--directory", &folder])
    };
    let told = verify(&court).well();
    assert!(told.contains("good: sent by a (a S.A.)"), "{told}");

    // The directories of these tests are dated an hour ago. Without the day of grace that key was no key any more.
    let mut late = Court::begin(&["a", "b"]);
    let sent = late.at(0).sent(b"late", &[late.at(1)]);
    let receipt = late.path("receipt");
    late.run(&["receipt", "show", "--admin", &late.admin(0), &sent, "--out", &receipt]).well();
    late.governors.policy(|policy| policy.grace = "10m".parse().unwrap());
    late.governors.change("b", |member| member.signing_key = Some(fresh_key()));
    let folder = late.path("documents");
    documents(&late, Path::new(&folder));
    late.run(&["receipt", "verify", &receipt, "--directory", &folder]).refused("the signature of b does not verify");
}

fn erased(court: &Court, id: &str) -> String {
    let (a, admin) = (court.at(0), court.admin(0));
    let ask = ["erase", "request", "--admin", &admin, "--ground", "consent-withdrawn", "--now", "--urgent", "--id", id];
    let case = court.run(&ask).well().lines().next().unwrap().to_owned();
    let is = |state: &str| {
        let shown = court.run(&["erase", "show", "--admin", &admin, &case, "--json"]).well();
        serde_json::from_str::<Value>(&shown).unwrap()["state"] == state
    };
    a.wait_until(|| is("backup-safe"), "it is not erased everywhere");
    court.run(&["root", "rotate", "--admin", &court.admin(1)]).well();
    a.wait_until(|| is("certified"), "it is not certified");
    case
}

/// All documents of the governors, as a node's folder has them.
fn documents(court: &Court, folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for (at, note) in court.governors.notes.iter().enumerate() {
        let kind = if note.text().starts_with("format = \"celosia-policy") { "policy" } else { "directory" };
        std::fs::write(folder.join(format!("{:06}-{kind}.note", at + 1)), note.to_string()).unwrap();
    }
}
