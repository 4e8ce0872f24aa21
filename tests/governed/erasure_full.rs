//! A full disk in the middle of an erasure, at the member that orders it and at a holder: nothing is half done, nothing is claimed that
//! is not so, and it ends when there is room.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::erasure::{QUICK, case, certificate, copy, erase, must, wait_for};
use crate::http::Request;
use crate::member::Member;
use crate::net::Net;

/// A small file system over a folder, unmounted when dropped.
struct Small(PathBuf);

impl Small {
    /// `None`, with a plain message, where we may not mount.
    fn over(folder: &Path) -> Option<Self> {
        let aside = folder.with_extension("aside");
        copy(folder, &aside);
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=96m,mode=0700", "tmpfs"]).arg(folder).status();
        if !mounted.is_ok_and(|status| status.success()) {
            println!("skipped: mounting a small file system needs root");
            return None;
        }
        for entry in std::fs::read_dir(&aside).unwrap().flatten() {
            copy(&entry.path(), folder);
        }
        Some(Self(folder.to_owned()))
    }

    /// Not a byte is left.
    fn fill(&self) {
        let mut ballast = std::fs::File::create(self.0.join("ballast")).unwrap();
        for block in [vec![1; 1 << 20], vec![1; 512]] {
            while ballast.write_all(&block).is_ok() {}
        }
    }

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("ballast")).unwrap();
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

const ITEMS: u8 = 20;

/// Two members, of which one has a small disk, and payloads from the first to the second.
fn net(small: usize) -> Option<(Net, Small, Vec<String>)> {
    let mut net = Net::prepare(&["a", "b"]);
    let disk = Small::over(&net.at(small).folder.join("data"))?;
    for member in &mut net.members {
        QUICK.clone_into(&mut member.extra);
        member.spawn(&[]);
    }
    net.members.iter_mut().for_each(Member::wait);
    let ids = (0..ITEMS).map(|n| net.at(0).sent(&[n; 2_000], &[net.at(1)])).collect();
    Some((net, disk, ids))
}

/// What the store had set aside for its log is used up, too: large payloads first, then small ones.
fn exhaust(net: &Net, disk: &Small) {
    disk.fill();
    for size in [400_000, 20_000, 500] {
        let mut refused = 0;
        for round in 0..300_u32 {
            let payload = [&round.to_be_bytes()[..], &vec![7; size]].concat();
            refused += u32::from(net.at(0).send(&payload, &[net.at(1)], None).status != 201);
            if refused == 3 {
                break;
            }
        }
        assert_eq!(refused, 3, "the disk never became full");
    }
}

fn readable(member: &Member, ids: &[String]) -> usize {
    ids.iter().filter(|id| member.receive(id).is_some()).count()
}

/// All or nothing: never some of an order.
#[track_caller]
fn all_or_none(member: &Member, ids: &[String]) -> usize {
    let count = readable(member, ids);
    assert!(count == 0 || count == ids.len(), "{}: {count} of {} are readable\n{}", member.id, ids.len(), member.log());
    count
}

fn by_ids(ids: &[String]) -> Vec<&str> {
    ids.iter().flat_map(|id| ["--id", id.as_str()]).collect()
}

fn ends(net: &Net, name: &str, ids: &[String]) {
    let (a, b) = (net.at(0), net.at(1));
    for member in [a, b] {
        member.wait_until(|| readable(member, ids) == 0, "it is not erased");
    }
    wait_for(a, name, "purged");
    a.wait_until(|| case(a, name)["holders"][1]["level"].as_u64() >= Some(2), "b is not purged");
    for member in [a, b] {
        let admin = crate::erasure::admin(member);
        must(&["root", "rotate", "--admin", &admin]);
    }
    wait_for(a, name, "certified");
    let said = verified(net, name);
    assert!(said.contains("complete: every holder"), "{said}");
}

fn verified(net: &Net, name: &str) -> String {
    let a = net.at(0);
    let file = certificate(a, name, &a.folder.join("certificate"));
    must(&["certificate", "verify", "--network", &net.governors.network().to_string(), &file])
}

#[test]
fn a_holder_without_room_claims_nothing_and_goes_on_when_there_is_some() {
    let Some((mut net, disk, ids)) = net(1) else { return };
    exhaust(&net, &disk);
    let (a, b) = (net.at(0), net.at(1));
    let name = erase(a, &by_ids(&ids));
    a.wait_until(|| readable(a, &ids) == 0, "its own copies are not erased");
    a.wait_until(|| case(a, &name)["holders"][1]["error"].is_string(), "nobody asked b");
    // Some turns of both later, nothing is half done and nothing is claimed.
    std::thread::sleep(std::time::Duration::from_secs(4));
    all_or_none(b, &ids);
    let holder = case(a, &name)["holders"][1].clone();
    assert_eq!((holder["level"].as_u64(), holder["done"].as_u64()), (Some(0), Some(0)), "{holder}\n{}", b.log());
    let said = verified(&net, &name);
    assert!(said.contains("20 x no answer") && said.contains("NOT complete yet"), "{said}");
    assert!(b.log().contains("CEL4"), "the log names the cause:\n{}", b.log());
    disk.make_room();
    net.members[1].kill();
    net.members[1].start();
    ends(&net, &name, &ids);
}

#[test]
fn a_controller_without_room_orders_nothing_half_and_goes_on_when_there_is_some() {
    let Some((mut net, disk, ids)) = net(0) else { return };
    let body = serde_json::json!({ "scope": { "by": "items", "of": ids }, "ground": "objection", "urgent": false }).to_string();
    let opened = Request::post("/erasures", "application/json", body.as_bytes()).send(&net.at(0).admin).must(201).json();
    let name = opened["id"].as_str().unwrap().to_owned();
    let path = format!("/erasures/{name}/erase");
    let decide = |member: &Member| Request::post(&path, "application/json", b"{}").send(&member.admin).status;
    exhaust(&net, &disk);
    let (a, b) = (net.at(0), net.at(1));
    let status = decide(a);
    std::thread::sleep(std::time::Duration::from_secs(4));
    let state = case(a, &name)["state"].clone();
    println!("decided with a full disk: status {status}, the case is {state}");
    if state == "requested" {
        assert_ne!(status, 200, "it was not decided");
        assert_eq!((readable(a, &ids), readable(b, &ids)), (ids.len(), ids.len()), "erased without a decision");
    } else {
        all_or_none(a, &ids);
        all_or_none(b, &ids);
        assert_eq!(state, "erasing", "it claims a level without room to write one");
    }
    disk.make_room();
    net.members[0].kill();
    net.members[0].start();
    // What was decided goes on by itself; what was not is decided now.
    if case(net.at(0), &name)["state"] == "requested" {
        assert_eq!(decide(net.at(0)), 200);
    }
    ends(&net, &name, &ids);
}
