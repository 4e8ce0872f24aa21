//! What is kept of a document beside its chunks: a row of [`Table::Document`], and a card sealed under the document's own leaf.

use bytes::Bytes;
use minicbor::bytes::ByteVec;
use minicbor::{CborLen, Decode, Encode};
use serde::{Deserialize, Serialize};

use super::DocumentError;
use crate::enclave::EnclaveError;
use crate::services::holds::envelope_key;
use crate::services::records::now;
use crate::services::{Error, Node};
use crate::shred::SealedHead;
use crate::store::{Event, StoreError, Table, Write};
use crate::types::{Address, Class, DocumentId, ItemId, MemberId};
use crate::wire::native::Message as _;

/// What is sealed beside a head.
pub(super) const LABEL: &str = "document card";
/// Rows of [`Table::State`] that name documents with something left to do.
const ACTIVE: &[u8] = b"document/";

/// Where a document stands here.
#[derive(Clone, Copy, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
#[cbor(index_only)]
pub(super) enum State {
    /// An application is uploading it. Nobody sees it.
    #[n(0)]
    Uploading,
    /// It is coming from another member. Nobody sees it.
    #[n(1)]
    Arriving,
    /// All of it is here, durably.
    #[n(2)]
    Here,
    /// It was erased: the row stays for ever, with its time alone.
    #[n(3)]
    Erased,
}

/// The row. Says nothing of a person: that is in the sealed card.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub(super) struct Row {
    #[n(0)]
    pub(super) state: State,
    /// When it came to this state, milliseconds since the Unix epoch.
    #[n(1)]
    pub(super) time: u64,
    /// Random name of its file.
    #[n(2)]
    pub(super) file: ByteVec,
    /// Its sealed head.
    #[n(3)]
    pub(super) head: ByteVec,
    /// Its sealed card.
    #[n(4)]
    pub(super) card: ByteVec,
    /// Bytes of its file, once it is complete.
    #[n(5)]
    pub(super) bytes: u64,
}

/// What is known of a document.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Card {
    /// Whose key put it.
    pub(super) sender: Address,
    /// Whose node put it.
    pub(super) member: MemberId,
    pub(super) class: Class,
    /// When it was put or offered first.
    pub(super) created: u64,
    /// Bytes of its content, once they are known.
    pub(super) size: Option<u64>,
    /// With padding; 0 until it is complete at whoever put it.
    pub(super) padded: u64,
    /// Root over its sealed chunks; zeros until then.
    pub(super) root: [u8; 32],
    pub(super) name: Option<String>,
    pub(super) media: Option<String>,
    /// For whom it is, as this node knows: everyone where it was put, its own keys elsewhere.
    pub(super) recipients: Vec<Address>,
    /// The members that it goes to; empty at a recipient.
    pub(super) ways: Vec<Way>,
    /// Whoever uploads it waits until it is everywhere.
    pub(super) deliver_now: bool,
}

/// A member that a document goes to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub(super) struct Way {
    pub(super) member: MemberId,
    pub(super) to: Vec<Address>,
    pub(super) state: WayState,
    /// Code of the refusal.
    pub(super) code: Option<String>,
    /// The receipt once it is there, base64.
    pub(super) receipt: Option<String>,
}

/// How far a document is on its way to a member.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WayState {
    /// It is tried until the member has it.
    Pending,
    /// The member acknowledged that it has it durably.
    Delivered,
    /// The member refused it, or its policy did: it is not tried again unless it is shared again.
    Refused,
}

impl WayState {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Refused => "refused",
        }
    }
}

impl Card {
    /// Ways on which it still has to go.
    pub(super) fn pending(&self) -> impl Iterator<Item = &Way> {
        self.ways.iter().filter(|way| way.state == WayState::Pending)
    }
}

/// A row with its card opened.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) id: DocumentId,
    pub(super) state: State,
    pub(super) time: u64,
    pub(super) file: [u8; 16],
    pub(super) head: SealedHead,
    pub(super) card: Card,
    pub(super) bytes: u64,
}

impl Row {
    pub(super) fn erased() -> Self {
        let none = || ByteVec::from(Vec::new());
        Self { state: State::Erased, time: now(), file: none(), head: none(), card: none(), bytes: 0 }
    }

    pub(super) fn file(&self) -> Option<[u8; 16]> {
        self.file.as_slice().try_into().ok()
    }

    pub(super) fn head(&self) -> Option<SealedHead> {
        SealedHead::from_bytes(Bytes::copy_from_slice(&self.head))
    }
}

