//! Giving a document back, whole or a part of it, and saying what is here.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use zeroize::Zeroizing;

use super::holders::is_unreadable;
use super::row::{Card, Kept, Row, State, WayState, damaged};
use super::shelf::Shelf;
use super::{DocumentError, DocumentFigures, DocumentLimits};
use crate::seal::document::{CHUNK, Layout, OVERHEAD, offset};
use crate::services::happening::{Happening, Kind as What};
use crate::services::{Error, Node};
use crate::shred::LeafRef;
use crate::store::Table;
use crate::types::{Address, Class, DocumentId, MemberId};
use crate::wire::native::Message as _;

/// How far an upload is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Progress {
    /// Which document.
    pub id: DocumentId,
    /// Bytes that are here, durably.
    pub offset: u64,
    /// Bytes that it will have, where they are known.
    pub size: Option<u64>,
    /// All of it is here.
    pub complete: bool,
}

/// Where a document stands, for applications.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DocumentState {
    /// It is being uploaded here.
    Uploading,
    /// It is coming from another member.
    Arriving,
    /// It can be read.
    Here,
}

impl DocumentState {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uploading => "uploading",
            Self::Arriving => "arriving",
            Self::Here => "here",
        }
    }
}

/// What is known of a document.
#[derive(Clone, Debug)]
pub struct Info {
    /// Which.
    pub id: DocumentId,
    /// Where it stands.
    pub state: DocumentState,
    /// Whose key put it.
    pub sender: Address,
    /// Whose node put it.
    pub member: MemberId,
    /// What it holds.
    pub class: Class,
    /// When it was put or offered, milliseconds since the Unix epoch.
    pub created: u64,
    /// Bytes of its content, where they are known.
    pub size: Option<u64>,
    /// Root over its sealed chunks, once it is complete.
    pub root: Option<[u8; 32]>,
    /// A name for people.
    pub name: Option<String>,
    /// Media type.
    pub media: Option<String>,
    /// For whom it is, as this node knows.
    pub recipients: Vec<Recipient>,
}

/// One for whom a document is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Recipient {
    /// The key.
    pub key: Address,
    /// Its member; `None` for a key of this node.
    pub member: Option<MemberId>,
    /// How far it is on its way.
    pub state: WayState,
    /// Code of a refusal.
    pub code: Option<String>,
}

/// That a member has a document: a receipt as [`crate::wire::Receipt`] encodes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DocumentReceipt {
    /// Whose acknowledgement it holds.
    pub member: MemberId,
    /// The receipt.
    pub receipt: Vec<u8>,
}

/// Where a document stands in a word, for services beside this one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DocumentPlace {
    /// Never seen here.
    Absent,
    /// Being uploaded, or arriving; under this leaf.
    Unfinished(LeafRef),
    /// Here, under this leaf.
    Here(LeafRef),
    /// Erased here at this time, milliseconds since the Unix epoch.
    Erased(u64),
}

/// A document that can be read, chunk by chunk.
#[derive(Clone)]
pub struct Contents {
    node: Arc<Node>,
    shelf: Arc<Shelf>,
    kept: Kept,
}

impl fmt::Debug for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Contents({}, {} bytes)", self.kept.id, self.size())
    }
}

impl Contents {
    /// Bytes of a chunk of the content; the last one has fewer.
    pub const CHUNK: u64 = CHUNK as u64;

    /// Bytes of the content.
    pub fn size(&self) -> u64 {
        self.kept.card.size.unwrap_or_default()
    }

    /// Root over its sealed chunks: two documents of one root are one.
    pub fn root(&self) -> &[u8; 32] {
        &self.kept.card.root
    }

    /// Its media type, as whoever put it says.
    pub fn media(&self) -> Option<&str> {
        self.kept.card.media.as_deref()
    }

    /// Bytes of a chunk of the content, without its padding.
    pub async fn chunk(&self, index: u64) -> Result<Zeroizing<Vec<u8>>, Error> {
        let (id, file, layout) = (self.kept.id, self.kept.file, Layout { padded: self.kept.card.padded });
        let place = layout.place(index).ok_or(DocumentError::Range(self.size()))?;
        let len = layout.plain_len(index) + OVERHEAD;
        let sealed = self.shelf.run(move |shelf| shelf.read_now(&file, offset(index), len)).await;
        let sealed = match sealed {
            Ok(sealed) => Bytes::from(sealed),
            // The file went while it was read: the row says why.
            Err(error) => return Err(self.node.kept_document(&id).await.err().unwrap_or(error)),
        };
        let opened = self.node.enclave.open_chunk(id, &self.kept.head, place, sealed).await;
        let mut chunk = opened.map_err(|error| damaged(error, &id))?;
        let rest = self.size().saturating_sub(index * Self::CHUNK);
        chunk.truncate(usize::try_from(rest).unwrap_or(usize::MAX));
        Ok(chunk)
    }
}

