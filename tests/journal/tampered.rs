use std::fs;
use std::path::Path;

use crate::made::{copy, log, verify_log};

/// Sizes at which the log published: below a tile, a full tile, and several of them.
const SIZES: [u64; 4] = [3, 256, 300, 1_000];

#[test]
fn a_log_verifies_by_both_implementations_at_every_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let key = log(folder.path(), 1, &[1, 3, 255, 256, 257, 300, 1_000, 66_000]);
    for since in [None, Some(1), Some(256), Some(300), Some(66_000)] {
        let since = since.map(|size| folder.path().join(format!("checkpoint.{size}")));
        for said in verify_log(folder.path(), &key, since) {
            assert_eq!((said.exit, said.text.contains("good")), (0, true), "{said:?}");
        }
    }
    let other = "other+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let wrong = key.replace("banco-azul", "banco-rojo");
    for key in [other, &wrong] {
        for said in verify_log(folder.path(), key, None) {
            assert_ne!(said.exit, 0, "{key}: {said:?}");
        }
    }
}

/// One byte in each kind of file: found by both, and ours names the file.
#[test]
fn a_flipped_byte_in_each_kind_of_file_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let key = log(folder.path(), 1, &SIZES);
    for (file, at, named) in [
        ("checkpoint", 5, "the checkpoint: "),
        ("checkpoint", 40, "the checkpoint: "),
        ("checkpoint", 180, "the checkpoint: "),
        ("tile/0/000", 0, "tile/0/000: hash 0 is not the one of entry 0"),
        ("tile/0/002", 255 * 32 + 31, "tile/0/002: hash 255 is not the one of entry 767"),
        ("tile/0/003.p/232", 231 * 32, "tile/0/003.p/232: hash 231 is not the one of entry 999"),
        ("tile/1/000.p/3", 64, "tile/1/000.p/3: hash 2 is not the one of tile/0/002"),
        ("tile/entries/001", 2 + 34 * 7, "tile/0/001: hash 7 is not the one of entry 263"),
        ("tile/entries/001", 1, "tile/entries/001: "),
        ("tile/entries/003.p/232", 34 * 232 - 1, "tile/0/003.p/232: hash 231 is not the one of entry 999"),
    ] {
        let path = folder.path().join(file);
        let bytes = fs::read(&path).unwrap();
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        fs::write(&path, altered).unwrap();
        found(folder.path(), &key, None, named);
        fs::write(&path, bytes).unwrap();
    }
    assert!(verify_log(folder.path(), &key, None).iter().all(|said| said.exit == 0), "put back as it was");
}

#[test]
fn a_truncated_log_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let key = log(folder.path(), 1, &SIZES);
    for file in ["tile/entries/003.p/232", "tile/entries/001", "tile/0/003.p/232", "tile/0/000", "tile/1/000.p/3"] {
        let cut = tempfile::tempdir().unwrap();
        copy(folder.path(), cut.path());
        fs::remove_file(cut.path().join(file)).unwrap();
        found(cut.path(), &key, None, &format!("{file} is missing"));
        copy(folder.path(), cut.path());
        let bytes = fs::read(cut.path().join(file)).unwrap();
        fs::write(cut.path().join(file), &bytes[..bytes.len() - 34]).unwrap();
        found(cut.path(), &key, None, &format!("{file}: "));
    }
}

#[test]
fn a_rollback_and_a_fork_are_found() {
    let (folder, fork) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let key = log(folder.path(), 1, &SIZES);
    assert_eq!(log(fork.path(), 2, &SIZES), key, "the same name and key, another history");
    let newest = folder.path().join("checkpoint.1000");
    // Put back: an older checkpoint, whole in itself, beside a newer one that somebody has.
    let back = tempfile::tempdir().unwrap();
    log(back.path(), 1, &SIZES[..3]);
    assert!(verify_log(back.path(), &key, None).iter().all(|said| said.exit == 0), "alone it is a good log");
    found(back.path(), &key, Some(&newest), "a tree of 1000 leaves is no part of one of 300");
    // Forked: at the same size, and after an older checkpoint.
    assert!(verify_log(fork.path(), &key, None).iter().all(|said| said.exit == 0), "alone it is a good log");
    found(fork.path(), &key, Some(&newest), "the log does not go on from the checkpoint of 1000 entries: it forked");
    let older = folder.path().join("checkpoint.300");
    found(fork.path(), &key, Some(&older), "the log does not go on from the checkpoint of 300 entries: it forked");
    // A checkpoint of one history over the entries of another.
    fs::copy(&newest, fork.path().join("checkpoint")).unwrap();
    found(fork.path(), &key, None, "lead to another root than that of the checkpoint");
}

/// Each verifier says that the log is not good; ours say what.
fn found(folder: &Path, key: &str, since: Option<&Path>, named: &str) {
    let said = verify_log(folder, key, since.map(Path::to_owned));
    for said in &said {
        assert_eq!(said.exit, 1, "{named}: {said:?}");
    }
    for said in &said[..2] {
        assert!(said.text.contains(named) && said.text.contains("CEL4241"), "{named}: {said:?}");
    }
}
