use curve25519_dalek::constants::RISTRETTO_BASEPOINT_TABLE as G;
use curve25519_dalek::scalar::Scalar;

use super::*;
use crate::crypto::Broken;
use crate::crypto::secret::Secret;

mod properties;
mod vector_tests;

/// A committee whose secret somebody knew: `coefficients` are those of the polynomial, indexes are 1 to `n`.
struct Committee {
    key: GroupKey,
    shares: Vec<KeyShare>,
}

impl Committee {
    fn new(coefficients: &[u64], n: u16) -> Self {
        let value = |x: u16| coefficients.iter().rev().fold(Scalar::ZERO, |sum, c| sum * Scalar::from(x) + Scalar::from(*c));
        let share = |x| KeyShare::new(x, Secret::take(&mut value(x).to_bytes())).unwrap();
        Self { key: GroupKey::from_point(&(&value(0) * G)).unwrap(), shares: (1..=n).map(share).collect() }
    }

    fn public(&self) -> Vec<(u16, GroupKey)> {
        self.shares.iter().map(|share| (share.index(), share.verifying())).collect()
    }

    fn partials(&self, indexes: &[usize], capsule: &Capsule, label: &[u8]) -> Vec<Partial> {
        indexes.iter().map(|i| self.shares[*i].partial(&self.key, capsule, label).unwrap()).collect()
    }
}

fn secret(byte: u8) -> Secret<32> {
    Secret::init_with(|bytes| bytes.fill(byte))
}

#[test]
fn three_of_five_open_and_two_do_not() {
    let committee = Committee::new(&[77, 5, 6], 5);
    let prepared = Prepared::new(&committee.key);
    let (data_key, sigma, label) = (secret(1), secret(2), b"label");
    let capsule = Capsule::make(&prepared, &data_key, &sigma, label);
    assert!(capsule.matches(&prepared, &data_key, &sigma, label) && capsule.is_sound(&committee.key, label));
    for subset in [[0, 1, 2], [4, 2, 0], [1, 3, 4]] {
        let partials = committee.partials(&subset, &capsule, label);
        for (partial, i) in partials.iter().zip(subset) {
            assert!(partial.verify(&committee.shares[i].verifying(), &capsule, label));
        }
        let combined = combine(3, &partials).unwrap();
        assert_eq!(capsule.open(&combined, &sigma, label), Ok(data_key.duplicate()));
        assert_eq!(capsule.open(&combined, &secret(3), label), Err(Broken), "without sigma");
        assert_eq!(capsule.open(&combined, &sigma, b"other"), Err(Broken));
        assert_eq!(capsule.open(&combine(2, &partials).unwrap(), &sigma, label), Err(Broken), "two of them");
    }
}

#[test]
fn answers_that_do_not_combine_are_refused_by_name() {
    let committee = Committee::new(&[77, 5, 6], 5);
    let capsule = Capsule::make(&Prepared::new(&committee.key), &secret(1), &secret(2), b"l");
    let mut partials = committee.partials(&[0, 1], &capsule, b"l");
    assert_eq!(combine(3, &partials).err(), Some(Incomplete::TooFew { needed: 3, given: 2 }));
    assert_eq!(combine(0, &partials).err(), Some(Incomplete::TooFew { needed: 0, given: 2 }));
    partials.push(partials[1].clone());
    assert_eq!(combine(3, &partials).err(), Some(Incomplete::Duplicate(2)));
    let mut zero = partials[0].to_bytes();
    zero[..2].fill(0);
    assert_eq!(Partial::try_from(zero.as_slice()), Err(Malformed::Index));
}

#[test]
fn the_identity_and_second_encodings_are_never_taken() {
    assert_eq!(GroupKey::from_bytes([0; 32]), Err(Malformed::Point));
    assert_eq!(GroupKey::from_bytes([0xff; 32]), Err(Malformed::Point));
    assert_eq!(BASE64.encode(&[0; 32]).parse::<GroupKey>(), Err(ParseError::Point));
    assert_eq!("AA==".parse::<GroupKey>(), Err(ParseError::Length { expected: 32, actual: 1 }));
    assert_eq!(KeyShare::new(0, secret(1)).err(), Some(Malformed::Index));
    assert_eq!(KeyShare::new(1, secret(0)).err(), Some(Malformed::Scalar));
    assert_eq!(KeyShare::new(1, secret(0xff)).err(), Some(Malformed::Scalar));
    let committee = Committee::new(&[9, 2], 2);
    assert_eq!(committee.key.to_string().parse(), Ok(committee.key));
    let capsule = Capsule::make(&Prepared::new(&committee.key), &secret(1), &secret(2), b"l").to_bytes();
    for (place, error) in [(0, Malformed::Point), (32, Malformed::Point), (64, Malformed::Scalar), (96, Malformed::Scalar)] {
        let mut wrong = capsule;
        wrong[place..place + 32].fill(0xff);
        assert_eq!(Capsule::try_from(wrong.as_slice()), Err(error));
    }
    assert_eq!(Capsule::try_from(&capsule[1..]), Err(Malformed::Length { expected: 176, actual: 175 }));
}

