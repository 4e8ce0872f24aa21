//! Key trees and their root: `cargo bench --bench roots`. Punctures per second and size of a tree's state, for trees of both versions, and
//! what callers notice of a rotation.

#![allow(missing_docs, reason = "a benchmark")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use celosia::shred::{FileRoot, Forest, LeafRef};

/// Leaves of one tree that are in use.
const USED: u32 = 1 << 20;
/// How long callers are watched with rotations, and without.
const WATCHED: Duration = Duration::from_secs(10);

fn main() {
    sizes();
    rates();
    rotations();
}

/// A folder with one tree, and its number: of the first version, as the program wrote it before there was a second, or a new one.
fn tree(first_version: bool) -> (tempfile::TempDir, Forest, u32) {
    let folder = tempfile::tempdir().expect("a folder");
    if first_version {
        let fixture: serde_json::Value = serde_json::from_str(include_str!("../tests/vectors/key-folder-1.json")).expect("JSON");
        for name in ["root-1.key", "tree-00000001.key"] {
            let path = folder.path().join(name);
            let hex = fixture[name].as_str().expect("text");
            fs::write(&path, data_encoding::HEXLOWER.decode(hex.as_bytes()).expect("hex")).expect("written");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("ours alone");
        }
        let forest = open(folder.path());
        return (folder, forest, 1);
    }
    let forest = open(folder.path());
    let tree = forest.seal_new(b"", b"x").expect("sealed").leaf().tree;
    (folder, forest, tree)
}

fn open(folder: &Path) -> Forest {
    let root = FileRoot::open(folder).expect("a root");
    Forest::open(folder, Box::new(root)).expect("a forest")
}

/// A fixed sequence of leaves that looks random: the same in every run (Weyl sequence, mixed as in `SplitMix64`).
fn leaves(seed: u64) -> impl Iterator<Item = u32> {
    (1..).map(move |n: u64| {
        let mut x = n.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(seed);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        u32::try_from((x ^ (x >> 31)) % u64::from(USED)).expect("below the number of leaves")
    })
}

/// The state of a tree of 2^20 leaves after punctures at random, and after as many in a row.
fn sizes() {
    println!("state of one tree, 2^20 leaves in use");
    for count in [100, 1_000, 5_000, 10_000, 100_000] {
        let mut random: Vec<u32> = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        random.extend(leaves(7).filter(|leaf| seen.insert(*leaf)).take(count));
        let row: Vec<u32> = (0..u32::try_from(count).expect("few")).collect();
        let size = |first_version: bool, leaves: &[u32]| {
            let (folder, forest, tree) = tree(first_version);
            forest.puncture(&leaves.iter().map(|leaf| LeafRef { tree, leaf: *leaf }).collect::<Vec<_>>()).expect("punctured");
            fs::metadata(folder.path().join("tree-00000001.key")).expect("a tree").len()
        };
        for first_version in [true, false] {
            let (random, row) = (size(first_version, &random), size(first_version, &row));
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let each = random as f64 / count as f64;
            let version = if first_version { 1 } else { 2 };
            println!(
                "  version {version}, {count:>7} punctures: at random {random:>9} bytes ({each:.0} each), in a row {row:>6} bytes"
            );
        }
    }
}

/// Punctures per second of one caller, durable, in calls of several sizes; twice, turn by turn.
fn rates() {
    println!("punctures, durable when the call returns, random leaves of one tree");
    for batch in [1, 100, 1_000, 4_096, 10_000] {
        for first_version in [true, false, true, false] {
            let (_folder, forest, tree) = tree(first_version);
            let (mut next, began, mut done) = (leaves(11), Instant::now(), 0_u32);
            while began.elapsed() < Duration::from_secs(3) && done < 20_000 {
                let call: Vec<_> = next.by_ref().take(batch).map(|leaf| LeafRef { tree, leaf }).collect();
                forest.puncture(&call).expect("punctured");
                done += u32::try_from(batch).expect("small");
            }
            let version = if first_version { 1 } else { 2 };
            println!("  version {version}, {batch:>6} a call: {:>9.0} /s", f64::from(done) / began.elapsed().as_secs_f64());
        }
    }
}

/// The longest that a caller waited, with and without a rotation after the other.
fn rotations() {
    let folder = tempfile::tempdir().expect("a folder");
    // As after two months of starts, each day with some erasures; the last one has many.
    for day in 0..60_u64 {
        let forest = open(folder.path());
        let tree = forest.seal_new(b"", b"x").expect("sealed").leaf().tree;
        let count = if day == 59 { 10_000 } else { 200 };
        let punctures: Vec<_> = leaves(day).take(count).map(|leaf| LeafRef { tree, leaf }).collect();
        forest.puncture(&punctures).expect("punctured");
    }
    let forest = open(folder.path());
    forest.rotate().expect("rotated");
    let calm = watched(&forest, false);
    let busy = watched(&forest, true);
    println!("callers of a forest of 61 trees, {} s each: longest wait", WATCHED.as_secs());
    println!("  sealing and opening: {:?} without, {:?} with rotations", calm.reads, busy.reads);
    println!("  puncturing one leaf: {:?} without, {:?} with rotations", calm.punctures, busy.punctures);
    println!(
        "  calls of the first kind: {} without, {} with ({:.2} ×)",
        calm.calls,
        busy.calls,
        f64::from(busy.calls) / f64::from(calm.calls)
    );
    println!("  {} rotations, {:?} each", busy.rotations, WATCHED / busy.rotations.max(1));
}

struct Waits {
    reads: Duration,
    punctures: Duration,
    calls: u32,
    rotations: u32,
}

fn watched(forest: &Forest, rotate: bool) -> Waits {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let (mut longest, mut calls) = (Duration::ZERO, 0);
            while !over.load(Ordering::Relaxed) {
                let began = Instant::now();
                let head = forest.seal_new(b"", b"head").expect("sealed");
                forest.open_head(b"", &head).expect("opened");
                longest = longest.max(began.elapsed());
                calls += 1;
            }
            (longest, calls)
        });
        let puncturing = scope.spawn(|| {
            let mut longest = Duration::ZERO;
            while !over.load(Ordering::Relaxed) {
                let head = forest.seal_new(b"", b"gone").expect("sealed");
                let began = Instant::now();
                forest.puncture(&[head.leaf()]).expect("punctured");
                longest = longest.max(began.elapsed());
                std::thread::sleep(Duration::from_millis(20));
            }
            longest
        });
        let (began, mut rotations) = (Instant::now(), 0);
        while began.elapsed() < WATCHED {
            if rotate {
                forest.rotate().expect("rotated");
                rotations += 1;
            } else {
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        over.store(true, Ordering::Relaxed);
        let (reads, calls) = reading.join().expect("a thread");
        Waits { reads, punctures: puncturing.join().expect("a thread"), calls, rotations }
    })
}
