//! The capsule: a data key under a committee's key, with a proof of who knows it.

use std::fmt;

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_TABLE as G;
use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::traits::VartimePrecomputedMultiscalarMul as _;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::group::{self, GBAR};
use super::{Combined, GroupKey, Malformed, Prepared};
use crate::crypto::secret::Secret;
use crate::crypto::{Broken, aead, hash, kdf};

/// Bytes of the wrapped data key: 32 and the authenticator.
const WRAP: usize = 32 + aead::TAG;

/// A data key that k officers of a committee and sigma give back: `R ‖ Rbar ‖ e ‖ f ‖ wrap`.
///
/// All of it follows from the data key, sigma, the committee's key and the label, so who knows those computes it again ([`Self::matches`]).
/// What is decoded holds canonical points other than the identity and canonical scalars; whether the proof holds is [`Self::is_sound`].
#[derive(Clone, Eq, PartialEq)]
pub struct Capsule {
    pub(super) r: [u8; 32],
    r_bar: [u8; 32],
    e: [u8; 32],
    f: [u8; 32],
    wrap: [u8; WRAP],
}

impl Capsule {
    /// Bytes of a capsule.
    pub const LEN: usize = 4 * 32 + WRAP;

    /// The capsule of a data key. The same input gives the same capsule.
    ///
    /// Threat: `s` is the nonce of a Schnorr proof. Were it the same for two keys or two labels, the two proofs together would give `r`.
    /// So all that the challenge depends on goes into both.
    ///
    /// # Panics
    /// Never for labels below 256 GiB.
    pub fn make(key: &Prepared, data_key: &Secret<32>, sigma: &Secret<32>, label: &[u8]) -> Self {
        let secret = |name: &[u8]| {
            group::scalar(name, &[key.key().as_bytes(), data_key.expose().as_slice(), sigma.expose().as_slice(), label])
        };
        let (r, s) = (secret(b"r"), secret(b"s"));
        let (half_r, half_s) = (Zeroizing::new(r.div_by_2()), Zeroizing::new(s.div_by_2()));
        let halves = [&*half_r * G, &*half_s * G, &*half_r * &GBAR.table, &*half_s * &GBAR.table];
        let [r_point, s_point, r_bar, s_bar] = group::double_and_encode(&halves);
        let kek = kek(&r_point, &Zeroizing::new(&*r * key.table()), sigma, label);
        let wrap = wrap(&kek, data_key, label);
        let e = challenge(key.key(), &wrap, label, &[&r_point, &s_point, &r_bar, &s_bar]);
        let f = *s + *r * *e;
        Self { r: r_point, r_bar, e: e.to_bytes(), f: f.to_bytes(), wrap }
    }

    /// Whether this is the capsule of `data_key`, `sigma` and `label` for this committee: what every recipient finds out before it
    /// acknowledges. In constant time.
    ///
    /// Threat: a sender shows the officers another key than the recipients, or garbage that no quorum opens.
    pub fn matches(&self, key: &Prepared, data_key: &Secret<32>, sigma: &Secret<32>, label: &[u8]) -> bool {
        Self::make(key, data_key, sigma, label).to_bytes().ct_eq(&self.to_bytes()).into()
    }

    /// Whether who made this knew `r` and made it for this committee and this label. Needs no secret.
    ///
    /// Threat: an officer that multiplies whatever `R` it is shown opens any capsule under the name of a harmless one. With the proof, an
    /// `R` of another capsule cannot be given another label or another wrapped key.
    pub fn is_sound(&self, key: &GroupKey, label: &[u8]) -> bool {
        self.commitments().is_ok_and(|[s_point, s_bar]| {
            let e = challenge(key, &self.wrap, label, &[&self.r, &s_point, &self.r_bar, &s_bar]);
            e.to_bytes() == self.e
        })
    }

    /// The data key, from what [`super::combine`] made of k officers' answers, and sigma.
    ///
    /// That the recipients saw the same key is what [`Self::matches`] says, with the key that is given back: who opens asks it, too.
    pub fn open(&self, combined: &Combined, sigma: &Secret<32>, label: &[u8]) -> Result<Secret<32>, Broken> {
        let kek = kek(&self.r, combined.point(), sigma, label);
        let data_key = aead::open_detached(kek.expose(), &NONCE, label, &self.wrap)?;
        Secret::from_slice(&data_key).ok_or(Broken)
    }

