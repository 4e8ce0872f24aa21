//! Key generation among n officers, so that the key is never whole anywhere: FROST's KeyGen (Komlo and Goldberg, figure 1: Pedersen's DKG
//! with a proof that each dealer knows its secret), by the Zcash Foundation's `frost-ristretto255`.
//!
//! Three steps: [`commit`] (for all), [`deal`] (one secret number for each other), [`finish`]. A dealer's randomness is one seed of 32
//! bytes: with it each step can be run again and says the same, so an officer who is interrupted contradicts nobody. The seed is destroyed
//! when the ceremony is over. FROST's library is built on another version of the curve: numbers and points cross as their canonical bytes.
//!
//! The steps demand that everybody saw the same commitments. Who runs them compares that, see `crate::ceremony`.

use std::collections::BTreeMap;

use frost_ristretto255::keys::dkg::{self, round1, round2};
use frost_ristretto255::keys::{KeyPackage, PublicKeyPackage, SigningShare};
use frost_ristretto255::rand_core::{CryptoRng, Error as RngError, RngCore};
use frost_ristretto255::{Error, Identifier};
use zeroize::Zeroize as _;

use crate::crypto::kdf;
use crate::crypto::secret::Secret;

/// Most officers of a committee.
pub const MAX_OFFICERS: usize = 32;
const RANDOMNESS: &[u8] = b"celosia officer randomness 1";

/// What one officer has in the end.
#[derive(Debug)]
pub struct Outcome {
    /// Its share of the key, a scalar.
    pub share: Secret<32>,
    /// What everybody knows.
    pub public: Public,
}

/// What everybody knows in the end. Points as canonical ristretto255 (RFC 9496).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Public {
    /// The committee's key.
    pub key: [u8; 32],
    /// The public halves of the shares, by index.
    pub verifying: BTreeMap<u16, [u8; 32]>,
}

/// What a step does not take, and from whom.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The commitments are missing, of another number than the threshold, or no points.
    #[error("the commitments of officer {0} are not what the ceremony asks for")]
    Commitments(u16),
    /// The proof that the dealer knows its secret fails; or, of a resharing, the dealer does not deal its own share.
    #[error("officer {0} does not prove that it knows what it deals")]
    Proof(u16),
    /// The number that was dealt does not fit the commitments.
    #[error("the share from officer {0} does not fit its commitments")]
    Share(u16),
    /// Threshold or number of officers, or who deals.
    #[error("threshold, officers or dealers do not make a ceremony")]
    Shape,
}

/// What is fixed before anybody deals. Officers are numbered 1 to `officers`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shape {
    /// How many officers.
    pub officers: u16,
    /// How many of them open.
    pub threshold: u16,
}

impl Shape {
    /// 2 <= k <= n <= 32.
    pub fn check(self) -> Result<(), Fault> {
        let fits = self.threshold >= 2 && self.threshold <= self.officers && usize::from(self.officers) <= MAX_OFFICERS;
        if fits { Ok(()) } else { Err(Fault::Shape) }
    }
}

/// First step: the commitments and the proof, for all others.
///
/// # Errors
/// [`Fault::Shape`].
pub fn commit(shape: Shape, me: u16, seed: &Secret<32>) -> Result<Vec<u8>, Fault> {
    start(shape, me, seed)?.1.serialize().map_err(|_| Fault::Shape)
}

/// Second step: with everybody's commitments (one's own may be among them), the secret number for each other officer.
///
/// # Errors
/// Names the first whose commitments or proof fail.
pub fn deal(
    shape: Shape,
    me: u16,
    seed: &Secret<32>,
    broadcasts: &BTreeMap<u16, Vec<u8>>,
) -> Result<BTreeMap<u16, Secret<32>>, Fault> {
    let (secret, _) = start(shape, me, seed)?;
    let (_, dealt) = dkg::part2(secret, &packages(shape, me, broadcasts)?).map_err(|error| fault(&error))?;
    let mut numbers = BTreeMap::new();
    for other in (1..=shape.officers).filter(|other| *other != me) {
        let package = dealt.get(&identifier(other)?).ok_or(Fault::Shape)?;
        let mut bytes = package.signing_share().serialize();
        numbers.insert(other, Secret::from_slice(&bytes).ok_or(Fault::Shape)?);
        bytes.zeroize();
    }
    Ok(numbers)
}

/// Last step: with what each other officer dealt to this one.
///
/// # Errors
/// Names who dealt what does not fit.
pub fn finish(
    shape: Shape,
    me: u16,
    seed: &Secret<32>,
    broadcasts: &BTreeMap<u16, Vec<u8>>,
    dealt: &BTreeMap<u16, Secret<32>>,
) -> Result<Outcome, Fault> {
    let (secret, _) = start(shape, me, seed)?;
    let broadcasts = packages(shape, me, broadcasts)?;
    let (secret, _) = dkg::part2(secret, &broadcasts).map_err(|error| fault(&error))?;
    let mut numbers = BTreeMap::new();
    for other in (1..=shape.officers).filter(|other| *other != me) {
        let number = dealt.get(&other).ok_or(Fault::Share(other))?;
        let share = SigningShare::deserialize(number.expose()).map_err(|_| Fault::Share(other))?;
        numbers.insert(identifier(other)?, round2::Package::new(share));
    }
    let (own, public) = dkg::part3(&secret, &broadcasts, &numbers).map_err(|error| fault(&error))?;
    outcome(shape, &own, &public)
}

