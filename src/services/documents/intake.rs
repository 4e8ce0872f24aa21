//! Taking a document from a member: judged before the first chunk, each chunk verified as it comes, seen by nobody before all are here.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use super::DocumentError;
use super::row::{Card, Kept, State, damaged};
use super::shelf::{Latch, SYNC_EVERY, Shelf};
use super::upload::settle;
use crate::crypto::random;
use crate::seal::document::{Layout, OVERHEAD, SEALED, offset};
use crate::services::happening::{Happening, Kind as What};
use crate::services::records::now;
use crate::services::send::to_its_end;
use crate::services::{Error, Node};
use crate::shred::SealedHead;
use crate::types::{DocumentId, MemberId};
use crate::wire::native::{DocumentPart, PartTaken};
use crate::wire::{Header, Manifest};

/// An offer that directory and policy let through.
pub(in crate::services) struct Offered {
    pub(in crate::services) manifest: Manifest,
    pub(in crate::services) header: Header,
    /// The document's data key under a fresh leaf.
    pub(in crate::services) head: SealedHead,
    /// Our own keys among its recipients.
    pub(in crate::services) recipients: Vec<crate::types::Address>,
}

/// What is answered to an offer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::services) enum Wanted {
    /// Chunks from this one on.
    From(u64),
    /// Nothing: all of it is here, durably.
    Nothing,
}

impl Node {
    /// Takes an offer: its row is written, or compared with the one that is here.
    pub(in crate::services) async fn document_offered(
        self: &Arc<Self>,
        from: &MemberId,
        offered: Offered,
    ) -> Result<Wanted, Error> {
        let (node, from) = (Arc::clone(self), from.clone());
        to_its_end(async move { node.take_offer(from, offered).await }).await
    }

    async fn take_offer(self: &Arc<Self>, from: MemberId, offered: Offered) -> Result<Wanted, Error> {
        let (_, shelf) = self.shelf()?;
        let (shelf, id) = (Arc::clone(shelf), offered.manifest.document);
        let layout = Layout { padded: offered.manifest.padded };
        if offered.manifest.size > shelf.limits.size || layout.sealed_len() > shelf.limits.size.saturating_mul(2) {
            return Err(DocumentError::TooLarge(shelf.limits.size).into());
        }
        let latch = shelf.latch(&id);
        let kept = {
            let _row = latch.row.lock().await;
            match self.offered_document(&id).await {
                Ok(kept) => self.offered_again(kept, &from, offered).await?,
                Err(Error::Kept(DocumentError::NotFound(_))) => {
                    self.refuse_guarded_document(offered.manifest.document, &from).await?;
                    shelf.run(move |shelf| shelf.has_room_now(layout.sealed_len())).await?;
                    self.offered_first(from.clone(), offered).await?
                }
                Err(error) => return Err(error),
            }
        };
        // Its order may have come while the row was written. Not under the row's lock, which the end of a document takes itself.
        self.refuse_guarded_document(id, &from).await?;
        if kept.state == State::Here {
            return Ok(Wanted::Nothing);
        }
        let mut writer = latch.writer.lock().await;
        let next = self.arrived(&shelf, &kept, layout, &mut writer).await?;
        if next < layout.chunks() {
            return Ok(Wanted::From(next));
        }
        self.complete_arrival(&shelf, &latch, &kept, layout).await?;
        Ok(Wanted::Nothing)
    }

    /// What is here under an id that a member offers. Threat: it learns that a hold stands; it is told what it is told of an erased one.
    async fn offered_document(&self, id: &DocumentId) -> Result<Kept, Error> {
        self.kept_document(id).await.map_err(|error| match error {
            Error::Kept(DocumentError::Blocked(id)) => DocumentError::Erased(id).into(),
            other => other,
        })
    }

    async fn offered_first(&self, from: MemberId, offered: Offered) -> Result<Kept, Error> {
        let Offered { manifest, header, head, recipients } = offered;
        let card = Card {
            sender: header.sender,
            member: from,
            class: header.class,
            created: now(),
            size: Some(manifest.size),
            padded: manifest.padded,
            root: manifest.root,
            name: manifest.name,
            media: manifest.media,
            recipients,
            ways: Vec::new(),
            deliver_now: false,
        };
        let kept = Kept { id: manifest.document, state: State::Arriving, time: now(), file: random(), head, card, bytes: 0 };
        self.keep_document(&kept, None).await?;
        Ok(kept)
    }

