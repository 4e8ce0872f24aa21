//! The whole life of a network of six under lawful sight, in one run: every step is a command of the program, every party a process and a
//! folder of its own, and at the end every artefact is verified where nothing is but the files.

use serde_json::Value;

use crate::court::in_minutes;
use crate::http::Request;
use crate::life::{Life, SUPERVISOR};
use crate::member::{Member, percent};
use crate::offline::Offline;
use crate::said::Said;

const SCOPES: &str = r#"
[[scopes]]
classes = ["business"]
supervision = "S1"
supervisors = ["cnmv"]
[[scopes]]
classes = ["special"]
supervision = "S3"
supervisors = ["cnmv"]
[[scopes]]
supervision = "S2"
"#;

impl Life {
    /// One class is copied to the supervisor (S1), one is received by it (S3), the rest has capsules alone (S2).
    fn traffic_is_supervised(&self) {
        let (a, b, supervisor) = (self.court.at(0), self.court.at(1), self.court.at(SUPERVISOR));
        let copied = self.business().unwrap();
        let answer = a.send(b"a diagnosis", &[b], Some("special")).must(201);
        let received = answer.json()["key"].as_str().unwrap().to_owned();
        let alone = a.sent(b"nobody but us", &[b]);
        let seen = self.supervisor(&["watch", "--once", "--json"]);
        let seen: Vec<Value> = seen.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mode = |id: &str| seen.iter().find(|one| one["id"] == id).map(|one| one["mode"].as_str().unwrap().to_owned());
        assert_eq!((mode(&copied).as_deref(), mode(&received).as_deref(), mode(&alone)), (Some("S1"), Some("S3"), None));
        assert_eq!(supervisor.receive(&copied), None, "the header alone");
        assert_eq!(supervisor.receive(&received).as_deref(), Some(&b"a diagnosis"[..]));
    }

    /// Certified at every holder; the certificate's file.
    fn erased(&self, id: &str) -> String {
        let (a, admin) = (self.court.at(0), self.court.admin(0));
        let ask = ["erase", "request", "--admin", &admin, "--ground", "consent-withdrawn", "--now", "--urgent", "--id", id];
        let case = self.call(&ask).lines().next().unwrap().to_owned();
        let is = |state: &str| {
            let shown: Value = serde_json::from_str(&self.call(&["erase", "show", "--admin", &admin, &case, "--json"])).unwrap();
            shown["state"] == state
        };
        a.wait_until(|| is("backup-safe"), "it is not erased everywhere");
        self.call(&["root", "rotate", "--admin", &self.court.admin(1)]);
        a.wait_until(|| is("certified"), "it is not certified");
        self.call(&["erase", "certificate", "--admin", &admin, &case, "--out", "certificate.json"]);
        "certificate.json".to_owned()
    }

    /// Officers 4 and 5 hand over to 6 and 7; the committee's file.
    fn handover(&self) -> String {
        self.copy("o1", "o11");
        let cards = [self.court.init(6), self.court.init(7)];
        let leave = ["--remove", "Officer 4", "--remove", "Officer 5", "--add", &cards[0], "--add", &cards[1]];
        let plan = ["officer", "handover", "--ceremony", "over", "--committee", "dkg/committee.toml"];
        self.call(&[&plan[..], &leave].concat());
        let file = self.court.ceremony("handover", &self.court.path("over"), &[1, 2, 3, 6, 7]);
        self.enact(4, &["--committee", &file]);
        // One of those who leave keeps its old share.
        for at in [1, 2, 3, 4] {
            let told = self.court.officer(at, "destroy", &["--committee", &file]).well();
            assert!(told.contains("1 share(s) from before generation 2"), "{told}");
        }
        file
    }

