//! A supervisor's copies as a source of disclosure: what is listed of them, whom they concern, and what a release has of them. Sigma is under the
//! copy's leaf: what its sender had erased is not given.

use super::resolve::some_of;
use crate::disclosure::{By, Found, Item, Scope};
use crate::services::supervision::{CopyContent, HeldCopy};
use crate::services::{Error, Node};
use crate::types::{MemberId, PayloadId};
use crate::wire::SignedAck;
use crate::wire::ack::{Ack, join, root, root_statement};

impl HeldCopy {
    fn found(&self) -> Found {
        Found::Escrowed { label: self.escrowed.label.encode(), capsule: Box::new(self.escrowed.capsule.clone()) }
    }
}

impl Node {
    /// What is here of a payload that was not received, or is here no more: copies without sigma, or what remains of erased ones.
    pub(super) async fn found_of_copies(&self, id: PayloadId) -> Result<Found, Error> {
        if self.has_copies(&id).await? {
            return Ok(Found::NoEscrow);
        }
        let Some(time) = self.copies_erased(&id).await? else { return Ok(Found::Absent) };
        let (at, rows) = (crate::disclosure::moment(time), self.store.trace(&id).await?);
        Ok(Found::Erased(format!("erased {at}; journal row(s) {}; ask its sender for the certificate", some_of(&rows))))
    }

    /// Items of a payload: what was received, and the copies of others that hold sigma. A copy of the payload's own sender adds nothing to it.
    ///
    /// Threat: a recipient leaves a copy of its own for the same id, so that the sender's is not listed. Each member's is an item of its own.
    pub(super) async fn with_copies(&self, id: PayloadId, found: Found) -> Result<Vec<Item>, Error> {
        // What is blocked is blocked, whoever gave it.
        if matches!(found, Found::Held(_)) {
            return Ok(vec![Item { id, found }]);
        }
        let mut items: Vec<Item> = self.held_copies(&id).await?.iter().map(|copy| Item { id, found: copy.found() }).collect();
        let received = Item { id, found };
        let of = |item: &Item| item.label().and_then(Result::ok).and_then(|label| label.member);
        if matches!(received.found, Found::Escrowed { .. }) {
            let sender = of(&received);
            items.retain(|item| of(item) != sender);
            items.insert(0, received);
        } else if items.is_empty() {
            items.push(received);
        }
        Ok(items)
    }

    /// Items of copies alone, of payloads that this node did not receive, in the order of ids; and where to go on. Nothing at the end.
    pub(super) async fn copied_items(
        &self,
        scope: &Scope,
        after: Option<PayloadId>,
    ) -> Result<Option<(Vec<Item>, PayloadId)>, Error> {
        let ids = self.copied_ids(after).await?;
        let Some(last) = ids.last().copied() else { return Ok(None) };
        let mut items = Vec::new();
        for id in ids {
            if self.is_blocked(&crate::types::ItemId::Payload(id)).await? {
                continue;
            }
            for copy in self.held_copies(&id).await? {
                let item = Item { id, found: copy.found() };
                if !scope.covers(&copy.escrowed.label) {
                    continue;
                }
                if let By::Party(member) = &scope.by {
                    let Some(content) = self.copy_content(copy).await? else { continue };
                    if !self.is_party_of_copy(member, &content)? {
                        continue;
                    }
                }
                items.push(item);
            }
        }
        Ok(Some((items, last)))
    }

    fn is_party_of_copy(&self, member: &MemberId, content: &CopyContent) -> Result<bool, Error> {
        let charter = self.needs_governance()?.charter();
        let mut keys = content.recipients.iter().chain([&content.sender]);
        Ok(content.member == *member || keys.any(|key| charter.owner_of(key, content.made) == Some(member)))
    }

    /// The copy that an item is of, opened; `None` if it is of none that is here.
    pub(super) async fn copy_of_item(&self, item: &Item) -> Result<Option<CopyContent>, Error> {
        let Found::Escrowed { label, .. } = &item.found else { return Ok(None) };
        for copy in self.held_copies(&item.id).await? {
            if copy.escrowed.label.encode() == *label {
                return self.copy_content(copy).await;
            }
        }
        Ok(None)
    }

    /// That this node has had a copy since it came: the only acknowledgement that it knows of. Of no address, for it received nothing that opens.
    pub(super) async fn copy_acknowledged(&self, id: PayloadId, content: &CopyContent) -> Result<Vec<SignedAck>, Error> {
        let governed = self.needs_governance()?;
        let (network, member) = (governed.network, governed.me.clone());
        let ack = Ack { network, id, header: content.digest, member, addresses: Vec::new(), time: content.seen, durable: true };
        let root = root(std::slice::from_ref(&ack));
        let signature = self.enclave.sign(root_statement(&network, &root)).await?;
        Ok(join(vec![ack], &root, signature))
    }
}
