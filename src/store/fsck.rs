//! Checking every record: is it what its id says, and can it still be opened.

use serde::Serialize;

use super::{Kind, Record, Store, StoreError};
use crate::crypto::hash::payload_id;
use crate::enclave::{Enclave, EnclaveError};
use crate::types::PayloadId;

/// Records read at once.
const PAGE: usize = 128;

/// What a check found.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Sent and received payloads that verify.
    pub payloads: u64,
    /// Raw payloads that verify.
    pub raws: u64,
    /// Records whose key is destroyed and whose rows a crash left behind: already unreadable, buried by the next erasure.
    pub unburied: u64,
    /// Everything that is not as it should be.
    pub findings: Vec<Finding>,
}

/// A record that does not verify.
#[derive(Debug, Serialize)]
pub struct Finding {
    /// `payload` or `raw`.
    pub kind: &'static str,
    /// Its id, base64.
    pub id: String,
    /// What is wrong.
    pub what: String,
}

/// Reads every record through the enclave. No plaintext is made.
pub async fn check(store: &dyn Store, enclave: &dyn Enclave) -> Result<Report, StoreError> {
    let mut report = Report::default();
    for kind in [Kind::Payload, Kind::Raw] {
        let mut after = None;
        loop {
            let page = store.scan(kind, after, PAGE).await?;
            let Some((last, _)) = page.last() else { break };
            after = Some(*last);
            for (id, record) in page {
                let verdict = check_record(enclave, id, record).await;
                report.count(kind, id, verdict);
            }
        }
    }
    Ok(report)
}

enum Verdict {
    Good,
    Unburied,
    Bad(String),
}

async fn check_record(enclave: &dyn Enclave, id: PayloadId, record: Record) -> Verdict {
    if payload_id(&record.ciphertext) != id {
        return Verdict::Bad("the ciphertext is not the one of this id".into());
    }
    match enclave.verify(id, &record.head, record.nonce, record.ciphertext).await {
        Ok(meta) => match meta.privacy.check() {
            Ok(()) => Verdict::Good,
            Err(error) => Verdict::Bad(error.to_string()),
        },
        Err(EnclaveError::Erased) => Verdict::Unburied,
        Err(error) => Verdict::Bad(error.to_string()),
    }
}

impl Report {
    fn count(&mut self, kind: Kind, id: PayloadId, verdict: Verdict) {
        match (verdict, kind) {
            (Verdict::Good, Kind::Payload) => self.payloads += 1,
            (Verdict::Good, Kind::Raw) => self.raws += 1,
            (Verdict::Unburied, _) => self.unburied += 1,
            (Verdict::Bad(what), kind) => {
                let kind = if kind == Kind::Payload { "payload" } else { "raw" };
                self.findings.push(Finding { kind, id: id.to_string(), what });
            }
        }
    }
}
