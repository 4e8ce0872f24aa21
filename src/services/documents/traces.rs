//! What a document leaves on the disk, for the search for what must be gone (`celosia scan`).

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use bytes::Bytes;
use data_encoding::HEXLOWER;

use super::row::{Row, State};
use crate::seal::document::{SEALED, offset};
use crate::shred::SealedHead;
use crate::store::{Store, StoreError, Table};
use crate::types::{DocumentId, PayloadId};
use crate::wire::native::Message as _;

/// Chunks of a document whose beginnings are searched for, spread over it.
const CHUNKS: u64 = 32;
/// Bytes of each: a nonce, and the ciphertext behind it.
const PIECE: usize = 48;

/// What a document leaves.
#[derive(Debug, Default)]
pub struct DocumentTraces {
    /// It was erased here.
    pub is_erased: bool,
    /// Its sealed head: the wrapped data key.
    pub head: Option<SealedHead>,
    /// What is known of it (name, recipients, the manifest's words), sealed.
    pub card: Option<Bytes>,
    /// The beginnings of some of its sealed chunks.
    pub chunks: Vec<Vec<u8>>,
    /// Why its file could not be read.
    pub unread: Option<String>,
    /// The name under which the journal traces it.
    pub traced: Option<PayloadId>,
}

/// Reads what a document leaves in a store and in the folder of documents.
pub async fn document_traces(store: &dyn Store, folder: &Path, id: DocumentId) -> Result<DocumentTraces, StoreError> {
    let mut traces = DocumentTraces { traced: Some(crate::services::happening::trace_name(id)), ..DocumentTraces::default() };
    let Some(row) = store.row(Table::Document, id.as_bytes()).await? else { return Ok(traces) };
    let row = Row::from_bytes(&row).map_err(|_| StoreError::Corrupt(format!("the row of document {id}")))?;
    if row.state == State::Erased {
        traces.is_erased = true;
        return Ok(traces);
    }
    traces.head = row.head();
    traces.card = Some(Bytes::copy_from_slice(&row.card));
    let name = row.file().map(|file| HEXLOWER.encode(&file)).unwrap_or_default();
    match chunks(&folder.join(name)) {
        Ok(chunks) => traces.chunks = chunks,
        Err(error) => traces.unread = Some(error.to_string()),
    }
    Ok(traces)
}

fn chunks(path: &Path) -> std::io::Result<Vec<Vec<u8>>> {
    let file = File::open(path)?;
    let count = file.metadata()?.len().div_ceil(SEALED as u64);
    let taken = count.min(CHUNKS);
    let mut pieces = Vec::new();
    for n in 0..taken {
        let index = if taken > 1 { (count - 1) * n / (taken - 1) } else { 0 };
        let mut piece = vec![0; PIECE];
        let read = file.read_at(&mut piece, offset(index))?;
        piece.truncate(read);
        pieces.push(piece);
    }
    Ok(pieces)
}
