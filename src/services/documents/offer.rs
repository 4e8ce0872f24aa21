//! The offer of a document to one member: its manifest, as a delivery of the suite celosia-1 under the document's data key.
//!
//! Each attempt makes a manifest of its own, with the policy and the time of now: a member that was away for a week is told under the rules
//! of the day on which it is back, and learns of no other recipient.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::row::{Kept, Way};
use crate::enclave::{NativeDraft, NativeSealed, NativeTarget};
use crate::erasure::Tags;
use crate::governance::Charter;
use crate::seal::document::Layout;
use crate::services::escrow;
use crate::services::governed::{Governed, native_address};
use crate::services::native::{DOCUMENT, NativeAddress, padding};
use crate::services::records::now;
use crate::services::{Error, Node, PeerError};
use crate::types::{Address, MemberId, Privacy};
use crate::wire::header::{Header, day_of};
use crate::wire::native::{Answer, Item};
use crate::wire::{Manifest, Receipt};

/// What a member said to an offer.
pub(super) enum Said {
    /// It has all of it, durably; the receipt.
    Has(Box<Receipt>),
    /// It wants chunks from this one on.
    Wants(u64),
}

/// A document on its way to one member.
pub(super) struct Offer<'a> {
    pub(super) node: &'a Node,
    pub(super) governed: &'a Arc<Governed>,
    pub(super) charter: &'a Charter,
    pub(super) kept: &'a Kept,
    pub(super) way: &'a Way,
}

impl Offer<'_> {
    /// Where the member is served.
    pub(super) fn address(&self) -> Result<NativeAddress, Error> {
        let member = self.charter.members().by_id(&self.way.member);
        member.and_then(native_address).ok_or_else(|| Error::NotAMember(self.way.member.clone()))
    }

    /// Offers the document.
    pub(super) async fn make(&self) -> Result<Said, Error> {
        let (node, address) = (self.node, self.address()?);
        node.judge(self.charter, &self.kept.card.sender, &self.way.to, self.kept.card.class).await?;
        let class = self.kept.card.class;
        node.own_not_stopped(class, &Tags::default(), &[]).await?;
        self.governed.no_document_cosigned(self.charter, class)?;
        let imposed = node.imposed(self.charter, &self.kept.card.sender, &Tags::default(), self.kept.card.class).await?;
        let sealed = self.manifest(&imposed).await?;
        let budget = node.settings.peer_budget;
        let mut epoch = self.governed.epoch_of(self.charter, &address, day_of(now()), budget).await?;
        for again in [true, false] {
            let target = NativeTarget { member: self.way.member.clone(), epoch, shown: imposed.clone() };
            let delivery =
                node.enclave.rebox_native(sealed.id, &sealed.head, sealed.nonce, sealed.ciphertext.clone(), target).await?;
            let item = Item { suite: DOCUMENT, body: delivery.encode().to_vec().into(), upload: None };
            let told = tokio::time::timeout(2 * budget, node.tell(self.governed, &address, item)).await;
            match told.unwrap_or_else(|_| Err(PeerError::Offline(address.endpoint.clone())))? {
                Answer::Taken { ack, .. } => {
                    return self.receipt(&sealed, &ack).await.map(|receipt| Said::Has(Box::new(receipt)));
                }
                Answer::Wanted { next } => return Ok(Said::Wants(next)),
                Answer::Refused { status, text, .. } => {
                    return Err(crate::services::native::refused(&address, status, &text).into());
                }
                Answer::AnotherEpoch { epoch: key } if again => {
                    epoch = self.governed.learn_epoch(self.charter, &self.way.member, &key)?;
                }
                Answer::AnotherEpoch { .. } => break,
            }
        }
        Err(PeerError::Malformed(address.endpoint).into())
    }

    /// The manifest for this member alone, and the proof of whom the policy makes recipients besides.
    async fn manifest(&self, imposed: &[Address]) -> Result<NativeSealed, Error> {
        let card = &self.kept.card;
        let manifest = Manifest {
            document: self.kept.id,
            size: card.size.unwrap_or_default(),
            padded: card.padded,
            root: card.root,
            name: card.name.clone(),
            media: card.media.clone(),
        };
        let own = (card.sender, self.governed.me.clone());
        let theirs = self.way.to.iter().map(|key: &Address| (*key, self.way.member.clone()));
        let mut recipients: Vec<(Address, MemberId)> = theirs.chain([own]).collect();
        for key in imposed {
            let member = self.charter.members().by_address(key).ok_or(Error::RecipientUnknown(*key))?;
            if !recipients.iter().any(|(known, _)| known == key) {
                recipients.push((*key, member.id.clone()));
            }
        }
        let escrow = escrow::key(self.charter.policy(), &self.governed.me, card.class);
        let draft = NativeDraft {
            plaintext: Zeroizing::new(manifest.encode()),
            sender: card.sender,
            policy: self.charter.policy_version(),
            class: card.class,
            padding: padding(self.charter.policy().rule(card.class).padding),
            privacy: Privacy::default(),
            recipients,
            affected: Vec::new(),
            targets: Vec::new(),
            escrow,
        };
        if escrow.is_some() {
            self.node.counters.capsules_made.add();
        }
        Ok(self.node.enclave.seal_manifest(self.kept.id, &self.kept.head, draft).await?)
    }

    /// The member's acknowledgement, verified, with the header that it is of.
    async fn receipt(&self, sealed: &NativeSealed, ack: &[u8]) -> Result<Receipt, Error> {
        let signed = self.governed.checked_ack(self.charter, &self.way.member, ack, sealed.id, sealed.header)?;
        let bad = || Error::BadAck(self.way.member.clone());
        if !signed.ack.durable {
            return Err(bad());
        }
        let meta = self.node.enclave.meta(sealed.id, &sealed.head).await?;
        let native = meta.native.ok_or_else(bad)?;
        let header = Header::decode(&native.header).map_err(|_| bad())?;
        Ok(Receipt { header, signature: native.signature, acks: vec![signed] })
    }

    /// How its chunks lie.
    pub(super) fn layout(&self) -> Layout {
        Layout { padded: self.kept.card.padded }
    }
}
