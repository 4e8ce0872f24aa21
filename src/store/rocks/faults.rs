//! Files as crashes and disks leave them: what was acknowledged is there, or a clear error says what is not.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use tempfile::tempdir;

use super::*;
use crate::store::contract::record;
use crate::store::fsck::fsck;

const CHILD: &str = "CELOSIA_TEST_STORE_CHILD";

async fn keep(store: &RocksStore, seeds: std::ops::Range<u32>, length: usize) {
    for seed in seeds {
        let (id, record) = record(seed, length);
        assert_eq!(store.insert(Kind::Payload, id, record).await.expect("kept"), Inserted::New);
    }
}

async fn assert_kept(store: &RocksStore, seeds: impl IntoIterator<Item = u32>, length: usize) {
    for seed in seeds {
        let (id, record) = record(seed, length);
        assert_eq!(store.get(Kind::Payload, &id).await.expect("read"), Lookup::Found(record), "{seed}");
    }
}

/// The newest file with this ending.
fn newest(folder: &Path, ending: &str) -> PathBuf {
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    files.filter(|path| path.extension().is_some_and(|e| e == ending)).max().expect("such a file")
}

fn flip(path: &Path, at: u64) {
    let mut file = fs::OpenOptions::new().read(true).write(true).open(path).expect("opens");
    let mut byte = [0];
    file.seek(SeekFrom::Start(at)).expect("there");
    file.read_exact(&mut byte).expect("a byte");
    file.seek(SeekFrom::Start(at)).expect("there");
    file.write_all(&[byte[0] ^ 0xff]).expect("written");
}

/// Not a test of its own: the process that the next one kills.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_that_writes_until_it_is_killed() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let (folder, start) = folder.split_once('|').expect("a folder and a number");
    let store = Arc::new(RocksStore::open(Path::new(folder)).expect("opens after a kill"));
    let start: u32 = start.parse().expect("a number");
    let writers = (0..8).map(|writer| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for seed in (start + writer..).step_by(8) {
                let (id, record) = record(seed, 700);
                store.insert(Kind::Payload, id, record).await.expect("kept");
                println!("acked {seed}");
            }
        })
    });
    futures_util::future::join_all(writers.collect::<Vec<_>>()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_process_acknowledged_is_there() {
    let folder = tempdir().expect("a folder");
    let mut acked = Vec::new();
    for round in 0..12_u32 {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "store::rocks::faults::child_that_writes_until_it_is_killed", "--nocapture"])
            .env(CHILD, format!("{}|{}", folder.path().display(), round * 1_000_000))
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let wanted = usize::try_from(37 * round + 1).expect("small");
        let mut seen = 0;
        for line in lines.map_while(Result::ok) {
            // Other output may share the line, before or after.
            let Some((_, rest)) = line.split_once("acked ") else { continue };
            acked.extend(rest.trim().parse::<u32>().ok());
            seen += 1;
            if seen == wanted {
                child.kill().expect("killed");
            }
        }
        child.wait().expect("reaped");
    }
    assert!(acked.len() >= 37 * 66, "{} acknowledged", acked.len());
    let store = Arc::new(RocksStore::open(folder.path()).expect("opens"));
    assert_kept(&store, acked, 700).await;
    let report = fsck(store, None, None).await.expect("a report");
    assert!(report.is_clean(), "{report}");
}

#[tokio::test]
async fn a_torn_last_record_loses_only_itself() {
    for torn in [1, 7, 60, 300] {
        let folder = tempdir().expect("a folder");
        let store = RocksStore::open(folder.path()).expect("a store");
        keep(&store, 0..20, 500).await;
        drop(store);
        let log = newest(folder.path(), "log");
        let length = fs::metadata(&log).expect("there").len();
        fs::OpenOptions::new().write(true).open(&log).expect("opens").set_len(length - torn).expect("torn");
        let store = Arc::new(RocksStore::open(folder.path()).expect("opens"));
        assert_kept(&store, 0..19, 500).await;
        let (id, again) = record(19, 500);
        assert_eq!(store.get(Kind::Payload, &id).await.expect("read"), Lookup::Absent);
        assert_eq!(store.insert(Kind::Payload, id, again).await.expect("kept"), Inserted::New);
        let report = fsck(Arc::clone(&store), None, None).await.expect("a report");
        assert!(report.is_clean() && report.payloads == 20, "{report}");
    }
}

