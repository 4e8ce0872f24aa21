//! A member that lost its keys and its disk gets back through the committee what it had, and a member that replaces its key goes on reading.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::court::{Court, in_minutes};
use crate::http::Request;
use crate::keys::KeyPair;
use crate::member::Member;
use crate::said::Said;

impl Court {
    /// A member's own request, handed in at another's node; the grant's name.
    pub fn recovery(&self, folder: &str, member: usize, at: usize, more: &[&str]) -> Said {
        let (path, key) = (self.path(folder), self.at(member).folder.join("sign.key"));
        let (password, argon) = (self.path("password"), self.path("argon.json"));
        let (network, id, admin) = (self.network(), &self.at(member).id, self.admin(at));
        let (entity, until) = (format!("{id} S.A."), in_minutes(60));
        let fixed = ["recover", "request", "--folder", &path, "--network", &network, "--member", id, "--entity", &entity];
        let whose = ["--name", "Olga Operadora", "--signing-key", key.to_str().unwrap(), "--basis", "statutes, art. 9"];
        let rest = ["--until", &until, "--password-file", &password, "--argonconfig", &argon, "--admin", &admin];
        self.run(&[&fixed[..], &whose, &rest, more].concat())
    }

    pub fn grant_of(&self, folder: &str) -> String {
        let known = fs::read_to_string(self.folder.path().join(folder).join("auditor.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&known).unwrap()["grant"].as_str().unwrap().to_owned()
    }

    /// What a member does with the folder of its grant.
    pub fn recovers(&self, verb: &str, folder: &str, at: usize, more: &[&str]) -> Said {
        let (path, password, admin) = (self.path(folder), self.path("password"), self.admin(at));
        let lock = ["--password-file", password.as_str()];
        self.run(&[&["recover", verb, "--folder", &path, "--admin", &admin], &lock[..], more].concat())
    }

    /// A member takes what was granted to it, with the key that signed its request.
    pub fn collects_back(&self, folder: &str, member: usize, at: usize) -> Said {
        let (path, admin, key) = (self.path(folder), self.admin(at), self.at(member).folder.join("sign.key"));
        self.run(&["recover", "collect", "--folder", &path, "--admin", &admin, "--signing-key", key.to_str().unwrap()])
    }

    pub fn destroyed(&mut self, index: usize) {
        let id = self.at(index).id.clone();
        self.members[index].kill();
        fs::remove_dir_all(&self.members[index].folder).unwrap();
        self.members[index] = Member::prepare(&id, self.folder.path());
    }

    /// Its new keys come into the directory, and it begins again with an empty disk.
    pub fn begins_again(&mut self, index: usize, others: &[usize]) {
        let entry = self.at(index).entry();
        let note = self.governors.change(&entry.id.to_string(), |member| *member = entry.clone());
        for other in others {
            let answer = self.at(*other).publish(&note);
            assert!(answer.status < 300, "{}", answer.text());
        }
        let (network, notes) = (self.governors.network(), self.governors.notes.clone());
        let member = &mut self.members[index];
        member.give(network, &notes);
        "[erasure]\nnode-cache = \"0s\"\n".clone_into(&mut member.extra);
        // What the witnesses saw of the journal before is over.
        let data = member.folder.join("data");
        let data = data.to_str().unwrap();
        let accept = ["journal", "accept-rollback", "--data-dir", data, "--actor", "olga", "--reason", "disk lost"];
        self.run(&accept).refused("--empty");
        self.run(&[&accept[..], &["--empty"]].concat()).well();
        self.members[index].start();
        let member = self.at(index);
        member.wait_until(
            || Request::get("/transaction/AAAA").try_send(&member.node).is_some_and(|answer| answer.status != 503),
            "it does not serve",
        );
    }
}

#[test]
fn a_member_that_lost_everything_gets_its_payloads_back_and_what_was_erased_stays_erased() {
    let mut court = Court::begin(&["a", "b", "c"]);
    let (a, b, c) = (court.at(0), court.at(1), court.at(2));
    let large = vec![7; 200_000];
    let mut mine = vec![
        (a.sent(b"to b", &[b]), b"to b".to_vec()),
        (a.sent(b"to b and c", &[c, b]), b"to b and c".to_vec()),
        (a.sent(&large, &[b]), large),
        (b.sent(b"of b", &[a]), b"of b".to_vec()),
    ];
    let foreign = a.sent(b"not for b", &[c]);
    let gone = a.sent(b"erased before", &[b]);
    let later = a.sent(b"erased on the way", &[b]);
    let admin = court.admin(0);
    let erase = |id: &str| {
        court.run(&["erase", "request", "--admin", &admin, "--ground", "consent-withdrawn", "--now", "--id", id]).well();
        a.wait_until(|| a.receive(id).is_none(), "it is not erased");
    };
    erase(&gone);
    b.wait_until(|| b.receive(&gone).is_none(), "it is not erased at b");

    // A drill, with everything in place: the whole way, and nothing is kept.
    court.recovery("drill", 1, 0, &["--id", &mine[0].0, "--mandate", "yearly drill"]).well();
    let drill = court.grant_of("drill");
    for officer in [1, 2, 3] {
        court.approves(officer, 0, &drill).well();
    }
    for officer in [1, 2, 3] {
        court.releases(officer, 0, &drill).well();
    }
    court.collects_back("drill", 1, 0).well();
    let told = court.recovers("drill", "drill", 1, &["--id", &mine[0].0]).well();
    assert!(told.contains("the same key as the one that is kept here"), "{told}");
    assert_eq!(b.receive(&mine[0].0).as_deref(), Some(&mine[0].1[..]));
    let journal = Request::get("/journal/export").send(&b.admin).must(200).text();
    assert!(journal.contains("\"kind\":\"drill\"") || journal.contains("drill"), "{journal}");

    court.destroyed(1);
    court.begins_again(1, &[0, 2]);
    let (a, b) = (court.at(0), court.at(1));
    assert!(mine.iter().all(|(id, _)| b.receive(id).is_none()), "a new disk is empty");

    // Nobody else asks for it: not with another key, and not under another name.
    let stolen = court.path("stolen");
    let (network, key, until, admin) = (court.network(), a.folder.join("sign.key"), in_minutes(60), court.admin(0));
    let (password, argon) = (court.path("password"), court.path("argon.json"));
    let fixed =
        ["recover", "request", "--folder", &stolen, "--network", &network, "--member", "b", "--entity", "b S.A.", "--name", "X"];
    let rest = ["--signing-key", key.to_str().unwrap(), "--basis", "none", "--until", &until, "--password-file", &password];
    court.run(&[&fixed[..], &rest, &["--argonconfig", &argon, "--admin", &admin]].concat()).refused("CEL7340");

    court.recovery("lost", 1, 0, &[]).well();
    let grant = court.grant_of("lost");
    assert_eq!(court.shown(0, &grant)["items"].as_u64(), Some(5), "four of b's, and one that will be erased");
    // Fewer than k officers bring nothing.
    court.approves(1, 0, &grant).well();
    court.approves(3, 0, &grant).well();
    court.collects_back("lost", 1, 0).refused("CEL7132");
    court.approves(5, 0, &grant).well();
    court.releases(1, 0, &grant).well();
    court.releases(3, 0, &grant).well();
    court.collects_back("lost", 1, 0).refused("CEL7145");
    court.releases(5, 0, &grant).well();
    court.collects_back("lost", 1, 0).well();

    // Erased after it was collected: b has it in its hands, and does not take it.
    court.run(&["erase", "request", "--admin", &admin, "--ground", "consent-withdrawn", "--now", "--id", &later]).well();
    a.wait_until(|| a.receive(&later).is_none(), "it is not erased");
    let told = court.recovers("import", "lost", 1, &[]).well();
    assert!(told.contains("4 kept, 0 here already, 1 erased and left so, 0 blocked"), "{told}");
    for (id, payload) in &mine {
        assert_eq!(b.receive(id).as_deref(), Some(&payload[..]), "byte for byte");
    }
    for id in [&foreign, &gone, &later] {
        assert_eq!(b.receive(id), None);
    }
    let shown = |id: &str| {
        Request::get(&format!("/transaction/{}", crate::member::percent(id)))
            .header("Accept", "application/vnd.tessera-2.1+json")
            .send(&b.node)
            .json()
    };
    assert_eq!(shown(&mine[0].0)["managedParties"][0], b.keys.public.as_str(), "under the key that it has now");
    let is_sender =
        |id: &str| Request::get(&format!("/transaction/{}/isSender", crate::member::percent(id))).send(&b.node).text();
    assert_eq!((is_sender(&mine[3].0).as_str(), is_sender(&mine[0].0).as_str()), ("true", "false"));

    // Again, and again after it was killed: nothing is done twice.
    court.members[1].kill();
    court.members[1].start();
    let b = court.at(1);
    b.wait_until(|| court.recovers("import", "lost", 1, &[]).good, "it does not begin again");
    let told = court.recovers("import", "lost", 1, &[]).well();
    assert!(told.contains("0 kept, 4 here already, 1 erased and left so"), "{told}");
    for (id, payload) in mine.drain(..) {
        assert_eq!(b.receive(&id), Some(payload));
    }
    let journal = Request::get("/journal/export").send(&b.admin).must(200).text();
    assert_eq!(journal.matches(r#""kind":"recovered""#).count(), 4, "{journal}");
}

#[test]
fn after_the_old_key_is_gone_everything_is_read_and_given_again() {
    let mut court = Court::begin(&["a", "b"]);
    let (a, b) = (court.at(0), court.at(1));
    let (sent, received) = (a.sent(b"of a", &[b]), b.sent(b"of b", &[a]));
    let old = a.keys.public.clone();

    // The new key beside the old one, in the configuration and in the directory.
    let new = KeyPair::random();
    let file = a.folder.join("k2.key");
    fs::write(&file, new.unlocked_file()).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let key = new.public.parse().unwrap();
    let both = court.governors.change("a", |member| member.addresses.push(key));
    court.members[0].stop();
    let second = format!("[[keys]]\nprivate-key-file = \"{}\"\n", file.display());
    court.members[0].extra.push_str(&second);
    court.members[0].start();
    for member in &court.members {
        assert!(member.publish(&both).status < 300);
    }
    // Then the new one alone: the old private key is nowhere any more.
    let alone = court.governors.change("a", |member| member.addresses = vec![key]);
    for member in &court.members {
        assert!(member.publish(&alone).status < 300);
    }
    court.members[0].stop();
    let first = court.members[0].folder.join("k.key");
    fs::rename(&file, &first).unwrap();
    "[erasure]\nnode-cache = \"0s\"\n".clone_into(&mut court.members[0].extra);
    court.members[0].keys = new.clone();
    court.members[0].start();
    let a = court.at(0);
    assert_eq!(a.receive(&sent).as_deref(), Some(&b"of a"[..]));
    assert_eq!(a.receive(&received).as_deref(), Some(&b"of b"[..]));
    let is_sender = Request::get(&format!("/transaction/{}/isSender", crate::member::percent(&sent))).send(&a.node).text();
    assert_eq!(is_sender, "true");
    let admin = court.admin(0);
    let rewrap = |from: &str, to: &str| court.run(&["recover", "rewrap", "--admin", &admin, "--old", from, "--new", to]);
    let told = rewrap(&old, &new.public).well();
    assert!(told.contains("0 written anew, 2 of the suite celosia-1 need nothing"), "{told}");
    rewrap(&new.public, &old).refused("CEL7350");

    // What b lost, a gives it again.
    court.members[1].stop();
    let data = court.at(1).folder.join("data");
    fs::remove_dir_all(data.join("store")).unwrap();
    let accept = ["journal", "accept-rollback", "--data-dir", data.to_str().unwrap(), "--actor", "ana", "--reason", "disk lost"];
    court.run(&accept).well();
    court.members[1].spawn(&["--recover"]);
    assert!(court.members[1].ended().success(), "{}", court.at(1).log());
    court.members[1].start();
    let (a, b) = (court.at(0), court.at(1));
    assert_eq!(b.receive(&sent).as_deref(), Some(&b"of a"[..]), "{}", b.log());
    assert_eq!(b.receive(&received).as_deref(), Some(&b"of b"[..]));
    // And both go on.
    let next = a.sent(b"under the new key", &[b]);
    assert_eq!(b.receive(&next).as_deref(), Some(&b"under the new key"[..]));
    let back = b.sent(b"to the new key", &[a]);
    assert_eq!(a.receive(&back).as_deref(), Some(&b"to the new key"[..]));
}

/// Of what a and b sent each other the only other one who has it is a supervisor that reads none of it.
#[test]
fn a_member_that_lost_everything_gets_its_payloads_back_from_a_supervisors_copies() {
    let mut court = crate::copies::supervised();
    let (a, b, cnmv) = (court.at(0), court.at(1), court.at(2));
    let sent = (a.sent(b"of a", &[b]), b"of a".to_vec());
    let received = (b.sent(b"of b", &[a]), b"of b".to_vec());
    let gone = b.sent(b"erased by its sender", &[a]);
    let admin = court.admin(1);
    court.run(&["erase", "request", "--admin", &admin, "--ground", "consent-withdrawn", "--now", "--id", &gone]).well();
    a.wait_until(|| a.receive(&gone).is_none(), "it is not erased");
    let watched = || court.run(&["supervisor", "watch", "--admin", &court.admin(2), "--once", "--json"]).well();
    cnmv.wait_until(|| !watched().contains(&gone), "the copy stays");

    court.destroyed(0);
    court.begins_again(0, &[1, 2]);
    court.recovery("lost", 0, 2, &[]).well();
    let grant = court.grant_of("lost");
    assert_eq!(court.shown(2, &grant)["items"].as_u64(), Some(2), "what it sent, and what it was sent");
    for officer in [1, 3, 5] {
        court.approves(officer, 2, &grant).well();
    }
    for officer in [1, 3, 5] {
        court.releases(officer, 2, &grant).well();
    }
    court.collects_back("lost", 0, 2).well();
    let told = court.recovers("import", "lost", 0, &[]).well();
    assert!(told.contains("2 kept, 0 here already"), "{told}");
    let a = court.at(0);
    for (id, payload) in [&sent, &received] {
        assert_eq!(a.receive(id).as_deref(), Some(&payload[..]), "byte for byte");
    }
    assert_eq!(a.receive(&gone), None);
    let path = |id: &str, what: &str| format!("/transaction/{}{what}", crate::member::percent(id));
    let is_sender = |id: &str| Request::get(&path(id, "/isSender")).send(&a.node).text();
    assert_eq!((is_sender(&sent.0).as_str(), is_sender(&received.0).as_str()), ("true", "false"));
    for id in [&sent.0, &received.0] {
        let shown = Request::get(&path(id, "")).header("Accept", "application/vnd.tessera-2.1+json").send(&a.node).json();
        assert_eq!(shown["managedParties"][0], a.keys.public.as_str(), "under the key that it has now");
    }
}
