use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use proptest::prelude::*;

use super::*;

const BOTH: [Version; 2] = [Version::First, Version::Second];

/// A whole tree whose root's seed (and key) is one byte again and again.
fn whole(version: Version, byte: u8) -> KeyTree {
    match version {
        // None is begun any more: such a tree is read.
        Version::First => KeyTree::decode(version, &[&[0, 0, 0, 1, 0, 0, 0, 0, 0][..], &[byte; 32]].concat()).expect("whole"),
        Version::Second => {
            KeyTree::whole(Secret::init_with(|key| key.fill(byte)), Secret::init_with(|seed| seed.fill(byte.wrapping_add(1))))
        }
    }
}

fn version() -> impl Strategy<Value = Version> {
    prop_oneof![Just(Version::First), Just(Version::Second)]
}

proptest! {
    #[test]
    fn after_any_punctures_exactly_the_others_derive_what_they_did(
        version in version(),
        punctured in prop::collection::btree_set(prop_oneof![0_u32..64, any::<u32>()], 0..40),
        probes in prop::collection::vec(prop_oneof![0_u32..64, any::<u32>()], 40),
    ) {
        let (whole, mut part) = (whole(version, 7), whole(version, 7));
        for leaf in &punctured {
            prop_assert!(part.puncture(*leaf));
            prop_assert!(!part.puncture(*leaf));
        }
        let state = part.encode();
        prop_assert_eq!(state.len(), part.encoded_len());
        let part = KeyTree::decode(version, &state).expect("its own encoding");
        prop_assert_eq!(part.encode(), state);
        prop_assert_eq!((part.version(), part.punctured()), (version, punctured.len() as u64));
        for leaf in probes.into_iter().chain(punctured.iter().copied()) {
            let expected = (!punctured.contains(&leaf)).then(|| whole.derive(leaf).expect("whole"));
            prop_assert_eq!(part.derive(leaf), expected);
        }
    }

    #[test]
    fn arbitrary_states_are_refused_or_canonical(version in version(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Some(tree) = KeyTree::decode(version, &bytes) {
            prop_assert_eq!(tree.encode().to_vec(), bytes);
        }
    }

    /// Runs of any shape, and as many seeds as there happen to be.
    #[test]
    fn places_that_anybody_makes_up_are_refused_or_canonical(
        runs in prop::collection::vec((prop_oneof![Just(0_u8), any::<u8>()], prop_oneof![Just(0_u8), any::<u8>()]), 0..6),
        seeds in 0_usize..200,
    ) {
        let count = u32::try_from(runs.len()).expect("few").to_be_bytes();
        let places: Vec<u8> = runs.iter().flat_map(|(word, more)| if word & 1 == 1 { vec![*word, *more] } else { vec![*word] }).collect();
        let bytes = [[5; 32].as_slice(), &count, &places, &vec![9; seeds * 16]].concat();
        if let Some(tree) = KeyTree::decode(Version::Second, &bytes) {
            prop_assert_eq!(tree.encode().to_vec(), bytes);
        }
    }

    /// A shape is told by its runs: any mutation of a state's places is another state, or none.
    #[test]
    fn altered_states_are_refused_or_canonical(
        leaves in prop::collection::vec(0_u32..5000, 1..20),
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
    ) {
        let mut tree = whole(Version::Second, 3);
        for leaf in leaves {
            tree.puncture(leaf);
        }
        let mut bytes = tree.encode().to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        if let Some(other) = KeyTree::decode(Version::Second, &bytes) {
            prop_assert_eq!(other.encode().to_vec(), bytes);
        }
    }
}

#[test]
fn leaves_differ_and_both_ends_can_be_punctured() {
    for version in BOTH {
        let mut tree = whole(version, 7);
        let keys: BTreeSet<[u8; 32]> = (0..100).filter_map(|leaf| tree.derive(leaf)).map(|key| *key.expose()).collect();
        assert_eq!(keys.len(), 100);
        for leaf in [0, u32::MAX, 1, u32::MAX - 1] {
            assert!(tree.puncture(leaf) && !tree.is_alive(leaf));
        }
        assert!(tree.is_alive(2) && tree.is_alive(u32::MAX - 2));
    }
}

#[test]
fn a_run_of_punctures_collapses() {
    for version in BOTH {
        let mut tree = whole(version, 7);
        (0..1024).for_each(|leaf| assert!(tree.puncture(leaf)));
        assert_eq!(tree.len(), 22);
    }
}

/// What the strength of 128 bits rests on: equal seeds at two places, or in two trees, have nothing in common.
#[test]
fn equal_seeds_at_two_places_or_in_two_trees_derive_different_keys() {
    let seeds = |key: u8, places: &[u8], count: usize| {
        let runs = [0, 0, 0, u8::try_from(places.len()).expect("few")];
        KeyTree::decode(Version::Second, &[[key; 32].as_slice(), &runs, places, &vec![4; count * 16]].concat()).expect("a state")
    };
    // Leaf 0 is punctured: the tree is 32 subtrees of 32 depths, all of one seed here.
    let (tree, other) = (seeds(1, &[0], 32), seeds(2, &[0], 32));
    let mut keys = BTreeSet::new();
    for level in 0..32 {
        for tree in [&tree, &other] {
            keys.insert(*tree.derive(1 << level).expect("alive").expose());
            keys.insert(*tree.derive(u32::MAX >> (31 - level)).expect("alive").expose());
        }
    }
    // The first subtree is one leaf.
    assert_eq!(keys.len(), 2 * (1 + 31 * 2));
    // Two neighbours of one depth: leaves 0 and 3 punctured, 1 and 2 of one seed.
    let tree = seeds(1, &[0, 4], 32);
    assert!(tree.derive(1).expect("alive") != tree.derive(2).expect("alive"));
}

/// The bar of the state's size, with room: 1 % of a full tree at random.
#[test]
fn one_percent_at_random_stays_below_a_mebibyte() {
    let mut tree = whole(Version::Second, 7);
    let mut state = 1_u64;
    while tree.punctured() < 10_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        tree.puncture(u32::try_from(state >> 44).expect("20 bits"));
    }
    let (subtrees, bytes) = (tree.len(), tree.encoded_len());
    println!("{subtrees} subtrees, {bytes} bytes");
    assert!((57_500..60_500).contains(&subtrees), "{subtrees} subtrees");
    assert!(bytes < 975_000, "{bytes} bytes");
}

