//! What one officer gives for one list: partial decryptions with their proofs, sealed to the key of the grant.
//!
//! A file is a sequence: the signed head, then chunks of at most 256 partial decryptions in the order of the list. A chunk is sealed by HPKE
//! with `info = "celosia disclosure shares 1" ‖ 0 ‖ network` and, as associated data, what the head says and the chunk's number.

use super::error::form;
use super::request::GrantId;
use super::{Docket, Found, Item, Refused, SignedRequest, case_digest, on_all_cores};
use crate::crypto::hash::sha256;
use crate::crypto::hpke::{self, BoxKey};
use crate::crypto::secret::Secret;
use crate::crypto::sign::{Signature, VerifyKey, statement};
use crate::crypto::threshold::{GroupKey, KeyShare, Partial};
use crate::translog::hash::Hash;
use crate::types::NetworkId;
use crate::wire::DecodeError;
use crate::wire::strict::{Fields, Form, canonical};

/// What the signature of a head is for.
const PURPOSE: &str = "celosia disclosure-shares 1";
const SEALED: &[u8] = b"celosia disclosure shares 1\0";
const FORM: &str = "shares";
const FIELDS: u64 = 8;
/// Partial decryptions of a chunk.
const CHUNK: usize = 256;
/// Grant and case in front, then leaf and partial decryption of each.
const PREFIX: usize = 16 + 32;
const EACH: usize = 32 + Partial::LEN;

/// Whose shares, of which list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Shares {
    /// Which network.
    pub network: NetworkId,
    /// Which grant.
    pub grant: GrantId,
    /// [`case_digest`].
    pub case: [u8; 32],
    /// Of which key.
    pub epoch: u64,
    /// Of which generation of its shares.
    pub generation: u64,
    /// Which officer.
    pub index: u16,
    /// How many partial decryptions.
    pub count: u64,
    /// SHA-256 of the sealed chunks, one after the other.
    pub sealed: [u8; 32],
}

/// A head and its officer's signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedShares {
    /// What it says.
    pub shares: Shares,
    /// The officer's.
    pub signature: Signature,
}

impl Shares {
    fn statement(&self) -> Vec<u8> {
        statement(PURPOSE, &self.network, &self.fields(FIELDS).finish())
    }

    fn fields(&self, count: u64) -> Form {
        Form::of(count, 320)
            .bytes(self.network.as_bytes())
            .bytes(&self.grant.0)
            .bytes(&self.case)
            .number(self.epoch)
            .number(self.generation)
            .number(self.index)
            .number(self.count)
            .bytes(&self.sealed)
    }

    /// What a chunk is sealed with.
    fn aad(&self, chunk: u64) -> Vec<u8> {
        let numbers = [self.epoch, self.generation, self.index.into(), self.count, chunk].map(u64::to_be_bytes);
        [&self.case[..], &numbers.concat()].concat()
    }

    fn info(&self) -> Vec<u8> {
        [SEALED, self.network.as_bytes()].concat()
    }
}

impl SignedShares {
    /// Reads what [`SignedShares::encode`] wrote, and nothing else.
    pub fn decode(bytes: &[u8]) -> Result<Self, Refused> {
        read(bytes).map_err(form(FORM))
    }

    /// `[network, grant, case, epoch, generation, index, count, SHA-256 of the chunks, signature]`.
    pub fn encode(&self) -> Vec<u8> {
        self.shares.fields(FIELDS + 1).bytes(&self.signature).finish()
    }

    /// Whether head and chunks are the officer's, and of this list.
    ///
    /// Threats: a relay alters, drops or doubles a chunk, or gives shares of another grant.
    pub fn verify(&self, docket: &Docket, key: &VerifyKey, chunks: &[Vec<u8>]) -> Result<(), Refused> {
        let shares = &self.shares;
        if shares.network != docket.network {
            return Err(Refused::Network(FORM));
        }
        if shares.grant != docket.grant || shares.case != case_digest(docket) {
            return Err(Refused::OtherCase(FORM));
        }
        let wrong = |_| Refused::SharesSignature(shares.index);
        key.verify(&shares.statement(), &self.signature).map_err(wrong)?;
        let parts: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        if sha256(&parts) == shares.sealed { Ok(()) } else { Err(Refused::SharesSignature(shares.index)) }
    }
}

