//! What the auditor does with shares and releases: combines, opens, decrypts, and believes nobody.

use std::collections::{BTreeMap, HashMap};

use zeroize::Zeroizing;

use super::{
    Docket, Found, Item, Provenance, Refused, Released, SignedDocket, SignedRequest, SignedShares, case_digest, open_shares,
    sigma_info,
};
use crate::crypto::hash::{payload_id, sha256};
use crate::crypto::hpke;
use crate::crypto::nacl::{self, Nonce};
use crate::crypto::secret::Secret;
use crate::crypto::sign::Signature;
use crate::crypto::threshold::{Capsule, GroupKey, Partial, Prepared, combine};
use crate::governance::{Charter, Committee, Purpose};
use crate::seal::celosia1::content;
use crate::seal::escrow::{Carried, Label};
use crate::translog::hash::Hash;
use crate::types::PayloadId;
use crate::wire::SignedAck;
use crate::wire::header::{self, Header, SUITE};

/// A payload that was opened, and everything that was found true of it.
#[derive(Debug)]
pub struct Opened {
    /// Which.
    pub id: PayloadId,
    /// The payload.
    pub payload: Zeroizing<Vec<u8>>,
    /// What its capsule is bound to.
    pub label: Label,
    /// The sender's header, verified; none of what came from a Tessera.
    pub header: Option<Header>,
    /// Header and acknowledgements as the holder keeps them, verified.
    pub provenance: Provenance,
    /// What it was opened with: what its member needs to keep it again.
    pub keys: Keys,
    /// Shares that were wrong, with whose they are. Enough others were right.
    pub wrong: Vec<Refused>,
}

/// The keys of a payload. As secret as the payload.
#[derive(Debug)]
pub struct Keys {
    /// Seals the payload.
    pub data_key: Secret<32>,
    /// What its capsule was made with.
    pub sigma: Secret<32>,
    /// Nonce of the ciphertext.
    pub nonce: Nonce,
}

/// The shares of one officer, opened.
struct Officer {
    name: String,
    verifying: GroupKey,
    partials: HashMap<Hash, Partial>,
}

/// The officers of one key and one generation of its shares.
struct Group {
    key: Prepared,
    threshold: usize,
    officers: Vec<Officer>,
}

impl Group {
    /// The data key from the first shares that there are, if all of it is right: capsule, shares and sigma.
    ///
    /// No proof of a share is looked at, and that of the capsule is not: whoever has a data key and a sigma that make this capsule again, bit
    /// for bit, has the right ones. That is a third of the work, and nearly always all of it. Where it fails, the proofs tell why.
    fn at_once(&self, leaf: &Hash, capsule: &Capsule, sigma: &Secret<32>, label: &[u8]) -> Option<Secret<32>> {
        let shares = self.officers.iter().filter_map(|officer| officer.partials.get(leaf)).take(self.threshold);
        let combined = combine(self.threshold, &shares.cloned().collect::<Vec<_>>()).ok()?;
        let data_key = capsule.open(&combined, sigma, label).ok()?;
        capsule.matches(&self.key, &data_key, sigma, label).then_some(data_key)
    }
}

/// Opens payloads of one grant. Shared by as many threads as there are.
pub struct Opener<'a> {
    charter: &'a Charter,
    docket: &'a Docket,
    case: [u8; 32],
    view: u32,
    private: Secret<32>,
    groups: BTreeMap<(u64, u64), Group>,
}

impl<'a> Opener<'a> {
    /// Of a docket that was verified and a view that is on record, with the private key of the grant.
    pub fn new(
        charter: &'a Charter,
        request: &SignedRequest,
        docket: &'a SignedDocket,
        view: u32,
        private: Secret<32>,
    ) -> Result<Self, Refused> {
        request.verify(&charter.network())?;
        if hpke::BoxKey::of(&private) != request.request.box_key {
            return Err(Refused::OtherCase("key"));
        }
        let (docket, groups) = (&docket.docket, BTreeMap::new());
        Ok(Self { charter, docket, case: case_digest(docket), view, private, groups })
    }