#[test]
fn overlapping_unordered_and_misaligned_states_are_refused() {
    let entry = |depth: u8, first: u32| [[depth].as_slice(), &first.to_be_bytes(), &[1; 32]].concat();
    let state = |entries: &[Vec<u8>]| {
        let count = u32::try_from(entries.len()).expect("few").to_be_bytes();
        [count.as_slice(), &entries.concat()].concat()
    };
    let decode = |bytes: &[u8]| KeyTree::decode(Version::First, bytes);
    assert!(decode(&state(&[entry(1, 0), entry(1, 1 << 31)])).is_some());
    for bad in [
        state(&[entry(0, 0), entry(32, 5)]),
        state(&[entry(32, 5), entry(32, 4)]),
        state(&[entry(1, 4)]),
        state(&[entry(33, 0)]),
        state(&[entry(1, 0)])[..30].to_vec(),
        [state(&[entry(1, 0)]), vec![0]].concat(),
    ] {
        assert!(decode(&bad).is_none());
    }
}

#[test]
fn what_is_remembered_on_the_way_outlives_no_puncture() {
    for version in BOTH {
        let mut tree = whole(version, 3);
        let before: Vec<_> = (0..8).map(|leaf| tree.derive(leaf).expect("whole")).collect();
        for leaf in [5, 0, 7] {
            assert!(tree.puncture(leaf));
            assert!(tree.derive(leaf).is_none());
            for other in 0..8_u32 {
                if let Some(key) = tree.derive(other) {
                    assert!(key == before[other as usize]);
                }
            }
        }
        assert_eq!((0..8).filter(|leaf| tree.is_alive(*leaf)).count(), 5);
        let far = tree.derive(1 << 31).expect("another node at the same depth");
        assert!(far == whole(version, 3).derive(1 << 31).expect("whole"));
    }
}

/// Vectors made by the second implementation, `tests/vectors/key_tree.py`.
#[test]
fn the_vectors_of_the_second_implementation_hold() {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("../../../tests/vectors/key-tree.json")).expect("JSON");
    let list = |value: &serde_json::Value| value.as_array().expect("a list").clone();
    let number = |value: &serde_json::Value| u32::try_from(value.as_u64().expect("a number")).expect("32 bits");
    let bytes = |value: &serde_json::Value| HEXLOWER.decode(value.as_str().expect("text").as_bytes()).expect("hex");
    let version = |value: &serde_json::Value| if value["version"] == 1 { Version::First } else { Version::Second };
    let cases = list(&vectors["trees"]);
    assert!(BOTH.iter().all(|wanted| cases.iter().filter(|case| version(case) == *wanted).count() >= 4));
    for case in cases {
        let (key, seed) = (&case["key"], bytes(&case["seed"]));
        let mut tree = match version(&case) {
            Version::First => {
                KeyTree::decode(Version::First, &[&[0, 0, 0, 1, 0, 0, 0, 0, 0][..], &seed].concat()).expect("whole")
            }
            Version::Second => {
                KeyTree::whole(Secret::from_slice(&bytes(key)).expect("32 bytes"), Secret::from_slice(&seed).expect("16 bytes"))
            }
        };
        for leaf in list(&case["punctured"]) {
            tree.puncture(number(&leaf));
        }
        assert_eq!(tree.encode().to_vec(), bytes(&case["state"]), "{}", case["name"]);
        for leaf in list(&case["leaves"]) {
            let expected = (!leaf["key"].is_null()).then(|| bytes(&leaf["key"]));
            let derived = tree.derive(number(&leaf["leaf"])).map(|key| key.expose().to_vec());
            assert_eq!(derived, expected, "{} leaf {}", case["name"], leaf["leaf"]);
        }
    }
    let refused = list(&vectors["refused"]);
    assert!(refused.len() >= 20);
    for case in refused {
        assert!(KeyTree::decode(version(&case), &bytes(&case["state"])).is_none(), "{}", case["name"]);
    }
}