fn read(bytes: &[u8]) -> Result<SignedShares, DecodeError> {
    let mut fields = Fields::of(bytes, FORM, FIELDS + 1)?;
    let shares = Shares {
        network: NetworkId::new(fields.array("network")?),
        grant: GrantId(fields.array("grant")?),
        case: fields.array("case")?,
        epoch: fields.number("epoch")?,
        generation: fields.number("generation")?,
        index: fields.number("index")?,
        count: fields.number("count")?,
        sealed: fields.array("digest")?,
    };
    let signed = SignedShares { shares, signature: fields.array("signature")? };
    canonical(bytes, &signed.encode(), FORM)?;
    Ok(signed)
}

/// Items of a list that are under one key, in its order.
fn of_epoch(items: &[Item], epoch: u64) -> impl Iterator<Item = &Item> {
    items.iter().filter(move |item| item.label().is_some_and(|label| label.is_ok_and(|label| label.epoch == epoch)))
}

/// An officer's shares of the items that are under its key. The caller checked everything else: this checks each capsule's proof again, as it
/// is the last that stands before the secret.
pub fn make_shares(
    request: &SignedRequest,
    docket: &Docket,
    items: &[Item],
    key: (&GroupKey, &KeyShare, u64, u64),
    sign: impl FnOnce(&[u8]) -> Signature,
) -> Result<(SignedShares, Vec<Vec<u8>>), Refused> {
    let (group, share, epoch, generation) = key;
    let of_key: Vec<&Item> = of_epoch(items, epoch).collect();
    let (network, grant, case) = (docket.network, docket.grant, case_digest(docket));
    let (index, count) = (share.index(), of_key.len() as u64);
    let mut shares = Shares { network, grant, case, epoch, generation, index, count, sealed: [0; 32] };
    let mut chunks = Vec::new();
    for (number, chunk) in of_key.chunks(CHUNK).enumerate() {
        let mut plain = zeroize::Zeroizing::new(Vec::with_capacity(PREFIX + EACH * chunk.len()));
        plain.extend_from_slice(&grant.0);
        plain.extend_from_slice(&case);
        let parts = on_all_cores(chunk, |item| {
            let Found::Escrowed { label, capsule } = &item.found else { return Ok(None) };
            let partial = share.partial(group, capsule, label).map_err(|_| Refused::Capsule(item.id))?;
            Ok(Some((item.leaf(), partial)))
        });
        for part in parts {
            let Some((leaf, partial)) = part? else { continue };
            plain.extend_from_slice(&leaf);
            plain.extend_from_slice(&partial.to_bytes());
        }
        let sealed = seal(&request.request.box_key, &shares, number as u64, &plain)?;
        chunks.push(sealed);
    }
    let parts: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
    shares.sealed = sha256(&parts);
    let signature = sign(&shares.statement());
    Ok((SignedShares { shares, signature }, chunks))
}

fn seal(to: &BoxKey, shares: &Shares, number: u64, plain: &[u8]) -> Result<Vec<u8>, Refused> {
    hpke::seal(to, &shares.info(), &shares.aad(number), plain)
        .map_err(|_| Refused::Form("request", "its box key is unusable".into()))
}

/// Opens an officer's shares with the private key of the grant: leaf and partial decryption of each item, in the order of the list. Whether
/// they are right is found out with each item.
pub fn open_shares(signed: &SignedShares, chunks: &[Vec<u8>], private: &Secret<32>) -> Result<Vec<(Hash, Partial)>, Refused> {
    let shares = &signed.shares;
    let broken = || Refused::SharesSealed(shares.index);
    let mut opened = Vec::new();
    for (number, chunk) in (0_u64..).zip(chunks) {
        let plain = hpke::open(private, &shares.info(), &shares.aad(number), chunk).map_err(|_| broken())?;
        let body = plain.strip_prefix(&[&shares.grant.0[..], &shares.case].concat()[..]).ok_or_else(broken)?;
        let (each, rest) = body.as_chunks::<EACH>();
        if !rest.is_empty() {
            return Err(broken());
        }
        for one in each {
            let (leaf, partial) = one.split_first_chunk::<32>().ok_or_else(broken)?;
            let partial = Partial::try_from(partial).map_err(|_| broken())?;
            if partial.index() != shares.index {
                return Err(broken());
            }
            opened.push((*leaf, partial));
        }
    }
    if opened.len() as u64 == shares.count { Ok(opened) } else { Err(broken()) }
}
