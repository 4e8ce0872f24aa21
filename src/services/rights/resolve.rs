//! From a scope to the items in it.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;

use super::index::{CONTRACT, PURPOSE, SUBJECT, generation_prefix, item_of, word};
use crate::enclave::{EnclaveError, IndexKey, Meta};
use crate::erasure::{Scope, Tags, check_subject, contract_address};
use crate::services::documents::KnownDocument;
use crate::services::{Error, Node};
use crate::shred::SealedHead;
use crate::store::{Kind, Table};
use crate::types::{Address, Class, DocumentId, ItemId, PayloadId};

/// Rows or heads read at once.
const PAGE: usize = 1_000;
/// How often the index is read again while keys change.
const TRIES: usize = 100;
/// Calls to the enclave at once.
const PARALLEL: usize = 32;

/// What is known of a payload that is here.
pub(super) struct Known {
    pub(super) id: PayloadId,
    pub(super) time: u64,
    pub(super) meta: Meta,
    pub(super) tags: Tags,
}

impl Known {
    /// The class that counts: as tagged, else as signed; what is unknown is personal.
    pub(super) fn class(&self) -> Class {
        let signed = self.meta.native.as_ref().map(|native| native.class);
        self.tags.class.or(signed).unwrap_or_default()
    }
}

/// What records of processing and breach radii ask of an item of either kind.
pub(super) struct Facts {
    pub(super) item: ItemId,
    /// `payload`, `raw` or `document`.
    pub(super) kind: &'static str,
    /// All of it is here.
    pub(super) is_whole: bool,
    pub(super) time: u64,
    pub(super) class: Class,
    pub(super) sender: Address,
    pub(super) recipients: Vec<Address>,
    /// It is of the suite celosia-1.
    pub(super) is_native: bool,
    pub(super) tags: Tags,
}

impl Facts {
    /// Those of a payload.
    pub(super) fn of(kind: Kind, known: Known) -> Self {
        let class = known.class();
        let Known { id, time, meta, tags } = known;
        let kind = if kind == Kind::Raw { "raw" } else { "payload" };
        let is_native = meta.native.is_some();
        let (item, sender, recipients) = (ItemId::Payload(id), meta.sender, meta.recipients);
        Self { item, kind, is_whole: true, time, class, sender, recipients, is_native, tags }
    }
}

impl Node {
    /// A page of documents with what is known of each, and the last id looked at; `None` at the end. Erased and blocked ones are passed over.
    pub(super) async fn page_of_documents(&self, after: Option<DocumentId>) -> Result<Option<(Vec<Facts>, DocumentId)>, Error> {
        let Some((page, last)) = self.known_documents(after).await? else { return Ok(None) };
        let mut facts = Vec::with_capacity(page.len());
        for KnownDocument { id, is_whole, time, head, class, sender, recipients } in page {
            let item = ItemId::Document(id);
            let tags = match self.tags_under(item, &head).await {
                Ok(tags) => tags.unwrap_or_default(),
                Err(Error::ItemNotFound(_)) => continue,
                Err(error) => return Err(error),
            };
            let class = tags.class.unwrap_or(class);
            facts.push(Facts { item, kind: "document", is_whole, time, class, sender, recipients, is_native: true, tags });
        }
        Ok(Some((facts, last)))
    }
}

impl Node {
    /// The items of a scope that are here, each once, in the order of their ids.
    pub(crate) async fn resolve(&self, scope: &Scope) -> Result<Vec<ItemId>, Error> {
        match scope {
            Scope::Items(items) => self.present(items.iter().copied().collect()).await,
            Scope::Subject(subject) => {
                check_subject(subject)?;
                self.items_of_subject(subject).await
            }
            Scope::Purpose(purpose) => self.items_under(&self.word_prefix(PURPOSE, purpose).await?).await,
            Scope::Contract(contract) => {
                let contract = contract_address(contract)?;
                self.items_under(&self.word_prefix(CONTRACT, &contract).await?).await
            }
            Scope::Key(key) => {
                let payloads = self.payloads(|known| known.meta.sender == *key || known.meta.recipients.contains(key)).await?;
                Ok([payloads, self.documents_where(|known| known.is_of(key)).await?].concat())
            }
            Scope::Class(class) => {
                let payloads = self.payloads(|known| known.class() == *class).await?;
                Ok([payloads, self.documents_where(|known| known.class() == *class).await?].concat())
            }
        }
    }

