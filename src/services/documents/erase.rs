//! Erasing a document here: its key first, durably, then its file, then its row.

use std::sync::Arc;

use super::DocumentError;
use super::row::{Row, State};
use crate::services::happening::{Happening, Kind as What};
use crate::services::send::to_its_end;
use crate::services::{Error, HoldError, Node};
use crate::types::{DocumentId, ItemId};

impl Node {
    /// Punctures the document's leaf, removes its file and leaves the row that stays for ever. False if there is nothing to erase.
    ///
    /// Durable when this returns, and safe to repeat: a crash in between leaves a row whose head opens no more, which reads as erased.
    pub(crate) async fn erase_document(&self, id: DocumentId) -> Result<bool, Error> {
        self.end_document(id, true).await
    }

    /// The same for whoever asks this node: what is not here, or was erased before, is said. Goes on to its end when the caller gives up.
    pub async fn erase_document_here(self: &Arc<Self>, id: DocumentId) -> Result<(), Error> {
        let node = Arc::clone(self);
        to_its_end(async move {
            let item = ItemId::Document(id);
            if let Some(until) = node.held_until(&item).await? {
                return Err(HoldError::Held { item, until }.into());
            }
            if node.erase_document(id).await? {
                return Ok(());
            }
            let is_erased = node.document_row(&id).await?.is_some();
            Err(if is_erased { DocumentError::Erased(id) } else { DocumentError::NotFound(id) }.into())
        })
        .await
    }

    /// Ends an upload or an arrival that nobody saw: its key and file go, and no row stays.
    pub(super) async fn abandon_document(&self, id: DocumentId) -> Result<bool, Error> {
        self.end_document(id, false).await
    }

    async fn end_document(&self, id: DocumentId, erase: bool) -> Result<bool, Error> {
        let (_, shelf) = self.any_shelf()?;
        let Some(row) = self.document_row(&id).await?.filter(|row| row.state != State::Erased) else { return Ok(false) };
        if !erase && row.state == State::Here {
            return Ok(false);
        }
        // Threat: the index confirms whom it named, from this disk or from an older copy of it.
        self.unindex(&[ItemId::Document(id)]).await?;
        let latch = shelf.latch(&id);
        if let Some(head) = row.head() {
            let _row = latch.row.lock().await;
            // Named as unfinished first: if a crash comes after the puncture, the next process ends what was begun.
            self.mark_document(&id).await?;
            let envelopes = self.envelope_leaves(&ItemId::Document(id)).await?;
            self.enclave.erase([vec![head.leaf()], envelopes].concat()).await?;
        }
        latch.erased.cancel();
        let _writer = latch.writer.lock().await;
        let _row = latch.row.lock().await;
        // It may have become complete while we waited: then it was seen.
        let Some(row) = self.document_row(&id).await?.filter(|row| row.state != State::Erased) else { return Ok(false) };
        if let Some(file) = row.file() {
            shelf.run(move |shelf| shelf.remove_now(&file)).await?;
        }
        // An upload that nobody finished was nobody's document.
        let stays = erase && row.state != State::Uploading;
        let event = stays.then(|| Happening::now(What::Erased).document(id).lasting());
        self.close_document(&id, stays.then(Row::erased), event).await?;
        if row.state == State::Here {
            shelf.gone();
        }
        shelf.attempts.forget(&id);
        shelf.let_go(&id);
        if stays {
            self.counters.documents_erased.add();
            tracing::info!(%id, "document erased");
        }
        Ok(true)
    }
}
