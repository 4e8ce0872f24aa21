use bytes::Bytes;

use super::parcel::Unpacked;
use super::{Refused, content};
use crate::crypto::secret::Secret;
use crate::crypto::sign::{Signature, VerifyKey};
use crate::crypto::threshold::Prepared;
use crate::seal::escrow::{Carried, Escrowed, Held, Label};
use crate::types::{Address, MemberId, NetworkId, PayloadId};
use crate::wire::header::{self, Header, SUITE, day_of};
use crate::wire::{Delivery, Opening};

/// Whom a recipient takes a delivery from, and who it is itself.
#[derive(Debug)]
pub struct Expected<'a> {
    /// Our network.
    pub network: &'a NetworkId,
    /// Our own name.
    pub member: &'a MemberId,
    /// Our own signing key.
    pub own_key: &'a VerifyKey,
    /// The signing key of the member that delivers, from the directory.
    pub sender_key: &'a VerifyKey,
    /// The payload: SHA3-512 of the delivery's ciphertext.
    pub id: PayloadId,
    /// The committees' keys, by epoch: a capsule is for one of them.
    pub escrows: &'a [(u64, Prepared)],
}

/// A delivery that passed every check.
#[derive(Debug)]
pub struct Taken {
    /// What opens the ciphertext.
    pub data_key: Secret<32>,
    /// Its capsule, if it has one, and what that was made with: it was made again, and is the same.
    pub held: Option<Held>,
    /// What its sender says.
    pub header: Header,
    /// The same, byte for byte as signed.
    pub header_bytes: Bytes,
    /// The sender's signature on them.
    pub signature: Signature,
    /// The proofs, each of which leads to the header's audience.
    pub openings: Vec<Opening>,
    /// Whether it is our own, returned by a recipient.
    pub returned: bool,
    /// Who of us is proved to be addressed: our own keys, or those of whoever returns it; everyone under state validation.
    pub recipients: Vec<Address>,
}

/// Checks what a box held: header, signature, audience, commitment, ciphertext, padding, capsule, in this order. `ours` says which addresses are.
///
/// Threat: surreptitious forwarding. Member B sends on to us what A sent to B: the header is A's, so B must be A ([`Refused::Sender`]),
/// and our address must be in A's audience ([`Refused::Audience`]).
///
/// Whether the policy asks for a capsule, and for supervisors among the openings, is the caller's to judge.
pub fn take(
    expected: &Expected<'_>,
    delivery: &Delivery,
    unpacked: Unpacked,
    ours: impl Fn(&Address) -> bool,
) -> Result<Taken, Refused> {
    let header = Header::decode(&unpacked.header).map_err(|_| Refused::Header)?;
    let returned = header.member == *expected.member;
    check_header(expected, delivery, &header, returned)?;
    let key = if returned { expected.own_key } else { expected.sender_key };
    header::verify(expected.network, &unpacked.header, &unpacked.signature, key).map_err(|_| Refused::Signature)?;
    let recipients = addressed(&header, &unpacked, returned, ours)?;
    content::verify(expected.network, &header.member, &unpacked.data_key, &delivery.nonce, &delivery.ciphertext)?;
    let Unpacked { data_key, sigma, openings, signature, header: header_bytes } = unpacked;
    let held = check_capsule(expected, &header, &data_key, sigma)?;
    Ok(Taken { data_key, held, header, header_bytes, signature, openings, returned, recipients })
}

pub(super) fn check_header(expected: &Expected<'_>, delivery: &Delivery, header: &Header, returned: bool) -> Result<(), Refused> {
    if header.suite != SUITE {
        return Err(Refused::Suite);
    }
    if header.network != *expected.network {
        return Err(Refused::Network);
    }
    if header.id != expected.id {
        return Err(Refused::Id);
    }
    // Sent again on a later day it keeps its day; a day more for a recipient whose clock is behind and who returns it.
    if header.day != day_of(header.time) || header.day > delivery.day.saturating_add(1) {
        return Err(Refused::Day);
    }
    if !returned && header.member != delivery.member {
        return Err(Refused::Sender);
    }
    Ok(())
}

/// Threat: a sender shows the committee another key than its recipients, or what nobody opens. Each recipient makes the capsule again of what it
/// got itself: it acknowledges what the committee can open, or nothing.
fn check_capsule(
    expected: &Expected<'_>,
    header: &Header,
    data_key: &Secret<32>,
    sigma: Option<Secret<32>>,
) -> Result<Option<Held>, Refused> {
    let (bytes, sigma) = match (&header.escrow, sigma) {
        (None, None) => return Ok(None),
        (Some(bytes), Some(sigma)) => (bytes, sigma),
        _ => return Err(Refused::Sigma),
    };
    let Carried { epoch, capsule } = Carried::from_bytes(bytes).ok_or(Refused::CapsuleForm)?;
    let (_, key) = expected.escrows.iter().find(|(of, _)| *of == epoch).ok_or(Refused::CapsuleEpoch)?;
    let label = Label::of(header, epoch);
    let is_it = capsule.matches(key, data_key, &sigma, &label.encode());
    if is_it { Ok(Some(Held { escrowed: Escrowed { label, capsule }, sigma })) } else { Err(Refused::Capsule) }
}

fn addressed(
    header: &Header,
    unpacked: &Unpacked,
    returned: bool,
    ours: impl Fn(&Address) -> bool,
) -> Result<Vec<Address>, Refused> {
    let openings = &unpacked.openings;
    let is_ours = |opening: &&Opening| returned || ours(&opening.address);
    let own: Vec<Address> = openings.iter().filter(is_ours).map(|opening| opening.address).collect();
    // Those of others prove that supervisors are recipients, too; one that proves nothing is no accident.
    if own.is_empty() || !openings.iter().all(|opening| opening.proves(&header.audience)) {
        return Err(Refused::Audience);
    }
    match &header.recipients {
        None => Ok(own),
        Some(all) => {
            let named = openings.iter().all(|opening| all.contains(&opening.address));
            if named { Ok(all.clone()) } else { Err(Refused::Audience) }
        }
    }
}
