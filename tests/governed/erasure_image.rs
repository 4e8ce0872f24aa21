//! Images of the disks of all members, taken before an erasure, and every key of now: nothing opens, and one step earlier it does.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::erasure::{QUICK, admin, case, copy, erase, must, wait_for};
use crate::keys::random_bytes;
use crate::member::Member;
use crate::net::Net;

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin").output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// An ext4 file system with all that a member's machine has, but the root: that is kept elsewhere.
fn image(member: &Member, name: &str) -> PathBuf {
    let file = member.folder.with_file_name(format!("{}-{name}.ext4", member.id));
    run("mke2fs", &["-q", "-F", "-t", "ext4", "-d", member.folder.to_str().unwrap(), file.to_str().unwrap(), "256M"]);
    file
}

/// `celosia scan --json`: exit code and report.
fn scan(arguments: &[&str]) -> (Option<i32>, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_celosia")).args(["scan", "--json"]).args(arguments).output().unwrap();
    let report = serde_json::from_slice(&output.stdout);
    (output.status.code(), report.unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr))))
}

fn root_of(member: &Member) -> PathBuf {
    member.folder.with_file_name(format!("{}-root", member.id))
}

/// Whoever has the image of a member's disk: its files, laid out anew.
struct Thief {
    folder: PathBuf,
    attempts: u32,
}

impl Thief {
    fn of(member: &Member, image: &Path) -> Self {
        let folder = member.folder.with_file_name(format!("{}-stolen", member.id));
        std::fs::create_dir_all(&folder).unwrap();
        run("debugfs", &["-R", &format!("rdump / {}", folder.display()), image.to_str().unwrap()]);
        assert!(folder.join("data/store/CURRENT").exists(), "the image has the store");
        Self { folder, attempts: 0 }
    }

    /// Tries with the root of now and, `with_trees`, the key trees of now: what `celosia scan` can look for says what opens.
    fn opens(&mut self, member: &Member, id: &str, with_trees: bool) -> bool {
        self.attempts += 1;
        let at = self.folder.with_file_name(format!("{}-attempt-{}", member.id, self.attempts));
        copy(&self.folder, &at);
        let (trees, root) = (at.join("data/enclave"), at.join("root"));
        copy(&root_of(member), &root);
        // Key files, certificates: all that is not the store comes from now.
        for name in ["k.key", "sign.key", "node.key"] {
            std::fs::copy(member.folder.join(name), at.join(name)).unwrap();
        }
        if with_trees {
            std::fs::remove_dir_all(&trees).unwrap();
            copy(&member.folder.join("data/enclave"), &trees);
        }
        let config = std::fs::read_to_string(member.folder.join("celosia.toml")).unwrap();
        let config = config
            .replace(&root_of(member).display().to_string(), &root.display().to_string())
            .replace(&format!("{}/", member.folder.display()), &format!("{}/", at.display()));
        let file = at.join("adversary.toml");
        std::fs::write(&file, config).unwrap();
        let file = file.to_str().unwrap();
        let (_, report) = scan(&["--for", id, "--config", file, file]);
        let searched = report["searched-for"].to_string();
        assert!(searched.contains("ciphertext") && searched.contains("sealed head"), "the image has it: {report:#}");
        searched.contains("data key")
    }
}

#[test]
fn images_of_every_disk_and_all_keys_of_now_open_nothing_after_e3() {
    let mut net = Net::prepare(&["a", "b", "c"]);
    for member in &mut net.members {
        std::fs::create_dir_all(root_of(member)).unwrap();
        member.extra = format!("{QUICK}[root]\nkind = \"file\"\nfolder = \"{}\"\n", root_of(member).display());
        member.spawn(&[]);
    }
    net.members.iter_mut().for_each(Member::wait);
    let text = random_bytes(4_000);
    let gone = net.at(0).sent(&text, &[net.at(1), net.at(2)]);
    let kept = net.at(0).sent(b"about nobody", &[net.at(1), net.at(2)]);
    net.members.iter_mut().for_each(Member::stop);

    // What is looked for, in the images: the control of the search.
    let mut thieves = Vec::new();
    for member in &net.members {
        let needles = member.folder.with_file_name(format!("{}-needles", member.id));
        let (needles, config) = (needles.to_str().unwrap().to_owned(), member.folder.join("celosia.toml"));
        let before = image(member, "before");
        scan(&["--for", &gone, "--config", config.to_str().unwrap(), "--save", &needles, before.to_str().unwrap()]);
        let (exit, report) = scan(&["--needles", &needles, before.to_str().unwrap()]);
        let found = report["found"].to_string();
        assert!(exit == Some(1) && found.contains("ciphertext") && found.contains("sealed head"), "{report:#}");
        thieves.push((Thief::of(member, &before), needles));
    }
    net.members.iter_mut().for_each(|member| member.spawn(&[]));
    net.members.iter_mut().for_each(Member::wait);

    let name = erase(net.at(0), &["--id", &gone]);
    let a = net.at(0);
    wait_for(a, &name, "purged");
    for holder in 1..3 {
        a.wait_until(|| case(a, &name)["holders"][holder]["level"].as_u64() >= Some(2), "a holder is not purged");
    }
    // One step earlier: whoever has an image and can use the root opens it. With the key trees of now it is gone already.
    for (member, (thief, _)) in net.members.iter().zip(&mut thieves) {
        assert!(thief.opens(member, &gone, false), "{}: the control must open it", member.id);
        assert!(!thief.opens(member, &gone, true), "{}: its leaf is punctured", member.id);
        assert!(thief.opens(member, &kept, true), "{}: what is kept opens with all keys of now", member.id);
    }
    for member in &net.members {
        must(&["root", "rotate", "--admin", &admin(member)]);
    }
    wait_for(a, &name, "certified");
    for (member, (thief, _)) in net.members.iter().zip(&mut thieves) {
        for with_trees in [false, true] {
            assert!(!thief.opens(member, &gone, with_trees), "{}: it opens after E3", member.id);
        }
        assert!(thief.opens(member, &kept, true), "{}: the tool still opens what is kept", member.id);
        assert_eq!(member.receive(&kept).as_deref(), Some(&b"about nobody"[..]));
    }
    // Nothing of it is in an image of any disk as it is now.
    net.members.iter_mut().for_each(Member::stop);
    for (member, (_, needles)) in net.members.iter().zip(&thieves) {
        let now = image(member, "now");
        let (exit, report) = scan(&["--needles", needles, now.to_str().unwrap()]);
        assert_eq!((exit, &report["found"]), (Some(0), &serde_json::json!([])), "{}: {report:#}", member.id);
    }
}
