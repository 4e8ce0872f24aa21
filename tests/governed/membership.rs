//! Who is a member is what the directory says: at the node itself and at its peers.

use std::fs;

use celosia::governance::State;

use crate::http::Request;
use crate::member::Member;
use crate::net::Net;

#[test]
fn a_hand_edited_directory_is_refused_by_the_node_and_by_its_peers() {
    let mut net = Net::prepare(&["a", "b"]);
    let file = net.at(1).folder.join("data/governance/000002-directory.note");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("a S.A.", "another S.A.")).unwrap();
    net.members[1].spawn(&[]);
    assert!(!net.members[1].ended().success());
    assert!(net.at(1).log().contains("CEL6052") && net.at(1).log().contains("000002-directory.note"), "{}", net.at(1).log());
    // Signed by one governor alone, it is refused by a peer, too, and changes nothing there.
    net.members[0].start();
    let mut entries = vec![net.at(0).entry(), net.at(1).entry()];
    entries[1].legal_name = "another S.A.".into();
    let refused = net.at(0).publish(&net.governors.unsigned(entries));
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("CEL60"), "{}", refused.text());
    assert_eq!(net.at(0).version(), 2);
    // What the governors signed is taken again.
    fs::write(&file, text).unwrap();
    net.members[1].start();
    let id = net.at(1).sent(b"hello", &[net.at(0)]);
    assert_eq!(net.at(0).receive(&id).as_deref(), Some(&b"hello"[..]));
}

#[test]
fn a_node_with_another_key_than_the_directory_names_does_not_start() {
    let mut net = Net::prepare(&["a", "b"]);
    let other = Member::prepare("other", net.folder.path());
    fs::copy(other.folder.join("sign.key"), net.at(1).folder.join("sign.key")).unwrap();
    net.members[1].spawn(&[]);
    assert!(!net.members[1].ended().success());
    assert!(net.at(1).log().contains("CEL1315"), "{}", net.at(1).log());
}

#[test]
fn a_member_joins_is_suspended_expelled_and_admitted_again_without_a_restart() {
    let mut net = Net::start(&["a", "b", "c"]);
    let before = net.at(0).sent(b"before", &[net.at(2)]);
    // Joined: published at one node, known to all.
    let mut d = Member::prepare("d", net.folder.path());
    let entries = net.members.iter().chain([&d]).map(Member::entry).collect();
    let note = net.governors.directory(entries);
    assert_eq!(net.at(1).publish(&note).must(200).json()["version"], 3);
    d.give(net.governors.network(), &net.governors.notes);
    d.start();
    net.members.push(d);
    net.members.iter().for_each(|member| member.wait_for_version(3));
    let id = net.at(0).sent(b"welcome", &[net.at(3)]);
    assert_eq!(net.at(3).receive(&id).as_deref(), Some(&b"welcome"[..]));

    // Suspended: it sends nothing, nobody sends to it, and it reads what it has.
    let note = net.governors.change("c", |member| member.state = State::Suspended);
    net.at(0).publish(&note).must(200);
    net.members.iter().for_each(|member| member.wait_for_version(4));
    let (a, c) = (net.at(0), net.at(2));
    assert!(c.send(b"x", &[a], None).must(403).header("celosia-error").is_some_and(|code| code == "CEL6030"));
    assert!(a.send(b"x", &[c], None).must(403).header("celosia-error").is_some_and(|code| code == "CEL6031"));
    assert_eq!(c.receive(&before).as_deref(), Some(&b"before"[..]));
    a.wait_until(|| a.governance()["behind"] == 0, "somebody is behind");

    // Expelled: cut off. It learns of it no more, and is refused at the handshake.
    let note = net.governors.change("c", |member| member.state = State::Expelled);
    net.at(0).publish(&note).must(200);
    for index in [0, 1, 3] {
        net.at(index).wait_for_version(5);
    }
    let (a, c) = (net.at(0), net.at(2));
    assert_eq!(a.send(b"x", &[c], None).status, 403);
    assert_ne!(c.send(b"x", &[a], None).status, 201);
    let refused = c.log();
    assert!(refused.contains("cut") || c.version() == 4, "{refused}");
    assert!(a.governance()["members"].as_array().unwrap().iter().all(|member| member["id"] != "c"));

    // Admitted again: it is told and takes part.
    let note = net.governors.change("c", |member| member.state = State::Active);
    net.at(1).publish(&note).must(200);
    net.members.iter().for_each(|member| member.wait_for_version(6));
    let (a, c) = (net.at(0), net.at(2));
    let (there, back) = (a.sent(b"again", &[c]), c.sent(b"and back", &[a]));
    assert_eq!(c.receive(&there).as_deref(), Some(&b"again"[..]));
    assert_eq!(a.receive(&back).as_deref(), Some(&b"and back"[..]));
}

#[test]
fn two_networks_of_the_same_members_take_nothing_of_each_other() {
    let one = Net::start(&["a", "b"]);
    let mut two = Net::prepare(&["a", "b"]);
    // b of the second network looks for a at the place of the first one's.
    let port = one.at(0).native_port;
    two.governors.change("a", |member| member.native = Some(format!("https://127.0.0.1:{port}/").parse().unwrap()));
    let notes = two.governors.notes.clone();
    let network = two.governors.network();
    two.members[1].give(network, &notes);
    two.members[1].start();
    let (a, b) = (one.at(0), two.at(1));
    assert_ne!(b.send(b"x", &[two.at(0)], None).status, 201, "another key answers there");
    let foreign = a.publish(&notes[1]);
    assert_eq!(foreign.status, 422);
    assert!(foreign.text().contains("network"), "{}", foreign.text());
    assert_eq!(a.version(), 2);
    assert_eq!(Request::get("/governance/status").send(&a.admin).json()["network"], one.governors.network().to_string());
}
