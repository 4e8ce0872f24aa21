use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use tempfile::tempdir;

use serde_json::Value;

use super::super::FileRoot;
use super::*;

fn open(folder: &Path) -> Forest {
    Forest::open(folder, Box::new(FileRoot::open(folder).expect("a root"))).expect("a forest")
}

#[test]
fn heads_open_after_a_restart_and_punctured_ones_never_again() {
    let folder = tempdir().expect("a folder");
    let (kept, shredded) = {
        let forest = open(folder.path());
        let heads = (forest.seal_new(b"id", b"kept").expect("sealed"), forest.seal_new(b"id", b"gone").expect("sealed"));
        assert_ne!(heads.0.leaf(), heads.1.leaf());
        forest.puncture(&[heads.1.leaf(), heads.1.leaf()]).expect("punctured");
        heads
    };
    let forest = open(folder.path());
    assert_eq!(forest.open_head(b"id", &kept).expect("opens").as_slice(), b"kept");
    assert!(matches!(forest.open_head(b"id", &shredded), Err(ShredError::Destroyed)));
    assert!(matches!(forest.open_head(b"other id", &kept), Err(ShredError::Broken(_))));
    let again = forest.reseal(kept.leaf(), b"id", b"anew").expect("resealed");
    assert_eq!(forest.open_head(b"id", &again).expect("opens").as_slice(), b"anew");
    assert_ne!(forest.seal_new(b"id", b"next").expect("sealed").leaf().tree, kept.leaf().tree, "a new start, a new tree");
}

#[test]
fn a_start_that_keeps_nothing_leaves_no_tree_and_one_process_has_the_folder() {
    let folder = tempdir().expect("a folder");
    let forest = open(folder.path());
    let names = |folder: &Path| fs::read_dir(folder).expect("a folder").flatten().map(|e| e.file_name()).collect::<Vec<_>>();
    assert!(!names(folder.path()).iter().any(|name| name.to_string_lossy().starts_with("tree-")));
    let root = Box::new(FileRoot::open(folder.path()).expect("a root"));
    assert!(matches!(Forest::open(folder.path(), root), Err(ShredError::Locked(_))));
    drop(forest);
}

#[test]
fn altered_missing_and_loose_files_are_refused() {
    let folder = tempdir().expect("a folder");
    let head = open(folder.path()).seal_new(b"id", b"head").expect("sealed");
    let tree = folder.path().join("tree-00000001.key");
    let bytes = fs::read(&tree).expect("a tree");
    for at in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[at] ^= 1;
        fs::write(&tree, &altered).expect("written");
        let opened = open(folder.path()).open_head(b"id", &head);
        // Four bytes of the header say which root generation.
        let is_generation = (16..20).contains(&at);
        match opened {
            Err(ShredError::NoGeneration(_)) if is_generation => {}
            Err(ShredError::Broken(_)) if !is_generation => {}
            other => panic!("byte {at}: {other:?}"),
        }
    }
    fs::remove_file(&tree).expect("removed");
    assert!(matches!(open(folder.path()).open_head(b"id", &head), Err(ShredError::Missing(1))));
    let root = folder.path().join("root-1.key");
    fs::set_permissions(&root, fs::Permissions::from_mode(0o640)).expect("a mode");
    assert!(matches!(FileRoot::open(folder.path()), Err(ShredError::Loose(_))));
}

#[test]
fn many_callers_seal_under_different_leaves_and_puncture_together() {
    let folder = tempdir().expect("a folder");
    let forest = open(folder.path());
    let heads: Vec<SealedHead> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| (0..50).map(|_| forest.seal_new(b"", b"x").expect("sealed")).collect::<Vec<_>>()))
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a thread")).collect()
    });
    let leaves: BTreeSet<LeafRef> = heads.iter().map(SealedHead::leaf).collect();
    assert_eq!(leaves.len(), 400);
    std::thread::scope(|scope| {
        for head in heads.iter().step_by(2) {
            scope.spawn(|| forest.puncture(&[head.leaf()]).expect("punctured"));
        }
    });
    drop(forest);
    let forest = open(folder.path());
    for (n, head) in heads.iter().enumerate() {
        assert_eq!(forest.open_head(b"", head).is_ok(), n % 2 == 1);
    }
}

