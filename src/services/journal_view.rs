//! The journal as people and tools read it.

use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::{Error, Node};
use crate::enclave::EnclaveError;
use crate::store::{JournalRow, Kind};
use crate::translog::note::Note;
use crate::types::PayloadId;

/// Milliseconds of a day.
const DAY: u64 = 24 * 60 * 60 * 1000;
/// Records read at once.
const PAGE: usize = 256;

impl Node {
    /// Rows from an index on: index, commitment, and salt and record unless they were erased with their payload.
    pub async fn journal_rows(&self, from: u64, limit: usize) -> Result<Vec<Value>, Error> {
        let rows = self.store.journal(from, limit).await?;
        Ok(rows.iter().zip(from..).map(|(row, index)| shown(index, row)).collect())
    }

    /// The rows about a payload.
    pub async fn journal_about(&self, id: &PayloadId) -> Result<Vec<Value>, Error> {
        let mut rows = Vec::new();
        for index in self.store.trace(id).await? {
            rows.extend(self.journal_rows(index, 1).await?);
        }
        Ok(rows)
    }

    /// The inclusion of a row in the newest checkpoint that witnesses have cosigned, or in the newest of all, as a C2SP tlog-proof.
    pub async fn journal_proof(&self, index: u64) -> Result<String, Error> {
        let chronicle = self.chronicle()?;
        let newest = chronicle.published().ok_or(Error::Message("the journal has no checkpoint yet: ask again in a second"))?;
        if index >= newest.checkpoint.size {
            return Err(Error::Message("the journal has no such row, or it is not sequenced yet: ask again in a second"));
        }
        let covers = |note: &Note| size_of(note).is_some_and(|size| index < size);
        let cosigned = chronicle.cosigned().await.filter(covers);
        let note = cosigned.unwrap_or_else(|| newest.note.clone());
        let size = size_of(&note).unwrap_or(newest.checkpoint.size);
        let proof = chronicle.log().proof(index, size, note).map_err(Error::Journal)?;
        Ok(proof.to_string())
    }

    /// What was sent from here in the last `days`, with member names: for a dry run of a policy. Read from the payloads' own heads.
    pub async fn traffic(&self, days: u64) -> Result<Vec<Value>, Error> {
        let governed = self.needs_governance()?;
        let charter = governed.charter();
        let since = super::records::now().saturating_sub(days.saturating_mul(DAY));
        let (mut after, mut sent) = (None, Vec::new());
        loop {
            let page = self.store.scan(Kind::Payload, after, PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(sent) };
            after = Some(*last);
            for (id, record) in page.into_iter().filter(|(_, record)| record.time >= since) {
                let meta = match self.enclave.meta(id, &record.head).await {
                    Ok(meta) => meta,
                    Err(EnclaveError::Erased) => continue,
                    Err(error) => return Err(error.into()),
                };
                if !self.directory.is_own(&meta.sender) {
                    continue;
                }
                let name = |key| charter.members().by_address(key).map(|member| member.id.to_string());
                let recipients: Vec<_> = meta.recipients.iter().filter(|key| **key != meta.sender).filter_map(name).collect();
                let class = meta.native.as_ref().map_or(crate::types::Class::default(), |native| native.class);
                sent.push(json!({
                    "time": record.time, "kind": "sent", "class": class, "sender": name(&meta.sender), "recipients": recipients,
                }));
            }
        }
    }
}

fn shown(index: u64, row: &JournalRow) -> Value {
    let commitment = HEXLOWER.encode(&row.commitment);
    match &row.content {
        None => json!({ "index": index, "commitment": commitment, "erased": true }),
        Some((salt, record)) => json!({
            "index": index,
            "commitment": commitment,
            "salt": HEXLOWER.encode(salt),
            // As it was committed to, byte for byte; and the same to read.
            "record": String::from_utf8_lossy(record),
            "what": serde_json::from_slice::<Value>(record).unwrap_or_default(),
        }),
    }
}

/// The second line of a checkpoint.
fn size_of(note: &Note) -> Option<u64> {
    note.text().lines().nth(1)?.parse().ok()
}
