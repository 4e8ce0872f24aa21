//! That a certificate leaves no recipient out, as far as the signed headers of the payloads show.
//!
//! A header holds the root of a tree over all recipients ([`crate::wire::audience`]). Shown the seed of that tree and the list of recipients,
//! anybody makes the tree anew. A recipient takes a payload only with an opening that leads to the root; an address that is not in the list
//! has none: its leaf would have to be another leaf, a filling, or an inner node of the tree, and no two of these hash alike. So whoever got
//! the payload under this header is in the list.
//!
//! What stays possible for a sender that means to hide somebody: two headers of one payload, each with an audience of its own, of which the
//! certificate shows one; another payload of the same content; a case that does not name the payload at all.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::{Certificate, CertificateError, Checked};
use crate::crypto::secret::Secret;
use crate::crypto::sign::Signature;
use crate::erasure::HolderKind;
use crate::governance::Charter;
use crate::types::{Address, ItemId, MemberId};
use crate::wire::header::verify;
use crate::wire::{Audience, Header};

/// The signed header of a payload, and all whom it was addressed to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Addressed {
    /// The header's bytes, base64.
    header: String,
    /// The sender's signature on them, base64.
    signature: String,
    /// The seed of the tree over its audience, base64.
    seed: String,
    /// Everyone in it, the sender included where it is a recipient.
    recipients: Vec<Recipient>,
}

/// One of them.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Recipient {
    /// Its key.
    pub address: Address,
    /// Its member, when the payload was sent.
    pub member: MemberId,
}

/// What the headers of a certificate show.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Shown {
    /// Items of which the whole audience is shown.
    pub items: u64,
    /// Addresses in these audiences, each once for an item.
    pub recipients: u64,
    /// Different members among them, the controller included.
    pub members: u64,
}

impl Checked {
    /// What is shown of who was addressed, in words: a line, or two.
    pub fn recipients(&self) -> Vec<String> {
        let Shown { items, recipients, members } = self.shown;
        let all = self.certificate.items;
        let mut lines = Vec::new();
        if items > 0 {
            lines.push(format!(
                "recipients: of {items} of {all} item(s) the signed header names {recipients} address(es) of {members} member(s), and \
                 every one of these members is named here"
            ));
        }
        if items < all {
            lines.push(format!(
                "recipients: of {} of {all} item(s) nothing shows that every recipient is named: documents, Tessera's suite, items of \
                 another sender, or what the controller left out",
                all - items
            ));
        }
        lines
    }
}

impl Addressed {
    /// What is kept of a payload while it can still be read.
    pub fn of(header: &[u8], signature: &Signature, seed: &[u8; 32], recipients: &[(Address, MemberId)]) -> Self {
        let recipient = |(address, member): &(Address, MemberId)| Recipient { address: *address, member: member.clone() };
        Self {
            header: BASE64.encode(header),
            signature: BASE64.encode(signature),
            seed: BASE64.encode(seed),
            recipients: recipients.iter().map(recipient).collect(),
        }
    }

    /// The date of its header, milliseconds since the Unix epoch.
    pub fn made(&self) -> Option<u64> {
        let header = crate::types::base64(self.header.as_bytes()).ok()?;
        Some(Header::decode(&header).ok()?.time)
    }

    /// The header, if it is signed by the controller, and its audience is these recipients and nobody else.
    fn proved(&self, certificate: &Certificate, charter: &Charter) -> Result<Header, &'static str> {
        let bytes = |text: &str| crate::types::base64(text.as_bytes()).map_err(|_| "it is not base64");
        let (encoded, signature, seed) = (bytes(&self.header)?, bytes(&self.signature)?, bytes(&self.seed)?);
        let header = Header::decode(&encoded).map_err(|_| "its header does not decode")?;
        if header.network != certificate.network || header.member != certificate.controller {
            return Err("its header is of another network or sender");
        }
        let signature: Signature = signature.try_into().map_err(|_| "its signature is none")?;
        let keys = charter.signing_keys(&certificate.controller, header.time);
        if !keys.iter().any(|key| verify(&certificate.network, &encoded, &signature, key).is_ok()) {
            return Err("the signature of its header does not verify");
        }
        let seed = Secret::from_slice(&seed).ok_or("its seed is none")?;
        let audience = Audience::new(&seed, self.recipients.iter().map(|one| &one.address));
        if audience.is_none_or(|audience| audience.root() != header.audience) {
            return Err("its header was addressed to others, or to more");
        }
        let is_theirs = |one: &Recipient| charter.owner_of(&one.address, header.time) == Some(&one.member);
        if self.recipients.iter().all(is_theirs) { Ok(header) } else { Err("an address was not its member's then") }
    }
}

impl Certificate {
    /// Every audience that it shows, and that each member in one is a holder of the item here.
    pub(super) fn check_addressed(
        &self,
        charter: &Charter,
        of_holders: &BTreeMap<&MemberId, BTreeSet<ItemId>>,
    ) -> Result<Shown, CertificateError> {
        let (mut shown, mut seen, mut members) = (Shown::default(), BTreeSet::new(), BTreeSet::new());
        for (at, addressed) in self.addressed.iter().enumerate() {
            let wrong = |why| CertificateError::Addressed { at, why };
            let header = addressed.proved(self, charter).map_err(wrong)?;
            let item = ItemId::Payload(header.id);
            if !of_holders.get(&self.controller).is_some_and(|items| items.contains(&item)) || !seen.insert(item) {
                return Err(wrong("it is of no item of the case, or of one that was there before"));
            }
            for Recipient { member, .. } in &addressed.recipients {
                // A Tessera takes no orders: that it is named is all.
                let is_tessera = self.holders.iter().any(|entry| entry.member == *member && entry.kind == HolderKind::Tessera);
                let has = is_tessera || of_holders.get(member).is_some_and(|items| items.contains(&item));
                if !has {
                    return Err(CertificateError::LeftOut { item: header.id, member: member.clone() });
                }
                members.insert(member);
            }
            shown.items += 1;
            shown.recipients += addressed.recipients.len() as u64;
        }
        shown.members = members.len() as u64;
        Ok(shown)
    }
}
