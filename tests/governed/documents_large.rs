//! A document that is larger than what the processes may hold, and what happens to it when they are killed.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::documents::{get, info};
use crate::http::Request;
use crate::member::Member;
use crate::net::Net;

const MIB: usize = 1 << 20;
const SIZE: usize = 300 * MIB;

/// A file that repeats nothing, made without holding it.
fn file(path: &Path, size: usize) {
    let mut file = File::create(path).unwrap();
    let mut block = vec![0; MIB];
    for _ in 0..size / MIB {
        getrandom::fill(&mut block[..4096]).unwrap();
        file.write_all(&block).unwrap();
    }
}

fn same(a: &Path, b: &Path) -> bool {
    let (mut a, mut b) = (File::open(a).unwrap(), File::open(b).unwrap());
    let (mut left, mut right) = (vec![0; MIB], vec![0; MIB]);
    loop {
        let length = a.read(&mut left).unwrap();
        if length == 0 {
            return b.read(&mut right).unwrap() == 0;
        }
        b.read_exact(&mut right[..length]).unwrap();
        if left[..length] != right[..length] {
            return false;
        }
    }
}

/// The most memory that the process ever held, MiB.
fn peak(of: &Member) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", of.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() / 1024
}

/// Without optimisation, on a machine that does something else, it takes its time.
fn wait_long(mut done: impl FnMut() -> bool, of: &Member) {
    let deadline = Instant::now() + Duration::from_mins(8);
    while !done() {
        assert!(Instant::now() < deadline, "it takes too long:\n{}", of.log());
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn celosia(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_celosia")).args(arguments).output().unwrap();
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{arguments:?}: {told}");
    told
}

#[test]
fn a_document_of_300_mib_passes_through_processes_that_never_hold_100() {
    let mut net = Net::start(&["a", "b"]);
    let folder = net.folder.path().to_owned();
    let (source, target) = (folder.join("large"), folder.join("back"));
    file(&source, SIZE);
    let before = [peak(net.at(0)), peak(net.at(1))];
    let config = |of: &Member| of.folder.join("celosia.toml").display().to_string();
    let to = net.at(1).keys.public.clone();
    let told = celosia(&["doc", "put", "--config", &config(net.at(0)), source.to_str().unwrap(), "--to", &to]);
    let hex = told.lines().find_map(|line| line.strip_prefix("bytes32 ")).unwrap().to_owned();
    // The recipient is killed in the middle, and takes up where it was.
    let arrived = |net: &Net| {
        let files = std::fs::read_dir(net.at(1).folder.join("data/documents")).into_iter().flatten().flatten();
        files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum::<u64>()
    };
    wait_long(|| arrived(&net) > 40 << 20, net.at(0));
    let peak_of_b = peak(net.at(1));
    net.members[1].kill();
    let there = arrived(&net);
    assert!(there < SIZE as u64, "it was too fast to be interrupted");
    net.members[1].start();
    // Not seen before it is whole.
    let early = Request::get(&format!("/documents/{hex}")).send(&net.at(1).application);
    assert!(early.status == 409 || early.status == 200, "{}", early.text());
    wait_long(|| info(net.at(1), &hex)["state"] == "here", net.at(1));
    assert_eq!(info(net.at(1), &hex)["root"], info(net.at(0), &hex)["root"]);
    celosia(&["doc", "get", "--config", &config(net.at(1)), &hex, "--output", target.to_str().unwrap()]);
    assert!(same(&source, &target));
    let after = [peak(net.at(0)), peak(net.at(1)).max(peak_of_b)];
    println!("peak resident memory in MiB, before {before:?}, after {after:?}");
    assert!(after.iter().all(|peak| *peak < 100), "before {before:?}, after {after:?}");
}

#[test]
fn a_killed_sender_goes_on_with_its_deliveries() {
    let mut net = Net::start(&["a", "b"]);
    let folder = net.folder.path().to_owned();
    let source = folder.join("large");
    file(&source, 64 * MIB);
    let config = net.at(0).folder.join("celosia.toml").display().to_string();
    let to = net.at(1).keys.public.clone();
    let told = celosia(&["doc", "put", "--config", &config, source.to_str().unwrap(), "--to", &to]);
    let hex = told.lines().find_map(|line| line.strip_prefix("bytes32 ")).unwrap().to_owned();
    net.members[0].kill();
    net.members[0].start();
    wait_long(|| info(net.at(0), &hex)["recipients"][0]["state"] == "delivered", net.at(0));
    assert_eq!(get(net.at(1), &hex).body.len(), 64 * MIB);
}
