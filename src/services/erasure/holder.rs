//! Taking an order: checked, written down, carried out, answered with a signed receipt that the journal has, too.

use std::sync::Arc;

use super::error::ErasureError;
use super::rows::{Kept, Mark, put_kept};
use crate::enclave::EnclaveError;
use crate::erasure::{Answer, ErasureReceipt, Ground, Level, MAX_ITEMS, Order, SignedErasureReceipt, SignedOrder};
use crate::services::governed::Governed;
use crate::services::happening::{Happening, Kind as What};
use crate::services::records::now;
use crate::services::send::to_its_end;
use crate::services::supervision::Extent;
use crate::services::{Error, Node};
use crate::store::{Kind, Lookup};
use crate::types::{ItemId, MemberId, PayloadId};
use crate::wire::native::ErasureAnswer;

/// Items that are looked at and erased at once.
const TOGETHER: usize = MAX_ITEMS;

impl Node {
    /// Takes an order from the member that gave it, or looks again at one that was taken: the newest receipt.
    ///
    /// Threats: a member orders the erasure of what another sent (each item's sender is compared); an order to somebody else is replayed
    /// here (it names its holder); an erasure that half of the process knows of (the order is on the disk before the first item is
    /// touched, and goes on after a crash).
    pub async fn take_order(self: &Arc<Self>, from: &MemberId, bytes: Vec<u8>) -> Result<ErasureAnswer, Error> {
        let (node, from) = (Arc::clone(self), from.clone());
        to_its_end(async move { node.take_order_now(&from, &bytes).await }).await
    }

    async fn take_order_now(&self, from: &MemberId, bytes: &[u8]) -> Result<ErasureAnswer, Error> {
        let governed = Arc::clone(self.needs_governance()?);
        let signed = SignedOrder::decode(bytes).map_err(|_| ErasureError::Order("it does not decode"))?;
        let digest = signed.digest();
        let order = &signed.order;
        if order.network != governed.network || order.holder != governed.me {
            return Err(ErasureError::Order("it is for another member or network").into());
        }
        if order.controller != *from {
            return Err(ErasureError::Order("it is not the caller's").into());
        }
        let _one = self.orders.lock().await;
        if let Some(kept) = self.kept(&digest).await? {
            return self.answer(&kept).await;
        }
        // With a key of its date: an order is given until it is answered, and replayed years later.
        let keys = governed.charter().signing_keys(from, order.time);
        if !keys.iter().any(|key| signed.verify(key).is_ok()) {
            return Err(ErasureError::Order("its signature does not verify").into());
        }
        self.check_guards(&governed, order).await?;
        let mut kept = Kept {
            order: bytes.to_vec().into(),
            marks: vec![Mark::Pending as u8; order.items.len()].into(),
            erased: 0,
            level: 0,
            receipt: Vec::new().into(),
            index: 0,
            purged: 0,
            generation: 0,
        };
        let details = serde_json::json!({ "order": data_encoding::HEXLOWER.encode(&digest), "items": order.items.len() });
        let event = Happening::now(What::ErasureOrder).member(from).text(order.ground.name()).details(details).event();
        self.store.write(put_kept(&digest, &kept, true), vec![event]).await?;
        self.carry_out(&governed, &signed, &mut kept).await?;
        self.answer(&kept).await
    }

    /// Erases what is left of an order and may be erased; then a new receipt, if anything changed.
    pub(super) async fn carry_out(&self, governed: &Governed, signed: &SignedOrder, kept: &mut Kept) -> Result<(), Error> {
        let before = kept.marks.clone();
        let items: Vec<(usize, ItemId)> = (0..).zip(signed.order.items.iter().copied()).collect();
        let left = |(at, _): &(usize, ItemId)| matches!(kept_mark(&before, *at), Mark::Pending | Mark::Held);
        let left: Vec<(usize, ItemId)> = items.into_iter().filter(left).collect();
        for together in left.chunks(TOGETHER) {
            let seen = self.guard_absent(governed, &signed.order, together).await?;
            let mut doomed = Vec::new();
            for ((at, item), seen) in together.iter().zip(seen) {
                let mark = self.mark(governed, signed, item, seen).await?;
                kept.marks[*at] = mark as u8;
                if mark == Mark::Erased {
                    doomed.push(*item);
                }
            }
            // Where the law wants it, what is erased is blocked first.
            let blocked = self.block_first(&signed.order, &doomed).await?;
            if !blocked.is_empty() {
                // Nothing blocks what it gave a supervisor of it.
                self.erase_items(&blocked, Extent::CopiesOf(&signed.order.controller)).await?;
                doomed.retain(|item| !blocked.contains(item));
                together.iter().filter(|(_, item)| blocked.contains(item)).for_each(|(at, _)| kept.marks[*at] = Mark::Held as u8);
            }
            self.erase_items(&doomed, extent_of(governed, &signed.order)).await?;
        }
        if kept.marks.contains(&(Mark::Erased as u8)) && kept.marks != before {
            // A later item brings the whole order back to the first level.
            (kept.erased, kept.level, kept.purged) = (now(), Level::E1.number(), 0);
            // Read after the puncture: a rotation that is under way counts for the next generation.
            kept.generation = self.root_status().await?.generation;
        }
        if kept.marks != before || kept.receipt.is_empty() {
            self.sign_receipt(governed, signed, kept).await?;
        }
        Ok(())
    }

