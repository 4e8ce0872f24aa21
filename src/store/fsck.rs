//! Every record checked: rows that belong together, ids that are the hash of their ciphertext, heads that open, tombstones that hold.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::rocks::{Finding, Order, RocksStore};
use super::{Kind, Record, StoreError, Tombstone};
use crate::crypto::hash::payload_id;
use crate::enclave::{Enclave, EnclaveError};
use crate::shred::Forest;
use crate::types::{ItemId, PayloadId};

/// Bad records that are listed; beyond it they are only counted.
const LISTED: usize = 10_000;
/// Records on their way from the reader to the checks.
const AHEAD: usize = 8;

/// What a check found.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Records of sent and received payloads.
    pub payloads: u64,
    /// Records of raw payloads.
    pub raws: u64,
    /// Tombstones.
    pub tombstones: u64,
    /// Privacy groups.
    pub groups: u64,
    /// Bytes of all ciphertexts.
    pub ciphertext_bytes: u64,
    /// Records whose head opened and whose ciphertext verified under it.
    pub verified: u64,
    /// Records whose key is destroyed while their rows are still there: a crash came between. They count as erased.
    pub half_erased: u64,
    /// Documents that are complete.
    pub documents: u64,
    /// Documents that are being uploaded, or arriving.
    pub unfinished_documents: u64,
    /// Bytes of complete documents' files.
    pub document_bytes: u64,
    /// Complete documents of which every chunk opened, and whose chunks are those that were put.
    pub documents_verified: u64,
    /// Documents that are kept and that nobody reads: a hold stands.
    pub documents_blocked: u64,
    /// A supervisor's copies of what others sent.
    pub copies: u64,
    /// Files of no document. The next start removes them.
    pub orphans: Vec<String>,
    /// Whether the key trees were at hand.
    pub with_keys: bool,
    /// Problems, those beyond the listed ones too.
    pub problem_count: u64,
    /// The first problems.
    pub problems: Vec<Problem>,
}

/// Something that must not be.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// The record, if it is one's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<ItemId>,
    /// What is wrong.
    pub what: String,
}

impl Report {
    /// Whether every record verifies.
    pub fn is_clean(&self) -> bool {
        self.problem_count == 0
    }

    /// Ids of bad records of payloads, as far as they are listed.
    pub fn damaged(&self) -> impl Iterator<Item = PayloadId> {
        self.problems.iter().filter_map(|problem| match problem.id {
            Some(ItemId::Payload(id)) => Some(id),
            _ => None,
        })
    }

    fn problem(&mut self, id: Option<PayloadId>, what: impl Into<String>) {
        self.bad(id.map(ItemId::Payload), what);
    }

    /// Adds something that must not be.
    pub fn bad(&mut self, id: Option<ItemId>, what: impl Into<String>) {
        self.problem_count += 1;
        if self.problems.len() < LISTED {
            self.problems.push(Problem { id, what: what.into() });
        }
    }

    fn count(&mut self, kind: Kind) {
        match kind {
            Kind::Payload => self.payloads += 1,
            Kind::Raw => self.raws += 1,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} payloads, {} raw payloads, {} bytes of ciphertext", self.payloads, self.raws, self.ciphertext_bytes)?;
        writeln!(f, "{} tombstones, {} privacy groups", self.tombstones, self.groups)?;
        if self.with_keys {
            writeln!(f, "{} records opened and verified, {} erased but not yet removed", self.verified, self.half_erased)?;
        } else {
            writeln!(f, "the key trees are not at hand: heads were not opened")?;
        }
        if self.documents + self.unfinished_documents > 0 {
            writeln!(
                f,
                "{} documents of {} bytes, {} unfinished",
                self.documents, self.document_bytes, self.unfinished_documents
            )?;
            if self.with_keys {
                writeln!(f, "{} documents opened and verified, {} blocked", self.documents_verified, self.documents_blocked)?;
            }
        }
        if self.copies > 0 {
            writeln!(f, "{} copies of a supervisor", self.copies)?;
        }
        for orphan in &self.orphans {
            writeln!(f, "of no document: {orphan}")?;
        }
        for Problem { id, what } in &self.problems {
            match id {
                Some(id) => writeln!(f, "bad: {id}: {what}")?,
                None => writeln!(f, "bad: {what}")?,
            }
        }
        match self.problem_count {
            0 => write!(f, "every record is as it was kept"),
            count => write!(f, "{count} problems"),
        }
    }
}