#[tokio::test]
async fn damage_inside_the_log_stops_the_start_and_changes_nothing() {
    let folder = tempdir().expect("a folder");
    let store = RocksStore::open(folder.path()).expect("a store");
    keep(&store, 0..20, 500).await;
    drop(store);
    let log = newest(folder.path(), "log");
    let before = fs::read(&log).expect("read");
    flip(&log, u64::try_from(before.len()).expect("small") / 2);
    for _ in 0..3 {
        assert!(matches!(RocksStore::open(folder.path()), Err(StoreError::Corrupt(_))));
    }
    fs::write(&log, before).expect("restored");
    assert_kept(&RocksStore::open(folder.path()).expect("opens"), 0..20, 500).await;
}

#[tokio::test]
async fn a_rotten_ciphertext_is_an_error_and_fsck_names_it() {
    let folder = tempdir().expect("a folder");
    let store = RocksStore::open(folder.path()).expect("a store");
    keep(&store, 0..4, 100_000).await;
    store.close().await.expect("closed");
    drop(store);
    let files = fs::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("an entry").path());
    let largest = files.max_by_key(|path| fs::metadata(path).expect("there").len()).expect("a file");
    assert_eq!(largest.extension().expect("one"), "sst");
    flip(&largest, 150_000);
    let store = Arc::new(RocksStore::open(folder.path()).expect("opens: the rest is whole"));
    let mut broken = Vec::new();
    for seed in 0..4 {
        let (id, kept) = record(seed, 100_000);
        match store.get(Kind::Payload, &id).await {
            Ok(found) => assert_eq!(found, Lookup::Found(kept)),
            Err(error) => {
                assert!(matches!(error, StoreError::Corrupt(_)), "{error}");
                broken.push(id);
            }
        }
    }
    assert_eq!(broken.len(), 1);
    let report = fsck(store, None, None).await.expect("a report");
    assert_eq!(report.damaged().collect::<Vec<_>>(), broken, "{report}");
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_serves_reads() {
    let folder = tempdir().expect("a folder");
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=12m", "tmpfs"]).arg(folder.path()).output();
    if !mount.is_ok_and(|output| output.status.success()) {
        println!("skipped: mounting a small file system needs root");
        return;
    }
    let place = folder.path().to_owned();
    let outcome = tokio::spawn(async move {
        let store = RocksStore::open(&place).expect("a store");
        let mut kept = 0;
        let error = loop {
            let (id, record) = record(kept, 300_000);
            match store.insert(Kind::Payload, id, record).await {
                Ok(_) => kept += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(&error, StoreError::Io(text) if text.contains("No space")), "{error}");
        assert_kept(&store, 0..kept, 300_000).await;
        drop(store);
        let room = Command::new("mount").args(["-o", "remount,size=64m"]).arg(&place).status().expect("mount runs");
        assert!(room.success());
        let store = RocksStore::open(&place).expect("opens");
        assert_kept(&store, 0..kept, 300_000).await;
        keep(&store, 1000..1001, 300_000).await;
        kept
    })
    .await;
    let _ = Command::new("umount").arg("-l").arg(folder.path()).status();
    assert!(outcome.expect("no panic") > 5);
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempdir().expect("a folder");
    let sealed = folder.path().join("sealed");
    fs::create_dir(&sealed).expect("a folder");
    fs::set_permissions(&sealed, fs::Permissions::from_mode(0o500)).expect("a mode");
    if fs::write(sealed.join("probe"), b"").is_ok() {
        println!("skipped: root may write everywhere");
        return;
    }
    let Err(StoreError::Io(text)) = RocksStore::open(&sealed.join("store")) else { panic!("it opened") };
    assert!(text.contains("sealed/store"), "{text}");
}
