//! An upload under way: bytes in, sealed chunks out. Holds one chunk.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::OwnedMutexGuard;
use zeroize::Zeroizing;

use super::get::Progress;
use super::row::{Kept, State, damaged, gone};
use super::shelf::{FileName, Latch, SYNC_EVERY, Shelf};
use super::{DocumentError, Incoming};
use crate::enclave::EnclaveError;
use crate::governance::Padding;
use crate::seal::document::{CHUNK, Layout, OVERHEAD, Place, SEALED, offset};
use crate::services::happening::{Happening, Kind as What};
use crate::services::native::padding;
use crate::services::records::now;
use crate::services::{Error, Node};
use crate::shred::{SealedHead, ShredError};
use crate::types::DocumentId;

/// Somebody who adds to a document. One at a time.
pub(super) struct Upload {
    node: Arc<Node>,
    shelf: Arc<Shelf>,
    latch: Arc<Latch>,
    writer: OwnedMutexGuard<Option<u64>>,
    kept: Kept,
    /// Whole chunks in the file.
    chunks: u64,
    /// What came behind them.
    buffer: Zeroizing<Vec<u8>>,
}

impl Upload {
    /// Takes an upload up where it was left.
    pub(super) async fn open(node: &Arc<Node>, id: DocumentId, from: u64, length: Option<u64>) -> Result<Self, Error> {
        let (_, shelf) = node.shelf()?;
        let (shelf, latch) = (Arc::clone(shelf), shelf.latch(&id));
        let mut writer = Arc::clone(&latch.writer).try_lock_owned().map_err(|_| DocumentError::Busy(id))?;
        let mut kept = node.kept_document(&id).await?;
        match kept.state {
            State::Uploading => {}
            State::Here => return Err(DocumentError::Complete(id).into()),
            State::Arriving | State::Erased => return Err(DocumentError::NotFound(id).into()),
        }
        let most = kept.card.size.map_or(u64::MAX, |size| size / CHUNK as u64);
        let settled = writer.take().filter(|settled| *settled <= most);
        let chunks = match settled {
            Some(chunks) => chunks,
            None => {
                let at = shelf.run(move |shelf| Ok((shelf.len_now(&kept.file) / SEALED as u64).min(most))).await?;
                settle(node, &shelf, &kept, at, |index| Some(Place { index, last: false })).await?
            }
        };
        let buffer = tail(node, &shelf, &kept, chunks).await?;
        let expected = chunks * CHUNK as u64 + buffer.len() as u64;
        if from != expected {
            *writer = Some(chunks);
            return Err(DocumentError::Offset { expected, given: from }.into());
        }
        if let Some(length) = length {
            if length > shelf.limits.size {
                return Err(DocumentError::TooLarge(shelf.limits.size).into());
            }
            if kept.card.size.is_some_and(|size| size != length) || length < expected {
                return Err(DocumentError::Length(kept.card.size.unwrap_or(expected)).into());
            }
            kept.card.size = Some(length);
            node.keep_document(&kept, None).await?;
        }
        Ok(Self { node: Arc::clone(node), shelf, latch, writer, kept, chunks, buffer })
    }

    /// Bytes that are here.
    pub(super) fn at(&self) -> u64 {
        self.chunks * CHUNK as u64 + self.buffer.len() as u64
    }

    pub(super) fn progress(&self) -> Progress {
        let (offset, size) = (self.at(), self.kept.card.size);
        Progress { id: self.kept.id, offset, size, complete: size == Some(offset) }
    }

    /// Takes what comes until it ends, or breaks off.
    pub(super) async fn take(&mut self, mut body: Incoming) -> Result<(), Error> {
        loop {
            let erased = Arc::clone(&self.latch);
            let frame = tokio::select! {
                () = erased.erased.cancelled() => return Err(DocumentError::NotFound(self.kept.id).into()),
                frame = body.next() => frame,
            };
            match frame {
                None => return Ok(()),
                Some(Ok(bytes)) => self.add(&bytes).await?,
                Some(Err(super::BrokenOff)) => return Err(Error::BodyBroken),
            }
        }
    }

    async fn add(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        let end = self.at().saturating_add(bytes.len() as u64);
        if let Some(size) = self.kept.card.size.filter(|size| end > *size) {
            return Err(DocumentError::Length(size).into());
        }
        if end > self.shelf.limits.size {
            return Err(DocumentError::TooLarge(self.shelf.limits.size).into());
        }
        while !bytes.is_empty() {
            if self.buffer.capacity() < CHUNK {
                // Once and in full: a vector that grows leaves plaintext behind.
                let mut whole = Zeroizing::new(Vec::with_capacity(CHUNK));
                whole.extend_from_slice(&self.buffer);
                self.buffer = whole;
            }
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == CHUNK {
                self.flush(Place { index: self.chunks, last: false }).await?;
            }
        }
        Ok(())
    }

    /// Seals the buffer and writes it behind the chunks that are there.
    async fn flush(&mut self, place: Place) -> Result<(), Error> {
        let (id, file, at) = (self.kept.id, self.kept.file, offset(self.chunks));
        let chunk = std::mem::replace(&mut self.buffer, Zeroizing::new(Vec::new()));
        let sealed = self.node.enclave.seal_chunk(id, &self.kept.head, place, chunk).await.map_err(|error| gone(error, &id))?;
        let sync = (self.chunks + 1).is_multiple_of(SYNC_EVERY);
        self.shelf
            .run(move |shelf| {
                shelf.write_now(&file, at, &sealed)?;
                if sync { shelf.sync_now(&file) } else { Ok(()) }
            })
            .await?;
        self.chunks += 1;
        Ok(())
    }

