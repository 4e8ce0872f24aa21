//! What one officer holds, and what it answers for one capsule.

use std::fmt;

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_TABLE as G;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimeMultiscalarMul as _;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::{Capsule, GroupKey, Malformed, group};
use crate::crypto::secret::Secret;
use crate::crypto::{Broken, random};

/// One officer's share of a committee's secret: the value of a polynomial of degree k − 1 at `index`, whose value at 0 nobody holds.
pub struct KeyShare {
    index: u16,
    secret: Secret<32>,
    verifying: GroupKey,
}

impl KeyShare {
    /// The share at `index`, 1 or more; `secret` is a canonical scalar (32 bytes, little-endian) other than 0.
    pub fn new(index: u16, secret: Secret<32>) -> Result<Self, Malformed> {
        if index == 0 {
            return Err(Malformed::Index);
        }
        let scalar = Zeroizing::new(group::canonical(secret.expose())?);
        let verifying = GroupKey::from_point(&(&*scalar * G)).map_err(|_| Malformed::Scalar)?;
        Ok(Self { index, secret, verifying })
    }

    /// Where the share lies.
    pub const fn index(&self) -> u16 {
        self.index
    }

    /// Its public half, as the policy lists it.
    pub const fn verifying(&self) -> GroupKey {
        self.verifying
    }

    /// The scalar, for the officer's own locked file.
    pub const fn secret(&self) -> &Secret<32> {
        &self.secret
    }

    /// The scalar, to be computed with.
    pub(super) fn scalar(&self) -> Zeroizing<Scalar> {
        Zeroizing::new(group::canonical(self.secret.expose()).expect("checked when it was made"))
    }

    /// This officer's part in opening `capsule`, with the proof that it is that; [`Broken`] if the capsule is not sound for this committee
    /// and this label.
    ///
    /// Threat: the nonce of the proof, used twice or guessed, gives the share away. It is a hash of the share, of all that is proven, and of
    /// fresh randomness: a machine without good randomness still uses none twice for two proofs, and one whose computation is disturbed
    /// does not repeat itself.
    ///
    /// # Panics
    /// When the operating system has no randomness.
    pub fn partial(&self, key: &GroupKey, capsule: &Capsule, label: &[u8]) -> Result<Partial, Broken> {
        let hedge = Zeroizing::new(random::<32>());
        self.partial_with(&hedge, key, capsule, label)
    }

    /// [`Self::partial`] with the randomness given, so that vectors can be made.
    #[expect(clippy::many_single_char_names, reason = "the specification's")]
    pub(super) fn partial_with(
        &self,
        hedge: &[u8; 32],
        key: &GroupKey,
        capsule: &Capsule,
        label: &[u8],
    ) -> Result<Partial, Broken> {
        if !capsule.is_sound(key, label) {
            return Err(Broken);
        }
        let r = group::point(&capsule.r).map_err(|_| Broken)?;
        let x = self.scalar();
        let (index, bytes) = (self.index.to_be_bytes(), capsule.to_bytes());
        let t = group::scalar(b"nonce", &[self.secret.expose(), hedge, key.as_bytes(), &index, &bytes, label]);
        let (half_x, half_t) = (Zeroizing::new(x.div_by_2()), Zeroizing::new(t.div_by_2()));
        let [s, t_base, t_r] = group::double_and_encode(&[r * *half_x, &*half_t * G, r * *half_t]);
        let e = challenge(self.index, &self.verifying, &bytes, label, &[&s, &t_base, &t_r]);
        let f = *t + *x * *e;
        Ok(Partial { index: self.index, s, e: e.to_bytes(), f: f.to_bytes() })
    }
}

impl fmt::Debug for KeyShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyShare({}, {})", self.index, self.verifying)
    }
}

/// One officer's answer: `S = x_i·R` and a proof that its logarithm to the base R is that of `h_i` to the base G (Chaum and Pedersen,
/// CRYPTO '92). Secret: k of them, and sigma, open the capsule. Wiped when dropped.
#[derive(Clone, Eq, PartialEq, ZeroizeOnDrop)]
pub struct Partial {
    index: u16,
    s: [u8; 32],
    e: [u8; 32],
    f: [u8; 32],
}

impl Partial {
    /// Bytes of an answer.
    pub const LEN: usize = 2 + 3 * 32;

    /// Whose it is.
    pub const fn index(&self) -> u16 {
        self.index
    }

    /// Whether this is what the officer with the public half `verifying` has to answer for `capsule`. That the capsule itself is sound is
    /// for [`Capsule::is_sound`].
    ///
    /// Threat: an officer answers something else, so that the quorum fails and nobody knows whose fault it is.
    pub fn verify(&self, verifying: &GroupKey, capsule: &Capsule, label: &[u8]) -> bool {
        self.commitments(verifying, capsule).is_ok_and(|[t_base, t_r]| {
            let e = challenge(self.index, verifying, &capsule.to_bytes(), label, &[&self.s, &t_base, &t_r]);
            e.to_bytes() == self.e
        })
    }

    /// `tG = fG − e·h_i` and `tR = fR − e·S_i`.
    fn commitments(&self, verifying: &GroupKey, capsule: &Capsule) -> Result<[[u8; 32]; 2], Malformed> {
        let (half_f, minus_e) = (group::canonical(&self.f)?.div_by_2(), -group::canonical(&self.e)?.div_by_2());
        let base = RistrettoPoint::vartime_double_scalar_mul_basepoint(&minus_e, &verifying.point(), &half_f);
        let r = RistrettoPoint::vartime_multiscalar_mul([half_f, minus_e], [group::point(&capsule.r)?, self.point()]);
        Ok(group::double_and_encode(&[base, r]))
    }

    /// `S_i`.
    pub(super) fn point(&self) -> RistrettoPoint {
        group::point(&self.s).expect("checked when it was made")
    }

    /// The bytes, for the caller to seal and wipe: `index (2, big-endian) ‖ S (32) ‖ e (32) ‖ f (32)`.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..2].copy_from_slice(&self.index.to_be_bytes());
        for (place, part) in bytes[2..].chunks_exact_mut(32).zip([&self.s, &self.e, &self.f]) {
            place.copy_from_slice(part);
        }
        bytes
    }
}

impl TryFrom<&[u8]> for Partial {
    type Error = Malformed;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        let bytes: [u8; Self::LEN] = group::array(bytes)?;
        let part = |i: usize| group::array::<32>(&bytes[2 + 32 * i..2 + 32 * (i + 1)]);
        let partial = Self { index: u16::from_be_bytes([bytes[0], bytes[1]]), s: part(0)?, e: part(1)?, f: part(2)? };
        if partial.index == 0 {
            return Err(Malformed::Index);
        }
        group::point(&partial.s)?;
        group::canonical(&partial.e)?;
        group::canonical(&partial.f)?;
        Ok(partial)
    }
}

impl fmt::Debug for Partial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Partial({}, <secret>)", self.index)
    }
}

/// `e = H("share", index, h_i, capsule, label, S, tG, tR)`; `points` are the last three.
fn challenge(index: u16, verifying: &GroupKey, capsule: &[u8], label: &[u8], points: &[&[u8; 32]; 3]) -> Zeroizing<Scalar> {
    let [s, t_base, t_r] = points.map(<[u8; 32]>::as_slice);
    group::scalar(b"share", &[&index.to_be_bytes(), verifying.as_bytes(), capsule, label, s, t_base, t_r])
}
