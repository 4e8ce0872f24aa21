//! Lagrange's interpolation, of what k officers answered and of what a committee says of itself.

use std::collections::BTreeSet;
use std::fmt;

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{MultiscalarMul as _, VartimeMultiscalarMul as _};
use zeroize::Zeroizing;

use super::{GroupKey, Partial};

/// Why answers do not combine.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Incomplete {
    /// Fewer than the threshold, or a threshold of none.
    #[error("{given} answers where {needed} are needed")]
    TooFew {
        /// The threshold.
        needed: usize,
        /// Answers that were given.
        given: usize,
    },
    /// One officer's answer twice.
    #[error("two answers of officer {0}")]
    Duplicate(u16),
}

/// `Z = r·Y`, what k officers' answers make together. Opens one capsule, with sigma.
pub struct Combined(Zeroizing<RistrettoPoint>);

impl Combined {
    pub(super) fn point(&self) -> &RistrettoPoint {
        &self.0
    }
}

impl fmt::Debug for Combined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Combined(<secret>)")
    }
}

/// Combines the first `threshold` answers, all of one capsule and each verified before ([`Partial::verify`]): one that is wrong makes the
/// whole wrong, and [`super::Capsule::open`] fails without saying whose it was.
pub fn combine(threshold: usize, partials: &[Partial]) -> Result<Combined, Incomplete> {
    if threshold == 0 || partials.len() < threshold {
        return Err(Incomplete::TooFew { needed: threshold, given: partials.len() });
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = partials.iter().find(|partial| !seen.insert(partial.index())) {
        return Err(Incomplete::Duplicate(twice.index()));
    }
    let used = &partials[..threshold];
    let indexes: Vec<u16> = used.iter().map(Partial::index).collect();
    let points = Zeroizing::new(used.iter().map(Partial::point).collect::<Vec<_>>());
    Ok(Combined(Zeroizing::new(RistrettoPoint::multiscalar_mul(coefficients(&indexes, 0), points.iter()))))
}

/// Whether the public halves of `shares` lie, at their indexes, on one polynomial of degree `threshold` − 1 whose value at 0 is `key`: then
/// any `threshold` of their officers open what is made for `key`. At least `threshold` shares, with distinct indexes other than 0.
pub fn is_shared(key: &GroupKey, threshold: usize, shares: &[(u16, GroupKey)]) -> bool {
    let distinct: BTreeSet<u16> = shares.iter().map(|(index, _)| *index).collect();
    if threshold == 0 || shares.len() < threshold || distinct.len() != shares.len() || distinct.contains(&0) {
        return false;
    }
    let (first, others) = shares.split_at(threshold);
    let indexes: Vec<u16> = first.iter().map(|(index, _)| *index).collect();
    let points: Vec<RistrettoPoint> = first.iter().map(|(_, share)| share.point()).collect();
    others
        .iter()
        .chain(&[(0, *key)])
        .all(|(at, expected)| RistrettoPoint::vartime_multiscalar_mul(coefficients(&indexes, *at), &points) == expected.point())
}

/// Lagrange's coefficients: a polynomial of degree below the number of `indexes` has at `at` the sum of its values at `indexes`, each times
/// its coefficient. The indexes are distinct.
pub(super) fn coefficients(indexes: &[u16], at: u16) -> Vec<Scalar> {
    let coefficient = |own: &u16| {
        let others = || indexes.iter().filter(|index| *index != own).map(|index| Scalar::from(*index));
        let (at, own) = (Scalar::from(at), Scalar::from(*own));
        (others().map(|other| at - other).product::<Scalar>(), others().map(|other| own - other).product::<Scalar>())
    };
    let (above, mut below): (Vec<_>, Vec<_>) = indexes.iter().map(coefficient).unzip();
    Scalar::invert_batch_alloc(&mut below);
    above.iter().zip(below).map(|(above, below)| above * below).collect()
}
