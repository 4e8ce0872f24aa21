use std::collections::BTreeSet;

use data_encoding::HEXLOWER;
use proptest::prelude::*;

use super::*;

fn tree() -> KeyTree {
    KeyTree::from_seed(Secret::init_with(|seed| seed.fill(7)))
}

proptest! {
    #[test]
    fn after_any_punctures_exactly_the_others_derive_what_they_did(
        punctured in prop::collection::btree_set(prop_oneof![0_u32..64, any::<u32>()], 0..40),
        probes in prop::collection::vec(prop_oneof![0_u32..64, any::<u32>()], 40),
    ) {
        let (whole, mut part) = (tree(), tree());
        for leaf in &punctured {
            prop_assert!(part.puncture(*leaf));
            prop_assert!(!part.puncture(*leaf));
        }
        let part = KeyTree::decode(&part.encode()).expect("its own encoding");
        for leaf in probes.into_iter().chain(punctured.iter().copied()) {
            let expected = (!punctured.contains(&leaf)).then(|| whole.derive(leaf).expect("whole"));
            prop_assert_eq!(part.derive(leaf), expected);
        }
    }

    #[test]
    fn arbitrary_states_are_refused_or_canonical(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Some(tree) = KeyTree::decode(&bytes) {
            prop_assert_eq!(tree.encode().to_vec(), bytes);
        }
    }
}

#[test]
fn leaves_differ_and_both_ends_can_be_punctured() {
    let mut tree = tree();
    let keys: BTreeSet<[u8; 32]> = (0..100).filter_map(|leaf| tree.derive(leaf)).map(|key| *key.expose()).collect();
    assert_eq!(keys.len(), 100);
    for leaf in [0, u32::MAX, 1, u32::MAX - 1] {
        assert!(tree.puncture(leaf) && !tree.is_alive(leaf));
    }
    assert!(tree.is_alive(2) && tree.is_alive(u32::MAX - 2));
}

#[test]
fn a_run_of_punctures_collapses() {
    let mut tree = tree();
    (0..1024).for_each(|leaf| assert!(tree.puncture(leaf)));
    assert_eq!(tree.len(), 22);
}

#[test]
fn overlapping_unordered_and_misaligned_states_are_refused() {
    let entry = |depth: u8, first: u32| [[depth].as_slice(), &first.to_be_bytes(), &[1; 32]].concat();
    let state = |entries: &[Vec<u8>]| {
        let count = u32::try_from(entries.len()).expect("few").to_be_bytes();
        [count.as_slice(), &entries.concat()].concat()
    };
    assert!(KeyTree::decode(&state(&[entry(1, 0), entry(1, 1 << 31)])).is_some());
    for bad in [
        state(&[entry(0, 0), entry(32, 5)]),
        state(&[entry(32, 5), entry(32, 4)]),
        state(&[entry(1, 4)]),
        state(&[entry(33, 0)]),
        state(&[entry(1, 0)])[..30].to_vec(),
        [state(&[entry(1, 0)]), vec![0]].concat(),
    ] {
        assert!(KeyTree::decode(&bad).is_none());
    }
}

/// Vectors made by the second implementation, `tests/vectors/key_tree.py`.
#[test]
fn what_is_remembered_on_the_way_outlives_no_puncture() {
    let mut tree = KeyTree::from_seed(Secret::init_with(|seed| seed.fill(3)));
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
    assert!(far == KeyTree::from_seed(Secret::init_with(|seed| seed.fill(3))).derive(1 << 31).expect("whole"));
}

#[test]
fn the_vectors_of_the_second_implementation_hold() {
    let vectors: serde_json::Value = serde_json::from_str(include_str!("../../../tests/vectors/key-tree.json")).expect("JSON");
    let list = |value: &serde_json::Value| value.as_array().expect("a list").clone();
    let number = |value: &serde_json::Value| u32::try_from(value.as_u64().expect("a number")).expect("32 bits");
    let bytes = |value: &serde_json::Value| HEXLOWER.decode(value.as_str().expect("text").as_bytes()).expect("hex");
    let cases = list(&vectors["trees"]);
    assert!(cases.len() >= 4);
    for case in cases {
        let mut tree = KeyTree::from_seed(Secret::from_slice(&bytes(&case["seed"])).expect("32 bytes"));
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
    assert!(refused.len() >= 6);
    for case in refused {
        assert!(KeyTree::decode(&bytes(&case["state"])).is_none(), "{}", case["name"]);
    }
}
