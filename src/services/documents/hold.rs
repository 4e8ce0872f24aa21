//! Blocking a document, and reading it again: its data key and its card go into an envelope of the hold committee and come back from there.
//! The file of sealed chunks stays where it is (`docs/holds.md`).

use bytes::Bytes;
use minicbor::bytes::ByteVec;

use super::row::{Card, LABEL, Row, State};
use crate::crypto::threshold::GroupKey;
use crate::enclave::{EnclaveError, Restored};
use crate::erasure::{Hold, Tags};
use crate::services::happening::{Happening, Kind as What};
use crate::services::holds::{Part, envelope_key, let_go, put_parts};
use crate::services::{Error, Node, rights};
use crate::shred::SealedHead;
use crate::store::{StoreError, Table, Write};
use crate::types::{DocumentId, ItemId};
use crate::wire::native::Message as _;

impl Node {
    /// Puts what opens a document into an envelope, durably, then punctures its leaf. Safe to repeat; nothing for what is blocked or erased.
    ///
    /// Under the row's lock: a delivery that is settled meanwhile would write a card that the envelope does not have.
    pub(in crate::services) async fn block_document(
        &self,
        hold: &Hold,
        committee: GroupKey,
        id: DocumentId,
    ) -> Result<(), Error> {
        let (_, shelf) = self.any_shelf()?;
        let (latch, item) = (shelf.latch(&id), ItemId::Document(id));
        {
            let _row = latch.row.lock().await;
            let Some(row) = self.document_row(&id).await?.filter(|row| row.state != State::Erased) else { return Ok(()) };
            let head = row.head().ok_or_else(|| broken(&id))?;
            let beside = self.beside_document(&item, &row, &head).await?;
            let label = self.hold_label(item, hold).encode();
            let envelope = match self.enclave.block_record(item, &head, beside, committee, label).await {
                Ok(envelope) => envelope,
                Err(EnclaveError::Erased) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            // Of a crash after the envelope and before the puncture.
            let before = self.envelope_leaves(&item).await?;
            let details = serde_json::json!({ "hold": hold.id });
            let event = before.is_empty().then(|| Happening::now(What::Blocked).document(id).details(details).lasting());
            let part = Part::document(&head, &envelope, hold);
            self.store.write(vec![put_parts(&item, &[part])], event.into_iter().collect()).await?;
            self.enclave.erase([before, vec![head.leaf()]].concat()).await?;
        }
        // Who uploads or delivers it stops; what comes after a release begins with a latch of its own.
        latch.erased.cancel();
        shelf.attempts.forget(&id);
        shelf.let_go(&id);
        Ok(())
    }

    /// What is sealed under a document's own leaf: the card, and what was declared of it.
    async fn beside_document(&self, item: &ItemId, row: &Row, head: &SealedHead) -> Result<Vec<(String, Bytes)>, Error> {
        let mut beside = vec![(LABEL.to_owned(), Bytes::copy_from_slice(&row.card))];
        let tags = self.store.row(Table::Tag, item.as_bytes()).await?;
        // Tags under another leaf are dead.
        let is_its = |tags: &Bytes| SealedHead::from_bytes(tags.clone()).is_some_and(|text| text.leaf() == head.leaf());
        beside.extend(tags.filter(is_its).map(|tags| (rights::TAGS.to_owned(), tags)));
        Ok(beside)
    }

    /// Puts a document back under its fresh leaf, in one batch with what was declared of it and the end of the hold on it.
    pub(in crate::services) async fn restore_document(
        &self,
        hold: &Hold,
        id: DocumentId,
        restored: &Restored,
    ) -> Result<(), Error> {
        let (_, shelf) = self.any_shelf()?;
        let (latch, item) = (shelf.latch(&id), ItemId::Document(id));
        {
            let _row = latch.row.lock().await;
            let row = self.document_row(&id).await?.filter(|row| row.state != State::Erased);
            let mut row = row.ok_or_else(|| broken(&id))?;
            let sealed = |name: &str| restored.beside.iter().find(|(label, _)| label == name).map(|(_, sealed)| sealed.clone());
            let card = sealed(LABEL).ok_or_else(|| broken(&id))?;
            let opened = self.enclave.open_beside(&restored.head, LABEL, card.clone()).await?;
            let known: Card = serde_json::from_slice(&opened).map_err(|_| broken(&id))?;
            let tags = match sealed(rights::TAGS) {
                Some(tags) => {
                    let tags = self.enclave.open_beside(&restored.head, rights::TAGS, tags).await?;
                    serde_json::from_slice(&tags).map_err(|_| broken(&id))?
                }
                None => Tags::default(),
            };
            row.head = ByteVec::from(restored.head.as_bytes().to_vec());
            row.card = ByteVec::from(card.to_vec());
            let class = tags.class.unwrap_or(known.class);
            let mut declared = self.declared_under(item, &restored.head, row.time, class, &tags).await?;
            declared.rows.push(Write::put(Table::Document, id.as_bytes().to_vec(), row.to_bytes()));
            declared.rows.extend(let_go(&hold.id, &item));
            declared.rows.push(Write::delete(Table::Hold, envelope_key(&item)));
            self.store.write(declared.rows, Vec::new()).await?;
            drop(declared.gate);
        }
        shelf.attempts.forget(&id);
        shelf.news.notify_one();
        Ok(())
    }
}

fn broken(id: &DocumentId) -> Error {
    StoreError::Corrupt(format!("the row of document {id}")).into()
}
