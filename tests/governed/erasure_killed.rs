//! `kill -9` at every durable step of an erasure, at the member that orders it and at a holder: each write to the disk in its turn is where
//! the process ends.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::erasure::{admin, case, certificate, must, quick, wait_for};
use crate::http::{Request, Target};
use crate::member::Member;
use crate::net::Net;

/// The store's log goes to the disk with the first, files of keys with the others.
const STORE: &str = "fdatasync";
const KEYS: &str = "fsync,?rename,?renameat,?renameat2";
/// Writes of an erasure, at most, until its second level.
const STORE_STEPS: u32 = 18;
const KEY_STEPS: u32 = 3;

/// Kills a process with SIGKILL at a write, counted from now on: strace as debuggers are used.
struct Trap(Child);

impl Trap {
    fn set(member: &Member, calls: &str, count: u32) -> Self {
        let mut child = Command::new("strace")
            .args(["-f", "-o", "/dev/null", "-e", &format!("trace={calls}")])
            .args(["-e", &format!("inject={calls}:signal=KILL:when={count}"), "-p", &member.pid().to_string()])
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("strace: `scripts/setup test` installs it");
        let mut said = String::new();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        lines.read_line(&mut said).unwrap();
        assert!(said.contains("attached"), "strace cannot attach: {said}");
        std::thread::spawn(move || lines.lines().for_each(drop));
        Self(child)
    }

    /// Whether it sprang before `done` holds.
    fn sprang(mut self, mut done: impl FnMut() -> bool) -> bool {
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            // It ends with the process that it watches.
            if self.0.try_wait().unwrap().is_some() {
                return true;
            }
            if done() || Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Trap {
    fn drop(&mut self) {
        // SIGTERM: it lets the process go on.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

fn decide(member: &Member, name: &str) -> std::net::TcpStream {
    let Target::Tcp(port) = member.admin else { unreachable!("a port") };
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let head = format!(
        "POST /erasures/{name}/erase HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
    stream
}

/// The case, where the node still answers.
fn look(member: &Member, name: &str) -> Option<serde_json::Value> {
    Request::get(&format!("/erasures/{name}"))
        .try_send(&member.admin)
        .filter(|answer| answer.status == 200)
        .map(|answer| answer.json())
}

#[test]
fn killed_at_every_write_of_an_erasure_at_either_side_every_order_ends() {
    let mut net = quick(&["a", "b"]);
    let kept = net.at(0).sent(b"about nobody", &[net.at(1)]);
    let mut traps = Vec::new();
    for (calls, steps) in [(STORE, STORE_STEPS), (KEYS, KEY_STEPS)] {
        for count in 1..=steps {
            traps.extend([(0, calls, count), (1, calls, count)]);
        }
    }
    let (mut cases, mut sprung) = (Vec::new(), 0);
    for (victim, calls, count) in traps {
        let (a, b) = (net.at(0), net.at(1));
        let mut id = None;
        // A member that was just killed may still be unknown to the other's connections.
        a.wait_until(
            || {
                let answer = a.send(&[&count.to_be_bytes()[..], calls.as_bytes(), &[victim]].concat(), &[b], None);
                id = (answer.status == 201).then(|| answer.json()["key"].as_str().unwrap().to_owned());
                id.is_some()
            },
            "it cannot send",
        );
        let id = id.unwrap();
        let body =
            serde_json::json!({ "scope": { "by": "items", "of": [id] }, "ground": "objection", "urgent": false }).to_string();
        let opened = Request::post("/erasures", "application/json", body.as_bytes()).send(&a.admin).must(201).json();
        let name = opened["id"].as_str().unwrap().to_owned();
        let trap = Trap::set(net.at(victim.into()), calls, count);
        let caller = decide(a, &name);
        let done = || {
            let case = look(a, &name).unwrap_or_default();
            case["state"] == "purged" && case["holders"][1]["level"].as_u64() >= Some(2)
        };
        if trap.sprang(done) {
            sprung += 1;
            let victim = &mut net.members[usize::from(victim)];
            victim.kill();
            victim.start();
        }
        drop(caller);
        cases.push((name, id));
    }
    println!("{sprung} of {} traps sprang", cases.len());
    assert!(sprung * 2 > cases.len(), "{sprung} of {}: this proves little", cases.len());
    for (name, _) in &cases {
        // Killed before the decision was written down, it was not decided.
        if case(net.at(0), name)["state"] == "requested" {
            drop(Request::post(&format!("/erasures/{name}/erase"), "application/json", b"{}").send(&net.at(0).admin).must(200));
        }
    }
    let (a, b) = (net.at(0), net.at(1));
    for (name, id) in &cases {
        wait_for(a, name, "purged");
        a.wait_until(|| case(a, name)["holders"][1]["level"].as_u64() >= Some(2), "an order was lost");
        assert_eq!((a.receive(id), b.receive(id)), (None, None));
    }
    for member in [a, b] {
        must(&["root", "rotate", "--admin", &admin(member)]);
    }
    let network = net.governors.network().to_string();
    for (name, _) in &cases {
        wait_for(a, name, "certified");
        let file = certificate(a, name, &a.folder.join("certificate"));
        let said = must(&["certificate", "verify", "--network", &network, &file]);
        assert!(said.contains("complete: every holder"), "{said}");
    }
    assert_eq!(b.receive(&kept).as_deref(), Some(&b"about nobody"[..]));
    restarted_is_clean(&mut net);
}

/// Nothing half done is left in either store.
fn restarted_is_clean(net: &mut Net) {
    for member in &mut net.members {
        member.stop();
        let config = member.folder.join("celosia.toml");
        must(&["fsck", "--config", config.to_str().unwrap()]);
    }
}
