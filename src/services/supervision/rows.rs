//! Rows of supervision (`docs/store-format.md`). `Table::Supervision`: 0 ‖ digest → a signed order to stop; 1 ‖ digest of the order → a signed
//! lift.

use bytes::Bytes;

use crate::services::{Error, Node};
use crate::store::{Table, Write};
use crate::supervision::StopDigest;

pub(super) const STOP: u8 = 0;
pub(super) const LIFT: u8 = 1;

/// Rows read at once.
const PAGE: usize = 1_024;

pub(super) fn put(kind: u8, digest: &StopDigest, bytes: Vec<u8>) -> Write {
    Write::put(Table::Supervision, [&[kind], &digest[..]].concat(), bytes)
}

impl Node {
    /// Every row of a kind.
    pub(super) async fn supervision_rows(&self, kind: u8) -> Result<Vec<Bytes>, Error> {
        let (mut all, mut after) = (Vec::new(), None::<Bytes>);
        loop {
            let rows = self.store.rows(Table::Supervision, &[kind], after.as_deref(), PAGE).await?;
            let Some((last, _)) = rows.last() else { return Ok(all) };
            after = Some(last.clone());
            all.extend(rows.into_iter().map(|(_, value)| value));
        }
    }
}
