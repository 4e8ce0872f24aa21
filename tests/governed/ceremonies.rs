//! Officers' ceremonies whose rounds travel through the members' nodes: nobody carries a file.

use celosia::ceremony::CommitteeFile;

use crate::http::Request;
use crate::member::Member;
use crate::officers::Officers;
use crate::outsider::rows;

/// The governors take a committee into the policy of all members.
fn enact(officers: &mut Officers, text: &str) {
    let file = CommitteeFile::parse(text).unwrap();
    let before = officers.net.governors.charter.policy().committees.first().cloned();
    file.check(before.as_ref()).unwrap();
    let note = officers.net.governors.policy(|policy| policy.committees = vec![file.committee.clone()]);
    assert!(officers.net.at(0).publish(&note).status < 300);
    let version = officers.net.governors.notes.len() as u64;
    officers.net.members.iter().for_each(|member| member.wait_for_version(version));
}

pub fn figure(of: &Member, name: &str) -> u64 {
    let text = Request::get("/metrics").send(&of.admin).must(200).text();
    let line = text.lines().find(|line| line.split(' ').next() == Some(name));
    line.unwrap_or_else(|| panic!("no {name} in\n{text}")).rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn five_officers_at_three_nodes_make_a_key_hand_over_and_refresh_by_the_nodes_alone() {
    let mut officers = Officers::begin(&["a", "b", "c"], 3, 7);
    let id = officers.opens_key(0, &[1, 2, 3, 4, 5], "3");
    for member in 0..3 {
        let told = officers.status(member);
        assert!(told.contains(&id) && told.contains("round 1 of 3 waits for: Officer 1, Officer 2"), "{told}");
    }
    // The node of the third officer is away.
    officers.net.members[2].kill();
    for (at, member) in [(1, 0), (2, 1), (4, 0), (5, 1)] {
        let told = officers.step("dkg", at, member).well();
        assert!(told.contains(&id) && told.contains("3 of these open") && told.contains("Officer 5, Entity 5"), "{told}");
    }
    // Who wants the files has them in a folder of its choice.
    let files = officers.path("files");
    for _ in 0..2 {
        officers.step_with("dkg", 5, 1, &["--ceremony", &files]).well();
    }
    assert_eq!(std::fs::read_dir(&files).unwrap().count(), 5, "a plan and four messages");
    assert!(officers.status(1).contains("round 1 of 3 waits for: Officer 3\n"), "{}", officers.status(1));
    // Another one is killed in the middle: what was said is on its disk.
    let said = officers.messages(0, &id);
    assert_eq!(said.len(), 4);
    officers.net.members[0].kill();
    officers.net.members[0].start();
    assert_eq!(officers.messages(0, &id), said);
    officers.net.members[2].start();
    let c = officers.net.at(2);
    c.wait_until(|| officers.messages(2, &id).len() == 4, "it does not hear what was said while it was away");
    let who = [(1, 0), (2, 1), (3, 2), (4, 0), (5, 1)];
    let first = officers.all("dkg", &who);
    // A governor at any node has it; its signatures are checked on the way.
    let (admin, out) = (officers.admin(2), officers.path("committee.toml"));
    c.wait_until(|| officers.run(&["officer", "collect", &id, "--out", &out, "--admin", &admin]).good, "not complete here");
    assert_eq!(std::fs::read_to_string(&out).unwrap(), first);
    assert!(officers.status(0).contains("escrow 1, generation 1: done, opened by a"), "{}", officers.status(0));
    enact(&mut officers, &first);

    // Two leave and two come, by another member's node.
    let (six, seven) = (officers.path("o6/officer.pub"), officers.path("o7/officer.pub"));
    let change = ["--remove", "Officer 4", "--remove", "Officer 5", "--add", &six, "--add", &seven];
    officers.opens("handover", 1, &[&["--committee", &out][..], &change].concat());
    let second = officers.all("handover", &[(1, 0), (2, 1), (3, 2), (6, 0), (7, 2)]);
    enact(&mut officers, &second);
    std::fs::write(&out, &second).unwrap();
    let password = officers.path("password");
    for at in [1, 2, 3, 4, 5] {
        let folder = officers.path(&format!("o{at}"));
        let told = officers.run(&["officer", "destroy", "--folder", &folder, "--password-file", &password, "--committee", &out]);
        assert!(told.well().contains("1 share(s) from before generation 2"));
    }

    // Each waits at its own node, all at once.
    officers.opens("refresh", 2, &["--committee", &out]);
    let waiting = [(1, 0), (2, 1), (3, 2), (6, 0), (7, 2)].map(|(at, member)| officers.waits("refresh", at, member));
    for child in waiting {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(String::from_utf8_lossy(&output.stdout).contains("complete: escrow 1, generation 3"));
    }
    let told = officers.step("refresh", 6, 1).well();
    assert!(told.contains("complete: escrow 1, generation 3"), "it says the same at any node: {told}");
    let third = officers.all("refresh", &[(1, 0)]);
    enact(&mut officers, &third);
    let key = |text: &str| CommitteeFile::parse(text).unwrap().committee.key;
    assert!(key(&first) == key(&second) && key(&second) == key(&third));

    // New shares of a committee that is past: no node opens that.
    let admin = officers.admin(0);
    std::fs::write(&out, &first).unwrap();
    officers.run(&["officer", "refresh", "--committee", &out, "--admin", &admin]).refused("CEL7097");

    for member in &officers.net.members {
        assert!(rows(member, "\"ceremony-message\"") >= 15 && rows(member, &id) >= 16, "{}", member.log());
        assert_eq!(rows(member, "Officer "), 0, "the journal names people");
        assert!(!member.log().contains("Officer "), "the log names people: {}", member.log());
        assert_eq!(figure(member, "celosia_ceremonies_open"), 0);
        assert!(figure(member, "celosia_ceremony_messages_total") > 0);
    }
}
