use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::{TempDir, tempdir};

use super::*;
use crate::crypto::secret::Secret;
use crate::shred::{FileRoot, LeafRef, RootKey, SealedHead};

fn open(folder: &Path) -> Forest {
    Forest::open(folder, Box::new(FileRoot::open(folder).expect("a root"))).expect("a forest")
}

fn seal(forest: &Forest, text: &[u8]) -> SealedHead {
    forest.seal_new(b"id", text).expect("sealed")
}

fn reads(forest: &Forest, head: &SealedHead, text: &[u8]) -> bool {
    forest.open_head(b"id", head).is_ok_and(|opened| opened.as_slice() == text)
}

/// Three trees, as after three starts; the leaf of `gone` is punctured.
fn three_trees(folder: &Path) -> (Vec<SealedHead>, SealedHead) {
    let mut kept: Vec<_> = (0..2).map(|_| seal(&open(folder), b"kept")).collect();
    let forest = open(folder);
    kept.push(seal(&forest, b"kept"));
    let gone = seal(&forest, b"gone");
    forest.puncture(&[gone.leaf()]).expect("punctured");
    (kept, gone)
}

fn copy(folder: &Path, but: &str) -> TempDir {
    let to = tempdir().expect("a folder");
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let name = entry.file_name();
        if !name.to_string_lossy().starts_with(but) {
            fs::copy(entry.path(), to.path().join(&name)).expect("copied");
        }
    }
    to
}

/// A root of files that does what a test says at the points where a process may die.
struct Failing {
    file: FileRoot,
    folder: PathBuf,
    at: &'static str,
}

impl Failing {
    fn forest(folder: &Path, at: &'static str) -> Forest {
        let file = FileRoot::open(folder).expect("a root");
        Forest::open(folder, Box::new(Self { file, folder: folder.to_owned(), at })).expect("a forest")
    }

    fn dies(&self, at: &str) -> Result<(), ShredError> {
        if self.at == at { Err(ShredError::Broken(at.to_owned())) } else { Ok(()) }
    }
}

impl RootKey for Failing {
    fn kind(&self) -> RootKind {
        RootKind::File
    }

    fn place(&self) -> String {
        self.file.place()
    }

    fn folder(&self) -> &Path {
        &self.folder
    }

    fn unlock(&self) -> Result<BTreeMap<u32, Secret<32>>, ShredError> {
        self.file.unlock()
    }

    fn make(&self, generation: u32) -> Result<Secret<32>, ShredError> {
        self.dies("before the generation")?;
        let key = self.file.make(generation)?;
        self.dies("after the generation")?;
        if self.at == "among the trees" {
            // The rewrite of the second tree needs this name.
            fs::create_dir(self.folder.join("tree-00000002.tmp")).expect("a folder");
        }
        Ok(key)
    }

    fn destroy(&self, generation: u32) -> Result<String, ShredError> {
        self.dies("before the end of the old one")?;
        let word = self.file.destroy(generation)?;
        self.dies("after the end of the old one")?;
        Ok(word)
    }
}

#[test]
fn a_rotation_keeps_what_lives_and_kills_older_copies() {
    let folder = tempdir().expect("a folder");
    let (kept, gone) = three_trees(folder.path());
    let before = copy(folder.path(), "root-");
    let forest = open(folder.path());
    let done = forest.rotate().expect("rotated");
    assert_eq!((done.from, done.to, done.trees, done.destroyed.len()), (1, 2, 3, 1));
    assert!(done.destroyed[0].word.contains("root-1.key") && !folder.path().join("root-1.key").exists());
    let later = seal(&forest, b"later");
    let check = |forest: &Forest| {
        assert!(kept.iter().all(|head| reads(forest, head, b"kept")));
        assert!(matches!(forest.open_head(b"id", &gone), Err(ShredError::Destroyed)));
        assert!(reads(forest, &later, b"later"));
        let status = forest.root_status().expect("a status");
        assert_eq!((status.last.as_ref(), status.rotated_at), (Some(&done), done.started_at));
    };
    check(&forest);
    drop(forest);
    check(&open(folder.path()));
    // The older trees under the newer root: nothing opens, not even what lives.
    fs::copy(folder.path().join("root-2.key"), before.path().join("root-2.key")).expect("copied");
    let dead = open(before.path());
    assert!(kept.iter().chain([&gone]).all(|head| matches!(dead.open_head(b"id", head), Err(ShredError::NoGeneration(1)))));
}