/// What everybody knows in the end, from all commitments.
///
/// # Errors
/// Names the first whose commitments are none.
pub fn public(shape: Shape, broadcasts: &BTreeMap<u16, Vec<u8>>) -> Result<Public, Fault> {
    shape.check()?;
    // Nobody has the index 0: all are others.
    let packages = packages(shape, 0, broadcasts)?;
    let commitments = packages.iter().map(|(index, package)| (*index, package.commitment())).collect();
    let public = PublicKeyPackage::from_dkg_commitments(&commitments).map_err(|error| fault(&error))?;
    publish(shape, &public)
}

fn outcome(shape: Shape, own: &KeyPackage, public: &PublicKeyPackage) -> Result<Outcome, Fault> {
    let mut bytes = own.signing_share().serialize();
    let share = Secret::from_slice(&bytes).ok_or(Fault::Shape);
    bytes.zeroize();
    Ok(Outcome { share: share?, public: publish(shape, public)? })
}

fn publish(shape: Shape, public: &PublicKeyPackage) -> Result<Public, Fault> {
    let point = |bytes: Vec<u8>| <[u8; 32]>::try_from(bytes).map_err(|_| Fault::Shape);
    let key = point(public.verifying_key().serialize().map_err(|_| Fault::Shape)?)?;
    let mut verifying = BTreeMap::new();
    for index in 1..=shape.officers {
        let half = public.verifying_shares().get(&identifier(index)?).ok_or(Fault::Shape)?;
        verifying.insert(index, point(half.serialize().map_err(|_| Fault::Shape)?)?);
    }
    Ok(Public { key, verifying })
}

fn start(shape: Shape, me: u16, seed: &Secret<32>) -> Result<(round1::SecretPackage, round1::Package), Fault> {
    shape.check()?;
    if me == 0 || me > shape.officers {
        return Err(Fault::Shape);
    }
    dkg::part1(identifier(me)?, shape.officers, shape.threshold, Seeded::new(seed)).map_err(|_| Fault::Shape)
}

fn packages(shape: Shape, me: u16, broadcasts: &BTreeMap<u16, Vec<u8>>) -> Result<BTreeMap<Identifier, round1::Package>, Fault> {
    let mut packages = BTreeMap::new();
    for other in (1..=shape.officers).filter(|other| *other != me) {
        let bytes = broadcasts.get(&other).ok_or(Fault::Commitments(other))?;
        packages.insert(identifier(other)?, package(shape, other, bytes)?);
    }
    Ok(packages)
}

/// Reads commitments. One form each: what is read is written again and compared.
fn package(shape: Shape, from: u16, bytes: &[u8]) -> Result<round1::Package, Fault> {
    let wrong = Fault::Commitments(from);
    let package = round1::Package::deserialize(bytes).map_err(|_| wrong)?;
    let count = package.commitment().serialize().map_err(|_| wrong)?.len();
    let is_canonical = package.serialize().is_ok_and(|again| again == bytes);
    if is_canonical && count == usize::from(shape.threshold) { Ok(package) } else { Err(wrong) }
}

fn identifier(index: u16) -> Result<Identifier, Fault> {
    Identifier::try_from(index).map_err(|_| Fault::Shape)
}

fn fault(error: &Error) -> Fault {
    let number = |identifier: &Identifier| {
        (1..=MAX_OFFICERS).find_map(|index| {
            let index = u16::try_from(index).ok()?;
            (Identifier::try_from(index).ok()? == *identifier).then_some(index)
        })
    };
    match error {
        Error::InvalidProofOfKnowledge { culprit } => number(culprit).map_or(Fault::Shape, Fault::Proof),
        Error::InvalidSecretShare { culprit: Some(culprit) } => number(culprit).map_or(Fault::Shape, Fault::Share),
        _ => Fault::Shape,
    }
}

/// The randomness of a dealer, from its seed: HKDF-SHA-256, 32 bytes for each count.
struct Seeded<'a> {
    seed: &'a Secret<32>,
    count: u64,
}

impl<'a> Seeded<'a> {
    fn new(seed: &'a Secret<32>) -> Self {
        Self { seed, count: 0 }
    }
}

impl RngCore for Seeded<'_> {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }

    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        for part in dest.chunks_mut(32) {
            let block = kdf::hkdf(&[], self.seed.expose(), &[RANDOMNESS, &self.count.to_be_bytes()]);
            self.count += 1;
            part.copy_from_slice(&block.expose()[..part.len()]);
        }
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), RngError> {
        self.fill_bytes(dest);
        Ok(())
    }
}

impl CryptoRng for Seeded<'_> {}

#[cfg(test)]
pub(super) mod tests;