    async fn items_of_subject(&self, subject: &str) -> Result<Vec<ItemId>, Error> {
        let number = self.buckets_of(&[subject]).await?.first().copied().unwrap_or_default();
        // A key may be destroyed between the reading of its head and its use: then the rows lie under the one after it.
        for _ in 0..TRIES {
            let bucket = self.bucket(number).await?;
            let keys = [(bucket.generation, Some(bucket.key)), (bucket.generation.wrapping_sub(1), bucket.before)];
            let mut items = BTreeSet::new();
            let mut is_stale = false;
            // The older first: a row that moves meanwhile is seen at one of its places.
            for (generation, key) in keys.into_iter().rev().filter_map(|(generation, key)| Some((generation, key?))) {
                match self.enclave.index_tokens(IndexKey::Bucket(number), &key, vec![word(SUBJECT, subject)]).await {
                    Ok(tokens) => {
                        let token = tokens.first().copied().unwrap_or_default();
                        let prefix = [&generation_prefix(number, generation)[..], &token].concat();
                        items.extend(self.items_under(&prefix).await?);
                    }
                    Err(EnclaveError::Erased) => is_stale = true,
                    Err(error) => return Err(error.into()),
                }
            }
            let now = self.bucket(number).await?;
            if !is_stale && now.generation == bucket.generation {
                return Ok(items.into_iter().collect());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Err(Error::Message("the index of subjects is being rewritten: ask again in a second"))
    }

    /// The items of all rows of the index under a prefix.
    async fn items_under(&self, prefix: &[u8]) -> Result<Vec<ItemId>, Error> {
        let (mut items, mut after) = (BTreeSet::new(), None::<Bytes>);
        loop {
            let rows = self.store.rows(Table::Subject, prefix, after.as_deref(), PAGE).await?;
            let Some((last, _)) = rows.last() else { break };
            after = Some(last.clone());
            for (key, _) in rows {
                items.insert(item_of(&key)?);
            }
        }
        self.present(items).await
    }

    /// Those that are here.
    async fn present(&self, items: BTreeSet<ItemId>) -> Result<Vec<ItemId>, Error> {
        let mut present = Vec::with_capacity(items.len());
        for item in items {
            match self.head_of(item).await {
                Ok(_) => present.push(item),
                Err(Error::ItemNotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(present)
    }

    async fn payloads(&self, is_meant: impl Fn(&Known) -> bool) -> Result<Vec<ItemId>, Error> {
        let (mut items, mut after) = (Vec::new(), None);
        while let Some((page, last)) = self.page_of_payloads(after).await? {
            items.extend(page.iter().filter(|known| is_meant(known)).map(|known| ItemId::Payload(known.id)));
            after = Some(last);
        }
        Ok(items)
    }

    /// A page of payloads with what is known of each, and the last id looked at; `None` at the end. Erased ones are passed over.
    pub(super) async fn page_of_payloads(&self, after: Option<PayloadId>) -> Result<Option<(Vec<Known>, PayloadId)>, Error> {
        self.page_of(Kind::Payload, after).await
    }

    /// The same of either kind.
    pub(super) async fn page_of(&self, kind: Kind, after: Option<PayloadId>) -> Result<Option<(Vec<Known>, PayloadId)>, Error> {
        let heads = self.store.heads(kind, after, PAGE).await?;
        let Some((last, ..)) = heads.last() else { return Ok(None) };
        let last = *last;
        let mut page = Vec::with_capacity(heads.len());
        for some in heads.chunks(PARALLEL) {
            let asked = join_all(some.iter().map(|(id, time, head)| self.look_at_kind(kind, *id, *time, head))).await;
            for known in asked {
                page.extend(known?);
            }
        }
        Ok(Some((page, last)))
    }

    /// What is known of a payload; `None` if its leaf is punctured.
    pub(super) async fn look_at(&self, id: PayloadId, time: u64, head: &SealedHead) -> Result<Option<Known>, Error> {
        self.look_at_kind(Kind::Payload, id, time, head).await
    }

    async fn look_at_kind(&self, kind: Kind, id: PayloadId, time: u64, head: &SealedHead) -> Result<Option<Known>, Error> {
        let meta = match self.enclave.meta(id, head).await {
            Ok(meta) => meta,
            Err(EnclaveError::Erased) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if kind == Kind::Raw {
            // Tags are sealed under the leaf of the payload that was sent.
            return Ok(Some(Known { id, time, meta, tags: Tags::default() }));
        }
        match self.tags_under(ItemId::Payload(id), head).await {
            Ok(tags) => Ok(Some(Known { id, time, meta, tags: tags.unwrap_or_default() })),
            Err(Error::ItemNotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
