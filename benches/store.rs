//! Operations a second of the store and of the key trees, beside the disk's own fsync: `cargo bench --bench store`.
//!
//! Ratios of these figures stand in the performance document; nothing here passes or fails.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use celosia::crypto::hash::payload_id;
use celosia::shred::{FileRoot, Forest, SealedHead};
use celosia::store::rocks::RocksStore;
use celosia::store::{Event, Kind, Record, Store};
use celosia::types::PayloadId;

const TIME: Duration = Duration::from_secs(3);

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    let folder = tempfile::tempdir_in(".").expect("a folder");
    let fsync = fsyncs(&folder.path().join("fsync"));
    println!("append 2 KiB and fdatasync      {fsync:>9.0} /s  1.00 ×");
    for (writers, length) in [(1, 2064), (64, 2064), (1, 1 << 20), (16, 1 << 20)] {
        let place = folder.path().join(format!("store-{writers}-{length}"));
        let store = Arc::new(RocksStore::open(&place).expect("a store"));
        let rate = runtime.block_on(inserts(&store, writers, length));
        println!("insert, {length:>7} bytes, {writers:>2} at once {rate:>9.0} /s {:>5.2} ×", rate / fsync);
        if length < 10_000 {
            runtime.block_on(reads(&store));
        }
        println!("  resident memory {} MiB", resident_mib());
        runtime.block_on(store.close()).expect("closed");
        let stats = runtime.block_on(store.stats()).expect("figures");
        println!("  {} bytes on disk a record", stats.disk_bytes / stats.payloads.max(1));
    }
    runtime.block_on(journal(folder.path()));
    trees(folder.path());
}

/// What a journal row in the batch of each insert costs: two stores, turn by turn.
async fn journal(folder: &Path) {
    let stores = ["plain", "journalled"].map(|name| Arc::new(RocksStore::open(&folder.join(name)).expect("a store")));
    let mut rates = [0.0; 2];
    for turn in 0..3 {
        for (at, store) in stores.iter().enumerate() {
            rates[at] += noted_inserts(store, turn, at == 1).await / 3.0;
        }
    }
    println!(
        "insert at 64 with a journal row {:>9.0} /s  {:.2} × of those without ({:.0} /s)",
        rates[1],
        rates[1] / rates[0],
        rates[0]
    );
    for store in stores {
        store.close().await.expect("closed");
    }
}

async fn noted_inserts(store: &Arc<RocksStore>, turn: u64, is_noted: bool) -> f64 {
    let (next, start) = (Arc::new(AtomicU64::new(turn << 32)), Instant::now());
    let tasks = (0..64).map(|_| {
        let (store, next) = (Arc::clone(store), Arc::clone(&next));
        tokio::spawn(async move {
            while start.elapsed() < TIME {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                let id = id(seed);
                // As long as the record of a payload that was stored.
                let event = is_noted.then(|| Event::new(Some(id), vec![b'x'; 170].into()));
                store.insert_noted(Kind::Payload, id, record(seed, 2064), event).await.expect("kept");
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no panic");
    }
    let count = next.load(Ordering::Relaxed) - (turn << 32);
    f64::from(u32::try_from(count).expect("few")) / start.elapsed().as_secs_f64()
}

fn fsyncs(path: &Path) -> f64 {
    let mut file = File::create(path).expect("a file");
    rate(|| {
        file.write_all(&[7; 2048]).expect("written");
        file.sync_data().expect("synced");
    })
}

async fn inserts(store: &Arc<RocksStore>, writers: u64, length: usize) -> f64 {
    let (next, start) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let tasks = (0..writers).map(|_| {
        let (store, next) = (Arc::clone(store), Arc::clone(&next));
        tokio::spawn(async move {
            while start.elapsed() < TIME {
                let seed = next.fetch_add(1, Ordering::Relaxed);
                store.insert(Kind::Payload, id(seed), record(seed, length)).await.expect("kept");
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.expect("no panic");
    }
    f64::from(u32::try_from(next.load(Ordering::Relaxed)).expect("few")) / start.elapsed().as_secs_f64()
}

async fn reads(store: &RocksStore) {
    let kept = store.stats().await.expect("figures").payloads;
    for (name, offset) in [("present", 0), ("absent", 1 << 60)] {
        let (mut seed, mut count, start) = (1_u64, 0_u32, Instant::now());
        while start.elapsed() < TIME / 3 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let id = id(offset + (seed >> 20) % kept);
            store.get(Kind::Payload, &id).await.expect("read");
            count += 1;
        }
        println!("  look-up of one {name:<8} {:>9.0} /s", f64::from(count) / start.elapsed().as_secs_f64());
    }
}

fn trees(folder: &Path) {
    let root = FileRoot::open(folder).expect("a root");
    let forest = Forest::open(folder, Box::new(root)).expect("a forest");
    let head = forest.seal_new(b"id", &[7; 126]).expect("sealed");
    println!("seal a head under a new leaf    {:>9.0} /s", rate(|| drop(forest.seal_new(b"id", &[7; 126]).expect("sealed"))));
    println!("open a head                     {:>9.0} /s", rate(|| drop(forest.open_head(b"id", &head).expect("opened"))));
    let mut leaf = head.leaf();
    let puncture = rate(|| {
        leaf.leaf += 1;
        forest.puncture(&[leaf]).expect("punctured");
    });
    println!("puncture, durable, one at once  {puncture:>9.0} /s");
}

fn rate(mut work: impl FnMut()) -> f64 {
    let (mut count, start) = (0_u32, Instant::now());
    while start.elapsed() < TIME / 3 {
        work();
        count += 1;
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}

/// Any 64 random-looking bytes do.
fn id(seed: u64) -> PayloadId {
    payload_id(&seed.to_be_bytes())
}

fn record(seed: u64, length: usize) -> Record {
    // A sealed head for one recipient: version, tree, leaf, nonce, tag, 126 bytes of words.
    let mut head = vec![1; 9 + 24 + 16 + 126];
    head[9..17].copy_from_slice(&seed.to_be_bytes());
    let head = SealedHead::from_bytes(head.into()).expect("a head's form");
    Record { time: 1_800_000_000_000, nonce: [3; 24], head, ciphertext: vec![7; length].into() }
}

fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib: Option<u64> = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    kib.unwrap_or(0) / 1024
}
