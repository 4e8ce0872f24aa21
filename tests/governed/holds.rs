//! Holds and blocks at real processes: unreadable for the operator, released by the committee, destroyed at their end.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use celosia::ceremony::CommitteeFile;
use serde_json::Value;

use crate::erasure::{admin, case, celosia, certificate, copy, erase, must, wait_for};
use crate::http::Request;
use crate::member::{Member, percent};
use crate::net::Net;

/// Three officers of a hold committee with folders of their own, which no node sees; two of them open.
pub struct Committee {
    pub folder: tempfile::TempDir,
    public: String,
}

impl Committee {
    pub fn new() -> Self {
        Self::of(&"00".repeat(32))
    }

    /// Of a network.
    pub fn of(network: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("argon.json"), r#"{"variant":"id","memory":64,"iterations":1,"parallelism":1}"#)
            .unwrap();
        std::fs::write(folder.path().join("password"), "correct horse\n").unwrap();
        let committee = Self { public: folder.path().join("dkg/committee.toml").display().to_string(), folder };
        let file = |name: &str| committee.file(name);
        let mut plan = ["officer", "dkg", "--purpose", "hold", "--threshold", "2", "--network"].map(str::to_owned).to_vec();
        plan.extend([network.to_owned(), "--ceremony".to_owned(), file("dkg")]);
        for officer in ["o1", "o2", "o3"] {
            let (folder, password, argon) = (file(officer), file("password"), file("argon.json"));
            let who = ["officer", "init", "--folder", &folder, "--name", officer, "--entity", officer];
            must(&[&who[..], &["--password-file", &password, "--argonconfig", &argon]].concat());
            plan.extend(["--card".to_owned(), format!("{folder}/officer.pub")]);
        }
        must(&plan.iter().map(String::as_str).collect::<Vec<_>>());
        for officer in ["o1", "o2", "o3"].iter().cycle().take(12) {
            let (folder, password, shared) = (file(officer), file("password"), file("dkg"));
            must(&["officer", "dkg", "--folder", &folder, "--password-file", &password, "--yes", "--ceremony", &shared]);
        }
        assert!(std::fs::exists(&committee.public).unwrap());
        committee
    }

