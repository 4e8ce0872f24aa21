//! Taking items out of the index so that nobody can tell who was in it, from this disk or from an older copy of it.
//!
//! For each bucket that an item is in: a fresh key under a fresh leaf; the rows of all other items written anew under it, in pages, each page
//! with the deletion of what it replaces; then the leaf of the key before is punctured; then its head is forgotten. A crash leaves a bucket with
//! two keys: both are asked until the next call, or the next start, has moved the rest.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures_util::future::join_all;

use super::index::{Bucket, SUBJECT, bucket_row, generation_prefix, item_of, word};
use crate::enclave::IndexKey;
use crate::erasure::Tags;
use crate::services::{Error, Node};
use crate::store::{Table, Write};
use crate::types::ItemId;

/// Rows moved, or deleted, at once: tags wait for one page at most.
const PAGE: usize = 1_000;
/// Calls to the enclave at once.
const PARALLEL: usize = 32;

impl Node {
    /// Takes items out of the index before they are erased: afterwards no key is left under which one of their subjects could be confirmed.
    /// They take no tags from now on. Repeatable; their tags themselves go with their leaves.
    pub(crate) async fn unindex(&self, items: &[ItemId]) -> Result<(), Error> {
        if self.index.leave(items).is_empty() {
            return Ok(());
        }
        let _one = self.index.rotating.lock().await;
        // Whoever waited with us is served at once: a bucket is rewritten once for all of them.
        let items = &self.index.waiting()[..];
        if items.is_empty() {
            return Ok(());
        }
        self.move_what_is_left().await?;
        let gone: HashSet<ItemId> = items.iter().copied().collect();
        let mut touched = BTreeSet::new();
        for page in items.chunks(PAGE) {
            let known = self.known(page).await?;
            let subjects: HashSet<&str> = known.iter().flat_map(|(_, tags)| &tags.subjects).map(String::as_str).collect();
            let subjects: Vec<&str> = subjects.into_iter().collect();
            touched.extend(self.buckets_of(&subjects).await?);
            self.drop_words(&known).await?;
        }
        for bucket in touched {
            self.renew_key(bucket, &gone).await?;
        }
        self.index.left(items);
        Ok(())
    }

    /// Takes an item out of the index that is here no more: its send failed, and nobody refers to it.
    pub(crate) async fn unindex_forgotten(&self, item: ItemId, tags: Tags) -> Result<(), Error> {
        let subjects: Vec<&str> = tags.subjects.iter().map(String::as_str).collect();
        self.renew_keys_of(&subjects, &[item]).await?;
        self.drop_words(&[(item, tags)]).await
    }

    /// Finishes what a crash left half done, and builds anew what a restored copy cannot be asked any more. At the start of a node.
    pub async fn finish_unindexing(&self) -> Result<(), Error> {
        let _one = self.index.rotating.lock().await;
        self.index.settled.store(false, Ordering::Release);
        self.rebuild_dead_buckets().await?;
        self.move_what_is_left().await
    }

    /// Replaces the keys of the buckets of these subjects.
    pub(super) async fn renew_keys_of(&self, subjects: &[&str], gone: &[ItemId]) -> Result<(), Error> {
        if subjects.is_empty() {
            return Ok(());
        }
        let _one = self.index.rotating.lock().await;
        self.move_what_is_left().await?;
        let gone = gone.iter().copied().collect();
        let buckets: BTreeSet<u8> = self.buckets_of(subjects).await?.into_iter().collect();
        for bucket in buckets {
            self.renew_key(bucket, &gone).await?;
        }
        Ok(())
    }

    async fn move_what_is_left(&self) -> Result<(), Error> {
        if self.index.settled.load(Ordering::Acquire) {
            return Ok(());
        }
        for (key, row) in self.store.rows(Table::State, b"index/bucket/", None, 256).await? {
            let bucket = Bucket::decode(&row)?;
            if let (Some(number), true) = (key.last(), bucket.before.is_some()) {
                self.move_rows(*number, bucket, &HashSet::new()).await?;
            }
        }
        self.index.settled.store(true, Ordering::Release);
        Ok(())
    }

    async fn renew_key(&self, number: u8, gone: &HashSet<ItemId>) -> Result<(), Error> {
        self.index.settled.store(false, Ordering::Release);
        let renewed = {
            let _gate = self.index.gate.write().await;
            let Bucket { generation, key, .. } = self.bucket(number).await?;
            let fresh = self.enclave.index_key(IndexKey::Bucket(number)).await?;
            let renewed = Bucket { generation: generation.wrapping_add(1), key: fresh, before: Some(key) };
            self.write_bucket(number, &renewed).await?;
            renewed
        };
        self.move_rows(number, renewed, gone).await?;
        self.index.settled.store(true, Ordering::Release);
        Ok(())
    }