    /// Makes everything that has come durable, so that the next part begins behind it.
    pub(super) async fn pause(&mut self) -> Result<(), Error> {
        let (file, chunks) = (self.kept.file, self.chunks);
        let sealed = if self.buffer.is_empty() {
            None
        } else {
            let sealed = self.node.enclave.seal_beside(&self.kept.head, &tail_label(chunks), self.buffer.to_vec()).await;
            Some(sealed.map_err(|error| gone(error, &self.kept.id))?)
        };
        self.shelf
            .run(move |shelf| {
                if chunks > 0 {
                    shelf.sync_now(&file)?;
                }
                shelf.put_tail_now(&file, sealed.as_deref())
            })
            .await?;
        *self.writer = Some(chunks);
        Ok(())
    }

    /// Completes the document: padded, its last chunk marked, its row and its event in one batch.
    pub(super) async fn finish(mut self) -> Result<(), Error> {
        // What is written from here on is padding: if it fails, the next attempt looks at the file again.
        *self.writer = None;
        let (id, size, file) = (self.kept.id, self.at(), self.kept.file);
        let (governed, _) = self.node.shelf()?;
        let charter = governed.charter();
        let card = &self.kept.card;
        self.node.judge(&charter, &card.sender, &card.recipients, card.class).await?;
        let rule: Padding = charter.policy().rule(card.class).padding;
        let padded = padding(rule).padded(usize::try_from(size).unwrap_or(usize::MAX)) as u64;
        let layout = Layout { padded };
        while let Some(place) = layout.place(self.chunks) {
            self.buffer.resize(layout.plain_len(self.chunks), 0);
            self.flush(place).await?;
        }
        let root = self
            .shelf
            .run(move |shelf| {
                shelf.truncate_now(&file, layout.sealed_len())?;
                shelf.sync_now(&file)?;
                let root = shelf.root_now(&file, layout)?;
                shelf.put_tail_now(&file, None)?;
                Ok(root)
            })
            .await?;
        let _row = self.latch.row.lock().await;
        // It may have been shared or erased meanwhile.
        let mut kept = self.node.kept_document(&id).await?;
        (kept.state, kept.time, kept.bytes) = (State::Here, now(), layout.sealed_len());
        (kept.card.size, kept.card.padded, kept.card.root) = (Some(size), padded, root);
        let event = Happening::now(What::Stored).document(id).class(kept.card.class).event();
        self.node.keep_document(&kept, Some(event)).await?;
        self.shelf.documents.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.node.counters.documents_put.add();
        Ok(())
    }
}

/// What is sealed of bytes behind the chunks: one of another length of the file does not open.
fn tail_label(chunks: u64) -> String {
    format!("document tail {chunks}")
}

async fn tail(node: &Node, shelf: &Arc<Shelf>, kept: &Kept, chunks: u64) -> Result<Zeroizing<Vec<u8>>, Error> {
    let file = kept.file;
    let Some(sealed) = shelf.run(move |shelf| shelf.tail_now(&file)).await? else { return Ok(Zeroizing::new(Vec::new())) };
    match node.enclave.open_beside(&kept.head, &tail_label(chunks), sealed.into()).await {
        Ok(tail) if tail.len() < CHUNK => Ok(tail),
        // Of a part before, whose chunk became whole.
        Ok(_) | Err(EnclaveError::Shred(ShredError::Broken(_)) | EnclaveError::Broken) => Ok(Zeroizing::new(Vec::new())),
        Err(error) => Err(gone(error, &kept.id)),
    }
}

/// How many of the first `at` chunks of a file are good; what lies behind them is cut off.
///
/// A file is synced every so many chunks: those since then are verified, all others are durable.
pub(super) async fn settle(
    node: &Node,
    shelf: &Arc<Shelf>,
    kept: &Kept,
    at: u64,
    place: impl Fn(u64) -> Option<Place>,
) -> Result<u64, Error> {
    let (id, head, file) = (kept.id, &kept.head, kept.file);
    let mut good = at;
    for index in at.saturating_sub(SYNC_EVERY + 1)..at {
        match place(index) {
            Some(place) if chunk_is_good(node, shelf, (id, head, file), place).await? => {}
            _ => {
                good = index;
                break;
            }
        }
    }
    let is_last = good > 0 && place(good - 1).is_some_and(|place| place.last);
    if !is_last {
        shelf.run(move |shelf| shelf.truncate_now(&file, offset(good))).await?;
    }
    Ok(good)
}

async fn chunk_is_good(
    node: &Node,
    shelf: &Arc<Shelf>,
    (id, head, file): (DocumentId, &SealedHead, FileName),
    place: Place,
) -> Result<bool, Error> {
    let read = move |shelf: &Shelf| {
        let rest = shelf.len_now(&file).saturating_sub(offset(place.index));
        let len = usize::try_from(rest).unwrap_or(SEALED).min(SEALED);
        if len < OVERHEAD { Ok(None) } else { shelf.read_now(&file, offset(place.index), len).map(Some) }
    };
    let Some(sealed) = shelf.run(read).await? else { return Ok(false) };
    match node.enclave.check_chunk(id, head, place, Bytes::from(sealed)).await {
        Ok(()) => Ok(true),
        Err(EnclaveError::Broken) => Ok(false),
        Err(error) => Err(damaged(error, &id)),
    }
}
