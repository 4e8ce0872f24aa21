//! `celosia fsck` of what a supervisor keeps: copies that open, and leaves of erased copies that are punctured.

use bytes::Bytes;

use super::feed::{Entry, LABEL};
use super::graves::Grave;
use super::rows::{COPY, GRAVE, id_of};
use crate::enclave::{Enclave, EnclaveError};
use crate::shred::{Forest, LeafRef, SealedHead};
use crate::store::fsck::Report;
use crate::store::{Store, StoreError, Table};
use crate::supervision::SupervisionCopy;
use crate::types::{ItemId, PayloadId};
use crate::wire::native::Message as _;

/// Rows looked at together: each may hold a ciphertext.
const PAGE: usize = 16;

/// Checks the copies of a supervisor's store that nobody writes to: with an `enclave` each is opened, with a `forest` the leaves of erased ones
/// must be punctured.
pub async fn audit_copies(
    store: &dyn Store,
    enclave: Option<&dyn Enclave>,
    forest: Option<&Forest>,
    report: &mut Report,
) -> Result<(), StoreError> {
    let mut after = None::<Bytes>;
    loop {
        let rows = store.rows(Table::Supervision, &[COPY], after.as_deref(), PAGE).await?;
        let Some((last, _)) = rows.last() else { break };
        after = Some(last.clone());
        for (_, row) in rows {
            let Ok(entry) = Entry::from_bytes(&row) else {
                report.bad(None, "a place of the feed does not decode");
                continue;
            };
            if !entry.sealed.is_empty() {
                report.copies += 1;
                check_copy(enclave, &entry, report).await;
            }
        }
    }
    let mut after = None::<Bytes>;
    loop {
        let rows = store.rows(Table::Supervision, &[GRAVE], after.as_deref(), PAGE).await?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        after = Some(last.clone());
        for (key, row) in &rows {
            let id = id_of(key).map(ItemId::Payload);
            match (Grave::from_bytes(row), forest) {
                (Ok(grave), Some(forest)) => check_grave(forest, id, &grave, report),
                (Ok(_), None) => {}
                (Err(_), _) => report.bad(id, "what remains of its copy does not decode"),
            }
        }
    }
}

async fn check_copy(enclave: Option<&dyn Enclave>, entry: &Entry, report: &mut Report) {
    let id = PayloadId::try_from(entry.id.as_slice()).ok().map(ItemId::Payload);
    let Some(head) = SealedHead::from_bytes(entry.head.to_vec().into()) else {
        return report.bad(id, "the head of its copy does not decode");
    };
    let Some(enclave) = enclave else { return };
    match enclave.open_beside(&head, LABEL, entry.sealed.to_vec().into()).await {
        Ok(bytes) if SupervisionCopy::decode(&bytes).is_ok() => {}
        // Its erasure is under way.
        Err(EnclaveError::Erased) => report.half_erased += 1,
        Ok(_) | Err(EnclaveError::Broken) => report.bad(id, "its copy does not verify"),
        Err(error) => report.bad(id, error.to_string()),
    }
}

fn check_grave(forest: &Forest, id: Option<ItemId>, grave: &Grave, report: &mut Report) {
    for (tree, leaf) in &grave.leaves {
        match forest.is_alive(LeafRef { tree: *tree, leaf: *leaf }) {
            Ok(false) => {}
            Ok(true) => report.bad(id, "its copy is erased, but its key can still be derived: an old key folder was restored"),
            Err(error) => report.bad(id, error.to_string()),
        }
    }
}
