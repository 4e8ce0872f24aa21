//! What is known of an item beyond its header: sealed under the item's own leaf, so that it goes with the item.

use std::collections::BTreeSet;

use bytes::Bytes;
use tokio::sync::RwLockReadGuard;

use crate::enclave::EnclaveError;
use crate::erasure::Tags;
use crate::services::happening::{Happening, Kind as What};
use crate::services::{Error, Node};
use crate::shred::SealedHead;
use crate::store::{Kind, StoreError, Table, Write};
use crate::types::{Class, ItemId};

/// What is sealed beside an item.
pub(crate) const TAGS: &str = "tags";

/// Rows that go into the store with an item.
pub(crate) struct Declared<'a> {
    /// The rows.
    pub(crate) rows: Vec<Write>,
    /// To be dropped when they are written.
    pub(crate) gate: Option<RwLockReadGuard<'a, ()>>,
}

impl Node {
    /// Tags an item, in place of what was known of it; durable when this returns. Journalled without the words.
    pub async fn tag(&self, item: ItemId, mut tags: Tags) -> Result<(), Error> {
        tags.normalise()?;
        if self.index.is_leaving(&item) {
            return Err(Error::Leaving(item));
        }
        let tagging = self.index.tagging.lock().await;
        let gate = self.index.gate.read().await;
        let (time, head) = self.dated_head(item).await?;
        let before = self.tags_under(item, &head).await?.unwrap_or_default();
        let class = self.class_of(item, &head, &tags).await?;
        let mut rows = Vec::new();
        rows.extend(self.index_rows(item, &before).await?.into_iter().map(|key| Write::delete(Table::Subject, key)));
        rows.extend(self.rows_of(item, &head, time, class, &tags).await?);
        let event = self.event(|| match item {
            ItemId::Payload(id) => Happening::now(What::Tagged).id(id).class(class),
            ItemId::Document(_) => Happening::now(What::Tagged).class(class),
        });
        self.store.write(rows, event.into_iter().collect()).await?;
        drop((gate, tagging));
        // Whoever is no longer named here must not be confirmed by a backup, either.
        let dropped: BTreeSet<&str> = before.subjects.iter().map(String::as_str).collect();
        let mut dropped: Vec<&str> = dropped.into_iter().filter(|subject| !tags.subjects.iter().any(|s| s == subject)).collect();
        // It was erased meanwhile: the rows just written go, and so do the keys that they were written under.
        let gone = match self.head_of(item).await {
            Err(Error::ItemNotFound(_)) => {
                dropped.extend(tags.subjects.iter().map(String::as_str));
                vec![item]
            }
            other => other.map(|_| Vec::new())?,
        };
        self.renew_keys_of(&dropped, &gone).await
    }

    /// What is known of an item; `None` where nothing was declared.
    pub async fn tags_of(&self, item: ItemId) -> Result<Option<Tags>, Error> {
        let head = self.head_of(item).await?;
        self.tags_under(item, &head).await
    }

    /// The sealed head of an item.
    pub(crate) async fn head_of(&self, item: ItemId) -> Result<SealedHead, Error> {
        self.dated_head(item).await.map(|(_, head)| head)
    }

    /// When an item was stored, and its sealed head. One whose leaf is punctured is absent.
    pub(super) async fn dated_head(&self, item: ItemId) -> Result<(u64, SealedHead), Error> {
        match item {
            ItemId::Payload(id) => self.store.dated_head(Kind::Payload, &id).await?.ok_or(Error::ItemNotFound(item)),
            ItemId::Document(id) => self.document_head(&id).await?.ok_or(Error::ItemNotFound(item)),
        }
    }

