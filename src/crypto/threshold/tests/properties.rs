//! Any committee, any capsule, any alteration.

use proptest::prelude::*;
use proptest::sample::subsequence;

use super::{Committee, secret};
use crate::crypto::Broken;
use crate::crypto::threshold::{Capsule, Partial, Prepared, combine, is_shared};

/// Coefficients of a polynomial and a committee of so many that it is 1 ≤ k ≤ n, with some k of its officers.
fn committee() -> impl Strategy<Value = (Vec<u64>, u16, Vec<usize>)> {
    (1..=6_usize, 0..=4_usize).prop_flat_map(|(k, more)| {
        let n = k + more;
        let coefficients = prop::collection::vec(1..=u64::MAX, k);
        (coefficients, Just(u16::try_from(n).unwrap()), subsequence((0..n).collect::<Vec<_>>(), k).prop_shuffle())
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_k_of_n_open_and_fewer_do_not(
        (coefficients, n, chosen) in committee(), label in prop::collection::vec(any::<u8>(), 0..80), byte in any::<u8>(),
    ) {
        let (committee, k) = (Committee::new(&coefficients, n), coefficients.len());
        let prepared = Prepared::new(&committee.key);
        let capsule = Capsule::make(&prepared, &secret(byte), &secret(!byte), &label);
        prop_assert!(is_shared(&committee.key, k, &committee.public()));
        prop_assert!(capsule.is_sound(&committee.key, &label));
        let partials = committee.partials(&chosen, &capsule, &label);
        for (partial, i) in partials.iter().zip(&chosen) {
            prop_assert!(partial.verify(&committee.shares[*i].verifying(), &capsule, &label));
            prop_assert_eq!(Partial::try_from(partial.to_bytes().as_slice()), Ok(partial.clone()));
        }
        let opened = capsule.open(&combine(k, &partials).unwrap(), &secret(!byte), &label).unwrap();
        prop_assert!(capsule.matches(&prepared, &opened, &secret(!byte), &label));
        prop_assert_eq!(&opened, &secret(byte));
        if k > 1 {
            prop_assert!(combine(k, &partials[1..]).is_err());
            let fewer = combine(k - 1, &partials[1..]).unwrap();
            prop_assert_eq!(capsule.open(&fewer, &secret(!byte), &label), Err(Broken));
        }
    }

    /// Every bit of a capsule is bound by its proof, and so are label and key.
    #[test]
    fn an_altered_capsule_is_refused_by_everybody(at in 0..Capsule::LEN, bit in 0..8_u32, byte in any::<u8>()) {
        let (committee, other) = (Committee::new(&[u64::from(byte) + 1, 7], 2), Committee::new(&[u64::from(byte) + 2, 7], 2));
        let prepared = Prepared::new(&committee.key);
        let capsule = Capsule::make(&prepared, &secret(byte), &secret(!byte), b"label");
        let mut bytes = capsule.to_bytes();
        bytes[at] ^= 1 << bit;
        if let Ok(altered) = Capsule::try_from(bytes.as_slice()) {
            prop_assert!(!altered.is_sound(&committee.key, b"label"));
            prop_assert!(!altered.matches(&prepared, &secret(byte), &secret(!byte), b"label"));
            prop_assert_eq!(committee.shares[0].partial(&committee.key, &altered, b"label").err(), Some(Broken));
            let partial = &committee.partials(&[0], &capsule, b"label")[0];
            prop_assert!(!partial.verify(&committee.shares[0].verifying(), &altered, b"label"));
        }
        prop_assert!(!capsule.is_sound(&committee.key, b"labels") && !capsule.is_sound(&other.key, b"label"));
        prop_assert_eq!(committee.shares[0].partial(&committee.key, &capsule, b"").err(), Some(Broken));
    }

    /// A wrong answer is named by its proof.
    #[test]
    fn an_altered_answer_is_told_from_the_others(at in 2..Partial::LEN, bit in 0..8_u32, liar in 0..3_usize) {
        let committee = Committee::new(&[5, 6, 7], 3);
        let capsule = Capsule::make(&Prepared::new(&committee.key), &secret(1), &secret(2), b"label");
        let mut partials = committee.partials(&[0, 1, 2], &capsule, b"label");
        let mut bytes = partials[liar].to_bytes();
        bytes[at] ^= 1 << bit;
        if let Ok(lie) = Partial::try_from(bytes.as_slice()) {
            partials[liar] = lie;
            let honest = |i: &usize| partials[*i].verify(&committee.shares[*i].verifying(), &capsule, b"label");
            prop_assert_eq!((0..3).filter(|i| !honest(i)).collect::<Vec<_>>(), [liar]);
        }
    }
}
