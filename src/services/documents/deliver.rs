//! A document to its members: offered, then chunk by chunk from where the member is, then acknowledged.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use data_encoding::BASE64;
use futures_util::future::join_all;

use super::DocumentError;
use super::keeper::Turn;
use super::offer::{Offer, Said};
use super::row::{Kept, State, Way, WayState};
use super::shelf::Shelf;
use crate::seal::document::{OVERHEAD, offset};
use crate::services::happening::{Happening, Kind as What};
use crate::services::native::{path, quiet_wait};
use crate::services::{Error, Node, PeerError};
use crate::types::{Coded as _, DocumentId, MemberId};
use crate::wire::Receipt;
use crate::wire::native::{DocumentPart, Message as _, PartTaken};

/// One chunk, on a slow line.
const CHUNK_BUDGET: Duration = Duration::from_mins(1);
/// The last one: the member hashes the whole of it.
const LAST_BUDGET: Duration = Duration::from_mins(10);
/// Turns of offering and sending without a chunk that arrived, before it is left for later.
const FRUITLESS: u32 = 3;

impl Node {
    /// Takes a document to every member that lacks it, at once. The first failure, if there is one; it is tried again behind the answer.
    pub(super) async fn deliver_everywhere(self: &Arc<Self>, id: DocumentId) -> Result<(), Error> {
        let (_, shelf) = self.shelf()?;
        let members: Vec<MemberId> = self.kept_document(&id).await?.card.pending().map(|way| way.member.clone()).collect();
        let outcomes = join_all(members.iter().map(|member| self.deliver_document(id, member.clone()))).await;
        let failure = outcomes.into_iter().find_map(Result::err);
        shelf.news.notify_one();
        failure.map_or(Ok(()), Err)
    }

    /// Takes a document to one member. What is settled is written down; everything else is tried again later.
    pub(super) async fn deliver_document(self: &Arc<Self>, id: DocumentId, member: MemberId) -> Result<(), Error> {
        let (_, shelf) = self.shelf()?;
        let shelf = Arc::clone(shelf);
        let Turn { attempt, _turn } = shelf.attempts.turn(id, &member).await;
        let Ok(_place) = Arc::clone(&shelf.places).acquire_owned().await else { return Ok(()) };
        let kept = self.kept_document(&id).await?;
        let Some(way) = kept.card.pending().find(|way| way.member == member).cloned() else { return Ok(()) };
        let latch = shelf.latch(&id);
        let outcome = tokio::select! {
            () = latch.erased.cancelled() => return Err(DocumentError::Erased(id).into()),
            outcome = self.take_there(&shelf, &kept, &way) => outcome,
        };
        match outcome {
            Ok(receipt) => {
                self.settle_way(&id, &way, Ok(&receipt)).await?;
                attempt.succeeded();
                self.counters.documents_delivered.add();
                Ok(())
            }
            Err(error) => {
                let code = error.code();
                self.counters.documents_delivery_failed.add();
                tracing::warn!(%member, %code, "a document was not delivered");
                if is_final(&error) {
                    self.settle_way(&id, &way, Err(&error)).await?;
                    attempt.succeeded();
                } else {
                    attempt.failed();
                }
                Err(error)
            }
        }
    }

    async fn take_there(&self, shelf: &Arc<Shelf>, kept: &Kept, way: &Way) -> Result<Receipt, Error> {
        let (governed, _) = self.shelf()?;
        let charter = governed.charter();
        governed.own_standing(&charter)?;
        tokio::time::sleep(quiet_wait(&charter, kept.card.class)).await;
        let (mut fruitless, mut sent) = (0, 0);
        loop {
            let charter = governed.charter();
            let offer = Offer { node: self, governed, charter: &charter, kept, way };
            let next = match offer.make().await? {
                Said::Has(receipt) => return Ok(*receipt),
                Said::Wants(next) => next,
            };
            let reached = self.send_chunks(shelf, &offer, next).await?;
            if reached > sent {
                (sent, fruitless) = (reached, 0);
            } else {
                fruitless += 1;
            }
            if fruitless == FRUITLESS {
                return Err(PeerError::Malformed(offer.address()?.endpoint).into());
            }
        }
    }

    /// Sends chunks from `next` on, as they lie in the file: how many the member has then.
    async fn send_chunks(&self, shelf: &Arc<Shelf>, offer: &Offer<'_>, mut next: u64) -> Result<u64, Error> {
        let (address, layout, file) = (offer.address()?, offer.layout(), offer.kept.file);
        while let Some(place) = layout.place(next) {
            let len = layout.plain_len(next) + OVERHEAD;
            let bytes = shelf.run(move |shelf| shelf.read_now(&file, offset(place.index), len)).await?;
            let part = DocumentPart { document: *offer.kept.id.as_bytes(), index: next, bytes: bytes.into() };
            let budget = if place.last { LAST_BUDGET } else { CHUNK_BUDGET };
            let answer = offer.governed.peers.call(&address, path::DOCUMENT_PART, Bytes::from(part.to_bytes()), budget).await?;
            let taken = PartTaken::from_bytes(&answer).map_err(|_| PeerError::Malformed(address.endpoint.clone()))?;
            // It lost some, or has them already: the offer says from where it goes on.
            if taken.next != next + 1 {
                return Ok(taken.next.min(next));
            }
            next = taken.next;
        }
        Ok(next)
    }

    /// Writes down that a member has a document, or does not take it.
    async fn settle_way(&self, id: &DocumentId, told: &Way, outcome: Result<&Receipt, &Error>) -> Result<(), Error> {
        let (_, shelf) = self.shelf()?;
        let latch = shelf.latch(id);
        let _row = latch.row.lock().await;
        let mut kept = self.kept_document(id).await?;
        let Some(way) = kept.card.ways.iter_mut().find(|way| way.member == told.member) else { return Ok(()) };
        match outcome {
            Ok(receipt) => {
                way.receipt = Some(BASE64.encode(&receipt.encode()));
                // Shared with one more of its addresses meanwhile: it is told again.
                if way.to == told.to {
                    way.state = WayState::Delivered;
                }
            }
            Err(error) => (way.state, way.code) = (WayState::Refused, Some(error.code().to_string())),
        }
        let is_everywhere = kept.state == State::Here && kept.card.pending().next().is_none();
        let event = is_everywhere.then(|| {
            let count = kept.card.ways.iter().filter(|way| way.state == WayState::Delivered).count() as u64;
            Happening::now(What::Delivered).document(*id).count(count).event()
        });
        self.keep_document(&kept, event).await
    }
}

/// Whether trying again is of no use: the member, or a rule, said no.
fn is_final(error: &Error) -> bool {
    match error {
        Error::Policy(_) => true,
        // Rules of the policy are 603x; its other refusals may be of a node that lags behind the directory.
        Error::Peer(PeerError::Declined { status: 403, text, .. }) => text.contains("(CEL603"),
        Error::Peer(PeerError::Declined { status, .. } | PeerError::Refused { status, .. }) => {
            matches!(status, 400 | 409 | 410 | 413)
        }
        _ => false,
    }
}