    /// The bytes: `R (32) ‖ Rbar (32) ‖ e (32) ‖ f (32) ‖ wrap (48)`.
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let (head, wrap) = bytes.split_at_mut(4 * 32);
        for (place, part) in head.chunks_exact_mut(32).zip([&self.r, &self.r_bar, &self.e, &self.f]) {
            place.copy_from_slice(part);
        }
        wrap.copy_from_slice(&self.wrap);
        bytes
    }

    /// `sG = fG − eR` and `sGbar = fGbar − eRbar`: all of it public, so in variable time.
    fn commitments(&self) -> Result<[[u8; 32]; 2], Malformed> {
        let (r, r_bar) = (group::point(&self.r)?, group::point(&self.r_bar)?);
        let (half_f, minus_e) = (group::canonical(&self.f)?.div_by_2(), -group::canonical(&self.e)?.div_by_2());
        let s = RistrettoPoint::vartime_double_scalar_mul_basepoint(&minus_e, &r, &half_f);
        let s_bar = GBAR.public.vartime_mixed_multiscalar_mul([half_f], [minus_e], [r_bar]);
        Ok(group::double_and_encode(&[s, s_bar]))
    }
}

impl TryFrom<&[u8]> for Capsule {
    type Error = Malformed;

    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        let bytes: [u8; Self::LEN] = group::array(bytes)?;
        let part = |i: usize| group::array::<32>(&bytes[32 * i..32 * (i + 1)]);
        let capsule = Self { r: part(0)?, r_bar: part(1)?, e: part(2)?, f: part(3)?, wrap: group::array(&bytes[4 * 32..])? };
        group::point(&capsule.r)?;
        group::point(&capsule.r_bar)?;
        group::canonical(&capsule.e)?;
        group::canonical(&capsule.f)?;
        Ok(capsule)
    }
}

impl fmt::Debug for Capsule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Capsule({})", data_encoding::HEXLOWER.encode(&self.r))
    }
}

/// Each key that wraps is used once, for one data key: the nonce of nothing but zeros is used once, too.
const NONCE: [u8; aead::NONCE] = [0; aead::NONCE];

/// `XChaCha20-Poly1305(KEK, 0, aad = label, data key)`.
fn wrap(kek: &Secret<32>, data_key: &Secret<32>, label: &[u8]) -> [u8; WRAP] {
    let mut body = Zeroizing::new(*data_key.expose());
    let tag = aead::seal_in_place(kek.expose(), &NONCE, label, body.as_mut_slice());
    let mut wrap = [0; WRAP];
    wrap[..32].copy_from_slice(body.as_slice());
    wrap[32..].copy_from_slice(&tag);
    wrap
}

/// `HKDF-SHA-256(salt = R, ikm = Z ‖ sigma, info = "celosia threshold 1 kek" ‖ SHA-256(label))`.
fn kek(r: &[u8; 32], z: &RistrettoPoint, sigma: &Secret<32>, label: &[u8]) -> Secret<32> {
    let mut ikm = Zeroizing::new([0; 64]);
    let z = Zeroizing::new(z.compress());
    ikm[..32].copy_from_slice(z.as_bytes());
    ikm[32..].copy_from_slice(sigma.expose());
    kdf::hkdf(r, ikm.as_slice(), &[b"celosia threshold 1 kek", &hash::sha256(&[label])])
}

/// `e = H("pok", Y, wrap, label, R, sG, Rbar, sGbar)`; `points` are the last four, in this order.
fn challenge(key: &GroupKey, wrap: &[u8; WRAP], label: &[u8], points: &[&[u8; 32]; 4]) -> Zeroizing<curve25519_dalek::Scalar> {
    let [r, s, r_bar, s_bar] = points.map(<[u8; 32]>::as_slice);
    group::scalar(b"pok", &[key.as_bytes(), wrap, label, r, s, r_bar, s_bar])
}