    /// What is to become of an item: [`Mark::Erased`] if it is to be erased now, or was. What was absent is looked for once more.
    async fn mark(&self, governed: &Governed, signed: &SignedOrder, item: &ItemId, seen: Presence) -> Result<Mark, Error> {
        let controller = &signed.order.controller;
        let presence = if seen == Presence::Absent { self.presence_for(governed, controller, item).await? } else { seen };
        match presence {
            Presence::Absent => Ok(Mark::Absent),
            Presence::Erased => Ok(Mark::Erased),
            Presence::Unreadable | Presence::Here => self.or_held(item).await,
            Presence::Others => Ok(Mark::NotControllers),
        }
    }

    /// Writes down, in one batch, that what is not here is not to be taken from this controller. Where each item was.
    ///
    /// Threat: it is delivered while we look. Whoever keeps it looks for the guard afterwards, and we look for the item once more.
    async fn guard_absent(&self, governed: &Governed, order: &Order, items: &[(usize, ItemId)]) -> Result<Vec<Presence>, Error> {
        let (mut absent, mut seen) = (Vec::new(), Vec::with_capacity(items.len()));
        for (_, item) in items {
            let presence = self.presence_for(governed, &order.controller, item).await?;
            seen.push(presence);
            if presence == Presence::Absent {
                absent.push(*item);
            }
        }
        self.guard(&order.controller, &absent).await?;
        Ok(seen)
    }

    /// An item that may be erased, unless a hold stands before it. Whoever may not order it learns of no hold.
    async fn or_held(&self, item: &ItemId) -> Result<Mark, Error> {
        Ok(if self.held_until(item).await?.is_some() { Mark::Held } else { Mark::Erased })
    }

    /// Where an item is, of whomever.
    pub(super) async fn presence(&self, item: &ItemId) -> Result<Presence, Error> {
        let id = match item {
            ItemId::Payload(id) => id,
            ItemId::Document(id) => return self.document_presence(id).await,
        };
        let record = self.record_presence(id).await?;
        // A supervisor's copy is here, and the payload is not.
        let is_copied = matches!(record, Presence::Absent | Presence::Erased) && self.has_copies(id).await?;
        Ok(if is_copied { Presence::Here } else { record })
    }

    /// Where that is which a controller has here of an item: what it sent, and what it gave a supervisor. What this node decides of its own
    /// copies is its own affair.
    ///
    /// Threat: a recipient gives a supervisor a copy of its own for a payload that another sent, and answers for its erasure.
    pub(super) async fn presence_for(
        &self,
        governed: &Governed,
        controller: &MemberId,
        item: &ItemId,
    ) -> Result<Presence, Error> {
        if *controller == governed.me {
            return self.presence(item).await;
        }
        let record = match item {
            ItemId::Payload(id) if self.has_copy_of(id, controller).await? => return Ok(Presence::Here),
            ItemId::Payload(id) => self.record_presence(id).await?,
            ItemId::Document(_) => self.presence(item).await?,
        };
        match (record, item) {
            (Presence::Here, _) => {
                let sender = self.controller_of(item).await?;
                Ok(if sender.is_none_or(|sender| sender == *controller) { Presence::Here } else { Presence::Others })
            }
            (Presence::Absent, ItemId::Payload(id)) if self.has_grave(id, controller).await? => Ok(Presence::Erased),
            // Another's was erased, and this one's never came.
            (Presence::Erased, ItemId::Payload(id)) if !self.is_buried(id, controller).await? => Ok(Presence::Absent),
            (record, _) => Ok(record),
        }
    }

    async fn record_presence(&self, id: &PayloadId) -> Result<Presence, Error> {
        for kind in [Kind::Payload, Kind::Raw] {
            match self.store.head(kind, id).await? {
                Lookup::Absent => {}
                Lookup::Erased(_) => return Ok(Presence::Erased),
                Lookup::Found(head) => {
                    return match self.enclave.meta(*id, &head).await {
                        Ok(_) => Ok(Presence::Here),
                        Err(EnclaveError::Erased) => Ok(Presence::Unreadable),
                        Err(error) => Err(error.into()),
                    };
                }
            }
        }
        Ok(Presence::Absent)
    }

