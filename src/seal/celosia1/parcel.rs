use bytes::Bytes;
use zeroize::Zeroizing;

use super::Refused;
use crate::crypto::aead::{self, TAG};
use crate::crypto::nacl::Nonce;
use crate::crypto::padme::{self, PREFIX, padme};
use crate::crypto::secret::Secret;
use crate::crypto::sign::Signature;
use crate::types::PayloadId;
use crate::wire::Opening;

/// Least size of what a box holds, so that boxes of short and long names, of one address and of none, are equally long.
const LEAST: usize = 512;

/// The bit of the count that says that a sigma follows.
const SIGMA: u16 = 1 << 15;

/// Which way a box goes: the public epoch keys and the payload, bound into it.
#[derive(Clone, Copy, Debug)]
pub struct Route<'a> {
    /// The sender's public epoch key.
    pub from: &'a [u8; 32],
    /// The recipient's.
    pub to: &'a [u8; 32],
    /// The day of the sender's.
    pub day: u32,
    /// The payload.
    pub id: &'a PayloadId,
}

impl Route<'_> {
    /// `"celosia-1 box" ‖ sender's key (32) ‖ recipient's key (32) ‖ day (4) ‖ payload id (64)`.
    fn aad(&self) -> [u8; 145] {
        let mut aad = [0; 145];
        aad[..13].copy_from_slice(b"celosia-1 box");
        aad[13..45].copy_from_slice(self.from);
        aad[45..77].copy_from_slice(self.to);
        aad[77..81].copy_from_slice(&self.day.to_be_bytes());
        aad[81..].copy_from_slice(self.id.as_bytes());
        aad
    }
}

/// What a box holds.
#[derive(Debug)]
pub struct Parcel<'a> {
    /// What opens the ciphertext.
    pub data_key: &'a Secret<32>,
    /// What the capsule of the header was made with, if it has one.
    pub sigma: Option<&'a Secret<32>>,
    /// Proofs for the addresses of the recipient (or, of what is returned, of whoever returns it), and for those of supervisors.
    pub openings: &'a [Opening],
    /// The sender's signature on the header.
    pub signature: &'a Signature,
    /// The header's bytes.
    pub header: &'a [u8],
}

/// What a box held.
#[derive(Debug)]
pub struct Unpacked {
    /// What opens the ciphertext.
    pub data_key: Secret<32>,
    /// What the capsule was made with; nobody compared it yet.
    pub sigma: Option<Secret<32>>,
    /// The proofs; nobody checked them yet.
    pub openings: Vec<Opening>,
    /// The signature; nobody checked it yet.
    pub signature: Signature,
    /// The header's bytes; nobody read them yet.
    pub header: Bytes,
}

impl Parcel<'_> {
    /// Seals it: XChaCha20-Poly1305 under the pair's key, over `data key (32) ‖ count (2) ‖ [sigma (32)] ‖ openings ‖ signature (64) ‖
    /// header`, padded. The highest bit of the count says that there is a sigma.
    pub fn seal(&self, key: &[u8; 32], nonce: &Nonce, route: Route<'_>) -> Result<Bytes, Refused> {
        let count = u16::try_from(self.openings.len()).ok().filter(|count| count & SIGMA == 0).ok_or(Refused::TooMany)?;
        let (count, sigma) = self.sigma.map_or((count, 0), |sigma| (count | SIGMA, sigma.expose().len()));
        let proofs: usize = self.openings.iter().map(Opening::size).sum();
        let length = 32 + 2 + sigma + proofs + 64 + self.header.len();
        let padded = padme((PREFIX + length).max(LEAST));
        // Allocated once and encrypted where it lies: no copy of the data key is left behind.
        let mut out = Vec::with_capacity(padded + TAG);
        out.extend_from_slice(&(length as u64).to_be_bytes());
        out.extend_from_slice(self.data_key.expose());
        out.extend_from_slice(&count.to_be_bytes());
        self.sigma.into_iter().for_each(|sigma| out.extend_from_slice(sigma.expose()));
        self.openings.iter().for_each(|opening| opening.put(&mut out));
        out.extend_from_slice(self.signature);
        out.extend_from_slice(self.header);
        out.resize(padded, 0);
        let tag = aead::seal_in_place(key, nonce, &route.aad(), &mut out);
        out.extend_from_slice(&tag);
        Ok(out.into())
    }
}

/// Opens a box. [`Refused::Box`] if it does not verify, [`Refused::Header`] if what it holds is no parcel.
pub fn open(key: &[u8; 32], nonce: &Nonce, route: Route<'_>, sealed: &[u8]) -> Result<Unpacked, Refused> {
    let plain = aead::open_detached(key, nonce, &route.aad(), sealed).map_err(|_| Refused::Box)?;
    unpack(&plain).ok_or(Refused::Header)
}

fn unpack(plain: &Zeroizing<Vec<u8>>) -> Option<Unpacked> {
    let parcel = plain.get(padme::message(plain).ok()?)?;
    let (data_key, rest) = parcel.split_first_chunk::<32>()?;
    let (count, mut rest) = rest.split_first_chunk::<2>()?;
    let count = u16::from_be_bytes(*count);
    let mut sigma = None;
    if count & SIGMA != 0 {
        let (bytes, behind) = rest.split_first_chunk::<32>()?;
        (sigma, rest) = (Some(Secret::init_with(|sigma| sigma.copy_from_slice(bytes))), behind);
    }
    let mut openings = Vec::new();
    for _ in 0..count & !SIGMA {
        openings.push(Opening::take(&mut rest)?);
    }
    let (signature, header) = rest.split_first_chunk::<64>()?;
    let data_key = Secret::init_with(|bytes| bytes.copy_from_slice(data_key));
    Some(Unpacked { data_key, sigma, openings, signature: *signature, header: Bytes::copy_from_slice(header) })
}