    pub(super) async fn write_bucket(&self, number: u8, bucket: &Bucket) -> Result<(), Error> {
        let row = Write::put(Table::State, bucket_row(number), bucket.encode());
        Ok(self.store.write(vec![row], Vec::new()).await?)
    }

    /// Moves the rows of a bucket to its newer key and destroys the older one.
    async fn move_rows(&self, number: u8, mut bucket: Bucket, gone: &HashSet<ItemId>) -> Result<(), Error> {
        let Some(before) = bucket.before.take() else { return Ok(()) };
        let prefix = generation_prefix(number, bucket.generation.wrapping_sub(1));
        let mut after: Option<Bytes> = None;
        loop {
            let _gate = self.index.gate.write().await;
            let rows = self.store.rows(Table::Subject, &prefix, after.as_deref(), PAGE).await?;
            let Some((last, _)) = rows.last() else { break };
            after = Some(last.clone());
            let items = rows.iter().map(|(key, _)| item_of(key)).collect::<Result<BTreeSet<_>, _>>()?;
            let stay: Vec<ItemId> = items.into_iter().filter(|item| !gone.contains(item)).collect();
            let mut writes = self.rows_under(number, &bucket, &stay).await?;
            writes.extend(rows.into_iter().map(|(key, _)| Write::delete(Table::Subject, key)));
            self.store.write(writes, Vec::new()).await?;
        }
        // In this order: a head that is forgotten while its leaf lives could not be punctured any more.
        self.enclave.erase(vec![before.leaf()]).await?;
        self.counters.index_renewed.add();
        let _gate = self.index.gate.write().await;
        self.write_bucket(number, &bucket).await
    }

    /// The rows of items in a bucket, under its key of now.
    pub(super) async fn rows_under(&self, number: u8, bucket: &Bucket, items: &[ItemId]) -> Result<Vec<Write>, Error> {
        let known = self.known(items).await?;
        let named: Vec<(ItemId, &str)> =
            known.iter().flat_map(|(item, tags)| tags.subjects.iter().map(|subject| (*item, subject.as_str()))).collect();
        let subjects: Vec<&str> = named.iter().map(|(_, subject)| *subject).collect();
        let here = self.buckets_of(&subjects).await?;
        let here: Vec<(ItemId, &str)> =
            named.into_iter().zip(here).filter(|(_, in_bucket)| *in_bucket == number).map(|(named, _)| named).collect();
        let words = here.iter().map(|(_, subject)| word(SUBJECT, subject)).collect();
        let tokens = self.enclave.index_tokens(IndexKey::Bucket(number), &bucket.key, words).await?;
        let prefix = generation_prefix(number, bucket.generation);
        let row = |((item, _), token): (&(ItemId, &str), [u8; 32])| {
            Write::put(Table::Subject, [&prefix[..], &token, item.as_bytes()].concat(), Bytes::new())
        };
        Ok(here.iter().zip(tokens).map(row).collect())
    }

    /// The tags of those items that are here and have any.
    pub(super) async fn known(&self, items: &[ItemId]) -> Result<Vec<(ItemId, Tags)>, Error> {
        let mut known = Vec::with_capacity(items.len());
        for some in items.chunks(PARALLEL) {
            let asked = join_all(some.iter().map(|item| self.tags_of(*item))).await;
            for (item, tags) in some.iter().zip(asked) {
                match tags {
                    Ok(tags) => known.extend(tags.map(|tags| (*item, tags))),
                    Err(Error::ItemNotFound(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(known)
    }

    /// Takes items out of the index of purposes and contracts.
    async fn drop_words(&self, known: &[(ItemId, Tags)]) -> Result<(), Error> {
        let mut prefixes: HashMap<(u8, &str), Vec<u8>> = HashMap::new();
        let mut rows = Vec::new();
        for (item, tags) in known {
            let words = [(super::index::PURPOSE, &tags.purpose), (super::index::CONTRACT, &tags.contract)];
            for (kind, text) in words.into_iter().filter_map(|(kind, text)| Some((kind, text.as_deref()?))) {
                let prefix = match prefixes.entry((kind, text)) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => new.insert(self.word_prefix(kind, text).await?),
                };
                rows.push(Write::delete(Table::Subject, [&prefix[..], item.as_bytes()].concat()));
            }
        }
        if rows.is_empty() { Ok(()) } else { Ok(self.store.write(rows, Vec::new()).await?) }
    }
}