    /// Erases what an erasure reaches of items of both kinds that are here.
    pub(crate) async fn erase_items(&self, items: &[ItemId], extent: Extent<'_>) -> Result<(), Error> {
        let payloads: Vec<PayloadId> = items
            .iter()
            .filter_map(|item| match item {
                ItemId::Payload(id) => Some(*id),
                ItemId::Document(_) => None,
            })
            .collect();
        self.erase_within(&payloads, extent).await?;
        if matches!(extent, Extent::CopiesOf(_)) {
            return Ok(());
        }
        for item in items {
            if let ItemId::Document(id) = item {
                self.erase_document(*id).await?;
            }
        }
        Ok(())
    }

    /// Whether a member ordered the erasure of an item before it came here: then it is not kept.
    pub(crate) async fn is_guarded(&self, item: &ItemId, sender: &MemberId) -> Result<bool, Error> {
        Ok(self.guards(item).await?.contains(sender))
    }

    /// A payload that was just kept, and that its sender had ordered to be erased before: it goes again.
    pub(crate) async fn refuse_guarded(&self, id: PayloadId, sender: &MemberId) -> Result<(), Error> {
        if !self.is_guarded(&ItemId::Payload(id), sender).await? {
            return Ok(());
        }
        self.erase_within(&[id], Extent::Of(sender)).await?;
        Err(Error::Erased(id))
    }

    /// Signs what an order has become, and journals that: the log says what the receipt says.
    pub(super) async fn sign_receipt(&self, governed: &Governed, signed: &SignedOrder, kept: &mut Kept) -> Result<(), Error> {
        let level = Level::from_number(kept.level).unwrap_or(Level::E1);
        let mut answers = Vec::with_capacity(kept.marks.len());
        for (mark, item) in kept.marks.iter().zip(&signed.order.items) {
            answers.push(match Mark::of(*mark) {
                Mark::Erased => Answer::Erased(level),
                Mark::NotControllers => Answer::NotControllers,
                Mark::Absent => Answer::Absent,
                Mark::Held | Mark::Pending => Answer::Held { until: self.held_until(item).await?.unwrap_or_default() },
            });
        }
        let root = self.root_words().await?;
        let receipt = ErasureReceipt {
            network: governed.network,
            order: signed.digest(),
            member: governed.me.clone(),
            time: now(),
            answers,
            recoverable_until: if level == Level::E3 { None } else { Some(root.next.unwrap_or(u64::MAX)) },
            root: root.kind,
            word: if level == Level::E3 { root.word } else { String::new() },
        };
        let signature = self.enclave.sign(receipt.statement()).await?;
        let receipt = SignedErasureReceipt { receipt, signature };
        let digest = data_encoding::HEXLOWER.encode(&receipt.digest());
        let order = data_encoding::HEXLOWER.encode(&signed.digest());
        let details = serde_json::json!({ "order": order, "receipt": digest, "level": kept.level });
        let event = Happening::now(What::ErasureReceipt).member(&signed.order.controller).details(details).event();
        let is_open = !receipt.receipt.is_final();
        kept.index = self.store.note(event).await?;
        kept.receipt = receipt.encode().into();
        self.store.write(put_kept(&signed.digest(), kept, is_open), Vec::new()).await?;
        Ok(())
    }

    /// The newest receipt, with what proves that the journal has it, once it is sequenced.
    async fn answer(&self, kept: &Kept) -> Result<ErasureAnswer, Error> {
        let empty = || Vec::new().into();
        let mut answer = ErasureAnswer { receipt: kept.receipt.clone(), record: empty(), salt: empty(), proof: String::new() };
        let row = self.store.journal(kept.index, 1).await?.into_iter().next();
        if let Some((salt, record)) = row.and_then(|row| row.content)
            && !kept.receipt.is_empty()
            && let Ok(proof) = self.journal_proof(kept.index).await
        {
            answer.record = record.to_vec().into();
            answer.salt = salt.to_vec().into();
            answer.proof = proof;
        }
        Ok(answer)
    }
}

/// What an order reaches. Of its own copies this node decides itself; the end of retention is of payloads alone.
pub(super) fn extent_of<'a>(governed: &Governed, order: &'a Order) -> Extent<'a> {
    match (order.controller == governed.me, order.ground) {
        (true, Ground::Retention) => Extent::Record,
        (true, _) => Extent::All,
        (false, _) => Extent::Of(&order.controller),
    }
}

fn kept_mark(marks: &[u8], at: usize) -> Mark {
    Mark::of(marks.get(at).copied().unwrap_or_default())
}

/// Where an item is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Presence {
    /// Never seen here.
    Absent,
    /// Erased here, for ever.
    Erased,
    /// Here.
    Here,
    /// Here, and of another sender than who asks.
    Others,
    /// Its key is gone, its rows are not: an erasure that a crash interrupted.
    Unreadable,
}
