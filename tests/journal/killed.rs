use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use celosia::translog::note::Note;

use crate::made::{Rows, open, verify_log};

/// Where the child process keeps its journal. Without it, the child's test does nothing.
const FOLDER: &str = "CELOSIA_TEST_JOURNAL";

/// A process that sequences as fast as it can, until it is killed: each round, it starts where the last one ended.
#[tokio::test]
async fn child_that_sequences_until_it_is_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let rows = Rows::to(1, 1_000_000);
    let sequencer = {
        let before = fs::read_to_string(Path::new(&folder).join("checkpoint")).ok();
        let size = before.map_or(0, |text| text.lines().nth(1).unwrap().parse().unwrap());
        let sequencer = open(Path::new(&folder), &rows).await;
        rows.grow(size);
        sequencer
    };
    let mut size = sequencer.published().map_or(0, |published| published.checkpoint.size);
    for step in [1, 3, 40, 211, 256, 700].into_iter().cycle() {
        size += step;
        rows.grow(size);
        let published = sequencer.advance(Some(size)).await.unwrap().unwrap();
        println!("{}", published.note.text().replace('\n', " "));
    }
}

#[test]
fn killed_at_any_moment_the_log_goes_on_and_never_forks() {
    let folder = tempfile::tempdir().unwrap();
    let mut published = BTreeMap::new();
    let key = celosia::translog::note::NoteKey {
        name: crate::made::ORIGIN.into(),
        key: celosia::journal::Signer::verify_key(&*crate::made::Key::new(1)),
    };
    for round in 0..12 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::child_that_sequences_until_it_is_killed", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // At an arbitrary moment; that each moment is good is what this shows.
        std::thread::sleep(Duration::from_millis(150 + 37 * round));
        child.kill().unwrap();
        let told = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        for line in told.split_inclusive('\n').filter(|line| line.ends_with(" \n") && line.starts_with("celosia/")) {
            let size: u64 = line.split(' ').nth(1).unwrap().parse().unwrap();
            let there = published.insert(size, line.to_owned());
            assert!(there.is_none_or(|there| there == line), "two checkpoints of {size} entries");
        }
        if let Ok(text) = fs::read_to_string(folder.path().join("checkpoint")) {
            assert!(key.verifies(&Note::parse(&text).unwrap()));
            let newest = published.last_key_value().map_or(0, |(size, _)| *size);
            assert!(text.lines().nth(1).unwrap().parse::<u64>().unwrap() >= newest, "what was published is on the disk");
            for said in verify_log(folder.path(), &key.to_string(), None) {
                assert_eq!(said.exit, 0, "round {round}: {said:?}");
            }
        }
    }
    assert!(published.len() > 12, "only {} checkpoints", published.len());
}
