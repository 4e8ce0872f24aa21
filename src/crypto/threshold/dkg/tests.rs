use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;

use super::*;

const SHAPE: Shape = Shape { officers: 5, threshold: 3 };

fn seeds() -> BTreeMap<u16, Secret<32>> {
    (1..=SHAPE.officers).map(|index| (index, Secret::random())).collect()
}

fn commitments(seeds: &BTreeMap<u16, Secret<32>>) -> BTreeMap<u16, Vec<u8>> {
    seeds.iter().map(|(index, seed)| (*index, commit(SHAPE, *index, seed).unwrap())).collect()
}

/// What each is dealt.
fn dealt(seeds: &BTreeMap<u16, Secret<32>>, broadcasts: &BTreeMap<u16, Vec<u8>>) -> BTreeMap<u16, BTreeMap<u16, Secret<32>>> {
    let mut to: BTreeMap<u16, BTreeMap<u16, Secret<32>>> = BTreeMap::new();
    for (from, seed) in seeds {
        for (other, number) in deal(SHAPE, *from, seed, broadcasts).unwrap() {
            to.entry(other).or_default().insert(*from, number);
        }
    }
    to
}

/// A whole key generation: the shares and what is public.
pub(crate) fn generated() -> (BTreeMap<u16, Secret<32>>, Public) {
    let seeds = seeds();
    let broadcasts = commitments(&seeds);
    let to = dealt(&seeds, &broadcasts);
    let mut shares = BTreeMap::new();
    let mut publics = Vec::new();
    for (me, seed) in &seeds {
        let outcome = finish(SHAPE, *me, seed, &broadcasts, &to[me]).unwrap();
        shares.insert(*me, outcome.share);
        publics.push(outcome.public);
    }
    let public = publics.pop().unwrap();
    assert!(publics.iter().all(|other| *other == public));
    assert_eq!(super::public(SHAPE, &broadcasts), Ok(public.clone()), "the same without any secret");
    (shares, public)
}

#[test]
fn bytes_cross_between_the_two_curves_and_shares_fit_their_public_halves() {
    let (shares, public) = generated();
    for (index, share) in &shares {
        let scalar = Scalar::from_canonical_bytes(*share.expose()).unwrap();
        assert_eq!(RistrettoPoint::mul_base(&scalar).compress().to_bytes(), public.verifying[index]);
    }
    assert!(CompressedRistretto(public.key).decompress().is_some());
}

#[test]
fn the_same_seed_says_the_same_and_another_something_else() {
    let seeds = seeds();
    assert_eq!(commitments(&seeds), commitments(&seeds));
    assert_ne!(commit(SHAPE, 1, &seeds[&1]), commit(SHAPE, 1, &seeds[&2]));
    let broadcasts = commitments(&seeds);
    let numbers = |me| deal(SHAPE, me, &seeds[&me], &broadcasts).unwrap();
    assert_eq!(numbers(2), numbers(2));
    assert!(!numbers(2).contains_key(&2) && numbers(2).len() == 4);
}

#[test]
fn who_cheats_is_named() {
    let seeds = seeds();
    let honest = commitments(&seeds);
    // The proof of another: 4 repeats what 2 said.
    let mut broadcasts = honest.clone();
    broadcasts.insert(4, honest[&2].clone());
    assert_eq!(deal(SHAPE, 1, &seeds[&1], &broadcasts).err(), Some(Fault::Proof(4)));
    // Too many commitments, garbage, none.
    let more = commit(Shape { officers: 5, threshold: 4 }, 4, &seeds[&4]).unwrap();
    for wrong in [more, vec![], vec![7; 40], [honest[&4].as_slice(), &[0]].concat()] {
        broadcasts.insert(4, wrong);
        assert_eq!(deal(SHAPE, 1, &seeds[&1], &broadcasts).err(), Some(Fault::Commitments(4)));
    }
    broadcasts.remove(&4);
    assert_eq!(deal(SHAPE, 1, &seeds[&1], &broadcasts).err(), Some(Fault::Commitments(4)));
    // A number that is not what was committed to, or none.
    let mut to = dealt(&seeds, &honest).remove(&1).unwrap();
    let two = to[&2].duplicate();
    to.insert(3, two);
    assert_eq!(finish(SHAPE, 1, &seeds[&1], &honest, &to).err(), Some(Fault::Share(3)));
    to.remove(&3);
    assert_eq!(finish(SHAPE, 1, &seeds[&1], &honest, &to).err(), Some(Fault::Share(3)));
}

#[test]
fn what_is_no_committee_is_refused() {
    for (officers, threshold) in [(0, 0), (1, 1), (3, 1), (3, 4), (33, 3)] {
        assert_eq!(commit(Shape { officers, threshold }, 1, &Secret::random()), Err(Fault::Shape), "{threshold} of {officers}");
    }
    assert_eq!(commit(SHAPE, 6, &Secret::random()), Err(Fault::Shape));
    assert_eq!(commit(SHAPE, 0, &Secret::random()), Err(Fault::Shape));
    assert!(commit(Shape { officers: 2, threshold: 2 }, 1, &Secret::random()).is_ok());
}
