use std::collections::BTreeMap;

use super::*;
use crate::crypto::secret::Secret;
use crate::crypto::sign::SigningKey;
use crate::translog::{commitment, cosignature};

/// A log in memory.
#[derive(Clone, Default)]
struct Copy {
    files: BTreeMap<Tile, Vec<u8>>,
}

impl Files for Copy {
    fn file(&mut self, tile: Tile) -> Result<Option<Vec<u8>>, String> {
        Ok(self.files.get(&tile).cloned())
    }

    fn partials(&mut self, tile: Tile) -> Result<Vec<u16>, String> {
        let partial = self.files.keys().filter(|other| !other.is_full() && (other.kind, other.index) == (tile.kind, tile.index));
        Ok(partial.map(|tile| tile.width).collect())
    }
}

fn made(seed: &str, sizes: &[u64]) -> (Copy, Vec<Checkpoint>) {
    let (mut copy, mut edge, mut heads) = (Copy::default(), Edge::new(), Vec::new());
    for size in sizes {
        while edge.size() < *size {
            let entry = commitment::commit(&[7; 32], format!("{seed} {}", edge.size()).as_bytes());
            edge.push(&entry, &mut |tile, bytes| drop(copy.files.insert(tile, bytes)));
        }
        copy.files.extend(edge.partials());
        heads.push(Checkpoint { origin: "o".into(), size: *size, root: edge.root(), keys: None, extensions: Vec::new() });
    }
    (copy, heads)
}

#[test]
fn every_flipped_byte_is_found_and_named() {
    let (copy, heads) = made("a", &[300, 66_000]);
    assert_eq!(log(&heads[1], Some(&heads[0]), &mut copy.clone()), Ok(()));
    // Each partial form, each tile above the leaves, and some of the five hundred full ones.
    let chosen = |tile: &Tile| !tile.is_full() || tile.index.is_multiple_of(64) || matches!(tile.kind, Kind::Hashes(1..));
    for (tile, bytes) in copy.files.iter().filter(|(tile, _)| chosen(tile)) {
        // The first hash or entry of a file, its last byte, and one between.
        for at in [2, bytes.len() / 2, bytes.len() - 1] {
            let mut altered = copy.clone();
            altered.files.get_mut(tile).expect("there")[at] ^= 1;
            let wrong = log(&heads[1], None, &mut altered).expect_err("altered");
            let named = wrong.to_string();
            let files = [tile.to_string(), Tile { kind: Kind::Hashes(0), ..*tile }.to_string()];
            assert!(files.iter().any(|file| named.starts_with(file)), "{tile} at {at}: {named}");
        }
    }
    let Some(Wrong::Hash { file, at, below }) = ({
        let mut altered = copy.clone();
        altered.files.get_mut(&Tile::full(Kind::Hashes(0), 3)).expect("there")[5 * 32] ^= 1;
        log(&heads[1], None, &mut altered).err()
    }) else {
        panic!("another error")
    };
    assert_eq!((file.as_str(), at, below.as_str()), ("tile/0/003", 5, "entry 773"));
}

#[test]
fn what_is_cut_short_put_back_or_forked_is_found() {
    let (copy, heads) = made("a", &[300, 1_000]);
    for tile in copy.files.keys().filter(|tile| Tile::of_tree(tile.kind, tile.index, 1_000) == Some(**tile)) {
        let mut cut = copy.clone();
        cut.files.remove(tile);
        assert_eq!(log(&heads[1], None, &mut cut), Err(Wrong::Missing(tile.to_string())));
        let mut short = copy.clone();
        short.files.get_mut(tile).expect("there").pop();
        let Err(Wrong::File { file, .. }) = log(&heads[1], None, &mut short) else { panic!("{tile}") };
        assert_eq!(file, tile.to_string());
    }
    let (mut other, others) = made("b", &[300, 1_000]);
    assert_eq!(log(&others[1], Some(&heads[0]), &mut other), Err(Wrong::Since { size: 300 }));
    assert_eq!(log(&heads[1], None, &mut other), Err(Wrong::Root { size: 1_000 }));
    assert_eq!(log(&heads[0], Some(&heads[1]), &mut copy.clone()), Err(TreeError::Order { old: 1_000, new: 300 }.into()));
    assert!(consistency(&heads[0], &heads[1], &mut copy.clone()).is_ok());
    assert_eq!(consistency(&others[0], &heads[1], &mut copy.clone()), Err(Wrong::Tree(TreeError::Root)));
    assert_eq!(consistency(&heads[1], &heads[0], &mut copy.clone()), Err(TreeError::Order { old: 1_000, new: 300 }.into()));
}

#[test]
fn entries_are_commitments_and_partial_forms_their_beginnings() {
    let (mut edge, mut copy) = (Edge::new(), Copy::default());
    edge.push(b"not a commitment", &mut |_, _| ());
    copy.files.extend(edge.partials());
    let head = Checkpoint { origin: "o".into(), size: 1, root: edge.root(), keys: None, extensions: Vec::new() };
    let wrong = Wrong::Entry { file: "tile/entries/000.p/1".into(), index: 0, length: 16 };
    assert_eq!(log(&head, None, &mut copy), Err(wrong));
    let (mut copy, heads) = made("a", &[10, 20]);
    let longer = Tile { kind: Kind::Hashes(0), index: 0, width: 30 };
    copy.files.insert(longer, vec![0; 30 * 32]);
    assert_eq!(log(&heads[1], None, &mut copy), Ok(()), "what a crash left belongs to no checkpoint");
    copy.files.get_mut(&Tile { width: 10, ..longer }).expect("there")[0] ^= 1;
    assert_eq!(log(&heads[1], None, &mut copy), Err(Wrong::Partial("tile/0/000.p/10".into())));
}

#[test]
fn a_quorum_counts_each_witness_once() {
    let (_, heads) = made("a", &[10]);
    let keys: Vec<_> = (0..3).map(|_| SigningKey::from_seed(&Secret::random())).collect();
    let log = NoteKey { name: "o".into(), key: keys[0].verify_key() };
    let mut note = Note::new(heads[0].to_string()).expect("a text");
    note.sign("o", &keys[0]);
    let witness = |n: usize| Witness { name: format!("w{n}"), key: keys[n].verify_key() };
    note.add(witness(1).line(5, &keys[1].sign(&cosignature::message(5, note.text()))));
    let text = note.to_string();
    assert_eq!(checkpoint(&text, &log, &[witness(1), witness(2)], 1), Ok((heads[0].clone(), vec!["w1".into()])));
    assert_eq!(checkpoint(&text, &log, &[witness(1), witness(1)], 2), Err(Wrong::Quorum { have: 1, need: 2 }));
    assert_eq!(checkpoint(&text, &log, &[], 0).map(|(_, who)| who), Ok(Vec::new()));
    assert_eq!(checkpoint("", &log, &[], 0).expect_err("empty").code(), Code(4241));
}
