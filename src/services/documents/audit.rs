//! `celosia fsck` of documents: rows, files, every chunk, and files that no row names. Nobody writes meanwhile.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use bytes::Bytes;
use data_encoding::HEXLOWER;

use super::row::{Card, LABEL, Row, State};
use crate::enclave::{Enclave, EnclaveError};
use crate::seal::document::{Layout, OVERHEAD, offset};
use crate::services::holds::envelope_key;
use crate::store::fsck::Report;
use crate::store::{Store, StoreError, Table};
use crate::translog::hash;
use crate::types::{DocumentId, ItemId};
use crate::wire::native::Message as _;

/// Rows read at once.
const PAGE: usize = 256;

/// A document that is checked.
struct Checked<'a> {
    id: DocumentId,
    row: Row,
    store: &'a dyn Store,
    folder: &'a Path,
}

/// Checks every document of a store that nobody writes to, and the files in `folder`; with an `enclave`, every chunk is opened. Memory: one
/// chunk, 32 bytes for each chunk of a document, and the names of all files.
pub async fn audit_documents(
    store: &dyn Store,
    enclave: Option<&dyn Enclave>,
    folder: &Path,
    report: &mut Report,
) -> Result<(), StoreError> {
    let (mut known, mut after) = (BTreeSet::new(), None::<Vec<u8>>);
    loop {
        let rows = store.rows(Table::Document, &[], after.as_deref(), PAGE).await?;
        let Some((last, _)) = rows.last() else { break };
        after = Some(last.to_vec());
        for (key, row) in rows {
            let Ok(id) = <[u8; 32]>::try_from(&key[..]).map(DocumentId::new) else {
                report.bad(None, "a row of documents under a key that is no id");
                continue;
            };
            match Row::from_bytes(&row) {
                Ok(row) => {
                    known.extend(row.file().map(|file| HEXLOWER.encode(&file)));
                    Checked { id, row, store, folder }.check(enclave, report).await?;
                }
                Err(_) => report.bad(Some(ItemId::Document(id)), "its row does not decode"),
            }
        }
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !known.contains(name.trim_end_matches(".tail")) {
            report.orphans.push(name);
        }
    }
    report.orphans.sort_unstable();
    Ok(())
}

impl Checked<'_> {
    async fn check(&self, enclave: Option<&dyn Enclave>, report: &mut Report) -> Result<(), StoreError> {
        let item = ItemId::Document(self.id);
        match self.row.state {
            State::Erased => return Ok(()),
            State::Uploading | State::Arriving => {
                report.unfinished_documents += 1;
                return Ok(());
            }
            State::Here => report.documents += 1,
        }
        report.document_bytes += self.row.bytes;
        match self.opened() {
            Err(why) => report.bad(Some(item), why),
            Ok(file) => {
                if let Some(enclave) = enclave {
                    self.open_all(enclave, file, report).await?;
                }
            }
        }
        Ok(())
    }

    /// The file, if it is there and as long as the row says.
    fn opened(&self) -> Result<File, String> {
        let name = self.row.file().ok_or("its row names no file")?;
        let file = File::open(self.folder.join(HEXLOWER.encode(&name))).map_err(|error| format!("its file: {error}"))?;
        let bytes = file.metadata().map_err(|error| format!("its file: {error}"))?.len();
        if bytes == self.row.bytes { Ok(file) } else { Err(format!("its file has {bytes} bytes, not {}", self.row.bytes)) }
    }

    async fn open_all(&self, enclave: &dyn Enclave, file: File, report: &mut Report) -> Result<(), StoreError> {
        let item = ItemId::Document(self.id);
        let Some(head) = self.row.head() else {
            report.bad(Some(item), "its row holds no head");
            return Ok(());
        };
        let card = match enclave.open_beside(&head, LABEL, Bytes::copy_from_slice(&self.row.card)).await {
            Ok(card) => card,
            Err(EnclaveError::Erased) => {
                let is_blocked = self.store.row(Table::Hold, &envelope_key(&item)).await?.is_some();
                *(if is_blocked { &mut report.documents_blocked } else { &mut report.half_erased }) += 1;
                return Ok(());
            }
            Err(error) => {
                report.bad(Some(item), format!("its card: {error}"));
                return Ok(());
            }
        };
        let Ok(card) = serde_json::from_slice::<Card>(&card) else {
            report.bad(Some(item), "its card does not decode");
            return Ok(());
        };
        match self.chunks(enclave, &head, file, &card).await {
            Ok(()) => report.documents_verified += 1,
            Err(why) => report.bad(Some(item), why),
        }
        Ok(())
    }

    /// Every chunk at its place, and the root over all of them.
    async fn chunks(
        &self,
        enclave: &dyn Enclave,
        head: &crate::shred::SealedHead,
        file: File,
        card: &Card,
    ) -> Result<(), String> {
        let layout = Layout { padded: card.padded };
        if layout.sealed_len() != self.row.bytes {
            return Err("its row and its card say different lengths".to_owned());
        }
        let mut leaves = Vec::new();
        for index in 0..layout.chunks() {
            let place = layout.place(index).ok_or("a chunk without a place")?;
            let mut sealed = vec![0; layout.plain_len(index) + OVERHEAD];
            file.read_exact_at(&mut sealed, offset(index)).map_err(|error| format!("chunk {index}: {error}"))?;
            leaves.push(hash::leaf(&sealed));
            let checked = enclave.check_chunk(self.id, head, place, sealed.into()).await;
            checked.map_err(|error| format!("chunk {index} does not open: {error}"))?;
        }
        if hash::fold(&leaves) == card.root { Ok(()) } else { Err("its chunks are not those that were put".to_owned()) }
    }
}
