//! What a network lives through.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::http::Request;
use crate::keys::random_bytes;
use crate::member::Member;
use crate::net::Net;

fn celosia(arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_celosia")).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

fn signal(name: &str, member: &Member) {
    assert!(Command::new("kill").args([name, &member.pid().to_string()]).status().unwrap().success());
}

/// Killed at any moment of sends, publications, sequencing and new epoch keys (each start makes one): what was acknowledged is on both
/// sides, no log forks, everybody is on the newest version.
#[test]
fn kill_nine_at_any_moment_loses_nothing_and_forks_no_log() {
    let mut net = Net::start(&["a", "b", "c"]);
    let acknowledged: Mutex<Vec<(String, Vec<u8>)>> = Mutex::new(Vec::new());
    let published = Mutex::new(2);
    for round in 0..10_u64 {
        let note = net.governors.policy(|policy| policy.grace = format!("{}h", 24 + round).parse().unwrap());
        let stop = AtomicBool::new(false);
        let Net { members, .. } = &mut net;
        let (victim, others) = members.split_at_mut(1);
        let (victim, others) = (&mut victim[0], &*others);
        std::thread::scope(|scope| {
            let (b, c) = (&others[0], &others[1]);
            let to = victim.keys.public.clone();
            for sender in [b, c] {
                let (acknowledged, stop, to) = (&acknowledged, &stop, to.clone());
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        let payload = random_bytes(300);
                        let body = serde_json::json!({ "payload": data_encoding::BASE64.encode(&payload), "to": [to] });
                        let answer = Request::post("/send", crate::http::JSON, body.to_string().as_bytes()).send(&sender.node);
                        if answer.status == 201 {
                            let id = answer.json()["key"].as_str().unwrap().to_owned();
                            acknowledged.lock().unwrap().push((id, payload));
                        }
                    }
                });
            }
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(60));
                let published_at = b.publish(&note);
                assert_eq!(published_at.status, 200, "{}", published_at.text());
                *published.lock().unwrap() = published_at.json()["version"].as_u64().unwrap();
            });
            let mut random = [0; 2];
            getrandom::fill(&mut random).unwrap();
            std::thread::sleep(Duration::from_millis(50 + u64::from(u16::from_le_bytes(random)) % 1200));
            victim.kill();
            victim.start();
            std::thread::sleep(Duration::from_millis(300));
            stop.store(true, Ordering::Relaxed);
        });
    }
    let version = *published.lock().unwrap();
    net.members.iter().for_each(|member| member.wait_for_version(version));
    let acknowledged = acknowledged.into_inner().unwrap();
    assert!(acknowledged.len() > 100, "{} sends", acknowledged.len());
    let a = net.at(0);
    for (id, payload) in &acknowledged {
        assert_eq!(a.receive(id).as_ref(), Some(payload));
    }
    // The log goes on from every checkpoint that was ever shown: nobody saw a fork or a rollback.
    std::thread::sleep(Duration::from_secs(6));
    for member in &net.members {
        let log = member.log();
        assert!(!log.contains("was not cosigned") && !log.contains("CEL3211"), "{log}");
    }
    net.members.iter_mut().for_each(Member::stop);
    for member in &net.members {
        let folder = member.folder.join("data/journal/log");
        let key = format!(
            "{}",
            celosia::translog::note::NoteKey {
                name: celosia::services::log_name(&net.governors.network(), &member.id.parse().unwrap(), 1),
                key: member.signing().verify_key(),
            }
        );
        let (good, text) = celosia(&["verify", "log", folder.to_str().unwrap(), "--key", &key]);
        assert!(good, "{}: {text}", member.id);
    }
}

/// Stands still while the others go on, as a split or a paused machine does; afterwards it is on the newest version by itself.
#[test]
fn a_member_behind_a_split_catches_up() {
    let mut net = Net::start(&["a", "b", "c"]);
    signal("-STOP", net.at(2));
    for hours in 1..6 {
        let note = net.governors.policy(|policy| policy.grace = format!("{hours}h").parse().unwrap());
        net.at(0).publish(&note).must(200);
    }
    let a = net.at(0);
    a.wait_until(|| net.at(1).version() == 7, "b does not follow");
    a.wait_until(
        || {
            let status = a.governance();
            let members = status["members"].as_array().unwrap();
            let behind: Vec<_> =
                members.iter().filter(|member| member["version"] != 7).map(|member| member["id"].clone()).collect();
            behind == ["c"] && status["behind"] == 1
        },
        "it does not see that c alone is behind",
    );
    // A send to it fails in time, and b, which had it, gives it back.
    let begun = Instant::now();
    let failed = a.send(b"x", &[net.at(1), net.at(2)], None);
    assert_ne!(failed.status, 201);
    assert!(begun.elapsed() < Duration::from_secs(20));
    signal("-CONT", net.at(2));
    net.at(2).wait_for_version(7);
    let id = a.sent(b"back", &[net.at(2)]);
    assert_eq!(net.at(2).receive(&id).as_deref(), Some(&b"back"[..]));
    a.wait_until(|| a.governance()["behind"] == 0, "a does not hear of it");
}

