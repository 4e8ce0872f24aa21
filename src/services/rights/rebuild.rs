//! The index of a store that was put back: its keys may be destroyed since. What is still here is indexed anew, from its tags.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::index::{Bucket, SUBJECT};
use crate::enclave::{EnclaveError, IndexKey};
use crate::services::{Error, Node};
use crate::store::{Table, Write};
use crate::types::ItemId;

/// Buckets that are being rebuilt: a crash begins them again.
const MARK: &[u8] = b"index/rebuild";
/// Rows read or written at once.
const PAGE: usize = 1_000;

impl Node {
    /// Gives buckets whose key is destroyed a new one, and indexes what is here anew.
    pub(super) async fn rebuild_dead_buckets(&self) -> Result<(), Error> {
        let marked = self.store.row(Table::State, MARK).await?.unwrap_or_default();
        let mut dead: BTreeSet<u8> = marked.iter().copied().collect();
        for (key, row) in self.store.rows(Table::State, b"index/bucket/", None, 256).await? {
            let (Some(number), bucket) = (key.last().copied(), Bucket::decode(&row)?) else { continue };
            match self.enclave.index_tokens(IndexKey::Bucket(number), &bucket.key, Vec::new()).await {
                Ok(_) => {}
                Err(EnclaveError::Erased) => drop(dead.insert(number)),
                Err(error) => return Err(error.into()),
            }
        }
        if dead.is_empty() {
            return Ok(());
        }
        tracing::warn!(buckets = dead.len(), "the index of subjects is older than its keys: it is built anew from the tags");
        let _gate = self.index.gate.write().await;
        let list: Vec<u8> = dead.iter().copied().collect();
        self.store.write(vec![Write::put(Table::State, MARK, list)], Vec::new()).await?;
        let mut buckets = Vec::with_capacity(dead.len());
        for number in dead {
            let generation = self.bucket(number).await?.generation.wrapping_add(1);
            let key = self.enclave.index_key(IndexKey::Bucket(number)).await?;
            let bucket = Bucket { generation, key, before: None };
            self.write_bucket(number, &bucket).await?;
            self.drop_rows(&[SUBJECT, number]).await?;
            buckets.push((number, bucket));
        }
        let mut after: Option<Bytes> = None;
        loop {
            let tagged = self.store.rows(Table::Tag, b"", after.as_deref(), PAGE).await?;
            let Some((last, _)) = tagged.last() else { break };
            after = Some(last.clone());
            let items: Vec<ItemId> = tagged.iter().filter_map(|(key, _)| ItemId::from_bytes(key).ok()).collect();
            let mut rows = Vec::new();
            for (number, bucket) in &buckets {
                rows.extend(self.rows_under(*number, bucket, &items).await?);
            }
            self.store.write(rows, Vec::new()).await?;
        }
        Ok(self.store.write(vec![Write::delete(Table::State, MARK)], Vec::new()).await?)
    }

    async fn drop_rows(&self, prefix: &[u8]) -> Result<(), Error> {
        let mut after: Option<Bytes> = None;
        loop {
            let rows = self.store.rows(Table::Subject, prefix, after.as_deref(), PAGE).await?;
            let Some((last, _)) = rows.last() else { return Ok(()) };
            after = Some(last.clone());
            let rows = rows.into_iter().map(|(key, _)| Write::delete(Table::Subject, key)).collect();
            self.store.write(rows, Vec::new()).await?;
        }
    }
}