/// Checks every record of a store that nobody writes to.
///
/// With an `enclave` heads are opened and ciphertexts verified; with a `forest` the leaves of tombstones must be punctured.
pub async fn fsck(store: Arc<RocksStore>, enclave: Option<&dyn Enclave>, forest: Option<&Forest>) -> Result<Report, StoreError> {
    let mut report = Report { with_keys: enclave.is_some(), ..Report::default() };
    let (sender, mut findings) = tokio::sync::mpsc::channel(AHEAD);
    let reader = Arc::clone(&store);
    let walk = tokio::task::spawn_blocking(move || {
        reader.walk(|finding| if sender.blocking_send(finding).is_ok() { Order::Continue } else { Order::Stop })
    });
    while let Some(finding) = findings.recv().await {
        match finding {
            Finding::Record { kind, id, record, buried } => {
                report.count(kind);
                report.ciphertext_bytes += u64::try_from(record.ciphertext.len()).unwrap_or(u64::MAX);
                check_record(&mut report, enclave, id, record, buried).await;
            }
            Finding::Damaged { kind, id, why } => {
                report.count(kind);
                report.problem(Some(id), why);
            }
            Finding::Stray(what) => report.problem(None, what),
            Finding::Tombstone { id, tombstone } => {
                report.tombstones += 1;
                check_tombstone(&mut report, forest, id, &tombstone);
            }
            Finding::Group => report.groups += 1,
        }
    }
    walk.await.map_err(|error| StoreError::Io(error.to_string()))??;
    check_counters(&mut report, &store)?;
    Ok(report)
}

async fn check_record(report: &mut Report, enclave: Option<&dyn Enclave>, id: PayloadId, record: Record, buried: bool) {
    if payload_id(&record.ciphertext) != id {
        return report.problem(Some(id), "the ciphertext's hash is not the id");
    }
    if buried {
        return report.problem(Some(id), "it has a tombstone and is still there");
    }
    let Some(enclave) = enclave else { return };
    match enclave.verify(id, &record.head, record.nonce, record.ciphertext).await {
        Ok(meta) => match meta.privacy.check() {
            Ok(()) => report.verified += 1,
            Err(error) => report.problem(Some(id), error.to_string()),
        },
        Err(EnclaveError::Erased) => report.half_erased += 1,
        Err(EnclaveError::Broken) => report.problem(Some(id), "head or ciphertext do not verify"),
        Err(error) => report.problem(Some(id), error.to_string()),
    }
}

fn check_tombstone(report: &mut Report, forest: Option<&Forest>, id: PayloadId, tombstone: &Tombstone) {
    let Some(forest) = forest else { return };
    for leaf in &tombstone.leaves {
        match forest.is_alive(*leaf) {
            Ok(false) => {}
            Ok(true) => {
                report.problem(Some(id), "it is erased, but its key can still be derived: an old key folder was restored");
            }
            Err(error) => report.problem(Some(id), error.to_string()),
        }
    }
}

