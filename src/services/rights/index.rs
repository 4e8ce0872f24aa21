//! The blind index: which items are about a subject, without a word of it on the disk.
//!
//! ```text
//! Table::Subject   0 (1) ‖ bucket (1) ‖ generation (4) ‖ HMAC of the subject under the bucket's key (32) ‖ item
//!                  1 (1) ‖ HMAC of the purpose (32) ‖ item          2 (1) ‖ HMAC of the contract (32) ‖ item
//! Table::State     index/buckets, index/words        a sealed key
//!                  index/bucket/ number (1)          generation (4) ‖ length (2) ‖ sealed key ‖ the sealed key before, while rows move
//! ```
//!
//! Threat: names are few, and whoever holds the keys tries all of them. So the key of a bucket is destroyed whenever an item of it is erased:
//! what a backup holds of the index then answers nobody (`unindex.rs`).

use std::collections::{HashMap, HashSet};
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Mutex as AsyncMutex, RwLock};
use zeroize::Zeroizing;

use crate::enclave::IndexKey;
use crate::erasure::Tags;
use crate::services::{Error, Node};
use crate::shred::SealedHead;
use crate::store::{StoreError, Table, Write};
use crate::types::ItemId;

pub(super) const SUBJECT: u8 = 0;
pub(super) const PURPOSE: u8 = 1;
pub(super) const CONTRACT: u8 = 2;
/// What a caller's journal entry is about: a domain of its own under the bucket's key.
const JOURNAL: u8 = b'j';

/// How long an item that left the index takes no new tags: its erasure has begun.
const LEAVING: Duration = Duration::from_mins(10);

/// Bytes of a token.
const TOKEN: usize = 32;

/// What the index needs in memory.
#[derive(Default)]
pub(crate) struct Index {
    /// Read: rows are written under the keys of now. Written: keys change, rows move.
    pub(super) gate: RwLock<()>,
    /// One key is made at a time.
    making: AsyncMutex<()>,
    /// One rotation at a time.
    pub(super) rotating: AsyncMutex<()>,
    /// One item is tagged at a time: of two that tag the same, the second must see the rows of the first.
    pub(super) tagging: AsyncMutex<()>,
    /// No bucket has two keys. At the start, nobody knows.
    pub(super) settled: AtomicBool,
    leaving: Mutex<Leaving>,
}

/// Items that left the index lately.
#[derive(Default)]
struct Leaving {
    /// Since when, and whether nothing of them is left in it.
    items: HashMap<ItemId, (Instant, bool)>,
    /// Those of which something may be left.
    waiting: HashSet<ItemId>,
    pruned: Option<Instant>,
}

/// The keys of a bucket.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Bucket {
    /// How often its key was replaced.
    pub(super) generation: u32,
    pub(super) key: SealedHead,
    /// The key before, while rows under it are left.
    pub(super) before: Option<SealedHead>,
}

impl Index {
    /// Lets items take no more tags; those of them that may still be in the index.
    pub(super) fn leave(&self, items: &[ItemId]) -> Vec<ItemId> {
        let mut leaving = self.leaving();
        let now = Instant::now();
        if leaving.pruned.is_none_or(|pruned| now.duration_since(pruned) > LEAVING) {
            leaving.pruned = Some(now);
            leaving.items.retain(|_, (since, _)| now.duration_since(*since) < LEAVING);
        }
        let is_in = |item: &&ItemId| !leaving.items.get(*item).is_some_and(|(_, is_out)| *is_out);
        let still_in: Vec<ItemId> = items.iter().filter(is_in).copied().collect();
        leaving.items.extend(still_in.iter().map(|item| (*item, (now, false))));
        leaving.waiting.extend(&still_in);
        still_in
    }

    /// All that leave and may still be in the index.
    pub(super) fn waiting(&self) -> Vec<ItemId> {
        let leaving = self.leaving();
        leaving.waiting.iter().copied().collect()
    }

    /// Nothing of these items is left in the index.
    pub(super) fn left(&self, items: &[ItemId]) {
        let mut leaving = self.leaving();
        let now = Instant::now();
        leaving.items.extend(items.iter().map(|item| (*item, (now, true))));
        for item in items {
            leaving.waiting.remove(item);
        }
    }

    /// An item comes back: what was withdrawn may be sent again.
    pub(super) fn returns(&self, item: &ItemId) {
        let mut leaving = self.leaving();
        leaving.items.remove(item);
        leaving.waiting.remove(item);
    }