    /// The same, opened.
    pub(crate) async fn tags_under(&self, item: ItemId, head: &SealedHead) -> Result<Option<Tags>, Error> {
        let Some(sealed) = self.store.row(Table::Tag, item.as_bytes()).await? else { return Ok(None) };
        match self.enclave.open_beside(head, TAGS, sealed).await {
            Ok(text) => {
                let tags = serde_json::from_slice(&text).map_err(|_| StoreError::Corrupt("the tags of an item".into()))?;
                Ok(Some(tags))
            }
            Err(EnclaveError::Erased) => Err(Error::ItemNotFound(item)),
            Err(error) => Err(error.into()),
        }
    }

    /// The class that counts: as tagged, else as its sender signed it; what is unknown is personal.
    pub(super) async fn class_of(&self, item: ItemId, head: &SealedHead, tags: &Tags) -> Result<Class, Error> {
        if let Some(class) = tags.class {
            return Ok(class);
        }
        let id = match item {
            ItemId::Payload(id) => id,
            ItemId::Document(id) => return self.document_class(&id).await?.ok_or(Error::ItemNotFound(item)),
        };
        match self.enclave.meta(id, head).await {
            Ok(meta) => Ok(meta.native.map_or(Class::default(), |native| native.class)),
            Err(EnclaveError::Erased) => Err(Error::ItemNotFound(item)),
            Err(error) => Err(error.into()),
        }
    }

    /// The class of an item; `None` if it is not here, or not readable.
    pub(crate) async fn class_here(&self, item: ItemId) -> Result<Option<Class>, Error> {
        let class = async {
            let head = self.head_of(item).await?;
            let tags = self.tags_under(item, &head).await?.unwrap_or_default();
            self.class_of(item, &head, &tags).await
        };
        match class.await {
            Ok(class) => Ok(Some(class)),
            Err(Error::ItemNotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The rows of an item that is readable again: what was declared of it, in place of what lies under its old leaf.
    pub(crate) async fn declared_again(&self, item: ItemId, tags: &Tags) -> Result<Declared<'_>, Error> {
        let (time, head) = self.dated_head(item).await?;
        let class = self.class_of(item, &head, tags).await?;
        self.declared_under(item, &head, time, class, tags).await
    }

    /// The same of one whose head is written together with these rows.
    pub(crate) async fn declared_under(
        &self,
        item: ItemId,
        head: &SealedHead,
        time: u64,
        class: Class,
        tags: &Tags,
    ) -> Result<Declared<'_>, Error> {
        self.index.come_back(&item);
        let mut declared = self.declared(item, head, time, class, tags).await?;
        if tags.is_empty() {
            declared.rows.push(Write::delete(Table::Tag, item.as_bytes().to_vec()));
        }
        Ok(declared)
    }

    /// The rows of an item that is about to be stored: what was declared, and when it is due.
    pub(crate) async fn declared(
        &self,
        item: ItemId,
        head: &SealedHead,
        time: u64,
        class: Class,
        tags: &Tags,
    ) -> Result<Declared<'_>, Error> {
        if tags.is_empty() {
            return Ok(Declared { rows: self.due_row(item, time, class, tags).into_iter().collect(), gate: None });
        }
        self.index.returns(&item);
        let gate = self.index.gate.read().await;
        Ok(Declared { rows: self.rows_of(item, head, time, class, tags).await?, gate: Some(gate) })
    }

    async fn rows_of(&self, item: ItemId, head: &SealedHead, time: u64, class: Class, tags: &Tags) -> Result<Vec<Write>, Error> {
        // Strings and numbers always serialise.
        let text = serde_json::to_vec(tags).unwrap_or_default();
        let sealed = self.enclave.seal_beside(head, TAGS, text).await.map_err(|error| match error {
            EnclaveError::Erased => Error::ItemNotFound(item),
            other => other.into(),
        })?;
        let mut rows = vec![Write::put(Table::Tag, item.as_bytes().to_vec(), sealed)];
        let index = self.index_rows(item, tags).await?;
        rows.extend(index.into_iter().map(|key| Write::put(Table::Subject, key, Bytes::new())));
        rows.extend(self.due_row(item, time, class, tags));
        Ok(rows)
    }
}
