//! New shares of the same key: for the same officers (a refresh) or for others (a handover).
//!
//! Desmedt and Jajodia (1997), with Feldman's commitments (1987); as a refresh it is Herzberg, Jarecki, Krawczyk and Yung (1995).
//! A set D of at least k old officers deals. Dealer i has the share x_i, and the weight λ_i of i in D (Lagrange at 0). It deals a polynomial
//! f_i of degree k'-1 with f_i(0) = λ_i x_i, and commits to its coefficients. Whoever knows i's verifying share X_i = x_i G checks that the
//! first commitment is λ_i X_i, so a dealer deals its own share or is named. The new share of j is Σ f_i(j). The key is Σ λ_i X_i: unchanged.
//!
//! Shares of two generations do not lie on one polynomial: k-1 old ones and k'-1 new ones together open nothing. That holds only where
//! old shares and the dealers' seeds are destroyed.

use std::collections::{BTreeMap, BTreeSet};

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::Identity as _;
use zeroize::Zeroize as _;

use super::dkg::{Fault, MAX_OFFICERS, Outcome, Public, Shape};
use super::interpolate::coefficients;
use crate::crypto::kdf;
use crate::crypto::secret::Secret;

const COEFFICIENT: &[u8] = b"celosia officer coefficient 1";

/// What is fixed before anybody deals. It checks itself once, in [`Resharing::new`].
#[derive(Clone, Debug)]
pub struct Resharing {
    dealers: BTreeMap<u16, RistrettoPoint>,
    old: Public,
    shape: Shape,
    receivers: BTreeSet<u16>,
}

impl Resharing {
    /// `old` is the committee that deals, `old_threshold` its k; `dealers` are D, by their old numbers; `receivers` the new numbers.
    ///
    /// # Errors
    /// [`Fault::Shape`] where fewer than k deal, one deals that is no officer, or the new threshold is below the old one.
    pub fn new(
        old: Public,
        old_threshold: u16,
        dealers: &BTreeSet<u16>,
        receivers: BTreeSet<u16>,
        threshold: u16,
    ) -> Result<Self, Fault> {
        let officers = u16::try_from(receivers.len()).map_err(|_| Fault::Shape)?;
        let shape = Shape { officers, threshold };
        shape.check()?;
        // Threat: a refresh by which fewer than before open.
        let falls = threshold < old_threshold || old_threshold < 2;
        let fits = dealers.len() >= usize::from(old_threshold) && dealers.len() <= MAX_OFFICERS;
        if falls || !fits || dealers.contains(&0) || receivers.contains(&0) {
            return Err(Fault::Shape);
        }
        let mut points = BTreeMap::new();
        for dealer in dealers {
            let half = old.verifying.get(dealer).and_then(point).ok_or(Fault::Shape)?;
            points.insert(*dealer, half * weight(dealers, *dealer));
        }
        let sum: RistrettoPoint = points.values().sum();
        if sum.compress().to_bytes() != old.key {
            return Err(Fault::Shape);
        }
        Ok(Self { dealers: points, old, shape, receivers })
    }

    /// First step of a dealer: its commitments, `threshold` × 32 bytes, for all others.
    ///
    /// # Errors
    /// [`Fault::Proof`] of oneself where the share is not the one of the old committee.
    pub fn commit(&self, me: u16, share: &Secret<32>, seed: &Secret<32>) -> Result<Vec<u8>, Fault> {
        let mut coefficients = self.coefficients(me, share, seed)?;
        let points = coefficients.iter().map(RistrettoPoint::mul_base);
        let bytes: Vec<u8> = points.flat_map(|point| point.compress().to_bytes()).collect();
        coefficients.zeroize();
        self.check(me, &bytes)?;
        Ok(bytes)
    }

    /// Whether the commitments of a dealer are its own share's.
    ///
    /// # Errors
    /// [`Fault::Commitments`] and [`Fault::Proof`], naming the dealer.
    pub fn check(&self, from: u16, broadcast: &[u8]) -> Result<(), Fault> {
        self.points(from, broadcast).map(drop)
    }

