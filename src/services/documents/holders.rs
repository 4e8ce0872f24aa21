//! What erasures, holds and exports ask of documents: who has one, who answers for it, where it stands.

use std::sync::Arc;

use super::DocumentError;
use super::row::{Card, Kept, Row, State};
use crate::erasure::{Ground, Scope};
use crate::services::erasure::Presence;
use crate::services::{Error, NewCase, Node};
use crate::shred::SealedHead;
use crate::store::Table;
use crate::types::{Address, Class, DocumentId, ItemId, MemberId};
use crate::wire::native::Message as _;

/// Rows read at once.
const PAGE: usize = 256;
/// Who decided, in the journal.
const APPLICATION: &str = "application";

impl Node {
    /// Other members that a document of ours went to, or is on its way to; none of one that came from elsewhere.
    pub(crate) async fn document_holders(&self, id: &DocumentId) -> Result<Vec<MemberId>, Error> {
        let governed = self.needs_governance()?;
        match self.kept_document(id).await {
            // An upload that is not complete went nowhere.
            Ok(kept) if kept.state == State::Here && kept.card.member == governed.me => {
                Ok(kept.card.ways.into_iter().map(|way| way.member).collect())
            }
            Ok(_) => Ok(Vec::new()),
            Err(error) if is_unreadable(&error) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// The member that put a document that is here.
    pub(crate) async fn document_controller(&self, id: &DocumentId) -> Result<Option<MemberId>, Error> {
        match self.kept_document(id).await {
            Ok(kept) => Ok(Some(kept.card.member)),
            Err(error) if is_unreadable(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn document_presence(&self, id: &DocumentId) -> Result<Presence, Error> {
        let Some(row) = self.document_row(id).await? else { return Ok(Presence::Absent) };
        if row.state == State::Erased {
            return Ok(Presence::Erased);
        }
        match self.kept_document(id).await {
            Ok(_) => Ok(Presence::Here),
            Err(Error::Kept(DocumentError::Erased(_) | DocumentError::Blocked(_))) => Ok(Presence::Unreadable),
            Err(error) => Err(error),
        }
    }

    /// When a document came to its state, and its sealed head. `None` if it is not here.
    pub(crate) async fn document_head(&self, id: &DocumentId) -> Result<Option<(u64, SealedHead)>, Error> {
        let row = self.document_row(id).await?.filter(|row| row.state != State::Erased);
        Ok(row.and_then(|row| Some((row.time, row.head()?))))
    }

    /// What a document holds, as whoever put it said. `None` if it is not here.
    pub(crate) async fn document_class(&self, id: &DocumentId) -> Result<Option<Class>, Error> {
        match self.kept_document(id).await {
            Ok(kept) => Ok(Some(kept.card.class)),
            Err(error) if is_unreadable(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Documents that are here and of which `is_meant` is true.
    pub(crate) async fn documents_where(&self, is_meant: impl Fn(&Known) -> bool) -> Result<Vec<ItemId>, Error> {
        let (mut found, mut after) = (Vec::new(), None::<Vec<u8>>);
        loop {
            let rows = self.store.rows(Table::Document, &[], after.as_deref(), PAGE).await?;
            let Some((last, _)) = rows.last() else { return Ok(found) };
            after = Some(last.to_vec());
            for (key, row) in rows {
                let Ok(id) = <[u8; 32]>::try_from(&key[..]).map(DocumentId::new) else { continue };
                if Row::from_bytes(&row).is_ok_and(|row| row.state == State::Erased) {
                    continue;
                }
                match self.kept_document(&id).await {
                    Ok(kept) if is_meant(&Known(&kept.card)) => found.push(ItemId::Document(id)),
                    Ok(_) => {}
                    Err(error) if is_unreadable(&error) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }

    /// A page of the documents that can be opened, and the last id looked at; `None` at the end.
    pub(in crate::services) async fn known_documents(
        &self,
        after: Option<DocumentId>,
    ) -> Result<Option<(Vec<KnownDocument>, DocumentId)>, Error> {
        let rows = self.store.rows(Table::Document, &[], after.as_ref().map(|id| &id.as_bytes()[..]), PAGE).await?;
        let ids: Vec<DocumentId> = rows.iter().filter_map(|(key, _)| Some(DocumentId::new(key[..].try_into().ok()?))).collect();
        let Some(last) = ids.last().copied() else { return Ok(None) };
        let mut known = Vec::with_capacity(ids.len());
        for id in ids {
            match self.kept_document(&id).await {
                Ok(Kept { state, time, head, card, .. }) => {
                    let Card { class, sender, recipients, .. } = card;
                    known.push(KnownDocument { id, is_whole: state == State::Here, time, head, class, sender, recipients });
                }
                Err(error) if is_unreadable(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Some((known, last)))
    }

    /// Refuses a document that its sender had ordered to be erased before it came; what is here of it goes again.
    pub(super) async fn refuse_guarded_document(&self, id: DocumentId, from: &MemberId) -> Result<(), Error> {
        if !self.is_guarded(&ItemId::Document(id), from).await? {
            return Ok(());
        }
        self.abandon_document(id).await?;
        Err(DocumentError::Erased(id).into())
    }

    /// Ends documents whose leaf is punctured: a backup of the store had them, the key trees know better. How many.
    pub(crate) async fn end_unreadable_documents(&self) -> Result<u64, Error> {
        let (mut ended, mut after) = (0, None::<Vec<u8>>);
        loop {
            let rows = self.store.rows(Table::Document, &[], after.as_deref(), PAGE).await?;
            let Some((last, _)) = rows.last() else { return Ok(ended) };
            after = Some(last.to_vec());
            for (key, _) in rows {
                let Ok(id) = <[u8; 32]>::try_from(&key[..]).map(DocumentId::new) else { continue };
                // What is blocked is unreadable, and kept.
                let is_held = self.held_until(&ItemId::Document(id)).await?.is_some();
                if !is_held && self.document_presence(&id).await? == Presence::Unreadable {
                    ended += u64::from(self.erase_document(id).await?);
                }
            }
        }
    }

    /// Erases a document on the word of an application: at every holder, if it was put here; else this node's copy.
    pub async fn erase_document_everywhere(self: &Arc<Self>, id: DocumentId) -> Result<(), Error> {
        if self.is_blocked(&ItemId::Document(id)).await? {
            return Err(DocumentError::Blocked(id).into());
        }
        if self.document_holders(&id).await?.is_empty() {
            return self.erase_document_here(id).await;
        }
        let new = NewCase { scope: Scope::Items(vec![ItemId::Document(id)]), ground: Ground::ControllerDecision, urgent: false };
        let case = self.request_erasure(new, APPLICATION).await?;
        self.decide_erasure(case.id, APPLICATION).await.map(drop)
    }
}

/// What is known of a document that can be opened.
pub(in crate::services) struct KnownDocument {
    pub(in crate::services) id: DocumentId,
    /// It is neither being uploaded nor arriving.
    pub(in crate::services) is_whole: bool,
    pub(in crate::services) time: u64,
    pub(in crate::services) head: SealedHead,
    pub(in crate::services) class: Class,
    pub(in crate::services) sender: Address,
    pub(in crate::services) recipients: Vec<Address>,
}

/// Whether a document cannot be opened here because it is not here, or no more, or blocked.
pub(super) fn is_unreadable(error: &Error) -> bool {
    matches!(error, Error::Kept(DocumentError::NotFound(_) | DocumentError::Erased(_) | DocumentError::Blocked(_)))
}

/// What a scope asks of a document.
pub(crate) struct Known<'a>(&'a Card);

impl Known<'_> {
    /// What it holds.
    pub(crate) fn class(&self) -> Class {
        self.0.class
    }

    /// Whether a key put it, or it is for that key.
    pub(crate) fn is_of(&self, key: &Address) -> bool {
        self.0.sender == *key || self.0.recipients.contains(key)
    }
}