    pub fn file(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    /// What an officer does offline; what it was shown.
    pub fn approve(&self, request: &str, officer: &str) -> (bool, String) {
        let (folder, password, out) = (self.file(officer), self.file("password"), self.file(&format!("{officer}.json")));
        celosia(&["officer", "answer", request, "--folder", &folder, "--password-file", &password, "--out", &out])
    }

    /// The answers of two: enough.
    pub fn open(&self, request: &str) -> (bool, String) {
        let (first, second) = (self.approve(request, "o3"), self.approve(request, "o1"));
        (first.0 && second.0, second.1)
    }

    pub fn release(&self, member: &Member, name: &str) -> (bool, String) {
        celosia(&["hold", "release", "--admin", &admin(member), name, &self.file("o3.json"), &self.file("o1.json")])
    }

    /// Members under it, and under the profile of a file.
    pub fn net(&self, ids: &[&str], profile: Option<&Path>) -> Net {
        let mut net = Net::prepare(ids);
        for member in &mut net.members {
            let profile = profile.map_or_else(String::new, |path| format!("profile = \"{}\"\n", path.display()));
            member.extra = format!("[erasure]\nnode-cache = \"0s\"\n{profile}[holds]\ncommittee = \"{}\"\n", self.public);
            member.spawn(&[]);
        }
        net.members.iter_mut().for_each(Member::wait);
        net
    }
}

pub fn in_seconds(seconds: u64) -> String {
    let at = SystemTime::now() + Duration::from_secs(seconds);
    jiff::Timestamp::from_millisecond(at.duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()).unwrap().to_string()
}

/// Places a hold; its name.
pub fn place(member: &Member, kind: &str, id: &str, until: &str) -> String {
    let admin = admin(member);
    let arguments = [
        "hold",
        "place",
        "--kind",
        kind,
        "--admin",
        &admin,
        "--ground",
        "authority-order",
        "--reference",
        "Juzgado 3, 12/2026",
        "--until",
        until,
        "--id",
        id,
    ];
    must(&arguments).lines().find(|line| line.len() == 32).unwrap().to_owned()
}

pub fn hold(member: &Member, name: &str) -> Value {
    serde_json::from_str(&must(&["hold", "show", "--admin", &admin(member), name])).unwrap()
}

pub fn export(member: &Member, name: &str) -> String {
    let file = member.folder.join("request.json").to_str().unwrap().to_owned();
    must(&["hold", "export", "--admin", &admin(member), name, "--out", &file]);
    file
}

fn status_of(member: &Member, id: &str) -> u16 {
    Request::get(&format!("/transaction/{}", percent(id))).header("Accept", "application/json").send(&member.node).status
}

pub const LONG: &str = "2099-01-01T00:00:00Z";

#[test]
fn what_is_blocked_is_absent_until_the_committee_releases_it() {
    let committee = Committee::new();
    let mut net = committee.net(&["a", "b"], None);
    let id = net.at(0).sent(b"about a person", &[net.at(1)]);
    let a = net.at(0);
    let receipt = |a: &Member| Request::get(&format!("/receipts/{}", percent(&id))).send(&a.admin);
    let before = receipt(a).must(200).body;
    let name = place(a, "block", &id, LONG);
    assert_eq!((status_of(a, &id), status_of(net.at(1), &id)), (404, 200), "b blocks its own copy, or not");
    assert_eq!(receipt(a).status, 404);
    let figures = Request::get("/metrics").send(&a.admin).must(200).text();
    assert!(figures.contains("celosia_holds_active 1") && figures.contains("celosia_items_blocked 1"), "{figures}");
    let listed = must(&["hold", "list", "--admin", &admin(a), "--active"]);
    assert!(listed.contains(&name) && listed.contains("block  1 item(s)"), "{listed}");
    // Neither an order nor a restart makes it readable or destroys it.
    let deleted = Request::new("DELETE", &format!("/transaction/{}", percent(&id))).send(&a.node);
    assert_eq!(deleted.status, 404, "{}", deleted.text());
    net.members[0].kill();
    net.members[0].start();
    let a = net.at(0);
    assert_eq!((status_of(a, &id), hold(a, &name)["state"].as_str()), (404, Some("active")));
    let (good, why) = celosia(&["hold", "release", "--admin", &admin(a), &name]);
    assert!(!good && why.contains("CEL3390"), "{why}");

    let request = export(a, &name);
    let (good, shown) = committee.open(&request);
    assert!(good && shown.contains("authority-order, Juzgado 3, 12/2026") && shown.contains("1 envelope(s)"), "{shown}");
    // The request alone opens nothing: it has no content, and no key.
    assert!(std::fs::read_to_string(&request).unwrap().len() < 2_000);
    // One officer is not enough, and an answer that was altered is of nobody.
    let told = must(&["hold", "release", "--admin", &admin(a), &name, &committee.file("o1.json")]);
    assert!(told.contains("1 of 2 officers have answered"), "{told}");
    let altered = std::fs::read_to_string(committee.file("o3.json")).unwrap().replace("\"share\": \"", "\"share\": \"AAAA");
    std::fs::write(committee.file("altered.json"), altered).unwrap();
    let (good, why) = celosia(&["hold", "release", "--admin", &admin(a), &name, &committee.file("altered.json")]);
    assert!(!good && why.contains("CEL3388"), "{why}");
    // Shown another reason, an officer's folder answers nothing.
    let lied = std::fs::read_to_string(&request).unwrap().replace("Juzgado 3", "Juzgado 4");
    std::fs::write(committee.file("lied.json"), lied).unwrap();
    let (good, why) = committee.approve(&committee.file("lied.json"), "o2");
    assert!(!good && why.contains("CEL7043"), "{why}");
    let (good, released) = committee.release(a, &name);
    assert!(good && released.trim() == "released", "{released}");
    assert_eq!(a.receive(&id).as_deref(), Some(&b"about a person"[..]));
    assert_eq!(receipt(a).must(200).body, before, "the acknowledgements came back with it");
    let journal = Request::get(&format!("/journal/about/{}", percent(&id))).send(&a.admin).must(200).text();
    assert!(journal.contains("blocked"), "{journal}");
}

#[test]
fn the_committee_of_the_policy_counts_for_all_members() {
    let mut net = Net::start(&["a"]);
    let id = net.at(0).sent(b"about a person", &[]);
    let call = |member: &Member| {
        let (admin, kind, ground) = (admin(member), ["--kind", "block"], ["--ground", "legal-claims", "--reference", "1"]);
        celosia(&[&["hold", "place", "--admin", &admin][..], &kind, &ground, &["--until", LONG, "--id", &id]].concat())
    };
    let (good, why) = call(net.at(0));
    assert!(!good && why.contains("CEL3382"), "{why}");
    let committee = Committee::of(&net.governors.network().to_string());
    let made = CommitteeFile::parse(&std::fs::read_to_string(&committee.public).unwrap()).unwrap();
    let note = net.governors.policy(|policy| policy.committees.push(made.committee));
    let a = net.at(0);
    assert_eq!(a.publish(&note).status, 200);
    let name = place(a, "block", &id, LONG);
    assert_eq!(status_of(a, &id), 404);
    assert!(committee.open(&export(a, &name)).0);
    let (good, why) = committee.release(a, &name);
    assert!(good, "{why}");
    assert_eq!(a.receive(&id).as_deref(), Some(&b"about a person"[..]));
}

#[test]
fn at_its_end_what_is_blocked_is_destroyed_and_no_backup_of_the_store_opens() {
    let committee = Committee::new();
    let mut net = committee.net(&["a", "b"], None);
    let id = net.at(0).sent(b"about a person", &[net.at(1)]);
    let name = place(net.at(0), "block", &id, &in_seconds(12));
    let request = export(net.at(0), &name);
    assert!(committee.open(&request).0);
    net.members[0].stop();
    let (store, saved) = (net.at(0).folder.join("data/store"), net.at(0).folder.join("saved"));
    copy(&store, &saved);
    net.members[0].start();
    let a = net.at(0);
    a.wait_until(|| hold(a, &name)["state"] == "expired", "it does not end");
    assert_eq!(status_of(a, &id), 404);
    let status = Request::get("/status").send(&a.admin).must(200).json();
    assert_eq!(status["store"]["tombstones"], 1, "{status}");
    let journal: PathBuf = a.folder.join("data");
    assert_eq!(a.receive(&id), None);
    // It does not come back from b.
    assert!(net.at(1).receive(&id).is_some(), "b was not asked to erase");
    // The store of then, today's key trees, the committee's key and its answer.
    net.members[0].stop();
    std::fs::remove_dir_all(&store).unwrap();
    copy(&saved, &store);
    must(&["journal", "accept-rollback", "--data-dir", journal.to_str().unwrap(), "--actor", "ana", "--reason", "disk lost"]);
    net.members[0].start();
    let a = net.at(0);
    assert_eq!(status_of(a, &id), 404);
    let (good, why) = committee.release(a, &name);
    assert!(!good, "{why}");
    assert_eq!(a.receive(&id), None, "it was opened from a backup: {why}");
}

#[test]
fn an_order_waits_for_a_legal_hold_and_goes_on_at_its_end() {
    let committee = Committee::new();
    let net = committee.net(&["a", "b"], None);
    let (a, b) = (net.at(0), net.at(1));
    let id = a.sent(b"about a person", &[b]);
    let held = place(b, "legal-hold", &id, LONG);
    let short = place(b, "legal-hold", &id, &in_seconds(1));
    assert!(b.receive(&id).is_some(), "a legal hold hides nothing");
    let (good, why) = celosia(&[
        "hold",
        "place",
        "--kind",
        "block",
        "--admin",
        &admin(b),
        "--ground",
        "because",
        "--reference",
        "1",
        "--until",
        LONG,
        "--id",
        &id,
    ]);
    assert!(!good && why.contains("CEL3384") && why.contains("legal-claims"), "{why}");
    let name = erase(a, &["--id", &id]);
    a.wait_until(|| a.receive(&id).is_none(), "a did not erase");
    a.wait_until(|| case(a, &name)["holders"][1]["held"] == 1, "b does not say that it is held");
    b.wait_until(|| hold(b, &short)["state"] == "expired", "the short one does not end");
    assert!(b.receive(&id).is_some(), "the other still stands");
    assert_eq!(must(&["hold", "release", "--admin", &admin(b), &held]).trim(), "released");
    b.wait_until(|| b.receive(&id).is_none(), "the order does not go on");
    a.wait_until(|| case(a, &name)["holders"][1]["level"].as_u64() >= Some(1), "b's receipt did not come");
}

#[test]
fn two_blocks_on_one_payload_end_with_the_second() {
    let committee = Committee::new();
    let net = committee.net(&["a"], None);
    let a = net.at(0);
    let id = a.sent(b"about a person", &[]);
    let (first, second) = (place(a, "block", &id, &in_seconds(2)), place(a, "block", &id, LONG));
    a.wait_until(|| hold(a, &first)["state"] == "expired", "the first does not end");
    assert_eq!(status_of(a, &id), 404);
    assert!(committee.open(&export(a, &second)).0);
    let (good, why) = committee.release(a, &second);
    assert!(good, "{why}");
    assert_eq!(a.receive(&id).as_deref(), Some(&b"about a person"[..]), "the first end destroyed it");
}

#[test]
fn under_spanish_law_what_is_erased_is_blocked_first_and_certified_in_the_end() {
    let committee = Committee::new();
    let shipped = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/profiles/es.toml")).unwrap();
    let profile = committee.folder.path().join("es.toml");
    std::fs::write(&profile, shipped.replace("for = \"1096d\"", "for = \"8s\"")).unwrap();
    let net = committee.net(&["a", "b"], Some(&profile));
    let (a, b) = (net.at(0), net.at(1));
    let id = a.sent(b"about a person", &[b]);
    let name = erase(a, &["--id", &id, "--urgent"]);
    assert_eq!((status_of(a, &id), case(a, &name)["state"].as_str()), (404, Some("blocked")));
    b.wait_until(|| status_of(b, &id) == 404, "b does not block");
    for member in [a, b] {
        let listed = must(&["hold", "list", "--admin", &admin(member)]);
        assert!(listed.contains("blocked-before-erasure") && listed.contains(&name), "{listed}");
        let status = Request::get("/status").send(&member.admin).must(200).json();
        assert_eq!(status["store"]["tombstones"], 0, "it is not destroyed yet");
    }
    wait_for(a, &name, "backup-safe");
    must(&["root", "rotate", "--admin", &admin(b)]);
    wait_for(a, &name, "certified");
    let moves = case(a, &name)["moves"].to_string();
    assert!(moves.contains("\"block\"") && moves.contains("\"unblock\""), "{moves}");
    let network = net.governors.network().to_string();
    let file = certificate(a, &name, &a.folder.join("certificate"));
    assert!(must(&["certificate", "verify", "--network", &network, &file]).contains("complete: every holder"));
    for member in [a, b] {
        let status = Request::get("/status").send(&member.admin).must(200).json();
        assert_eq!(status["store"]["tombstones"], 1, "{status}");
        assert!(must(&["hold", "list", "--admin", &admin(member)]).contains("expired"));
    }
}

#[test]
fn a_profile_that_cannot_be_kept_does_not_start() {
    let es = concat!(env!("CARGO_MANIFEST_DIR"), "/config/profiles/es.toml");
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.toml");
    std::fs::write(&broken, "format = \"celosia-profile-1\"\n").unwrap();
    for (profile, code) in [(es, "CEL1382"), ("/nowhere/es.toml", "CEL1380"), (broken.to_str().unwrap(), "CEL1381")] {
        let mut net = Net::prepare(&["a"]);
        net.members[0].extra = format!("[erasure]\nprofile = \"{profile}\"\n");
        net.members[0].spawn(&[]);
        assert!(!net.members[0].ended().success());
        assert!(net.at(0).log().contains(code), "{code}: {}", net.at(0).log());
    }
}

#[test]
fn what_is_old_enough_applications_read_no_more() {
    let committee = Committee::new();
    let shipped = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/profiles/aml-es.toml")).unwrap();
    let profile = committee.folder.path().join("aml-es.toml");
    std::fs::write(&profile, shipped.replace("after = \"1826d\"", "after = \"3s\"")).unwrap();
    let net = committee.net(&["a"], Some(&profile));
    let a = net.at(0);
    let put = |class: &str| {
        let request =
            Request::post("/documents", "application/octet-stream", b"about a person").header("celosia-to", &a.keys.public);
        request.header("celosia-class", class).send(&a.application).must(201).json()["id"].as_str().unwrap().to_owned()
    };
    let (personal, public) = (put("personal"), put("public"));
    let read = |id: &str| Request::get(&format!("/documents/{}", percent(id))).send(&a.application);
    assert_eq!((read(&personal).status, read(&public).status), (200, 200));
    a.wait_until(|| read(&personal).status == 451, "it is read as before");
    assert_eq!(read(&personal).header("celosia-error"), Some("CEL3392"));
    assert_eq!(read(&public).status, 200);
    // A legal hold stands before the erasure of a document, too.
    let held = place(a, "legal-hold", &public, LONG);
    let deleted = Request::new("DELETE", &format!("/documents/{}", percent(&public))).send(&a.application);
    assert_eq!((deleted.status, deleted.header("celosia-error")), (409, Some("CEL3383")), "{}", deleted.text());
    must(&["hold", "release", "--admin", &admin(a), &held]);
}
