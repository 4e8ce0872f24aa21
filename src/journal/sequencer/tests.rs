use std::fs;
use std::sync::Mutex as Lock;

use super::*;
use crate::crypto::secret::Secret;
use crate::crypto::sign::{Signature, SigningKey, VerifyKey};
use crate::journal::{Cause, Verdict, judge};
use crate::translog::commitment::{Commitment, commit};
use crate::translog::tile::{Kind, Tile};
use crate::translog::tree;
use crate::translog::verify::{self, Files};
use crate::types::{Code, Coded};

/// Rows in memory.
#[derive(Default)]
pub(in crate::journal) struct Rows(Lock<Vec<Commitment>>);

impl Rows {
    pub(in crate::journal) fn to(seed: u8, size: u64) -> Arc<Self> {
        let rows = Self::default();
        rows.grow(seed, size);
        Arc::new(rows)
    }

    pub(in crate::journal) fn grow(&self, seed: u8, size: u64) {
        let mut rows = self.0.lock().expect("no panic");
        for n in rows.len() as u64..size {
            rows.push(commit(&[seed; 32], &n.to_be_bytes()));
        }
    }

    fn cut(&self, size: usize) {
        self.0.lock().expect("no panic").truncate(size);
    }
}

#[async_trait::async_trait]
impl Source for Rows {
    async fn size(&self) -> Result<u64, Cause> {
        Ok(self.0.lock().expect("no panic").len() as u64)
    }

    async fn commitments(&self, from: u64, limit: usize) -> Result<Vec<Commitment>, Cause> {
        let rows = self.0.lock().expect("no panic");
        let from = usize::try_from(from)?;
        // In pieces, as a store may.
        Ok(rows[from..].iter().take(limit.min(1_000)).copied().collect())
    }
}

/// A key, and what it signed.
pub(in crate::journal) struct Key(pub(in crate::journal) SigningKey, pub(in crate::journal) Lock<Vec<String>>);

impl Key {
    pub(in crate::journal) fn new(seed: u8) -> Arc<Self> {
        Arc::new(Self(SigningKey::from_seed(&Secret::from_slice(&[seed; 32]).expect("32 bytes")), Lock::default()))
    }
}

#[async_trait::async_trait]
impl Signer for Key {
    async fn sign(&self, message: &[u8]) -> Result<Signature, Cause> {
        self.1.lock().expect("no panic").push(String::from_utf8_lossy(message).into_owned());
        Ok(self.0.sign(message))
    }

    fn verify_key(&self) -> VerifyKey {
        self.0.verify_key()
    }
}

struct Folder<'a>(&'a Path);

impl Files for Folder<'_> {
    fn file(&mut self, tile: Tile) -> Result<Option<Vec<u8>>, String> {
        Ok(fs::read(self.0.join(tile.to_string())).ok())
    }

    fn partials(&mut self, tile: Tile) -> Result<Vec<u16>, String> {
        let Ok(entries) = fs::read_dir(self.0.join(tile.partials())) else { return Ok(Vec::new()) };
        Ok(entries.filter_map(|entry| entry.expect("an entry").file_name().to_str()?.parse().ok()).collect())
    }
}

async fn open(folder: &Path, rows: &Arc<Rows>, key: &Arc<Key>) -> Result<Sequencer, JournalError> {
    Sequencer::open(folder, "celosia/00/a".into(), Arc::clone(rows) as _, Arc::clone(key) as _).await
}

fn verified(folder: &Path, sequencer: &Sequencer, size: u64) {
    let text = fs::read_to_string(folder.join(CHECKPOINT)).expect("a checkpoint");
    let (checkpoint, _) = verify::checkpoint(&text, sequencer.key(), &[], 0).expect("signed");
    assert_eq!(checkpoint.size, size);
    assert_eq!(verify::log(&checkpoint, None, &mut Folder(folder)), Ok(()));
}

#[tokio::test]
async fn rows_become_a_log_that_verifies_at_every_size() {
    let folder = tempfile::tempdir().expect("a folder");
    let (rows, key) = (Arc::new(Rows::default()), Key::new(1));
    let mut sequencer = open(folder.path(), &rows, &key).await.expect("opened");
    assert_eq!(sequencer.advance(None).await.expect("advanced"), None, "an empty log has no checkpoint");
    let mut older: Vec<Arc<Published>> = Vec::new();
    for (n, size) in [1, 2, 255, 256, 257, 300, 9_000, 66_000].into_iter().enumerate() {
        rows.grow(1, size);
        let published = sequencer.advance(Some(n as u64)).await.expect("advanced").expect("new");
        assert_eq!((published.checkpoint.size, published.checkpoint.keys), (size, Some(n as u64)));
        verified(folder.path(), &sequencer, size);
        assert_eq!(sequencer.advance(Some(n as u64)).await.expect("advanced"), None, "nothing new");
        for old in &older {
            let (old, new) = (&old.checkpoint, &published.checkpoint);
            let proof = sequencer.log().consistency(old.size, new.size).expect("tiles");
            assert_eq!(tree::verify_consistency((old.size, &old.root), (new.size, &new.root), &proof), Ok(()));
        }
        let index = size * 2 / 3;
        let proof = sequencer.log().proof(index, size, published.note.clone()).expect("tiles");
        let row = rows.commitments(index, 1).await.expect("a row");
        assert!(proof.verify(sequencer.key(), &row[0]).is_ok(), "{index} of {size}");
        assert_eq!(sequencer.log().entries(index, 2, size).expect("tiles")[0], row[0]);
        older.push(published);
        drop(sequencer);
        sequencer = open(folder.path(), &rows, &key).await.expect("opened again");
        assert_eq!(sequencer.published(), older.last().cloned());
    }
    let partials = Folder(folder.path()).partials(Tile::full(Kind::Hashes(0), 0)).expect("read");
    assert!(partials.is_empty(), "partial forms of a full tile: {partials:?}");
}

