//! Checks that need members configured, stopped or damaged in their own way.

use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Scenario, table};
use crate::http::Request;
use crate::member::{Maker, Member, path_text};
use crate::net::{Net, holds, lacks, path_of, private_request, request, send, sorted, texts};

pub(super) const SCENARIOS: &[Scenario] = table![
    a_whitelist_without_the_caller_closes_the_peer_surface,
    a_whitelist_with_the_caller_opens_it,
    without_discovery_strangers_stay_unknown,
    keys_are_proved_when_that_is_asked_for,
    single_elements_stand_for_lists,
    a_locked_key_opens_with_its_password,
    generated_keys_are_never_overwritten,
    always_sent_to,
    a_stopped_member_leaves_its_port_and_comes_back,
    a_member_that_is_away_fails_the_send,
    recovery_brings_everything_back,
];

pub(super) fn alone(maker: Maker, change: impl FnOnce(&mut Member)) -> (tempfile::TempDir, Member) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut member = Member::prepare(maker, &folder.path().join("m"));
    change(&mut member);
    member.start();
    (folder, member)
}

/// Side by side, which is faster than one after another.
fn start_all<const COUNT: usize>(mut members: [&mut Member; COUNT]) {
    for member in &mut members {
        member.spawn(&[]);
    }
    for member in members {
        member.wait();
    }
}

fn a_whitelist_without_the_caller_closes_the_peer_surface(maker: Maker, _: Maker) {
    let (_folder, member) = alone(maker, |member| {
        member.config["useWhiteList"] = json!(true);
        member.set_peers(&["http://nobody.invalid:9/".into()]);
    });
    for path in ["/upcheck", "/partyinfo", "/version/api"] {
        Request::get(path).send(&member.p2p).must(401);
    }
    Request::post("/push", "application/octet-stream", b"x").send(&member.p2p).must(401);
    member.get_text("/upcheck").must(200);
}

fn a_whitelist_with_the_caller_opens_it(first: Maker, second: Maker) {
    let net = Net::start_with(&[first, second], |_, member| member.config["useWhiteList"] = json!(true));
    let request = request(net.a(), &[net.b()]);
    holds(net.b(), &send(net.a(), &request), &request);
}

fn without_discovery_strangers_stay_unknown(first: Maker, second: Maker) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut closed = Member::prepare(first, &folder.path().join("closed"));
    let mut friend = Member::prepare(second, &folder.path().join("friend"));
    let mut stranger = Member::prepare(second, &folder.path().join("stranger"));
    let urls = [&closed, &friend, &stranger].map(Member::url);
    closed.set_peers(&urls[..2]);
    closed.config["disablePeerDiscovery"] = json!(true);
    friend.set_peers(&urls[..2]);
    stranger.set_peers(&[urls[0].clone(), urls[2].clone()]);
    start_all([&mut closed, &mut friend, &mut stranger]);
    closed.wait_for_keys(&[friend.key()]);
    friend.wait_for_keys(&[closed.key()]);
    // By now the stranger has announced itself as well, or does so within its interval.
    std::thread::sleep(Duration::from_secs(7));
    assert_eq!(sorted(closed.known_keys()), sorted(vec![closed.key().into(), friend.key().into()]));
    closed.post("/send", &request(&closed, &[&stranger])).must(404);
}

fn keys_are_proved_when_that_is_asked_for(first: Maker, second: Maker) {
    let net = Net::start_with(&[first, second], |_, member| {
        member.config["features"]["enableRemoteKeyValidation"] = json!("true");
    });
    for (from, to) in [(net.a(), net.b()), (net.b(), net.a())] {
        let request = request(from, &[to]);
        holds(to, &send(from, &request), &request);
    }
}

fn single_elements_stand_for_lists(first: Maker, second: Maker) {
    let net = Net::start_with(&[first, second], |_, member| {
        // Fields that files in the field hold, and that mean nothing today.
        member.config["version"] = json!("x");
        member.config["mode"] = json!("tessera");
        member.config["bootstrapNode"] = json!(false);
        member.config["disablePeerDiscovery"] = json!(false);
        member.config["jdbc"]["fetchSize"] = json!(0);
        let urls = member.config["peer"].as_array().expect("peers").clone();
        member.config["peer"] = urls.into_iter().find(|peer| peer["url"] != member.url()).expect("another");
        member.config["keys"]["keyData"] = member.config["keys"]["keyData"][0].clone();
        member.config["alwaysSendTo"] = json!(member.key());
    });
    let request = request(net.a(), &[net.b()]);
    holds(net.b(), &send(net.a(), &request), &request);
}

/// Parameters that a test can afford.
const SMALL_ARGON: &str = r#"{"variant":"id","memory":1024,"iterations":1,"parallelism":1}"#;

/// Runs the maker's key generation and types what a user would.
fn generate_keys(maker: Maker, folder: &std::path::Path, typed: &str) -> std::process::Output {
    let argon = folder.join("argon.json");
    std::fs::write(&argon, SMALL_ARGON).expect("argon parameters");
    let mut child = maker
        .run(&["-keygen", "--encryptor.type", "NACL", "-filename", path_text(&folder.join("new")), "-keygenconfig"])
        .arg(&argon)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("key generation starts");
    child.stdin.take().expect("its input").write_all(typed.as_bytes()).expect("typed");
    child.wait_with_output().expect("it ends")
}