fn check_counters(report: &mut Report, store: &RocksStore) -> Result<(), StoreError> {
    let said = store.counters()?;
    let counted = (report.payloads, report.raws, report.tombstones);
    if (said.payloads, said.raws, said.tombstones) != counted {
        report.problem(None, format!("the store counts {said:?}, but there are {counted:?} (payloads, raw, tombstones)"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tempfile::{TempDir, tempdir};
    use zeroize::Zeroizing;

    use super::*;
    use crate::crypto::secret::Secret;
    use crate::enclave::local::LocalEnclave;
    use crate::shred::FileRoot;
    use crate::store::Store as _;

    struct Member {
        folder: TempDir,
        forest: Arc<Forest>,
        enclave: LocalEnclave,
    }

    impl Member {
        fn new() -> Self {
            let folder = tempdir().expect("a folder");
            let root = Box::new(FileRoot::open(folder.path()).expect("a root"));
            let forest = Arc::new(Forest::open(folder.path(), root).expect("a forest"));
            let enclave = LocalEnclave::new(vec![Secret::random()], Arc::clone(&forest)).expect("a key");
            Self { folder, forest, enclave }
        }

        fn store(&self) -> Arc<RocksStore> {
            Arc::new(RocksStore::open(&self.folder.path().join("store")).expect("a store"))
        }

        async fn keep(&self, store: &RocksStore, text: &str) -> (PayloadId, Record) {
            let payload = Zeroizing::new(text.as_bytes().to_vec());
            let sealed = self.enclave.seal_raw(payload, self.enclave.addresses()[0]).await.expect("sealed");
            let record = Record { time: 1, nonce: sealed.nonce, head: sealed.head, ciphertext: sealed.ciphertext };
            store.insert(Kind::Raw, sealed.id, record.clone()).await.expect("kept");
            (sealed.id, record)
        }

        async fn check(&self, store: &Arc<RocksStore>) -> Report {
            fsck(Arc::clone(store), Some(&self.enclave), Some(&self.forest)).await.expect("a report")
        }
    }

    #[tokio::test]
    async fn a_sound_store_is_clean_with_and_without_keys() {
        let member = Member::new();
        let store = member.store();
        for n in 0..10 {
            member.keep(&store, &format!("payload {n}")).await;
        }
        let (half, record) = member.keep(&store, "half erased").await;
        let (erased, gone) = member.keep(&store, "erased").await;
        member.enclave.erase(vec![record.head.leaf(), gone.head.leaf()]).await.expect("punctured");
        store.bury(erased, Tombstone { time: 2, leaves: vec![gone.head.leaf()] }).await.expect("buried");
        let report = member.check(&store).await;
        assert!(report.is_clean(), "{report}");
        assert_eq!((report.raws, report.verified, report.half_erased, report.tombstones), (11, 10, 1, 1), "{half}");
        let blind = fsck(store, None, None).await.expect("a report");
        assert!(blind.is_clean() && blind.verified == 0 && !blind.with_keys);
    }

    #[tokio::test]
    async fn wrong_heads_wrong_ciphertexts_and_living_leaves_are_named() {
        let member = Member::new();
        let store = member.store();
        let (good, record) = member.keep(&store, "good").await;
        let (_, other) = member.keep(&store, "another").await;
        // A record that carries the head of another one, and one whose id is not its hash.
        let swapped = payload_id(b"swapped");
        let with_other_head = Record { ciphertext: bytes::Bytes::from_static(b"swapped"), ..other };
        store.insert(Kind::Payload, swapped, with_other_head).await.expect("kept");
        let misnamed = PayloadId::new([1; 64]);
        store.insert(Kind::Payload, misnamed, record.clone()).await.expect("kept");
        // A tombstone whose key lives on.
        let buried = PayloadId::new([2; 64]);
        store.bury(buried, Tombstone { time: 2, leaves: vec![record.head.leaf()] }).await.expect("buried");
        let report = member.check(&store).await;
        let mut damaged: Vec<_> = report.damaged().collect();
        damaged.sort();
        let mut expected = vec![misnamed, buried, swapped];
        expected.sort();
        assert_eq!(damaged, expected, "{report}");
        assert!(!damaged.contains(&good));
        let json = serde_json::to_value(&report).expect("JSON");
        assert_eq!(json["problemCount"], 3);
        assert_eq!(json["problems"].as_array().expect("a list").len(), 3);
    }

    #[tokio::test]
    async fn lost_and_stray_rows_are_found() {
        let member = Member::new();
        let store = member.store();
        let (lost, _) = member.keep(&store, "lost").await;
        let (unindexed, _) = member.keep(&store, "without an index").await;
        member.keep(&store, "whole").await;
        store.damage(Kind::Raw, &lost, &unindexed);
        let report = member.check(&store).await;
        assert_eq!(report.damaged().collect::<Vec<_>>(), [lost], "{report}");
        assert!(report.problems.iter().any(|problem| problem.what.contains("without an index row")), "{report}");
        assert!(report.problems.iter().any(|problem| problem.what.contains("counts")), "{report}");
        assert_eq!(report.problem_count, 3, "{report}");
    }
}