/// `kill -9` between any two steps on the disk: the next process goes on, and there is one checkpoint of each size.
#[tokio::test]
async fn however_it_ends_the_next_process_goes_on() {
    let mut ended = 0;
    // The last completes a tile of the second level; each of its endings costs a whole log, so they are taken further apart.
    for (before, after, apart) in [(0, 3, 1), (3, 300, 1), (250, 1_100, 1), (256, 257, 1), (300, 512, 1), (65_500, 65_600, 12)] {
        for steps in (0..).step_by(apart) {
            let folder = tempfile::tempdir().expect("a folder");
            let (rows, key) = (Rows::to(1, before), Key::new(1));
            let sequencer = open(folder.path(), &rows, &key).await.expect("opened");
            sequencer.advance(Some(1)).await.expect("advanced");
            let first = sequencer.published();
            rows.grow(1, after);
            sequencer.disk.faults.end_after(steps);
            let outcome = sequencer.advance(Some(2)).await;
            drop(sequencer);
            let sequencer = open(folder.path(), &rows, &key).await.expect("opened again");
            if outcome.is_err() {
                let kept = sequencer.published();
                assert!(kept == first || kept.is_some_and(|kept| kept.checkpoint.size == after), "step {steps}");
                if before > 0 {
                    verified(folder.path(), &sequencer, sequencer.published().expect("kept").checkpoint.size);
                }
            }
            rows.grow(1, after + 10);
            sequencer.advance(Some(3)).await.expect("goes on");
            verified(folder.path(), &sequencer, after + 10);
            // Each checkpoint that left the process: one text of each size.
            let texts = key.1.lock().expect("no panic").clone();
            let sizes: std::collections::BTreeSet<_> = texts.iter().map(|text| text.lines().nth(1)).collect();
            assert_eq!(sizes.len(), texts.len(), "two checkpoints of one size: {texts:?}");
            if outcome.is_ok() {
                break;
            }
            ended += 1;
        }
    }
    assert!(ended > 100, "only {ended} endings");
}

/// The disk fails, the process lives, and a peer may have read the checkpoint.
#[tokio::test]
async fn a_checkpoint_that_was_signed_is_the_only_one_of_its_size() {
    let folder = tempfile::tempdir().expect("a folder");
    let (rows, key) = (Rows::to(1, 3), Key::new(1));
    let sequencer = open(folder.path(), &rows, &key).await.expect("opened");
    let mut failed = 0;
    for steps in 0.. {
        sequencer.disk.faults.end_after(steps);
        if sequencer.advance(Some(steps.unsigned_abs())).await.is_ok() {
            break;
        }
        failed += 1;
    }
    assert!(failed > 4, "{failed}");
    assert_eq!(key.1.lock().expect("no panic").len(), 1, "signed more than once");
    sequencer.disk.faults.end_after(-1);
    verified(folder.path(), &sequencer, 3);
}

#[tokio::test]
async fn files_that_a_crash_left_or_took_are_made_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let (rows, key) = (Rows::to(1, 70_000), Key::new(1));
    let sequencer = open(folder.path(), &rows, &key).await.expect("opened");
    sequencer.advance(None).await.expect("advanced");
    drop(sequencer);
    for (name, keep) in [
        ("tile/0/273.p/112", None),
        ("tile/1/001.p/17", Some(64)),
        ("tile/2/000.p/1", Some(0)),
        ("tile/entries/273.p/112", Some(9)),
    ] {
        let path = folder.path().join(name);
        match keep {
            Some(keep) => fs::write(&path, &fs::read(&path).expect("there")[..keep]).expect("cut"),
            None => fs::remove_file(&path).expect("removed"),
        }
        let sequencer = open(folder.path(), &rows, &key).await.expect("opened");
        verified(folder.path(), &sequencer, 70_000);
    }
    fs::remove_dir_all(folder.path().join("tile")).expect("removed");
    let sequencer = open(folder.path(), &rows, &key).await.expect("opened");
    verified(folder.path(), &sequencer, 70_000);
}