#[test]
fn a_rotation_that_is_cut_off_anywhere_is_finished_at_the_next_start() {
    for at in [
        "before the generation",
        "after the generation",
        "among the trees",
        "before the end of the old one",
        "after the end of the old one",
    ] {
        let folder = tempdir().expect("a folder");
        let (kept, gone) = three_trees(folder.path());
        let forest = Failing::forest(folder.path(), at);
        let since = now();
        assert!(forest.rotate().is_err(), "{at}");
        assert!(kept.iter().all(|head| reads(&forest, head, b"kept")), "{at}: still served");
        drop(forest);
        let _ = fs::remove_dir(folder.path().join("tree-00000002.tmp"));

        // Before anything is finished, trees of both generations open.
        let forest = open(folder.path());
        assert!(kept.iter().all(|head| reads(&forest, head, b"kept")), "{at}: both open");
        assert_eq!(forest.root_status().expect("a status").rotated_at, 0, "{at}: nothing is claimed yet");
        let done = forest.finish_rotation().expect("finished");
        assert_eq!(done.is_none(), at == "before the generation", "{at}");
        if let Some(done) = &done {
            assert_eq!((done.from, done.to, done.trees), (1, 2, 3), "{at}");
            assert!(done.started_at >= since && done.started_at <= done.finished_at, "{at}: its real beginning");
        }
        drop(forest);
        let forest = open(folder.path());
        assert!(kept.iter().all(|head| reads(&forest, head, b"kept")), "{at}: after");
        assert!(matches!(forest.open_head(b"id", &gone), Err(ShredError::Destroyed)), "{at}");
        assert_eq!(folder.path().join("root-1.key").exists(), done.is_none(), "{at}");
        assert_eq!(forest.finish_rotation().expect("nothing to do"), None, "{at}");
    }
}

#[test]
fn a_root_that_is_not_destroyed_makes_no_pile_of_generations() {
    let folder = tempdir().expect("a folder");
    let (kept, _) = three_trees(folder.path());
    let forest = Failing::forest(folder.path(), "before the end of the old one");
    for _ in 0..3 {
        assert!(forest.rotate().is_err());
    }
    let status = forest.root_status().expect("a status");
    assert_eq!((status.oldest, status.generation, status.rotated_at), (1, 2, 0));
    drop(forest);
    let forest = open(folder.path());
    let done = forest.rotate().expect("rotated");
    assert_eq!((done.from, done.to), (2, 3), "the one that was cut off first, then this one");
    assert!(kept.iter().all(|head| reads(&forest, head, b"kept")));
}

#[test]
fn a_record_that_was_altered_or_made_elsewhere_claims_nothing() {
    let folder = tempdir().expect("a folder");
    three_trees(folder.path());
    open(folder.path()).rotate().expect("rotated");
    let path = folder.path().join(NAME);
    let good = fs::read(&path).expect("a record");
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        fs::write(&path, &bytes).expect("written");
        assert_eq!(open(folder.path()).root_status().expect("a status").rotated_at, 0, "byte {at}");
    }
    fs::write(&path, &good).expect("written");
    assert!(open(folder.path()).root_status().expect("a status").rotated_at > 0);
}

#[test]
fn a_generation_made_by_hand_is_taken_and_its_beginning_is_not_claimed() {
    let folder = tempdir().expect("a folder");
    let (kept, _) = three_trees(folder.path());
    FileRoot::open(folder.path()).expect("a root").make(2).expect("made");
    let forest = open(folder.path());
    let done = forest.finish_rotation().expect("finished").expect("something to do");
    assert_eq!((done.from, done.to, done.started_at), (1, 2, 0));
    assert!(kept.iter().all(|head| reads(&forest, head, b"kept")));
}

/// Threat: the lost update. Punctures of many threads race with rotations; whatever was acknowledged as punctured stays so, and nothing else goes.
#[test]
fn no_rotation_undoes_a_puncture_or_loses_a_tree() {
    let folder = tempdir().expect("a folder");
    three_trees(folder.path());
    let forest = Arc::new(open(folder.path()));
    let older: Vec<_> = (0..4).map(|_| seal(&forest, b"older")).collect();
    let over = AtomicBool::new(false);
    let (gone, kept) = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let (mut gone, mut kept) = (Vec::<SealedHead>::new(), Vec::<SealedHead>::new());
                    while !over.load(Ordering::Relaxed) {
                        let pair = (seal(&forest, b"gone"), seal(&forest, b"kept"));
                        forest.puncture(&[pair.0.leaf()]).expect("punctured");
                        gone.push(pair.0);
                        kept.push(pair.1);
                    }
                    (gone, kept)
                })
            })
            .collect();
        // A day that changes while a rotation runs: trees are begun in the middle of it.
        let days = scope.spawn(|| {
            let mut heads = Vec::new();
            while !over.load(Ordering::Relaxed) && heads.len() < 40 {
                forest.end_tree();
                heads.push(seal(&forest, b"kept"));
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            heads
        });
        for _ in 0..8 {
            forest.rotate().expect("rotated");
        }
        over.store(true, Ordering::Relaxed);
        let (mut gone, mut kept) = (Vec::new(), days.join().expect("a thread"));
        for worker in workers {
            let (more_gone, more_kept) = worker.join().expect("a thread");
            gone.extend(more_gone);
            kept.extend(more_kept);
        }
        (gone, kept)
    });
    assert!(gone.len() > 20, "the punctures did not race: {}", gone.len());
    drop(Arc::try_unwrap(forest).unwrap_or_else(|_| panic!("the last holder")));
    let forest = open(folder.path());
    assert_eq!(forest.root_status().expect("a status").generation, 9);
    assert!(gone.iter().all(|head| !forest.is_alive(head.leaf()).expect("known")), "a puncture was undone");
    assert!(kept.iter().all(|head| reads(&forest, head, b"kept")), "something was lost");
    assert!(older.iter().all(|head| reads(&forest, head, b"older")));
    let leaves: std::collections::BTreeSet<LeafRef> = gone.iter().chain(&kept).map(SealedHead::leaf).collect();
    assert_eq!(leaves.len(), gone.len() + kept.len());
}