impl Node {
    /// Opens a complete document for reading. A read is journalled where the policy asks for it.
    pub async fn open_document(self: &Arc<Self>, id: DocumentId) -> Result<Contents, Error> {
        let (governed, shelf) = self.shelf()?;
        let kept = self.kept_document(&id).await?;
        if kept.state != State::Here {
            return Err(DocumentError::Unfinished(id).into());
        }
        self.not_narrowed(kept.card.class, kept.card.created)?;
        if governed.charter().policy().rule(kept.card.class).log_reads {
            let event = Happening::now(What::Read).document(id).class(kept.card.class).surface("application");
            self.note(event.event()).await;
        }
        self.counters.documents_read.add();
        Ok(Contents { node: Arc::clone(self), shelf: Arc::clone(shelf), kept })
    }

    /// What is known of a document.
    pub async fn document_info(&self, id: DocumentId) -> Result<Info, Error> {
        self.shelf()?;
        Ok(info(self.kept_document(&id).await?))
    }

    /// How far an upload is. `complete` for one that is here.
    pub async fn upload_progress(self: &Arc<Self>, id: DocumentId) -> Result<Progress, Error> {
        let kept = self.kept_document(&id).await?;
        let size = kept.card.size;
        match kept.state {
            State::Here => Ok(Progress { id, offset: size.unwrap_or_default(), size, complete: true }),
            State::Uploading => match super::upload::Upload::open(self, id, u64::MAX, None).await {
                Err(Error::Kept(DocumentError::Offset { expected, .. })) => {
                    Ok(Progress { id, offset: expected, size, complete: false })
                }
                Err(error) => Err(error),
                Ok(upload) => Ok(upload.progress()),
            },
            State::Arriving | State::Erased => Err(DocumentError::NotFound(id).into()),
        }
    }

    /// Up to `limit` documents after an id, in the order of ids. Those that were erased are not among them.
    pub async fn list_documents(&self, after: Option<DocumentId>, limit: usize) -> Result<Vec<Info>, Error> {
        self.shelf()?;
        let (mut listed, mut after) = (Vec::new(), after.map(|id| id.as_bytes().to_vec()));
        while listed.len() < limit {
            let rows = self.store.rows(Table::Document, &[], after.as_deref(), limit).await?;
            let Some((last, _)) = rows.last() else { break };
            after = Some(last.to_vec());
            for (key, row) in rows {
                let Ok(id) = <[u8; 32]>::try_from(&key[..]).map(DocumentId::new) else { continue };
                if Row::from_bytes(&row).is_ok_and(|row| row.state == State::Erased) || listed.len() == limit {
                    continue;
                }
                match self.kept_document(&id).await {
                    Ok(kept) => listed.push(info(kept)),
                    Err(error) if is_unreadable(&error) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(listed)
    }

    /// What members acknowledged of a document that was put here.
    pub async fn document_receipts(&self, id: DocumentId) -> Result<Vec<DocumentReceipt>, Error> {
        self.shelf()?;
        let ways = self.kept_document(&id).await?.card.ways;
        let receipt = |way: super::row::Way| {
            let receipt = crate::types::base64(way.receipt?.as_bytes()).ok()?;
            Some(DocumentReceipt { member: way.member, receipt })
        };
        Ok(ways.into_iter().filter_map(receipt).collect())
    }

    /// Where a document stands, for services that erase, block or certify.
    pub async fn document_state(&self, id: DocumentId) -> Result<DocumentPlace, Error> {
        let Some(row) = self.document_row(&id).await? else { return Ok(DocumentPlace::Absent) };
        Ok(match (row.state, row.head()) {
            (State::Erased, _) => DocumentPlace::Erased(row.time),
            (State::Here, Some(head)) => DocumentPlace::Here(head.leaf()),
            (_, Some(head)) => DocumentPlace::Unfinished(head.leaf()),
            (_, None) => DocumentPlace::Absent,
        })
    }

    /// What documents may take up; `None` where there is no directory.
    pub fn document_limits(&self) -> Option<DocumentLimits> {
        Some(self.governed()?.documents.limits)
    }

    /// Documents in figures; `None` where there is no directory.
    pub fn document_figures(&self) -> Option<DocumentFigures> {
        Some(self.governed()?.documents.figures())
    }
}

fn info(kept: Kept) -> Info {
    let Kept { id, state, card, .. } = kept;
    let state = match state {
        State::Uploading => DocumentState::Uploading,
        State::Arriving => DocumentState::Arriving,
        State::Here | State::Erased => DocumentState::Here,
    };
    let recipients = recipients(&card);
    let Card { sender, member, class, created, size, padded, root, name, media, .. } = card;
    Info { id, state, sender, member, class, created, size, root: (padded > 0).then_some(root), name, media, recipients }
}

fn recipients(card: &Card) -> Vec<Recipient> {
    let one = |key: &Address| {
        let way = card.ways.iter().find(|way| way.to.contains(key));
        Recipient {
            key: *key,
            member: way.map(|way| way.member.clone()),
            state: way.map_or(WayState::Delivered, |way| way.state),
            code: way.and_then(|way| way.code.clone()),
        }
    };
    card.recipients.iter().map(one).collect()
}