#[test]
fn a_new_day_and_a_full_tree_begin_another() {
    let folder = tempdir().expect("a folder");
    let forest = open(folder.path());
    let first = forest.current(10).expect("a tree");
    assert_eq!(forest.current(10).expect("the same").tree.id(), first.tree.id());
    let second = forest.current(11).expect("a tree");
    assert_ne!(second.tree.id(), first.tree.id());

    let filled = forest.current(today()).expect("a tree");
    filled.next.store(MAX_LEAVES - 1, Ordering::Relaxed);
    let last = forest.seal_new(b"", b"last").expect("sealed").leaf();
    let next = forest.seal_new(b"", b"next").expect("sealed").leaf();
    assert_eq!((last.tree, last.leaf), (filled.tree.id(), MAX_LEAVES - 1));
    assert_eq!((next.tree, next.leaf), (filled.tree.id() + 1, 0));
}

#[test]
fn a_puncture_that_cannot_be_written_fails_and_is_made_good_later() {
    let folder = tempdir().expect("a folder");
    let forest = open(folder.path());
    let head = forest.seal_new(b"id", b"head").expect("sealed");
    // The rewrite needs this name.
    let blocked = folder.path().join("tree-00000001.tmp");
    fs::create_dir(&blocked).expect("a folder");
    assert!(matches!(forest.puncture(&[head.leaf()]), Err(ShredError::Io { .. })));
    assert!(!forest.is_alive(head.leaf()).expect("known"), "whatever the disk says, it opens no more");
    fs::remove_dir(&blocked).expect("removed");
    forest.puncture(&[head.leaf()]).expect("punctured");
    drop(forest);
    assert!(!open(folder.path()).is_alive(head.leaf()).expect("known"));
}

#[test]
fn what_a_crash_leaves_of_a_rewrite_is_swept_away() {
    let folder = tempdir().expect("a folder");
    let head = open(folder.path()).seal_new(b"id", b"head").expect("sealed");
    fs::write(folder.path().join("tree-00000001.tmp"), b"half a tree").expect("written");
    let forest = open(folder.path());
    assert_eq!(forest.open_head(b"id", &head).expect("opens").as_slice(), b"head");
    assert!(!folder.path().join("tree-00000001.tmp").exists());
}

#[test]
fn a_lost_root_is_not_replaced_and_older_generations_still_open() {
    let folder = tempdir().expect("a folder");
    let head = open(folder.path()).seal_new(b"id", b"head").expect("sealed");
    let (first, aside) = (folder.path().join("root-1.key"), folder.path().join("aside"));
    fs::rename(&first, &aside).expect("moved");
    let root = Box::new(FileRoot::open(folder.path()).expect("no file"));
    assert!(matches!(Forest::open(folder.path(), root), Err(ShredError::Io { .. })));
    fs::rename(&aside, &first).expect("moved back");

    let second = folder.path().join("root-2.key");
    fs::write(&second, [9; 32]).expect("written");
    fs::set_permissions(&second, fs::Permissions::from_mode(0o600)).expect("a mode");
    let forest = open(folder.path());
    assert_eq!(forest.open_head(b"id", &head).expect("opens").as_slice(), b"head");
    forest.seal_new(b"id", b"under the second").expect("sealed");
    let header = fs::read(folder.path().join("tree-00000002.key")).expect("a tree");
    assert_eq!(header[16..20], 2_u32.to_be_bytes());
    fs::write(&second, [9; 31]).expect("written");
    assert!(matches!(FileRoot::open(folder.path()), Err(ShredError::Broken(_))));
}