    /// Second step of a dealer: the secret number for each receiver.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub fn deal(&self, me: u16, share: &Secret<32>, seed: &Secret<32>) -> Result<BTreeMap<u16, Secret<32>>, Fault> {
        let mut coefficients = self.coefficients(me, share, seed)?;
        let number = |to: &u16| {
            let x = Scalar::from(*to);
            let mut value = coefficients.iter().rev().fold(Scalar::ZERO, |value, coefficient| value * x + coefficient);
            let mut bytes = value.to_bytes();
            value.zeroize();
            (*to, Secret::take(&mut bytes))
        };
        let dealt = self.receivers.iter().map(number).collect();
        coefficients.zeroize();
        Ok(dealt)
    }

    /// What everybody knows in the end, from the commitments of all dealers: a dealer that leaves checks with this what it signs.
    ///
    /// # Errors
    /// Names the first dealer whose commitments are not its share's.
    pub fn public(&self, broadcasts: &BTreeMap<u16, Vec<u8>>) -> Result<Public, Fault> {
        let mut sums = vec![RistrettoPoint::identity(); usize::from(self.shape.threshold)];
        for dealer in self.dealers.keys() {
            let points = self.points(*dealer, broadcasts.get(dealer).ok_or(Fault::Commitments(*dealer))?)?;
            sums.iter_mut().zip(points).for_each(|(sum, point)| *sum += point);
        }
        let verifying = self.receivers.iter().map(|to| (*to, evaluate(&sums, *to).compress().to_bytes())).collect();
        // Each first commitment was checked, so their sum is the key.
        Ok(Public { key: self.old.key, verifying })
    }

    /// Last step of a receiver: with what each dealer dealt to it.
    ///
    /// # Errors
    /// Names who dealt what does not fit.
    pub fn finish(
        &self,
        me: u16,
        broadcasts: &BTreeMap<u16, Vec<u8>>,
        dealt: &BTreeMap<u16, Secret<32>>,
    ) -> Result<Outcome, Fault> {
        let public = self.public(broadcasts)?;
        let mut share = Scalar::ZERO;
        for dealer in self.dealers.keys() {
            let points = self.points(*dealer, broadcasts.get(dealer).ok_or(Fault::Commitments(*dealer))?)?;
            let wrong = Fault::Share(*dealer);
            let mut number = scalar(dealt.get(dealer).ok_or(wrong)?).ok_or(wrong)?;
            let fits = RistrettoPoint::mul_base(&number) == evaluate(&points, me);
            share += number;
            number.zeroize();
            if !fits {
                share.zeroize();
                return Err(wrong);
            }
        }
        let half = RistrettoPoint::mul_base(&share).compress().to_bytes();
        let mut bytes = share.to_bytes();
        share.zeroize();
        let share = Secret::take(&mut bytes);
        if public.verifying.get(&me) == Some(&half) { Ok(Outcome { share, public }) } else { Err(Fault::Shape) }
    }

    fn coefficients(&self, me: u16, share: &Secret<32>, seed: &Secret<32>) -> Result<Vec<Scalar>, Fault> {
        if !self.dealers.contains_key(&me) {
            return Err(Fault::Shape);
        }
        let dealers: BTreeSet<u16> = self.dealers.keys().copied().collect();
        let mut coefficients = Vec::with_capacity(usize::from(self.shape.threshold));
        coefficients.push(scalar(share).ok_or(Fault::Proof(me))? * weight(&dealers, me));
        for power in 1..self.shape.threshold {
            let wide = kdf::expand::<64>(&[], seed.expose(), &[COEFFICIENT, &power.to_be_bytes()]);
            coefficients.push(Scalar::from_bytes_mod_order_wide(wide.expose()));
        }
        Ok(coefficients)
    }

    /// The commitments of a dealer, checked.
    fn points(&self, from: u16, broadcast: &[u8]) -> Result<Vec<RistrettoPoint>, Fault> {
        let wrong = Fault::Commitments(from);
        let constant = self.dealers.get(&from).ok_or(wrong)?;
        let (parts, rest) = broadcast.as_chunks::<32>();
        if !rest.is_empty() || parts.len() != usize::from(self.shape.threshold) {
            return Err(wrong);
        }
        let points = parts.iter().map(point).collect::<Option<Vec<_>>>().ok_or(wrong)?;
        // Threat: a dealer that deals another number than its share, so that the key changes and nothing opens any more.
        if points.first() == Some(constant) { Ok(points) } else { Err(Fault::Proof(from)) }
    }
}

/// Lagrange's weight of `index` at 0 among `set`.
fn weight(set: &BTreeSet<u16>, index: u16) -> Scalar {
    let indexes: Vec<u16> = set.iter().copied().collect();
    let weights = coefficients(&indexes, 0);
    indexes.iter().position(|other| *other == index).map_or(Scalar::ZERO, |at| weights[at])
}

/// The polynomial of the commitments at an index.
fn evaluate(points: &[RistrettoPoint], at: u16) -> RistrettoPoint {
    let x = Scalar::from(at);
    points.iter().rev().fold(RistrettoPoint::identity(), |value, point| value * x + point)
}

/// A point in its one encoding, never the identity.
fn point(bytes: &[u8; 32]) -> Option<RistrettoPoint> {
    CompressedRistretto(*bytes).decompress().filter(|point| *point != RistrettoPoint::identity())
}

fn scalar(bytes: &Secret<32>) -> Option<Scalar> {
    Scalar::from_canonical_bytes(*bytes.expose()).into_option()
}

#[cfg(test)]
mod tests;
