//! Bytes of removed rows in the files of the folder: there before a purge, nowhere after it.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use tempfile::tempdir;

use super::*;
use crate::crypto::hash::payload_id;
use crate::shred::LeafRef;

/// 24 bytes that are nowhere else.
fn marker(what: &str, seed: u32) -> Vec<u8> {
    let mut marker = format!("<<{what}:{seed:04}>>").into_bytes();
    marker.resize(24, b'~');
    marker
}

const WHAT: [&str; 9] = ["cipher", "cipherend", "head", "nonce", "salt", "event", "beside", "tag", "row"];

/// One record with markers in everything that it leaves behind.
async fn keep(store: &RocksStore, seed: u32, length: usize, day: u64) -> PayloadId {
    let mut ciphertext = vec![u8::try_from(seed % 251).expect("small"); length];
    ciphertext[..24].copy_from_slice(&marker("cipher", seed));
    ciphertext[length - 24..].copy_from_slice(&marker("cipherend", seed));
    let head = [&[5; 40][..], &marker("head", seed)].concat();
    let record = Record {
        time: day * 86_400_000 + u64::from(seed),
        nonce: marker("nonce", seed).try_into().expect("24 bytes"),
        head: SealedHead::new(LeafRef { tree: 1, leaf: seed }, &head),
        ciphertext: ciphertext.into(),
    };
    let id = payload_id(&record.ciphertext);
    let mut salt = [0; 32];
    salt[..24].copy_from_slice(&marker("salt", seed));
    let event = Event { about: Some(id), lasting: false, salt, record: marker("event", seed).into() };
    assert_eq!(store.insert_noted(Kind::Payload, id, record, Some(event)).await.expect("kept"), Inserted::New);
    assert!(store.put_beside(id, marker("beside", seed).into(), None).await.expect("kept"));
    let tag = Write::put(Table::Tag, id.as_bytes().to_vec(), marker("tag", seed));
    let row = Write::put(Table::Case, seed.to_be_bytes().to_vec(), marker("row", seed));
    store.write(vec![tag, row], vec![]).await.expect("kept");
    id
}

async fn erase(store: &RocksStore, seed: u32, id: PayloadId) {
    store.bury(id, Tombstone { time: 1, leaves: vec![LeafRef { tree: 1, leaf: seed }] }).await.expect("buried");
    // A row of a service goes by being overwritten, or removed.
    let key = seed.to_be_bytes().to_vec();
    let row = if seed.is_multiple_of(2) { Write::delete(Table::Case, key) } else { Write::put(Table::Case, key, &b"new"[..]) };
    store.write(vec![row], vec![]).await.expect("written");
}

/// Markers of a record that some file of the folder holds.
fn found(folder: &Path, seed: u32) -> Vec<&'static str> {
    let markers: Vec<Vec<u8>> = WHAT.iter().map(|what| marker(what, seed)).collect();
    let automaton = aho_corasick::AhoCorasick::new(&markers).expect("small");
    let mut seen = [false; WHAT.len()];
    for entry in fs::read_dir(folder).expect("a folder") {
        let file = fs::read(entry.expect("an entry").path()).expect("read");
        for hit in automaton.find_iter(&file) {
            seen[hit.pattern().as_usize()] = true;
        }
    }
    WHAT.into_iter().zip(seen).filter_map(|(what, seen)| seen.then_some(what)).collect()
}