/// The library that turns a process's clock; `scripts/setup test` installs it.
fn faketime() -> PathBuf {
    let found = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"]
        .map(|folder| Path::new(folder).join("faketime/libfaketime.so.1"))
        .into_iter()
        .find(|path| path.exists());
    found.expect("libfaketime: `scripts/setup test` installs it")
}

/// Variables of a process whose clock is moved.
pub fn clock(by: &str) -> Vec<(String, String)> {
    vec![
        ("LD_PRELOAD".into(), faketime().display().to_string()),
        ("FAKETIME".into(), by.into()),
        ("FAKETIME_DONT_FAKE_MONOTONIC".into(), "1".into()),
    ]
}

#[test]
fn clocks_that_are_an_hour_apart_are_told_of() {
    let mut net = Net::prepare(&["a", "b"]);
    net.members[1].variables = clock("+1h");
    net.members.iter_mut().for_each(Member::start);
    let (a, b) = (net.at(0), net.at(1));
    for (from, to) in [(a, b), (b, a)] {
        let answer = from.send(b"x", &[to], None);
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert!(answer.text().contains("clock") && answer.text().contains("CEL3206"), "{}", answer.text());
    }
    a.wait_until(|| a.log().contains("the clocks of this node and of a member differ"), "it is not in the log");
    // A document of the wrong clock's future is refused by the other, and named.
    assert!(!a.log().contains("panicked") && !b.log().contains("panicked"));
}

/// The enclave as a process of its own: signing key and epoch keys are there, and nowhere else.
#[test]
fn a_governed_enclave_of_its_own_is_killed_and_comes_back() {
    struct Enclave(Child);
    impl Drop for Enclave {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
    let mut net = Net::prepare(&["a", "b"]);
    let folder = net.at(0).folder.clone();
    let start = || {
        let child = Command::new(env!("CARGO_BIN_EXE_celosia"))
            .args(["enclave", "--config"])
            .arg(folder.join("enclave.toml"))
            .stdin(Stdio::null())
            .stderr(fs::OpenOptions::new().create(true).append(true).open(folder.join("enclave.log")).unwrap())
            .spawn();
        Enclave(child.unwrap())
    };
    net.members[0].hold_keys_elsewhere(&folder);
    let enclave = start();
    net.members[0].start();
    net.members[1].start();
    let id = net.at(0).sent(b"one", &[net.at(1)]);
    let back = net.at(1).sent(b"two", &[net.at(0)]);
    drop(enclave);
    let _enclave = start();
    let (a, b) = (net.at(0), net.at(1));
    a.wait_until(|| a.send(b"three", &[b], None).status == 201, "it does not send again");
    // The epoch key of before the restart is gone: the peer asks for the new one, and nobody notices.
    b.wait_until(|| b.send(b"four", &[a], None).status == 201, "it does not receive again");
    assert_eq!((a.receive(&back).as_deref(), b.receive(&id).as_deref()), (Some(&b"two"[..]), Some(&b"one"[..])));
    // The node's own memory holds neither signing seed nor identity key.
    let memory = memory(a.pid());
    assert!(memory.len() > 1 << 20);
    let holds = |needle: &[u8]| memory.windows(needle.len()).any(|window| window == needle);
    assert!(!holds(&a.seed), "the signing seed is in the node's memory");
    let private = data_encoding::BASE64.decode(a.keys.private.as_bytes()).unwrap();
    assert!(!holds(&private), "an identity key is in the node's memory");
    assert!(holds(a.id.as_bytes()), "the search finds what is there");
}

/// What a process can read of itself and write to.
fn memory(pid: u32) -> Vec<u8> {
    use std::os::unix::fs::FileExt as _;
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let file = fs::File::open(format!("/proc/{pid}/mem")).unwrap();
    let mut all = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let range = line.split(' ').next().unwrap();
        let (from, to) = range.split_once('-').unwrap();
        let (from, to) = (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        if file.read_exact_at(&mut bytes, from).is_ok() {
            all.extend(bytes);
        }
    }
    all
}
