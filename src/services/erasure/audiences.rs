//! Whom the payloads of a case were addressed to: written down while their heads can still be read, for the certificate.

use super::rows::put_audience;
use crate::erasure::{Addressed, CaseId};
use crate::services::governed::Governed;
use crate::services::{Error, Node};
use crate::types::{ItemId, PayloadId};
use crate::wire::Proofs;

/// Rows written at once.
const TOGETHER: usize = 256;

impl Node {
    /// Keeps the signed header and all recipients of each payload that this node sent. Of others, of documents (whose header names one
    /// member each) and of Tessera's suite there is nothing that would show them all.
    pub(super) async fn keep_audiences(&self, governed: &Governed, case: &CaseId, items: &[ItemId]) -> Result<(), Error> {
        for together in items.chunks(TOGETHER) {
            let mut rows = Vec::new();
            for item in together {
                let ItemId::Payload(id) = item else { continue };
                rows.extend(self.audience_of(governed, id).await?.map(|addressed| put_audience(case, item, &addressed)));
            }
            if !rows.is_empty() {
                self.store.write(rows, Vec::new()).await?;
            }
        }
        Ok(())
    }

    async fn audience_of(&self, governed: &Governed, id: &PayloadId) -> Result<Option<Addressed>, Error> {
        let meta = match self.meta(*id).await {
            Ok(meta) => meta,
            Err(Error::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let native = meta.native.filter(|native| native.member == governed.me && native.network == governed.network);
        Ok(native.and_then(|native| match &native.proofs {
            Proofs::Sent { seed, recipients } => Some(Addressed::of(&native.header, &native.signature, seed, recipients)),
            Proofs::Received(_) => None,
        }))
    }
}