    /// An item that was blocked is readable again.
    pub(super) fn come_back(&self, item: &ItemId) {
        let mut leaving = self.leaving();
        leaving.items.remove(item);
        leaving.waiting.remove(item);
    }

    pub(super) fn is_leaving(&self, item: &ItemId) -> bool {
        self.leaving().items.get(item).is_some_and(|(since, _)| since.elapsed() < LEAVING)
    }

    fn leaving(&self) -> MutexGuard<'_, Leaving> {
        self.leaving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket {
    pub(super) fn encode(&self) -> Bytes {
        let key = self.key.as_bytes();
        let length = u16::try_from(key.len()).unwrap_or(u16::MAX);
        let before = self.before.as_ref().map_or(&[][..], |before| before.as_bytes());
        [&self.generation.to_be_bytes()[..], &length.to_be_bytes(), key, before].concat().into()
    }

    pub(super) fn decode(row: &[u8]) -> Result<Self, StoreError> {
        let read = || {
            let (generation, rest) = row.split_first_chunk::<4>()?;
            let (length, rest) = rest.split_first_chunk::<2>()?;
            let (key, before) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
            let head = |bytes: &[u8]| SealedHead::from_bytes(Bytes::copy_from_slice(bytes));
            let before = if before.is_empty() { None } else { Some(head(before)?) };
            Some(Self { generation: u32::from_be_bytes(*generation), key: head(key)?, before })
        };
        read().ok_or_else(|| StoreError::Corrupt("a key of the index of subjects".into()))
    }
}

/// The row of a bucket's keys.
pub(super) fn bucket_row(bucket: u8) -> Vec<u8> {
    [&b"index/bucket/"[..], &[bucket]].concat()
}

/// Where the rows of a bucket lie that were written under one of its keys.
pub(super) fn generation_prefix(bucket: u8, generation: u32) -> Vec<u8> {
    [&[SUBJECT, bucket][..], &generation.to_be_bytes()].concat()
}

pub(super) fn word(kind: u8, text: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([&[kind], text.as_bytes()].concat())
}

/// The item at the end of a key of the index.
pub(super) fn item_of(key: &[u8]) -> Result<ItemId, StoreError> {
    let skip = match key.first() {
        Some(&SUBJECT) => 6 + TOKEN,
        _ => 1 + TOKEN,
    };
    let item = key.get(skip..).and_then(|item| ItemId::from_bytes(item).ok());
    item.ok_or_else(|| StoreError::Corrupt("a row of the index of subjects".into()))
}

impl Node {
    /// A key that stays, made when it is first asked for.
    pub(super) async fn index_head(&self, of: IndexKey) -> Result<SealedHead, Error> {
        let broken = || StoreError::Corrupt("a key of the index of subjects".into());
        let bytes = self.key_row(of).await?;
        Ok(SealedHead::from_bytes(bytes).ok_or_else(broken)?)
    }

    /// The keys of a bucket, the first made when it is first asked for.
    pub(super) async fn bucket(&self, bucket: u8) -> Result<Bucket, Error> {
        Ok(Bucket::decode(&self.key_row(IndexKey::Bucket(bucket)).await?)?)
    }

    /// The row of a key; made, once, if it is not there. Of two that want it at a time, one makes it for both.
    async fn key_row(&self, of: IndexKey) -> Result<Bytes, Error> {
        let key = match of {
            IndexKey::Buckets => b"index/buckets".to_vec(),
            IndexKey::Words => b"index/words".to_vec(),
            IndexKey::Bucket(bucket) => bucket_row(bucket),
        };
        if let Some(row) = self.store.row(Table::State, &key).await? {
            return Ok(row);
        }
        let _one = self.index.making.lock().await;
        if let Some(row) = self.store.row(Table::State, &key).await? {
            return Ok(row);
        }
        let head = self.enclave.index_key(of).await?;
        let row = match of {
            IndexKey::Bucket(_) => Bucket { generation: 0, key: head, before: None }.encode(),
            IndexKey::Buckets | IndexKey::Words => head.as_bytes().clone(),
        };
        self.store.write(vec![Write::put(Table::State, key, row.clone())], Vec::new()).await?;
        Ok(row)
    }

    /// In which bucket each subject lies.
    pub(super) async fn buckets_of(&self, subjects: &[&str]) -> Result<Vec<u8>, Error> {
        if subjects.is_empty() {
            return Ok(Vec::new());
        }
        let key = self.index_head(IndexKey::Buckets).await?;
        let words = subjects.iter().map(|subject| word(SUBJECT, subject)).collect();
        let tokens = self.enclave.index_tokens(IndexKey::Buckets, &key, words).await?;
        Ok(tokens.iter().map(|token| token[0]).collect())
    }