    /// Takes an officer's shares.
    pub fn add(&mut self, signed: &SignedShares, chunks: &[Vec<u8>]) -> Result<(), Refused> {
        let shares = &signed.shares;
        let committee = of_generation(self.charter, shares.epoch, shares.generation)?;
        let officer = committee.officer(shares.index).ok_or(Refused::NotOfficer)?;
        signed.verify(self.docket, &officer.signing_key, chunks)?;
        let opened = open_shares(signed, chunks, &self.private)?;
        let group = self.groups.entry((shares.epoch, shares.generation)).or_insert_with(|| Group {
            key: Prepared::new(&committee.key),
            threshold: usize::try_from(committee.threshold).unwrap_or(usize::MAX),
            officers: Vec::new(),
        });
        if group.officers.iter().any(|other| other.verifying == officer.share) {
            return Ok(());
        }
        let (name, verifying) = (officer.name.clone(), officer.share);
        group.officers.push(Officer { name, verifying, partials: opened.into_iter().collect() });
        Ok(())
    }

    /// Opens one payload of the list.
    ///
    /// Threats: a wrong share (its proof names the officer); sigma or a ciphertext of another payload; a capsule that is not of the key that
    /// recipients were given; a ciphertext that opens to two payloads (its commitment); a header that nobody signed.
    pub fn open(&self, item: &Item, released: &Released) -> Result<Opened, Refused> {
        let id = item.id;
        if let Some(why) = item.why_not() {
            return Err(why);
        }
        let Found::Escrowed { label: bytes, capsule } = &item.found else { return Err(Refused::OtherCase("item")) };
        let label = item.label().ok_or(Refused::OtherCase("item"))??;
        let (sealed, ciphertext, provenance) = match released {
            Released::Given { id: of, sealed, ciphertext, provenance } if *of == id => (sealed, ciphertext, provenance),
            Released::Withheld { id: of, why, .. } if *of == id => {
                released.check_reason(
                    self.docket,
                    self.view,
                    &self.charter.signing_keys(&self.docket.member, self.docket.time),
                )?;
                return Err(Refused::NotReleased(id, why.clone()));
            }
            _ => return Err(Refused::OtherCase("released payload")),
        };
        if payload_id(ciphertext) != id {
            return Err(Refused::Ciphertext(id));
        }
        let (sigma, nonce) = self.sigma(id, bytes, sealed)?;
        let (data_key, wrong) = self.data_key(item, &label, (bytes, capsule), &sigma)?;
        let payload = plaintext(id, &label, (&data_key, &nonce), ciphertext)?;
        let provenance = Provenance::open(&self.private, &self.case, &id, provenance)?;
        let header = provenance.header.as_ref().map(|header| self.header(id, &label, capsule, header)).transpose()?;
        if header.is_none() && label.suite == SUITE {
            return Err(Refused::Header(id, "it is missing"));
        }
        self.check_acks(id, header.as_ref().map(|(_, digest)| digest), &provenance.acks)?;
        let keys = Keys { data_key, sigma, nonce };
        Ok(Opened {
            id,
            payload,
            label,
            header: header.map(|(header, _)| header).filter(|header| header.suite == SUITE),
            provenance,
            keys,
            wrong,
        })
    }

    fn sigma(&self, id: PayloadId, label: &[u8], sealed: &[u8]) -> Result<(Secret<32>, Nonce), Refused> {
        let plain = hpke::open(&self.private, &sigma_info(&self.case), label, sealed).map_err(|_| Refused::Sigma(id))?;
        let (sigma, nonce) = plain.split_first_chunk::<32>().ok_or(Refused::Sigma(id))?;
        let nonce = nonce.try_into().map_err(|_| Refused::Sigma(id))?;
        Ok((Secret::init_with(|bytes| bytes.copy_from_slice(sigma)), nonce))
    }