#[test]
fn a_committee_is_what_its_public_halves_say() {
    let committee = Committee::new(&[77, 5, 6], 5);
    let shares = committee.public();
    assert!(is_shared(&committee.key, 3, &shares));
    assert!(is_shared(&committee.key, 4, &shares), "a polynomial of a lower degree is one of a higher");
    assert!(!is_shared(&committee.key, 2, &shares));
    assert!(!is_shared(&shares[0].1, 3, &shares));
    assert!(!is_shared(&committee.key, 6, &shares) && !is_shared(&committee.key, 0, &shares));
    for (i, other) in [(0, 1), (4, 1), (4, 0)] {
        let mut wrong = shares.clone();
        wrong[i].1 = shares[other].1;
        assert!(!is_shared(&committee.key, 3, &wrong));
        let mut twice = shares.clone();
        twice[i] = shares[other];
        assert!(!is_shared(&committee.key, 3, &twice));
    }
}

#[test]
fn nothing_secret_is_printed() {
    let committee = Committee::new(&[9, 2], 2);
    let capsule = Capsule::make(&Prepared::new(&committee.key), &secret(1), &secret(2), b"l");
    let partials = committee.partials(&[0, 1], &capsule, b"l");
    let printed = format!("{:?} {:?} {:?}", committee.shares[0], partials[0], combine(2, &partials).unwrap());
    assert_eq!(printed, format!("KeyShare(1, {}) Partial(1, <secret>) Combined(<secret>)", committee.shares[0].verifying()));
}

/// What a static Diffie-Hellman oracle would allow: the `R` of one capsule under the name of another.
#[test]
fn parts_of_one_capsule_do_not_fit_another() {
    let committee = Committee::new(&[77, 5], 2);
    let prepared = Prepared::new(&committee.key);
    let (one, other) = (
        Capsule::make(&prepared, &secret(1), &secret(2), b"one").to_bytes(),
        Capsule::make(&prepared, &secret(3), &secret(4), b"other").to_bytes(),
    );
    for (from, to) in [(0, 32), (0, 64), (0, 128), (64, 128), (128, 176), (32, 176)] {
        let mut mixed = other;
        mixed[from..to].copy_from_slice(&one[from..to]);
        let mixed = Capsule::try_from(mixed.as_slice()).unwrap();
        for label in [b"one".as_slice(), b"other"] {
            assert_eq!(committee.shares[0].partial(&committee.key, &mixed, label).err(), Some(Broken), "{from}..{to}");
        }
    }
    let one = Capsule::try_from(one.as_slice()).unwrap();
    assert!(one.is_sound(&committee.key, b"one") && !one.is_sound(&committee.key, b"other"));
}

/// Two capsules of one data key and one sigma, of which only label or committee differ, share no randomness: a Schnorr nonce that is used
/// twice gives its secret away.
#[test]
fn randomness_is_used_once() {
    let (committee, next) = (Committee::new(&[77, 5], 2), Committee::new(&[78, 5], 2));
    let make =
        |committee: &Committee, label| Capsule::make(&Prepared::new(&committee.key), &secret(1), &secret(2), label).to_bytes();
    let capsules = [make(&committee, b"a"), make(&committee, b"b"), make(&next, b"a")];
    for (i, part) in [(0, 1), (1, 2), (2, 0)].into_iter().flat_map(|pair| [0, 32, 64, 96, 128].map(|part| (pair, part))) {
        assert_ne!(capsules[i.0][part..part + 32], capsules[i.1][part..part + 32]);
    }
    assert_eq!(make(&committee, b"a"), capsules[0], "the same input gives the same capsule");
    let capsule = Capsule::try_from(capsules[0].as_slice()).unwrap();
    let (first, second) = (committee.partials(&[0], &capsule, b"a"), committee.partials(&[0], &capsule, b"a"));
    assert_eq!(first[0].to_bytes()[..34], second[0].to_bytes()[..34]);
    assert_ne!(first[0].to_bytes()[34..], second[0].to_bytes()[34..], "the proof has randomness of its own");
}

/// An answer is for one officer and one capsule; the proof of another officer or another capsule is none.
#[test]
fn an_answer_stands_for_its_officer_and_its_capsule_alone() {
    let committee = Committee::new(&[77, 5], 3);
    let prepared = Prepared::new(&committee.key);
    let capsule = Capsule::make(&prepared, &secret(1), &secret(2), b"l");
    let twin = Capsule::make(&prepared, &secret(1), &secret(3), b"l");
    let partial = &committee.partials(&[0], &capsule, b"l")[0];
    let own = committee.shares[0].verifying();
    assert!(partial.verify(&own, &capsule, b"l"));
    assert!(!partial.verify(&committee.shares[1].verifying(), &capsule, b"l"));
    assert!(!partial.verify(&own, &twin, b"l") && !partial.verify(&own, &capsule, b"m"));
    let mut renamed = partial.to_bytes();
    renamed[1] = 2;
    assert!(!Partial::try_from(renamed.as_slice()).unwrap().verify(&own, &capsule, b"l"), "under another index");
}