    fn copy(&self, from: &str, to: &str) {
        let (from, to) = (self.court.path(from), self.court.path(to));
        assert!(std::process::Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
    }

    /// The new committee opens what was made before it and after it; nobody of before gives anything.
    fn seen_by_the_new_committee(&self, before: &str, after: &str) {
        let court = &self.court;
        let grant = court.auditor("audit-3", "Auditores Unidos");
        court.asks("audit-3", 0, &in_minutes(60), &["--id", before, "--id", after]).well();
        court.approves(4, 0, &grant).refused("CEL7109");
        court.approves(5, 0, &grant).refused("CEL7109");
        for officer in [1, 6, 7] {
            court.approves(officer, 0, &grant).well();
        }
        court.releases(5, 0, &grant).refused("CEL7109");
        // The folder of before the handover, put back.
        court.releases(11, 0, &grant).refused("CEL7032");
        for officer in [2, 6, 7] {
            court.releases(officer, 0, &grant).well();
        }
        self.opened("audit-3", "2 payload(s) opened and verified, 0 not opened");
    }

    fn opened(&self, audit: &str, what: &str) -> String {
        self.court.collects(audit, 0).well();
        let told = self.court.audits(audit, "open", &[]).well();
        assert!(told.contains(what), "{told}");
        told
    }

    /// Nothing of the class is sent while the order stands.
    fn stopped_and_lifted(&self) {
        let order = ["stop", "--scope", "class:business", "--authority", "EXP 12/2026", "--text", "trading is suspended"];
        let number = self.supervisor(&order).split_whitespace().next().unwrap().to_owned();
        assert_eq!(self.business(), Err(451));
        self.supervisor(&["lift", &number, "--text", "settled"]);
        let a = self.court.at(0);
        a.wait_until(|| self.business().is_ok(), "the lift does not arrive");
    }

    /// Member d loses its keys and its disk. The governors list its new keys, and it begins again.
    fn destroyed(&mut self) {
        let place = &mut self.court.members[3];
        place.kill();
        std::fs::remove_dir_all(&place.folder).unwrap();
        *place = Member::prepare("d", self.court.folder.path());
        let entry = format!("[[members]]\n{}", toml::to_string(&place.entry()).unwrap());
        std::fs::write(self.court.path("member-d.toml"), entry).unwrap();
        let change =
            ["governance", "propose", "directory", "--from", "charter", "--edit", "member-d.toml", "--out", "proposal-5"];
        self.call(&change);
        self.sign_and_keep("proposal-5");
        self.call(&["governance", "publish", "proposal-5", "--admin", &self.court.admin(0)]);
        let others = self.court.members.iter().enumerate().filter(|(index, _)| *index != 3);
        others.for_each(|(_, member)| member.wait_for_version(5));
        let (network, notes) = (self.court.network, self.notes(5));
        let member = &mut self.court.members[3];
        member.give(network, &notes);
        "[erasure]\nnode-cache = \"0s\"\n".clone_into(&mut member.extra);
        // The witnesses have seen another journal before.
        let data = member.folder.join("data");
        let fixed = ["journal", "accept-rollback", "--empty", "--actor", "olga", "--reason", "disk lost", "--data-dir"];
        self.call(&[&fixed[..], &[data.to_str().unwrap()]].concat());
        self.court.members[3].start();
    }

    /// What it had comes back through the committee, from a member that has it.
    fn recovered(&self, id: &str) {
        let (court, d) = (&self.court, self.court.at(3));
        let (until, holder, own, network) = (in_minutes(60), court.admin(1), court.admin(3), court.network());
        let (key, password, argon) = (d.folder.join("sign.key"), court.path("password"), court.path("argon.json"));
        let who = ["--network", &network, "--member", "d", "--entity", "d S.A.", "--name", "Olga Operadora", "--basis", "art. 9"];
        let lock = ["--password-file", &password, "--argonconfig", &argon, "--signing-key", key.to_str().unwrap()];
        let request = ["recover", "request", "--folder", "lost", "--until", &until, "--admin", &holder];
        assert_eq!(d.receive(id), None, "a new disk is empty");
        self.call(&[&request[..], &who, &lock].concat());
        let known = std::fs::read_to_string(court.path("lost/auditor.json")).unwrap();
        let known: Value = serde_json::from_str(&known).unwrap();
        let grant = known["grant"].as_str().unwrap();
        for officer in [2, 3, 6] {
            court.approves(officer, 1, grant).well();
        }
        for officer in [1, 6, 7] {
            court.releases(officer, 1, grant).well();
        }
        let signing = ["--signing-key", key.to_str().unwrap()];
        self.call(&[&["recover", "collect", "--folder", "lost", "--admin", &holder][..], &signing].concat());
        let told = self.call(&["recover", "import", "--folder", "lost", "--password-file", &password, "--admin", &own]);
        assert!(told.contains("1 kept"), "{told}");
        assert_eq!(d.receive(id).as_deref(), Some(&b"what d had"[..]));
    }

    /// What the policy refuses becomes a case, and people bring it to its end.
    fn violation_is_handled(&self) {
        let admin = self.court.admin(0);
        let case = |words: &[&str]| self.court.run(&[&["case"], words, &["--admin", &admin]].concat());
        assert_eq!(self.to_the_sixth("personal"), Err(403));
        let all = || -> Vec<Value> { serde_json::from_str(&case(&["list", "--json"]).well()).unwrap() };
        let about = |code: &str| all().into_iter().find(|matter| matter["code"].to_string().contains(code));
        let code = if self.tessera.is_some() { "6032" } else { "6033" };
        self.court.at(0).wait_until(|| about(code).is_some(), "no case is opened");
        let id = about(code).unwrap()["id"].as_str().unwrap().to_owned();
        assert!(!case(&["list", "--waiting"]).good, "a notice waits");
        case(&["acknowledge", &id]).well();
        case(&["assign", &id, "--to", "Ana"]).well();
        case(&["decide", &id, "--outcome", "upheld", "--reason", "the recipient is outside"]).well();
        case(&["close", &id]).well();
        let counted: Value = serde_json::from_str(&case(&["indicators"]).well()).unwrap();
        assert!(counted["violations"][format!("CEL{code}")].as_u64() > Some(0), "{counted}");
        assert!(counted["disclosures"].as_object().is_some_and(|by| !by.is_empty()), "{counted}");
        assert_eq!(counted["stops-active"], 0, "{counted}");
    }
}

#[test]
fn six_members_five_officers_and_an_auditor_live_a_whole_life() {
    let mut life = Life::begin();
    // A key that nobody has, into the policy.
    let first = life.court.dkg();
    std::fs::write(life.court.path("scopes.toml"), SCOPES).unwrap();
    life.enact(3, &["--committee", &first, "--edit", "scopes.toml"]);
    life.traffic_is_supervised();
    let (a, b) = (life.court.at(0), life.court.at(1));
    let held = b.sent(b"what d had", &[life.court.at(3)]);
    let ids = [a.sent(b"the first contract", &[b]), a.sent(b"about a person", &[b]), a.sent(b"kept", &[b])];

    life.court.grant("audit-1", 0, &["--id", &ids[0]]);
    life.opened("audit-1", "1 payload(s) opened and verified, 0 not opened");

    // All five give their shares of a payload that is then erased.
    let second = life.court.grant("audit-2", 0, &["--id", &ids[2], "--id", &ids[1]]);
    for officer in [2, 4] {
        life.court.releases(officer, 0, &second).well();
    }
    let certificate = life.erased(&ids[1]);
    let told = life.opened("audit-2", "1 payload(s) opened and verified, 1 not opened");
    assert!(told.contains("CEL7130"), "{told}");

    let over = life.handover();
    let after = life.court.at(0).sent(b"under the new officers", &[life.court.at(2)]);
    life.seen_by_the_new_committee(&ids[0], &after);
    life.stopped_and_lifted();
    life.violation_is_handled();
    life.destroyed();
    life.recovered(&held);

    let left = gathered(&life, &[&first, &over], &certificate, &ids[0]);
    let keys = logs(&life);
    // A log begins with its first checkpoint, within a second of its first row.
    life.court.members.iter().for_each(|member| member.wait_until(|| log_of(member).is_some(), "it has no log"));
    life.court.members.iter_mut().for_each(Member::stop);
    drop(life.tessera.take());
    for (index, (name, _)) in keys.iter().enumerate() {
        left.take(log_of(life.court.at(index)).unwrap(), &format!("log-{name}"));
    }
    let network = life.court.network();
    drop(life);
    everything_verifies(&left, &network, &keys);
}

/// Name and verifier key of each member's log.
/// The folder of a member's log. Who began again has a second one.
fn log_of(member: &Member) -> Option<std::path::PathBuf> {
    let journal = member.folder.join("data/journal");
    let log = ["log-2", "log"].map(|name| journal.join(name)).into_iter().find(|log| log.exists())?;
    log.join("checkpoint").exists().then_some(log)
}

fn logs(life: &Life) -> Vec<(String, String)> {
    let key = |at: &Member| Request::get("/journal").send(&at.admin).must(200).json()["key"].as_str().unwrap().to_owned();
    life.court.members.iter().map(|at| (at.id.clone(), key(at))).collect()
}

/// Every artefact, in an empty folder.
fn gathered(life: &Life, committees: &[&str; 2], certificate: &str, id: &str) -> Offline {
    let (left, court) = (Offline::new(), &life.court);
    for audit in ["audit-1", "audit-2", "audit-3"] {
        left.take(court.path(audit), audit);
    }
    let notices = court.path("notices");
    let list = || court.run(&["disclosure", "notices", "--admin", &court.admin(1), "--out", &notices]).well();
    court.at(1).wait_until(|| list().matches("viewed").count() >= 3, "b is not told");
    let admin = court.admin(0);
    court.run(&["receipt", "show", "--admin", &admin, id, "--out", "receipt"]).well();
    for (from, to) in [
        (court.path("notices"), "notices"),
        (court.path("receipt"), "receipt"),
        (court.path(certificate), "certificate"),
        (court.path("password"), "password"),
        (court.path("charter"), "charter"),
        (committees[0].to_owned(), "committee-1.toml"),
        (committees[1].to_owned(), "committee-2.toml"),
    ] {
        left.take(from, to);
    }
    std::fs::write(left.path("payload"), percent(id)).unwrap();
    left
}

/// Nobody runs any more.
fn everything_verifies(left: &Offline, network: &str, keys: &[(String, String)]) {
    let well = |call: String| -> String { Said::well(left.run(&call)) };
    for (audit, opened) in [("audit-1", 1), ("audit-2", 1), ("audit-3", 2)] {
        let told = well(format!("auditor verify --folder {audit} --password-file password"));
        assert!(told.contains(&format!("{opened} payload(s) opened and verified")), "{told}");
        for file in ["case.cbor", "release.cbor"] {
            let told = well(format!("disclosure verify {audit}/{file} --network {network}"));
            assert!(told.contains("on record: view 1"), "{told}");
            left.run(&format!("disclosure verify {audit}/{file} --network {}", "00".repeat(32))).refused("CEL7101");
        }
    }
    let notices = left.files("notices");
    assert!(notices.len() >= 6, "{notices:?}");
    for notice in notices {
        well(format!("disclosure verify {} --network {network} --directory charter", notice.display()));
    }
    let told = well(format!("certificate verify certificate --network {network}"));
    assert!(told.contains("complete: every holder"), "{told}");
    well(format!("governance verify charter --network {network}"));
    well("receipt verify receipt --directory charter".to_owned());
    for (name, key) in keys {
        let told = well(format!("verify log log-{name} --key {key}"));
        assert!(told.contains("every entry and tile"), "{told}");
    }
    // The committees' files bear every signature, and are what the policies hold.
    let shown = [3, 4].map(|version| well(format!("governance show charter --version {version}")));
    for (file, policy) in ["committee-1.toml", "committee-2.toml"].iter().zip(shown) {
        let text = std::fs::read_to_string(left.path(file)).unwrap();
        let committee = celosia::ceremony::CommitteeFile::parse(&text).unwrap().committee;
        assert!(policy.contains(&committee.key.to_string()), "{policy}");
        assert!(committee.officers.iter().all(|officer| policy.contains(&officer.share.to_string())), "{policy}");
    }
}