    /// The same document once more: for one more of our keys, or because an answer was lost.
    async fn offered_again(&self, mut kept: Kept, from: &MemberId, offered: Offered) -> Result<Kept, Error> {
        let (id, card) = (kept.id, &mut kept.card);
        let manifest = &offered.manifest;
        let is_same = kept.state != State::Uploading
            && card.member == *from
            && (card.size, card.padded, card.root) == (Some(manifest.size), manifest.padded, manifest.root);
        let same_key = is_same && self.enclave.same_document(id, &kept.head, &offered.head).await?;
        if !same_key {
            return Err(DocumentError::Conflict(id).into());
        }
        let before = card.recipients.len();
        for key in offered.recipients {
            if !card.recipients.contains(&key) {
                card.recipients.push(key);
            }
        }
        if card.recipients.len() > before {
            self.keep_document(&kept, None).await?;
        }
        Ok(kept)
    }

    /// How many chunks have arrived and are good.
    async fn arrived(&self, shelf: &Arc<Shelf>, kept: &Kept, layout: Layout, writer: &mut Option<u64>) -> Result<u64, Error> {
        if let Some(chunks) = *writer {
            return Ok(chunks);
        }
        let file = kept.file;
        let len = shelf.run(move |shelf| Ok(shelf.len_now(&file))).await?;
        let at = if len >= layout.sealed_len() { layout.chunks() } else { len / SEALED as u64 };
        let good = settle(self, shelf, kept, at, |index| layout.place(index)).await?;
        *writer = Some(good);
        Ok(good)
    }

    /// A chunk of a document that the member offered.
    pub async fn native_document_part(self: &Arc<Self>, from: &MemberId, part: DocumentPart) -> Result<PartTaken, Error> {
        let (node, from) = (Arc::clone(self), from.clone());
        to_its_end(async move { node.take_part(&from, part).await }).await
    }

    async fn take_part(self: &Arc<Self>, from: &MemberId, part: DocumentPart) -> Result<PartTaken, Error> {
        let (_, shelf) = self.shelf()?;
        let (shelf, id) = (Arc::clone(shelf), DocumentId::new(part.document));
        let latch = shelf.latch(&id);
        let mut writer = latch.writer.lock().await;
        let kept = match self.offered_document(&id).await {
            Err(Error::Kept(DocumentError::NotFound(_))) => return Err(DocumentError::NotOffered.into()),
            kept => kept?,
        };
        let layout = Layout { padded: kept.card.padded };
        if kept.card.member != *from || kept.state == State::Uploading {
            return Err(DocumentError::NotOffered.into());
        }
        if kept.state == State::Here {
            return Ok(PartTaken { next: layout.chunks() });
        }
        let next = self.arrived(&shelf, &kept, layout, &mut writer).await?;
        let Some(place) = layout.place(part.index).filter(|place| place.index == next) else { return Ok(PartTaken { next }) };
        if part.bytes.len() != layout.plain_len(next) + OVERHEAD {
            return Err(DocumentError::Manifest("a chunk of another length").into());
        }
        let bytes = Bytes::from(Vec::from(part.bytes));
        let checked = self.enclave.check_chunk(id, &kept.head, place, bytes.clone()).await;
        checked.map_err(|error| match damaged(error, &id) {
            Error::Kept(DocumentError::Damaged(_)) => DocumentError::Manifest("a chunk that does not open").into(),
            other => other,
        })?;
        let (file, sync) = (kept.file, place.last || (next + 1).is_multiple_of(SYNC_EVERY));
        shelf
            .run(move |shelf| {
                shelf.write_now(&file, offset(place.index), &bytes)?;
                if sync { shelf.sync_now(&file) } else { Ok(()) }
            })
            .await?;
        *writer = Some(next + 1);
        if place.last {
            *writer = None;
            self.complete_arrival(&shelf, &latch, &kept, layout).await?;
        }
        Ok(PartTaken { next: next + 1 })
    }

    /// All chunks are here: if they are those of the offer, the document is.
    async fn complete_arrival(&self, shelf: &Arc<Shelf>, latch: &Latch, kept: &Kept, layout: Layout) -> Result<(), Error> {
        let (id, file, root) = (kept.id, kept.file, kept.card.root);
        let found = shelf
            .run(move |shelf| {
                shelf.sync_now(&file)?;
                shelf.root_now(&file, layout)
            })
            .await?;
        if found != root {
            // Threat: a member shows one recipient other chunks than another, under one manifest and one key.
            shelf.run(move |shelf| shelf.truncate_now(&file, 0)).await?;
            return Err(DocumentError::Manifest("its chunks are not those of the manifest").into());
        }
        let _row = latch.row.lock().await;
        let mut kept = self.kept_document(&id).await?;
        if kept.state == State::Here {
            return Ok(());
        }
        (kept.state, kept.time, kept.bytes) = (State::Here, now(), layout.sealed_len());
        let event = Happening::now(What::Received).document(id).class(kept.card.class).event();
        self.keep_document(&kept, Some(event)).await?;
        shelf.documents.fetch_add(1, Ordering::Relaxed);
        self.counters.documents_received.add();
        Ok(())
    }
}
