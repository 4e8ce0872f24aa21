use super::*;
use crate::translog::edge::Edge;
use crate::translog::tree;

#[test]
fn paths_are_those_of_the_specification_and_take_one_form() {
    for (tile, path) in [
        (Tile::full(Kind::Hashes(0), 0), "tile/0/000"),
        (Tile::full(Kind::Hashes(5), 1_234_067), "tile/5/x001/x234/067"),
        (Tile::full(Kind::Entries, 1_000), "tile/entries/x001/000"),
        (Tile { kind: Kind::Hashes(1), index: 12, width: 17 }, "tile/1/012.p/17"),
        (Tile { kind: Kind::Entries, index: 273, width: 112 }, "tile/entries/273.p/112"),
        (Tile::full(Kind::Hashes(0), u64::MAX), "tile/0/x018/x446/x744/x073/x709/x551/615"),
    ] {
        assert_eq!(tile.to_string(), path);
        assert_eq!(path.parse(), Ok(tile));
    }
    assert_eq!(Tile { kind: Kind::Entries, index: 273, width: 112 }.partials(), "tile/entries/273.p");
    for bad in [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/0000",
        "tile/64/000",
        "tile/00/000",
        "tile/-1/000",
        "tile/0/x000/001",
        "tile/0/x001",
        "tile/0/001/000",
        "tile/0/x001/x234/x067",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/07",
        "tile/0/000.p",
        "tile/0/000.p/1/2",
        "tile/0/000/",
        "/tile/0/000",
        "tile/data/000",
        "tile/entries/+00",
        "tile/0/../000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/0/0é",
    ] {
        assert_eq!(bad.parse::<Tile>(), Err(TileError::Path), "{bad}");
    }
}

#[test]
fn the_tiles_of_a_tree_are_those_of_the_specification() {
    let of = |kind, index, size| Tile::of_tree(kind, index, size).map(|tile| tile.width);
    for (kind, index, size, width) in [
        (Kind::Hashes(0), 273, 70_000, Some(112)),
        (Kind::Hashes(0), 272, 70_000, Some(256)),
        (Kind::Hashes(0), 274, 70_000, None),
        (Kind::Hashes(1), 1, 70_000, Some(17)),
        (Kind::Hashes(2), 0, 70_000, Some(1)),
        (Kind::Hashes(3), 0, 70_000, None),
        (Kind::Hashes(1), 0, 256, Some(1)),
        (Kind::Entries, 0, 0, None),
        (Kind::Hashes(63), 0, u64::MAX, None),
        (Kind::Entries, u64::MAX, u64::MAX, None),
    ] {
        assert_eq!(of(kind, index, size), width, "{kind:?} {index} of {size}");
    }
}

#[test]
fn bundles_break_off_nowhere() {
    let bytes = encode_entries([&b"one"[..], b"", b"three"]);
    assert_eq!(bytes, b"\x00\x03one\x00\x00\x00\x05three");
    assert_eq!(decode_entries(&bytes, 3), Ok(vec![&b"one"[..], b"", b"three"]));
    for length in 0..bytes.len() {
        assert_eq!(decode_entries(&bytes[..length], 3), Err(TileError::Bundle), "{length} bytes");
    }
    assert_eq!(decode_entries(&bytes, 2), Err(TileError::Bundle));
    assert_eq!(decode_entries(&bytes, 4), Err(TileError::Bundle));
    assert_eq!(decode_hashes(&[0; 64], 2), Ok(vec![[0; 32]; 2]));
    for length in [0, 63, 65, 96] {
        assert_eq!(decode_hashes(&vec![0; length], 2), Err(TileError::Length { expected: 64, actual: length }));
    }
}

/// Proofs out of tiles are those of the tree, at sizes on both sides of a full tile.
#[test]
fn tiles_give_every_subtree() {
    let (mut edge, mut files, mut leaves) = (Edge::new(), BTreeMap::new(), Vec::new());
    for n in 0..66_000_u32 {
        edge.push(&n.to_be_bytes(), &mut |tile, bytes| drop(files.insert(tile, bytes)));
        leaves.push(hash::leaf(&n.to_be_bytes()));
        if ![1, 255, 256, 257, 65_536, 65_537, 66_000].contains(&edge.size()) {
            continue;
        }
        let (size, partials) = (edge.size(), edge.partials().into_iter().collect::<BTreeMap<_, _>>());
        let fetch = |tile: Tile| {
            let bytes = files.get(&tile).or_else(|| partials.get(&tile)).ok_or(TileError::Path)?;
            decode_hashes(bytes, tile.width)
        };
        let mut reader = Reader::new(size, fetch);
        let mut read = |node| reader.read(node, || TileError::Path);
        let root = tree::root(size, &mut read).expect("tiles");
        assert_eq!(root, edge.root());
        for index in [0, size / 3, size / 2, size - 1] {
            let path = tree::inclusion(index, size, &mut read).expect("tiles");
            let leaf = leaves[usize::try_from(index).expect("small")];
            assert_eq!(tree::verify_inclusion(&leaf, index, size, &root, &path), Ok(()), "{index} of {size}");
            let old = hash::fold(&leaves[..=usize::try_from(index).expect("small")]);
            let proof = tree::consistency(index + 1, size, &mut read).expect("tiles");
            assert_eq!(tree::verify_consistency((index + 1, &old), (size, &root), &proof), Ok(()), "{index} {size}");
        }
        assert_eq!(read(Node { level: 0, index: size }), Err(TileError::Path));
        assert_eq!(read(Node { level: 200, index: 1 }), Err(TileError::Path));
    }
}