impl Node {
    /// The row of a document, if there ever was one.
    pub(super) async fn document_row(&self, id: &DocumentId) -> Result<Option<Row>, Error> {
        let Some(bytes) = self.store.row(Table::Document, id.as_bytes()).await? else { return Ok(None) };
        Row::from_bytes(&bytes).map(Some).map_err(|_| StoreError::Corrupt(format!("the row of document {id}")).into())
    }

    /// A document that is here in some state; one whose leaf is punctured is blocked, or erased, whatever its row says.
    pub(super) async fn kept_document(&self, id: &DocumentId) -> Result<Kept, Error> {
        let row = self.document_row(id).await?.ok_or(DocumentError::NotFound(*id))?;
        if row.state == State::Erased {
            return Err(DocumentError::Erased(*id).into());
        }
        let broken = || Error::from(StoreError::Corrupt(format!("the row of document {id}")));
        let (file, head) = row.file().zip(row.head()).ok_or_else(broken)?;
        let sealed = Bytes::copy_from_slice(&row.card);
        let card = match self.enclave.open_beside(&head, LABEL, sealed).await {
            Err(EnclaveError::Erased) if self.is_blocked(&ItemId::Document(*id)).await? => {
                return Err(DocumentError::Blocked(*id).into());
            }
            card => card.map_err(|error| gone(error, id))?,
        };
        let card = serde_json::from_slice(&card).map_err(|_| broken())?;
        Ok(Kept { id: *id, state: row.state, time: row.time, file, head, card, bytes: row.bytes })
    }

    /// Writes a document's row, and whether something is left to do for it, in one batch with an event.
    pub(super) async fn keep_document(&self, kept: &Kept, event: Option<Event>) -> Result<(), Error> {
        let text = serde_json::to_vec(&kept.card).map_err(|_| Error::Message("a card that cannot be written"))?;
        let sealed = self.enclave.seal_beside(&kept.head, LABEL, text).await.map_err(|error| gone(error, &kept.id))?;
        let row = Row {
            state: kept.state,
            time: kept.time,
            file: kept.file.to_vec().into(),
            head: kept.head.as_bytes().to_vec().into(),
            card: sealed.to_vec().into(),
            bytes: kept.bytes,
        };
        let is_active = kept.state != State::Here || kept.card.pending().next().is_some();
        let active = Write { table: Table::State, key: active_key(&kept.id), value: is_active.then(Bytes::new) };
        let rows = vec![Write::put(Table::Document, kept.id.as_bytes().to_vec(), row.to_bytes()), active];
        self.store.write(rows, event.into_iter().collect()).await?;
        Ok(())
    }

    /// Removes every trace of a document that nobody saw (`None`), or leaves the row that stays.
    pub(super) async fn close_document(&self, id: &DocumentId, row: Option<Row>, event: Option<Event>) -> Result<(), Error> {
        let key = id.as_bytes().to_vec();
        let row = Write { table: Table::Document, key: key.into(), value: row.map(|row| row.to_bytes().into()) };
        let mut rows = vec![row, Write::delete(Table::State, active_key(id)), Write::delete(Table::Tag, id.as_bytes().to_vec())];
        let item = ItemId::Document(*id);
        if self.is_blocked(&item).await? {
            rows.push(Write::delete(Table::Hold, envelope_key(&item)));
        }
        self.store.write(rows, event.into_iter().collect()).await?;
        Ok(())
    }

    /// Names a document as one with something left to do.
    pub(super) async fn mark_document(&self, id: &DocumentId) -> Result<(), Error> {
        Ok(self.store.write(vec![Write::put(Table::State, active_key(id), Bytes::new())], Vec::new()).await?)
    }

    /// A page of documents with something left to do, after `after`.
    pub(super) async fn active_documents(&self, after: Option<DocumentId>, limit: usize) -> Result<Vec<DocumentId>, Error> {
        let after = after.map(|id| active_key(&id));
        let rows = self.store.rows(Table::State, ACTIVE, after.as_deref(), limit).await?;
        Ok(rows.into_iter().filter_map(|(key, _)| Some(DocumentId::new(key.get(ACTIVE.len()..)?.try_into().ok()?))).collect())
    }
}

fn active_key(id: &DocumentId) -> Bytes {
    [ACTIVE, id.as_bytes()].concat().into()
}

/// A punctured leaf is an erased document.
pub(super) fn gone(error: EnclaveError, id: &DocumentId) -> Error {
    match error {
        EnclaveError::Erased => DocumentError::Erased(*id).into(),
        other => other.into(),
    }
}

/// What a chunk that does not open says of the document.
pub(super) fn damaged(error: EnclaveError, id: &DocumentId) -> Error {
    match error {
        EnclaveError::Broken => DocumentError::Damaged(*id).into(),
        other => gone(other, id),
    }
}