    /// The keys of the rows of an item's tags, under the keys of now. The caller holds the gate.
    pub(super) async fn index_rows(&self, item: ItemId, tags: &Tags) -> Result<Vec<Vec<u8>>, Error> {
        let mut rows = Vec::new();
        let subjects: Vec<&str> = tags.subjects.iter().map(String::as_str).collect();
        let buckets = self.buckets_of(&subjects).await?;
        for (subject, bucket) in subjects.into_iter().zip(buckets) {
            let keys = self.bucket(bucket).await?;
            let token = self.token(IndexKey::Bucket(bucket), &keys.key, word(SUBJECT, subject)).await?;
            rows.push([&generation_prefix(bucket, keys.generation)[..], &token, item.as_bytes()].concat());
        }
        let named = [(PURPOSE, &tags.purpose), (CONTRACT, &tags.contract)];
        for (kind, text) in named.into_iter().filter_map(|(kind, text)| Some((kind, text.as_deref()?))) {
            rows.push([&self.word_prefix(kind, text).await?[..], item.as_bytes()].concat());
        }
        Ok(rows)
    }

    /// Where the rows of a purpose or contract lie.
    pub(super) async fn word_prefix(&self, kind: u8, text: &str) -> Result<Vec<u8>, Error> {
        let key = self.index_head(IndexKey::Words).await?;
        let token = self.token(IndexKey::Words, &key, word(kind, text)).await?;
        Ok([&[kind][..], &token].concat())
    }

    pub(super) async fn token(&self, of: IndexKey, key: &SealedHead, word: Zeroizing<Vec<u8>>) -> Result<[u8; TOKEN], Error> {
        let tokens = self.enclave.index_tokens(of, key, vec![word]).await?;
        tokens.first().copied().ok_or(Error::Message("the enclave made no token"))
    }

    /// What the journal says instead of a subject's name: two acts about one subject are seen to be, until its bucket's key goes.
    pub async fn subject_token(&self, subject: &str) -> Result<String, Error> {
        crate::erasure::check_subject(subject)?;
        let bucket = self.buckets_of(&[subject]).await?.first().copied().unwrap_or_default();
        let keys = self.bucket(bucket).await?;
        let token = self.token(IndexKey::Bucket(bucket), &keys.key, word(JOURNAL, subject)).await?;
        Ok(data_encoding::HEXLOWER.encode(&token[..16]))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::types::{DocumentId, PayloadId};

    proptest! {
        #[test]
        fn keys_of_a_bucket_are_read_as_they_were_written_and_all_else_is_refused(bytes: Vec<u8>, generation: u32, moving: bool) {
            if let Ok(bucket) = Bucket::decode(&bytes) {
                prop_assert_eq!(bucket.encode(), bytes);
            }
            let head = |n: u8| SealedHead::from_bytes(Bytes::from([&[1][..], &[n; 90]].concat())).expect("a head");
            let bucket = Bucket { generation, key: head(2), before: moving.then(|| head(3)) };
            prop_assert_eq!(Bucket::decode(&bucket.encode()).expect("its own"), bucket);
        }
    }

    #[test]
    fn the_item_is_found_at_the_end_of_each_kind_of_row() {
        for item in [ItemId::Payload(PayloadId::new([7; 64])), ItemId::Document(DocumentId::new([8; 32]))] {
            let subject = [&generation_prefix(9, 3)[..], &[1; 32], item.as_bytes()].concat();
            let purpose = [&[PURPOSE][..], &[1; 32], item.as_bytes()].concat();
            assert_eq!((item_of(&subject).expect("a row"), item_of(&purpose).expect("a row")), (item, item));
        }
        assert!(item_of(&[]).is_err() && item_of(&[SUBJECT; 40]).is_err());
    }

    #[test]
    fn an_item_that_leaves_is_known_to() {
        let (index, item) = (Index::default(), ItemId::Document(DocumentId::new([8; 32])));
        assert!(!index.is_leaving(&item));
        assert_eq!((index.leave(&[item]), index.leave(&[item])), (vec![item], vec![item]), "until it is said to be out");
        assert!(index.is_leaving(&item));
        index.left(&[item]);
        assert!(index.leave(&[item]).is_empty() && index.is_leaving(&item));
        index.returns(&item);
        assert!(!index.is_leaving(&item));
        assert_eq!(index.leave(&[item]), [item]);
    }
}
