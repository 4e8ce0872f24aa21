use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::tempdir;

use crate::member::{Member, network, payload};

/// A small file system of its own, unmounted when dropped.
struct Small(PathBuf);

impl Small {
    /// `None`, with a plain message, where we may not mount.
    fn mount(path: &Path, options: &str) -> Option<Self> {
        std::fs::create_dir_all(path).expect("a folder");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(path).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(path.to_owned()));
        }
        println!("skipped: mounting a small file system needs root");
        None
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let status = Command::new("mount").args(["-o", &options]).arg(&self.0).status().expect("mount runs");
        assert!(status.success(), "remount {options}");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_refuses_and_loses_nothing_that_was_acknowledged() {
    let folder = tempdir().expect("a folder");
    let mut members = network(folder.path(), 2);
    let Some(small) = Small::mount(&members[1].data, "size=24m,mode=0700") else { return };
    members.iter_mut().for_each(Member::start);
    let recipient = members[1].key.clone();
    members[0].meet(&[&recipient]);
    let mut acked = Vec::new();
    let mut refused = 0;
    for seed in 0..200 {
        match members[0].send(&payload(seed, 400_000), &[&recipient]) {
            Some(id) => acked.push((seed, id)),
            None => refused += 1,
        }
        if refused > 5 {
            break;
        }
    }
    assert!(refused > 5, "the disk never became full");
    assert!(!acked.is_empty(), "nothing was acknowledged: this proves nothing");
    let body = members[1].call("GET", "/upcheck", b"").expect("it still answers");
    assert_eq!(body.status, 200);
    for (seed, id) in &acked {
        assert_eq!(members[1].receive(id), (200, payload(*seed, 400_000)), "while full");
    }
    assert!(members[1].log().contains("CEL4002"), "the log names the cause:\n{}", members[1].log());

    small.remount("size=200m");
    members[1].kill();
    members[1].start();
    for (seed, id) in &acked {
        assert_eq!(members[1].receive(id), (200, payload(*seed, 400_000)), "after there is room again");
    }
    members[0].meet(&[&recipient]);
    members[1].stop();
    let fsck = members[1].fsck();
    assert!(fsck.status.success(), "{}", String::from_utf8_lossy(&fsck.stdout));
}

#[test]
fn a_read_only_disk_stops_the_start_with_a_clear_error() {
    let folder = tempdir().expect("a folder");
    let mut members = network(folder.path(), 1);
    let member = &mut members[0];
    let Some(small) = Small::mount(&member.data, "size=64m,mode=0700") else { return };
    member.start();
    assert_eq!(member.stop(), Some(0));
    small.remount("ro,size=64m");
    let run = Command::new(crate::member::CELOSIA).args(["run", "--config"]).arg(member.config()).output().expect("it runs");
    let text = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(!run.status.success());
    assert!(text.contains("CEL4") && text.to_lowercase().contains("read-only"), "{text}");
    small.remount("rw,size=64m");
    member.start();
}