#[test]
fn key_files_are_ours_alone() {
    let folder = tempdir().expect("a folder");
    open(folder.path()).seal_new(b"", b"").expect("sealed");
    for name in ["root-1.key", "tree-00000001.key", "lock"] {
        let mode = fs::metadata(folder.path().join(name)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

/// The second implementation of `docs/key-tree.md` reads our files and opens our heads, and finds the same ones destroyed.
#[test]
fn the_python_implementation_opens_what_we_sealed() {
    let folder = tempdir().expect("a folder");
    let mut heads = Vec::new();
    for start in 0..2_u8 {
        let forest = open(folder.path());
        for n in 0..12_u8 {
            let head = forest.seal_new(&[start], &[n; 70]).expect("sealed");
            if n % 3 == 0 {
                forest.puncture(&[head.leaf()]).expect("punctured");
            }
            heads.push((vec![start], head, (n % 3 != 0).then(|| vec![n; 70])));
        }
    }
    assert_eq!(magic(folder.path(), 2), b"CKT2");
    python_opens(folder.path(), &heads);
}

/// Id, head, and what it opens to: `None` if destroyed.
type Kept = (Vec<u8>, SealedHead, Option<Vec<u8>>);

fn python_opens(folder: &Path, heads: &[Kept]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/key_tree.py");
    if Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: python3 is not installed");
        return;
    }
    let mut arguments = vec![script.to_owned(), "open".to_owned(), folder.display().to_string()];
    arguments.extend(heads.iter().map(|(aad, head, _)| format!("{}:{}", hex(aad), hex(head.as_bytes()))));
    let output = Command::new("python3").args(arguments).output().expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let expected: Vec<_> = heads.iter().map(|(_, _, text)| text.as_deref().map_or_else(|| "destroyed".to_owned(), hex)).collect();
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().collect::<Vec<_>>(), expected);
}

fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// A key folder that the program wrote before trees had a second version, its heads, and what they open to: `None` if destroyed.
fn old_folder() -> (tempfile::TempDir, Vec<Kept>) {
    let fixture: Value = serde_json::from_str(include_str!("../../../tests/vectors/key-folder-1.json")).expect("JSON");
    let bytes = |value: &Value| data_encoding::HEXLOWER.decode(value.as_str().expect("text").as_bytes()).expect("hex");
    let folder = tempdir().expect("a folder");
    for name in ["root-1.key", "tree-00000001.key"] {
        let path = folder.path().join(name);
        fs::write(&path, bytes(&fixture[name])).expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("ours alone");
    }
    let heads = fixture["heads"].as_array().expect("a list").iter().map(|head| {
        let text = (!head["text"].is_null()).then(|| bytes(&head["text"]));
        (bytes(&head["id"]), SealedHead::from_bytes(bytes(&head["head"]).into()).expect("a head"), text)
    });
    (folder, heads.collect())
}

fn magic(folder: &Path, tree: u32) -> Vec<u8> {
    fs::read(folder.join(format!("tree-{tree:08x}.key"))).expect("a tree")[..4].to_vec()
}

#[test]
fn a_tree_of_the_first_version_is_read_punctured_and_rotated_and_stays_what_it_is() {
    let (folder, mut heads) = old_folder();
    let check = |forest: &Forest, heads: &[Kept]| {
        for (id, head, text) in heads {
            match (forest.open_head(id, head), text) {
                (Ok(opened), Some(text)) => assert_eq!(*opened, *text),
                (Err(ShredError::Destroyed), None) => assert!(!forest.is_alive(head.leaf()).expect("read")),
                (other, _) => panic!("{other:?}"),
            }
        }
    };
    {
        let forest = open(folder.path());
        assert_eq!(forest.punctures().expect("read"), 5);
        check(&forest, &heads);
        // New payloads go to a tree of the second version beside it.
        let new = forest.seal_new(b"new", b"new").expect("sealed");
        assert_eq!(new.leaf().tree, 2);
        heads.push((b"new".to_vec(), new, Some(b"new".to_vec())));
        // An acknowledgement under an old leaf.
        let (leaf, beside) = (heads[2].1.leaf(), b"beside".to_vec());
        heads.push((beside.clone(), forest.reseal(leaf, &beside, &beside).expect("resealed"), Some(beside)));
        forest.puncture(&[heads[1].1.leaf()]).expect("punctured");
        heads[1].2 = None;
        check(&forest, &heads);
        forest.rotate().expect("rotated");
        check(&forest, &heads);
    }
    assert!(!folder.path().join("root-1.key").exists());
    assert_eq!((magic(folder.path(), 1), magic(folder.path(), 2)), (b"CKT1".to_vec(), b"CKT2".to_vec()));
    let forest = open(folder.path());
    check(&forest, &heads);
    assert_eq!(forest.punctures().expect("read"), 6);
    python_opens(folder.path(), &heads);
}

#[test]
fn a_file_that_claims_the_other_version_is_refused() {
    let (folder, heads) = old_folder();
    let path = folder.path().join("tree-00000001.key");
    let written = fs::read(&path).expect("a tree");
    for magic in [b"CKT2", b"CKT0", b"CKT3"] {
        let mut bytes = written.clone();
        bytes[..4].copy_from_slice(magic);
        fs::write(&path, bytes).expect("written");
        let (id, head, _) = &heads[1];
        assert!(matches!(open(folder.path()).open_head(id, head), Err(ShredError::Broken(_))));
    }
}
