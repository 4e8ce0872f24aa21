use std::convert::Infallible;

use data_encoding::HEXLOWER;
use proptest::prelude::*;

use super::*;

/// Leaves of the test tree of the Certificate Transparency project.
const LEAVES: [&str; 8] = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
/// Its roots at 1 to 8 leaves.
const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];
const A: &str = "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7";
const B: &str = "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e";
const C: &str = "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4";
const D: &str = "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b";
const E: &str = "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0";
const F: &str = "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a";

#[test]
fn roots_and_proofs_are_those_of_certificate_transparency() {
    let leaves: Vec<Hash> = LEAVES.iter().map(|leaf| hash::leaf(&HEXLOWER.decode(leaf.as_bytes()).expect("hex"))).collect();
    let mut read = reader(&leaves);
    for (size, expected) in (1..).zip(ROOTS) {
        assert_eq!(text(&[root(size, &mut read).expect("infallible")]), [expected]);
    }
    for (index, size, path) in [
        (0, 1, vec![]),
        (0, 8, vec![A, B, C]),
        (5, 8, vec![D, E, ROOTS[3]]),
        (2, 3, vec![ROOTS[1]]),
        (1, 5, vec![ROOTS[0], B, D]),
    ] {
        assert_eq!(text(&inclusion(index, size, &mut read).expect("infallible")), path, "leaf {index} of {size}");
    }
    for (old, new, proof) in [(1, 1, vec![]), (1, 8, vec![A, B, C]), (6, 8, vec![F, E, ROOTS[3]]), (2, 5, vec![B, D])] {
        assert_eq!(text(&consistency(old, new, &mut read).expect("infallible")), proof, "from {old} to {new}");
    }
    assert_eq!(text(&[hash::empty()]), ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"]);
}

#[test]
fn each_proof_of_small_trees_verifies_and_no_altered_one_does() {
    let leaves: Vec<Hash> = (0..40_u8).map(|n| hash::leaf(&[n])).collect();
    let mut read = reader(&leaves);
    for size in 0..=40_u64 {
        let head = root(size, &mut read).expect("infallible");
        for index in 0..size {
            let path = inclusion(index, size, &mut read).expect("infallible");
            let leaf = &leaves[usize::try_from(index).expect("small")];
            assert_eq!(verify_inclusion(leaf, index, size, &head, &path), Ok(()));
            each_alteration(&path, |path| assert!(verify_inclusion(leaf, index, size, &head, path).is_err()));
            assert_eq!(verify_inclusion(&[9; 32], index, size, &head, &path), Err(TreeError::Root));
        }
        for old in 0..=size {
            let old_root = root(old, &mut read).expect("infallible");
            let proof = consistency(old, size, &mut read).expect("infallible");
            assert_eq!(verify_consistency((old, &old_root), (size, &head), &proof), Ok(()), "{old} {size}");
            each_alteration(&proof, |proof| {
                assert!(verify_consistency((old, &old_root), (size, &head), proof).is_err());
            });
            assert!(verify_consistency((old, &[9; 32]), (size, &head), &proof).is_err());
            assert!(old == 0 || verify_consistency((old, &old_root), (size, &[9; 32]), &proof).is_err());
        }
    }
    assert_eq!(verify_inclusion(&[0; 32], 3, 3, &[0; 32], &[]), Err(TreeError::NoLeaf { index: 3, size: 3 }));
    let backwards = verify_consistency((3, &[0; 32]), (2, &[0; 32]), &[]);
    assert_eq!(backwards, Err(TreeError::Order { old: 3, new: 2 }));
}

proptest! {
    /// Whatever is shown as a proof ends in an answer.
    #[test]
    fn no_proof_panics(old in any::<u64>(), new in any::<u64>(), hashes in proptest::collection::vec(any::<[u8; 32]>(), 0..70)) {
        let _ = verify_inclusion(&[0; 32], old, new, &[0; 32], &hashes);
        let _ = verify_consistency((old, &[0; 32]), (new, &[0; 32]), &hashes);
    }
}

/// One hash too few, too many, and each hash altered.
fn each_alteration(proof: &[Hash], check: impl Fn(&[Hash])) {
    let longer = [proof, &[[7; 32]]].concat();
    check(&longer);
    if let Some((_, shorter)) = proof.split_last() {
        check(shorter);
    }
    for at in 0..proof.len() {
        let mut altered = proof.to_vec();
        altered[at][31] ^= 1;
        check(&altered);
    }
}

/// Subtrees by the definition.
fn reader(leaves: &[Hash]) -> impl FnMut(Node) -> Result<Hash, Infallible> {
    |node| {
        let start = usize::try_from(node.index << node.level).expect("small");
        Ok(hash::fold(&leaves[start..start + (1 << node.level)]))
    }
}

fn text(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|hash| HEXLOWER.encode(hash)).collect()
}
