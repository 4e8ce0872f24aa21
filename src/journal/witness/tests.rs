use std::fs;

use super::*;
use crate::journal::sequencer::tests::{Key, Rows};
use crate::journal::{Log, Sequencer};

struct Member {
    folder: tempfile::TempDir,
    rows: Arc<Rows>,
    key: Arc<Key>,
    log: NoteKey,
}

impl Member {
    fn new(seed: u8) -> Self {
        let key = Key::new(seed);
        let log = NoteKey { name: format!("celosia/00/m{seed}"), key: key.verify_key() };
        Self { folder: tempfile::tempdir().expect("a folder"), rows: Rows::to(seed, 0), key, log }
    }

    /// A checkpoint of so many rows.
    async fn at(&self, seed: u8, size: u64) -> Note {
        self.rows.grow(seed, size);
        let (rows, key) = (Arc::clone(&self.rows) as _, Arc::clone(&self.key) as _);
        let sequencer = Sequencer::open(self.folder.path(), self.log.name.clone(), rows, key).await.expect("opened");
        sequencer.advance(Some(size)).await.expect("advanced").expect("new").note.clone()
    }

    fn proof(&self, old: u64, new: u64) -> Vec<Hash> {
        Log::new(self.folder.path()).consistency(old, new).expect("tiles")
    }
}

#[tokio::test]
async fn a_witness_cosigns_one_history_that_only_grows() {
    let folder = tempfile::tempdir().expect("a folder");
    let (a, key) = (Member::new(1), Key::new(9));
    let witness = Witness::open(folder.path(), "celosia/00/w".into(), Arc::clone(&key) as _).expect("opened");
    let first = a.at(1, 300).await;
    let line = witness.consider(&a.log, &first, &[], 1_000).await.expect("at first sight");
    assert_eq!(witness.me().verifies_line(first.text(), &line), Some(1_000));
    let second = a.at(1, 900).await;
    let proof = a.proof(300, 900);
    let bad = witness.consider(&a.log, &second, &proof[1..], 1_001).await.expect_err("a proof cut short");
    assert!(matches!(bad, Refused::BadProof { have: 300, .. }), "{bad}");
    drop(witness);
    // What was cosigned is on the disk.
    let witness = Witness::open(folder.path(), "celosia/00/w".into(), Arc::clone(&key) as _).expect("opened again");
    witness.consider(&a.log, &second, &proof, 1_001).await.expect("goes on");
    witness.consider(&a.log, &second, &[], 1_002).await.expect("the same again, at a later time");
    let back = witness.consider(&a.log, &first, &[], 1_003).await.expect_err("put back");
    assert!(matches!(back, Refused::Rollback { have: 900, got: 300 }), "{back}");
    let early = witness.consider(&a.log, &second, &[], 999).await.expect_err("a clock put back");
    assert!(matches!(early, Refused::TooOld { last: 1_002, now: 999 }), "{early}");
    let (seen, note) = witness.seen(&a.log).expect("read").expect("seen");
    assert_eq!((seen.size, note.text(), witness.me().verifies(&note)), (900, second.text(), Some(1_002)));
}

#[tokio::test]
async fn a_fork_a_stranger_and_an_emptied_file_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (a, fork, key) = (Member::new(1), Member::new(1), Key::new(9));
    let witness = Witness::open(folder.path(), "celosia/00/w".into(), Arc::clone(&key) as _).expect("opened");
    witness.consider(&a.log, &a.at(1, 300).await, &[], 5).await.expect("at first sight");
    let same_size = witness.consider(&a.log, &fork.at(2, 300).await, &[], 6).await.expect_err("two histories");
    assert!(matches!(same_size, Refused::Fork { size: 300 }), "{same_size}");
    let longer = fork.at(2, 400).await;
    let longer = witness.consider(&a.log, &longer, &fork.proof(300, 400), 6).await.expect_err("two histories");
    assert!(matches!(longer, Refused::BadProof { have: 300, why: TreeError::Root }), "{longer}");
    let (b, c) = (Member::new(2), Member::new(3));
    let other = witness.consider(&b.log, &a.at(1, 301).await, &[], 6).await.expect_err("of another log");
    assert!(matches!(other, Refused::BadSignature(CheckpointError::Other)), "{other}");
    let stranger = NoteKey { name: a.log.name.clone(), key: c.log.key };
    let unsigned = witness.consider(&stranger, &a.at(1, 302).await, &[], 6).await.expect_err("another key");
    assert!(matches!(unsigned, Refused::BadSignature(CheckpointError::Unsigned)), "{unsigned}");
    assert_eq!(witness.seen(&a.log).expect("read").expect("seen").0.size, 300, "a refusal changes nothing");
    for (refused, code) in [(&same_size, 4222), (&longer, 4223), (&other, 4224)] {
        assert_eq!(refused.code(), Code(code));
    }
    fs::write(folder.path().join(file(&a.log)), "").expect("emptied");
    let emptied = witness.consider(&a.log, &a.at(1, 303).await, &[], 7).await.expect_err("emptied");
    assert_eq!(emptied.code(), Code(4218));
}

#[tokio::test]
async fn a_cosignature_that_was_not_kept_does_not_leave() {
    let folder = tempfile::tempdir().expect("a folder");
    let (a, key) = (Member::new(1), Key::new(9));
    let (first, mut steps) = (a.at(1, 3).await, 0);
    loop {
        let witness = Witness::open(folder.path(), "w".into(), Arc::clone(&key) as _).expect("opened");
        witness.disk.faults.end_after(steps);
        let outcome = witness.consider(&a.log, &first, &[], 5).await;
        drop(witness);
        let witness = Witness::open(folder.path(), "w".into(), Arc::clone(&key) as _).expect("opened again");
        let seen = witness.seen(&a.log).expect("never half a file");
        if outcome.is_ok() {
            assert!(seen.is_some());
            break;
        }
        steps += 1;
    }
    assert!(steps >= 4, "{steps}");
}