    /// The data key, and who gave a wrong share on the way to it.
    fn data_key(
        &self,
        item: &Item,
        label: &Label,
        (bytes, capsule): (&[u8], &Capsule),
        sigma: &Secret<32>,
    ) -> Result<(Secret<32>, Vec<Refused>), Refused> {
        let (id, leaf) = (item.id, item.leaf());
        let (mut wrong, mut best) = (Vec::new(), (0, 0));
        for (_, group) in self.groups.range((label.epoch, 0)..=(label.epoch, u64::MAX)).rev() {
            if let Some(data_key) = group.at_once(&leaf, capsule, sigma, bytes) {
                return Ok((data_key, wrong));
            }
            if !capsule.is_sound(group.key.key(), bytes) {
                return Err(Refused::Capsule(id));
            }
            let mut right = Vec::with_capacity(group.threshold);
            for officer in &group.officers {
                let Some(partial) = officer.partials.get(&leaf) else { continue };
                if right.len() == group.threshold {
                    break;
                }
                if partial.verify(&officer.verifying, capsule, bytes) {
                    right.push(partial.clone());
                } else {
                    wrong.push(Refused::BadShare { index: partial.index(), name: officer.name.clone(), id });
                }
            }
            best = best.max((right.len(), group.threshold));
            let Ok(combined) = combine(group.threshold, &right) else { continue };
            let data_key = capsule.open(&combined, sigma, bytes).map_err(|_| Refused::Mismatch(id))?;
            // Whoever knows data key and sigma makes the same capsule again: the package proves itself.
            if !capsule.matches(&group.key, &data_key, sigma, bytes) {
                return Err(Refused::Mismatch(id));
            }
            return Ok((data_key, wrong));
        }
        let (have, need) = best;
        Err(wrong.into_iter().next().unwrap_or(Refused::TooFewShares { have, need, id }))
    }

    /// The header, verified, and the SHA-256 of its bytes.
    fn header(
        &self,
        id: PayloadId,
        label: &Label,
        capsule: &Capsule,
        (bytes, signature): &(Vec<u8>, Signature),
    ) -> Result<(Header, [u8; 32]), Refused> {
        let wrong = |why| Refused::Header(id, why);
        let read = Header::decode(bytes).map_err(|_| wrong("it does not decode"))?;
        if read.id != id
            || read.suite != label.suite
            || read.sender != label.sender
            || Some(&read.member) != label.member.as_ref()
            || read.class != label.class
        {
            return Err(wrong("it is of another payload than its label"));
        }
        let carried = Carried { epoch: label.epoch, capsule: capsule.clone() };
        if read.escrow.as_deref() != Some(carried.to_bytes().as_slice()) {
            return Err(wrong("it has another capsule"));
        }
        // With a key of its time: members replace theirs.
        // In Tessera's suite there is none: what stands here is the holder's word on the rules that it keeps.
        let signer = if label.suite == SUITE { &read.member } else { &self.docket.member };
        let keys = self.charter.signing_keys(signer, read.time);
        if keys.is_empty() {
            return Err(wrong("the directory has no key of its member"));
        }
        if !keys.iter().any(|key| header::verify(&read.network, bytes, signature, key).is_ok()) {
            return Err(wrong("its member did not sign it"));
        }
        if read.network != self.docket.network {
            return Err(wrong("it is of another network"));
        }
        Ok((read, sha256(&[bytes])))
    }

    fn check_acks(&self, id: PayloadId, header: Option<&[u8; 32]>, acks: &[SignedAck]) -> Result<(), Refused> {
        for signed in acks {
            let (ack, wrong) = (&signed.ack, || Refused::Ack(id, signed.ack.member.clone()));
            if ack.network != self.docket.network || ack.id != id || Some(&ack.header) != header {
                return Err(wrong());
            }
            if !self.charter.signing_keys(&ack.member, ack.time).iter().any(|key| signed.verify(key).is_ok()) {
                return Err(wrong());
            }
        }
        Ok(())
    }
}

/// The payload of a ciphertext, as its suite has it.
fn plaintext(
    id: PayloadId,
    label: &Label,
    (data_key, nonce): (&Secret<32>, &Nonce),
    ciphertext: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Refused> {
    if label.suite != SUITE {
        return nacl::open(data_key.expose(), nonce, ciphertext).map_err(|error| Refused::Plaintext(id, error.to_string()));
    }
    let sender = label.member.as_ref().ok_or(Refused::Label(id, "it names no member"))?;
    content::open(&label.network, sender, data_key, nonce, ciphertext).map_err(|error| Refused::Plaintext(id, error.to_string()))
}

/// The committee of an epoch when its shares were of a generation.
fn of_generation(charter: &Charter, epoch: u64, generation: u64) -> Result<&Committee, Refused> {
    let all = charter.policies().flat_map(|signed| &signed.content.committees);
    let is_it = |committee: &&Committee| {
        (committee.purpose, committee.epoch, committee.generation) == (Purpose::Escrow, epoch, generation)
    };
    all.filter(is_it).last().ok_or(Refused::NoCommittee(epoch))
}
