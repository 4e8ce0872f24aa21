//! What every kind of root must do, and roots of files.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use celosia::shred::{FileRoot, Forest, RootError, RootKey, SealedHead, ShredError};
use tempfile::{TempDir, tempdir};

/// Makes the root of a folder, as a start does.
pub type Open<'a> = &'a dyn Fn(&Path) -> Box<dyn RootKey>;

/// A head under a leaf, as the store keeps it beside the ciphertext.
pub fn seal(forest: &Forest, text: &[u8]) -> SealedHead {
    forest.seal_new(b"id", text).unwrap()
}

pub fn reads(forest: &Forest, head: &SealedHead, text: &[u8]) -> bool {
    forest.open_head(b"id", head).is_ok_and(|text_of| text_of.as_slice() == text)
}

/// A copy of every file whose name does not begin with `but`.
pub fn backup(folder: &Path, but: &str) -> TempDir {
    let copy = tempdir().unwrap();
    for entry in fs::read_dir(folder).unwrap().flatten().filter(|entry| !entry.file_name().to_string_lossy().starts_with(but)) {
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    copy
}

/// The adversary has a backup of the whole key folder from before the erasure, the sealed heads of the store from then (`head` below), and
/// the root as it is now, be it files, a token with its PIN or a server with its token. One step earlier the same tool opens it.
///
/// `apart`: beginning of the names of files that are not in the backup, where a root is in files. `""`: everything is.
pub fn a_backup_from_before_opens_nothing_after(open: Open<'_>, apart: &str) {
    let folder = tempdir().unwrap();
    let forest = opened(open, folder.path());
    let (erased, kept) = (seal(&forest, b"a person's data"), seal(&forest, b"kept"));
    let stolen = backup(folder.path(), if apart.is_empty() { "nothing" } else { apart });
    let with_root_of_now = || {
        let attempt = backup(stolen.path(), "lock");
        if !apart.is_empty() {
            for entry in fs::read_dir(folder.path()).unwrap().flatten() {
                if entry.file_name().to_string_lossy().starts_with(apart) {
                    fs::copy(entry.path(), attempt.path().join(entry.file_name())).unwrap();
                }
            }
        }
        attempt
    };

    forest.puncture(&[erased.leaf()]).unwrap();
    assert!(matches!(forest.open_head(b"id", &erased), Err(ShredError::Destroyed)));
    // The positive control: erased here, durably, and the backup with the root of now still opens it.
    let attempt = with_root_of_now();
    let revived = opened(open, attempt.path());
    assert!(reads(&revived, &erased, b"a person's data"), "the control must open it");
    drop(revived);

    let done = forest.rotate().unwrap();
    assert_eq!((done.from, done.to, done.destroyed.len()), (1, 2, 1));
    assert!(reads(&forest, &kept, b"kept"));
    let attempt = with_root_of_now();
    match open_anyhow(open, attempt.path()) {
        Ok(forest) => {
            assert!(!reads(&forest, &erased, b"a person's data") && !reads(&forest, &kept, b"kept"));
            assert!(matches!(forest.open_head(b"id", &erased), Err(ShredError::NoGeneration(1))));
        }
        // A token or a server does not even unwrap what the backup's files name.
        Err(error) => {
            assert!(matches!(error, ShredError::Root(RootError::KeyMissing { .. } | RootError::Failed { .. })), "{error}");
        }
    }
    drop(forest);
    let forest = opened(open, folder.path());
    assert!(reads(&forest, &kept, b"kept"), "nothing else was lost");
    assert_eq!(forest.root_status().unwrap().rotated_at, done.started_at, "and it is remembered");
}

/// A child that another test is starting holds our locks between its fork and its exec.
fn open_anyhow(open: Open<'_>, folder: &Path) -> Result<Forest, ShredError> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match Forest::open(folder, open(folder)) {
            Err(ShredError::Locked(_)) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(10)),
            other => return other,
        }
    }
}

pub fn opened(open: Open<'_>, folder: &Path) -> Forest {
    open_anyhow(open, folder).unwrap()
}

/// A store whose root was in files goes on under another kind, and its files are gone.
pub fn a_root_of_files_moves(open: Open<'_>) {
    let folder = tempdir().unwrap();
    let head = seal(&opened(&files, folder.path()), b"kept");
    let forest = opened(open, folder.path());
    assert!(reads(&forest, &head, b"kept"), "it opens before it is moved");
    let moved = forest.finish_rotation().unwrap().expect("moved");
    assert_eq!((moved.from, moved.to), (1, 2));
    assert!(!folder.path().join("root-1.key").exists() && folder.path().join("root-2.wrapped").exists());
    drop(forest);
    let forest = opened(open, folder.path());
    assert!(reads(&forest, &head, b"kept") && forest.finish_rotation().unwrap().is_none());
    drop(forest);
    // The other way is refused: it would need both.
    let back = open_anyhow(&files, folder.path()).err().unwrap();
    assert!(matches!(&back, ShredError::Root(RootError::OtherKind { .. })), "{back}");
}

/// Many rotations one after the other leave one generation, and the wrapped file is no key.
pub fn generations_do_not_pile_up(open: Open<'_>) {
    let folder = tempdir().unwrap();
    let forest = opened(open, folder.path());
    let head = seal(&forest, b"kept");
    let began = Instant::now();
    for to in 2..=4 {
        assert_eq!(forest.rotate().unwrap().to, to);
    }
    println!("three rotations of one tree: {:?}", began.elapsed());
    let roots = fs::read_dir(folder.path()).unwrap().flatten().filter(|e| e.file_name().to_string_lossy().starts_with("root-"));
    assert_eq!(roots.count(), 1);
    drop(forest);
    assert!(reads(&opened(open, folder.path()), &head, b"kept"));
}

fn files(folder: &Path) -> Box<dyn RootKey> {
    Box::new(FileRoot::open(folder).unwrap())
}

#[test]
fn a_backup_without_the_root_file_opens_nothing_after_a_rotation() {
    a_backup_from_before_opens_nothing_after(&files, "root-");
    generations_do_not_pile_up(&files);
}

/// The limit of files, said in the documents: a backup that holds the root's file opens what was erased since, rotation or not.
#[test]
fn a_backup_with_the_root_file_still_opens() {
    let folder = tempdir().unwrap();
    let forest = opened(&files, folder.path());
    let erased = seal(&forest, b"a person's data");
    let stolen = backup(folder.path(), "lock");
    forest.puncture(&[erased.leaf()]).unwrap();
    let done = forest.rotate().unwrap();
    assert!(reads(&opened(&files, stolen.path()), &erased, b"a person's data"));
    assert!(done.destroyed[0].word.contains("copies of that file made before"), "{}", done.destroyed[0].word);
}