#[tokio::test]
async fn a_store_that_was_put_back_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (rows, key) = (Rows::to(1, 1_000), Key::new(1));
    let sequencer = open(folder.path(), &rows, &key).await.expect("opened");
    sequencer.advance(Some(5)).await.expect("advanced");
    let older = sequencer.advance(Some(4)).await.expect_err("older key trees");
    assert_eq!((older.code(), older.to_string().starts_with("the key trees are older than the journal: 4")), (Code(4220), true));
    rows.cut(999);
    let running = sequencer.advance(Some(5)).await.expect_err("fewer rows");
    assert_eq!(running.code(), Code(4213));
    let locked = open(folder.path(), &rows, &key).await.err().expect("two at once");
    assert_eq!(locked.code(), Code(4217));
    drop(sequencer);
    let fewer = open(folder.path(), &rows, &key).await.err().expect("fewer rows");
    assert!(fewer.to_string().starts_with("the store is older than its journal: it has 999 rows"), "{fewer}");
    rows.grow(2, 1_200);
    let other = open(folder.path(), &rows, &key).await.err().expect("other rows");
    assert!(matches!(other, JournalError::StoreOther { size: 1_000 }), "{other}");
    // And with the tiles gone, where only the root can tell.
    fs::remove_dir_all(folder.path().join("tile")).expect("removed");
    let other = open(folder.path(), &rows, &key).await.err().expect("other rows");
    assert!(matches!(other, JournalError::StoreOther { size: 1_000 }), "{other}");
    assert!(!folder.path().join("tile").exists(), "nothing is written from rows that do not fit");
    let stranger = open(folder.path(), &Rows::to(1, 1_000), &Key::new(2)).await.err().expect("another key");
    assert_eq!(stranger.code(), Code(4214));
}

/// A store put back together with its checkpoint, but not with its tiles.
#[tokio::test]
async fn a_tile_with_other_bytes_is_never_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let (rows, key) = (Rows::to(1, 100), Key::new(1));
    let sequencer = open(folder.path(), &rows, &key).await.expect("opened");
    sequencer.advance(None).await.expect("advanced");
    let snapshot = fs::read(folder.path().join(CHECKPOINT)).expect("there");
    rows.grow(1, 600);
    sequencer.advance(None).await.expect("advanced");
    drop(sequencer);
    fs::write(folder.path().join(CHECKPOINT), snapshot).expect("put back");
    let (back, before) = (Rows::to(1, 100), fs::read(folder.path().join("tile/0/000")).expect("there"));
    back.grow(2, 600);
    let sequencer = open(folder.path(), &back, &key).await.expect("the first hundred fit");
    let forked = sequencer.advance(None).await.expect_err("forked");
    assert_eq!(forked.code(), Code(4212));
    assert!(forked.to_string().starts_with("the journal forked: tile/entries/000 is there"), "{forked}");
    assert_eq!(fs::read(folder.path().join("tile/0/000")).expect("there"), before);
}

#[tokio::test]
async fn a_checkpoint_that_a_witness_shows_tells_a_rollback() {
    let folder = tempfile::tempdir().expect("a folder");
    let (rows, key) = (Rows::to(1, 700), Key::new(1));
    let sequencer = open(folder.path(), &rows, &key).await.expect("opened");
    let old = sequencer.advance(Some(1)).await.expect("advanced").expect("new");
    rows.grow(1, 900);
    let new = sequencer.advance(Some(7)).await.expect("advanced").expect("new");
    let judged =
        |ours: &Published, keys, shown: &Note| judge(sequencer.key(), Some(&ours.checkpoint), Some(keys), sequencer.log(), shown);
    assert_eq!(judged(&new, 7, &old.note).expect("ours"), Verdict::Fine);
    assert_eq!(judged(&new, 7, &new.note).expect("ours"), Verdict::Fine);
    assert_eq!(judged(&new, 6, &new.note).expect("ours"), Verdict::KeysBehind { ours: 6, theirs: 7 });
    assert_eq!(judged(&old, 1, &new.note).expect("ours"), Verdict::Behind { ours: 700, theirs: 900 });
    let nothing = judge(sequencer.key(), None, None, sequencer.log(), &old.note).expect("ours");
    assert_eq!((nothing, nothing.refuse().expect_err("behind").code()), (Verdict::Behind { ours: 0, theirs: 700 }, Code(4219)));
    let elsewhere = tempfile::tempdir().expect("a folder");
    let fork = open(elsewhere.path(), &Rows::to(2, 800), &key).await.expect("opened");
    let fork = fork.advance(None).await.expect("advanced").expect("new");
    let verdict = judged(&new, 7, &fork.note).expect("ours");
    assert_eq!((verdict, verdict.refuse().expect_err("forked").code()), (Verdict::Forked { size: 800 }, Code(4212)));
    let forged = open(tempfile::tempdir().expect("a folder").path(), &Rows::to(2, 950), &Key::new(9)).await.expect("opened");
    let forged = forged.advance(None).await.expect("advanced").expect("new");
    assert_eq!(judged(&new, 7, &forged.note).expect_err("not ours").code(), Code(4214));
}