fn a_locked_key_opens_with_its_password(maker: Maker, _: Maker) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut member = Member::prepare(maker, &folder.path().join("m"));
    let output = generate_keys(maker, &member.folder, "open sesame\nopen sesame\n");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<&str> = printed.lines().collect();
    for line in [
        "Enter a password if you want to lock the private key or leave blank",
        "Please re-enter the password (or lack of) to confirm",
    ] {
        assert!(lines.contains(&line), "{printed:?} without the line {line:?}");
    }
    let public = std::fs::read_to_string(member.folder.join("new.pub")).expect("a public key");
    assert_eq!(public.len(), 44);
    let file = std::fs::read(member.folder.join("new.key")).expect("a private key");
    let file: serde_json::Value = serde_json::from_slice(&file).expect("JSON");
    assert_eq!(file["type"], "argon2sbox");
    assert_eq!(file["data"]["aopts"]["memory"], 1024);
    std::fs::write(member.folder.join("passwords"), "open sesame\n").expect("passwords");
    let path = |name| path_text(&member.folder.join(name)).to_owned();
    member.config["keys"] = json!({
        "passwordFile": path("passwords"),
        "keyData": [{ "privateKeyPath": path("new.key"), "publicKeyPath": path("new.pub") }],
    });
    member.start();
    assert_eq!(member.known_keys(), [public.as_str()]);
    let request = json!({ "payload": "AAAA", "to": [] });
    assert_eq!(member.post("/send", &request).must(201).json()["senderKey"], public);
}

fn generated_keys_are_never_overwritten(maker: Maker, _: Maker) {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(generate_keys(maker, folder.path(), "\n\n").status.success());
    let first = std::fs::read_to_string(folder.path().join("new.key")).expect("a key file");
    assert!(first.contains("unlocked"));
    assert_eq!(generate_keys(maker, folder.path(), "\n\n").status.code(), Some(2));
    assert_eq!(std::fs::read_to_string(folder.path().join("new.key")).expect("a key file"), first);
}

fn always_sent_to(first: Maker, second: Maker) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sender = Member::prepare(first, &folder.path().join("sender"));
    let mut auditor = Member::prepare(second, &folder.path().join("auditor"));
    let urls = [&sender, &auditor].map(Member::url);
    sender.set_peers(&urls);
    auditor.set_peers(&urls);
    sender.config["alwaysSendTo"] = json!([auditor.key()]);
    start_all([&mut sender, &mut auditor]);
    sender.wait_for_keys(&[auditor.key()]);
    let request = request(&sender, &[]);
    let id = send(&sender, &request);
    holds(&auditor, &id, &request);
}

fn a_stopped_member_leaves_its_port_and_comes_back(maker: Maker, _: Maker) {
    let (_folder, mut member) = alone(maker, |_| {});
    let request = request(&member, &[]);
    let id = send(&member, &request);
    let stored = json!({ "payload": "AAAA" });
    let raw = crate::net::id_of(&member.post("/storeraw", &stored).must(200));
    member.stop();
    let deadline = Instant::now() + Duration::from_secs(1);
    while !member.is_port_free() {
        assert!(Instant::now() < deadline, "the port is still taken");
        std::thread::sleep(Duration::from_millis(20));
    }
    member.start();
    holds(&member, &id, &request);
    member.get(&format!("{}?isRaw=true", path_of(&raw))).must(200);
}

fn a_member_that_is_away_fails_the_send(first: Maker, second: Maker) {
    let mut net = Net::start(&[first, second]);
    net.members[1].stop();
    let request = request(net.a(), &[net.b()]);
    let answer = net.a().post("/send", &request);
    println!("recipient away: {} {}", answer.status, answer.text());
    assert!(answer.status >= 400, "{}", answer.status);
    net.members[1].start();
    net.meet();
    let id = send(net.a(), &request);
    holds(net.b(), &id, &request);
}

/// One member of three loses its database, and asks the others for everything.
fn recovery_brings_everything_back(first: Maker, second: Maker) {
    let mut net = Net::start(&[first, second, second]);
    let to_it = request(net.b(), &[net.a()]);
    let from_it = request(net.a(), &[net.b(), net.c()]);
    let protected = private_request(net.a(), &[net.b()], 1, &[]);
    let validated = private_request(net.b(), &[net.a(), net.c()], 3, &[]);
    let mut sent: Vec<(String, serde_json::Value)> = [(1, &to_it), (0, &from_it), (0, &protected), (1, &validated)]
        .map(|(from, request)| (send(&net.members[from], request), request.clone()))
        .into();
    let update = private_request(net.b(), &[net.a()], 1, &[&sent[2].0]);
    sent.push((send(net.b(), &update), update));
    net.members[0].stop();
    net.members[0].lose_data();
    net.members[0].spawn(&["--recover"]);
    let status = net.members[0].wait_end();
    assert!(status.success(), "{status}: {}", net.a().log_tail());
    net.members[0].start();
    for (id, request) in &sent {
        let answer = holds(net.a(), id, request);
        assert_eq!(sorted(texts(&answer["affectedContractTransactions"])), texts(&request["affectedContractTransactions"]));
    }
    let path = format!("{}/participants", path_of(&sent[1].0));
    let participants = net.a().get_text(&path).must(200).text();
    let all = sorted(net.members.iter().map(|member| member.key().to_owned()).collect());
    assert_eq!(
        sorted(participants.split(',').map(Into::into).collect()),
        all,
        "the sender knows its recipients again:\n{}",
        net.a().log_tail()
    );
    assert_eq!(net.a().get_text(&format!("{}/isSender", path_of(&sent[1].0))).must(200).text(), "true");
    lacks(net.a(), &crate::net::unknown_id());
}