/// Moves everything to the last level, where ordinary compactions leave it alone. Without this the test would pass with any compaction.
fn settle(store: &RocksStore) {
    for name in FAMILIES {
        let family = rows::family(&store.db, name).expect("there");
        store.db.flush_cf(&family).expect("flushed");
        store.db.compact_range_cf(&family, None::<&[u8]>, None::<&[u8]>);
    }
    assert!(store.db.live_files().expect("files").iter().all(|file| file.level == 6), "settled");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_of_what_was_removed_stays_in_any_file() {
    let folder = tempdir().expect("a folder");
    let lengths = |seed: u32| if seed.is_multiple_of(5) { 700_000 } else { 300 };
    let store = RocksStore::open(folder.path()).expect("a store");
    let mut ids = Vec::new();
    for seed in 0..20 {
        ids.push(keep(&store, seed, lengths(seed), 19_000 + u64::from(seed / 10)).await);
    }
    settle(&store);
    let (gone, stay) = ([0, 3, 5, 8], [1, 4, 10]);
    let snapshot = store.db.snapshot();
    for seed in gone {
        erase(&store, seed, ids[seed as usize]).await;
    }
    // The controls: it is there; and once values and marks lie together in the last level, for a snapshot of before is held, ordinary
    // compactions leave them there. (Automatic ones might not, at a time of their own: they are off.)
    for seed in &gone {
        assert_eq!(found(folder.path(), *seed), WHAT, "{seed}");
    }
    for name in FAMILIES {
        let family = rows::family(&store.db, name).expect("there");
        store.db.set_options_cf(&family, &[("disable_auto_compactions", "true")]).expect("an option");
    }
    settle(&store);
    drop(snapshot);
    settle(&store);
    for seed in &gone {
        assert!(found(folder.path(), *seed).contains(&"cipher"), "{seed}");
    }
    drop(store);
    let store = RocksStore::open(folder.path()).expect("opens");
    for seed in &gone {
        assert!(found(folder.path(), *seed).contains(&"cipherend"), "{seed}");
    }
    let purged = store.purge().await.expect("purged");
    assert!(purged.bytes_after + 1_400_000 < purged.bytes_before, "{purged:?}");
    for seed in &gone {
        assert_eq!(found(folder.path(), *seed), [""; 0], "{seed}");
    }
    for seed in &stay {
        assert_eq!(found(folder.path(), *seed), WHAT, "{seed}");
    }
    drop(store);
    for seed in &gone {
        assert_eq!(found(folder.path(), *seed), [""; 0], "{seed}");
    }
    let store = Arc::new(RocksStore::open(folder.path()).expect("opens"));
    for seed in stay {
        assert!(matches!(store.get(Kind::Payload, &ids[seed as usize]).await, Ok(Lookup::Found(_))));
    }
    let report = crate::store::fsck::fsck(store, None, None).await.expect("a report");
    assert!(report.is_clean() && report.payloads == 16 && report.tombstones == 4, "{report}");
}

/// In memory and in the log alone, in files of the first level, and in the middle of a compaction's way down.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_does_not_matter_where_the_bytes_were() {
    for flushed in [false, true] {
        let folder = tempdir().expect("a folder");
        let store = RocksStore::open(folder.path()).expect("a store");
        let id = keep(&store, 1, 300, 19_000).await;
        keep(&store, 2, 300, 19_000).await;
        if flushed {
            for name in FAMILIES {
                store.db.flush_cf(&rows::family(&store.db, name).expect("there")).expect("flushed");
            }
        }
        erase(&store, 1, id).await;
        assert_eq!(found(folder.path(), 1), WHAT, "the control");
        store.purge().await.expect("purged");
        assert_eq!((found(folder.path(), 1), found(folder.path(), 2)), (vec![], WHAT.to_vec()), "flushed: {flushed}");
        // A second one has nothing to do, and does no harm.
        store.purge().await.expect("purged");
        assert_eq!(found(folder.path(), 2), WHAT);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_of_which_nothing_is_left_go_as_whole_files_and_never_come_back() {
    let folder = tempdir().expect("a folder");
    let store = RocksStore::open(folder.path()).expect("a store");
    let mut ids = Vec::new();
    for seed in 0..90 {
        ids.push(keep(&store, seed, 3000, 19_000 + u64::from(seed / 30)).await);
        if seed == 44 {
            settle(&store);
        }
    }
    // The middle day lies in two files, one of which reaches into its neighbours; its marks lie in a file of their own.
    for seed in 30..60 {
        erase(&store, seed, ids[seed as usize]).await;
    }
    let payloads = rows::family(&store.db, PAYLOAD).expect("there");
    store.db.flush_cf(&payloads).expect("flushed");
    drop(payloads);
    let purged = store.purge().await.expect("purged");
    assert_eq!(purged.days, 1);
    (30..60).for_each(|seed| assert_eq!(found(folder.path(), seed), [""; 0], "{seed}"));
    // A payload of that day may still come: numbers go on.
    let late = keep(&store, 99, 300, 19_001).await;
    drop(store);
    let store = Arc::new(RocksStore::open(folder.path()).expect("opens"));
    assert!(matches!(store.get(Kind::Payload, &late).await, Ok(Lookup::Found(_))));
    let report = crate::store::fsck::fsck(store, None, None).await.expect("a report");
    assert!(report.is_clean() && report.payloads == 61, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_still_reads_an_old_file_is_waited_for() {
    let folder = tempdir().expect("a folder");
    let store = Arc::new(RocksStore::open(folder.path()).expect("a store"));
    let id = keep(&store, 1, 300, 19_000).await;
    settle(&store);
    erase(&store, 1, id).await;
    let family = rows::family(&store.db, PAYLOAD).expect("there");
    let mut reader = store.db.raw_iterator_cf(&family);
    reader.seek_to_first();
    let purging = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.purge().await }
    });
    tokio::time::sleep(std::time::Duration::from_millis(700)).await;
    assert!(!purging.is_finished(), "a reader holds the file");
    assert!(found(folder.path(), 1).contains(&"cipher"));
    drop(reader);
    purging.await.expect("no panic").expect("purged");
    assert_eq!(found(folder.path(), 1), [""; 0]);
}

const CHILD: &str = "CELOSIA_TEST_PURGE_CHILD";

/// Not a test of its own: the process that the next one kills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_that_erases_and_purges_until_it_is_killed() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let (folder, start) = folder.split_once('|').expect("a folder and a number");
    let store = Arc::new(RocksStore::open(Path::new(folder)).expect("opens after a kill"));
    let purging = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            loop {
                store.purge().await.expect("purged");
            }
        }
    });
    let start: u32 = start.parse().expect("a number");
    for seed in start.. {
        assert!(!purging.is_finished(), "purges go on");
        let id = keep(&store, seed, 3000, 19_000 + u64::from(seed % 7)).await;
        if !seed.is_multiple_of(4) {
            erase(&store, seed, id).await;
            println!("erased {seed}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purge_that_is_killed_is_done_by_the_next() {
    let folder = tempdir().expect("a folder");
    let mut erased = Vec::new();
    for round in 0..6_u32 {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "store::rocks::leftovers::child_that_erases_and_purges_until_it_is_killed", "--nocapture"])
            .env(CHILD, format!("{}|{}", folder.path().display(), round * 1000))
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let mut seen = 0;
        for line in BufReader::new(child.stdout.take().expect("piped")).lines().map_while(Result::ok) {
            // Other output may share the line, before or after.
            let Some((_, rest)) = line.split_once("erased ") else { continue };
            erased.extend(rest.trim().parse::<u32>().ok());
            seen += 1;
            if seen == 7 * round + 3 {
                child.kill().expect("killed");
            }
        }
        child.wait().expect("reaped");
    }
    assert!(erased.len() >= 100, "{} erased", erased.len());
    let store = Arc::new(RocksStore::open(folder.path()).expect("opens"));
    let report = crate::store::fsck::fsck(Arc::clone(&store) as _, None, None).await.expect("a report");
    assert!(report.is_clean(), "{report}");
    store.purge().await.expect("purged");
    for seed in erased {
        assert_eq!(found(folder.path(), seed), [""; 0], "{seed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_closed_meanwhile_waits_for_no_purge() {
    let folder = tempdir().expect("a folder");
    let store = Arc::new(RocksStore::open(folder.path()).expect("a store"));
    for seed in 0..8 {
        let id = keep(&store, seed, 700_000, 19_000).await;
        erase(&store, seed, id).await;
        keep(&store, 100 + seed, 700_000, 19_000).await;
    }
    let purging = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.purge().await }
    });
    tokio::task::yield_now().await;
    store.close().await.expect("closed");
    // It had ended, or did not come to its end: never a lie.
    let outcome = purging.await.expect("no panic");
    assert!(
        matches!(outcome, Ok(_) | Err(StoreError::Unavailable | StoreError::Io(_) | StoreError::NotPurged(_))),
        "{outcome:?}"
    );
    drop(store);
    let store = RocksStore::open(folder.path()).expect("the folder is free");
    store.purge().await.expect("purged");
    for seed in 0..8 {
        assert_eq!(found(folder.path(), seed), [""; 0], "{seed}");
        assert_eq!(found(folder.path(), 100 + seed), WHAT, "{seed}");
    }
}
