//! Putting a document: whom it is for is decided and judged first, then its content comes, in one piece or in many.

use std::sync::Arc;

use super::get::{Info, Progress};
use super::row::{Card, Kept, State, Way, WayState};
use super::shelf::Shelf;
use super::upload::Upload;
use super::{DocumentError, Incoming, NewDocument};
use crate::crypto::random;
use crate::erasure::Tags;
use crate::governance::Charter;
use crate::services::governed::{Governed, Route};
use crate::services::records::now;
use crate::services::send::to_its_end;
use crate::services::{Error, Node};
use crate::types::{Address, Coded as _, DocumentId};
use crate::wire::manifest::MAX_TEXT;

/// Unfinished uploads at once.
const MAX_UPLOADS: usize = 1_000;

impl Node {
    /// The documents of a governed node that may serve.
    pub(super) fn shelf(&self) -> Result<(&Arc<Governed>, &Arc<Shelf>), Error> {
        let (governed, shelf) = self.any_shelf()?;
        governed.may_serve()?;
        Ok((governed, shelf))
    }

    /// The same of one that may not: what was erased ends there, too, or a restored node never serves again.
    pub(super) fn any_shelf(&self) -> Result<(&Arc<Governed>, &Arc<Shelf>), Error> {
        let governed = self.governed.as_ref().ok_or(DocumentError::NotGoverned)?;
        Ok((governed, &governed.documents))
    }

    /// Begins an upload: nobody sees it before it is complete. Its id is random and tells nothing.
    pub async fn create_document(&self, new: NewDocument) -> Result<DocumentId, Error> {
        let (governed, shelf) = self.shelf()?;
        let charter = governed.charter();
        governed.own_standing(&charter)?;
        if new.size.is_some_and(|size| size > shelf.limits.size) {
            return Err(DocumentError::TooLarge(shelf.limits.size).into());
        }
        for (text, field) in [(&new.name, "the name"), (&new.media, "the media type")] {
            if text.as_ref().is_some_and(|text| text.len() > MAX_TEXT) {
                return Err(Error::BadRequest(format!("{field} of the document is longer than {MAX_TEXT} bytes")));
            }
        }
        let sender = self.sender(new.from)?;
        let class = new.class.unwrap_or_default();
        let mut recipients = Vec::with_capacity(new.to.len() + 1);
        let imposed = self.imposed(&charter, &sender, &Tags::default(), class).await?;
        for key in new.to.into_iter().chain([sender]).chain(imposed).chain(self.settings.always_send_to.iter().copied()) {
            if !recipients.contains(&key) {
                recipients.push(key);
            }
        }
        self.judge(&charter, &sender, &recipients, class).await?;
        self.own_not_stopped(class, &Tags::default(), &[]).await?;
        governed.no_document_cosigned(&charter, class)?;
        let ways = self.add_ways(&charter, Vec::new(), &recipients)?;
        if self.active_documents(None, MAX_UPLOADS).await?.len() == MAX_UPLOADS {
            return Err(DocumentError::TooManyUploads(MAX_UPLOADS).into());
        }
        let size = new.size;
        shelf.run(move |shelf| shelf.has_room_now(size.unwrap_or_default())).await?;
        let id = DocumentId::new(random());
        let card = Card {
            sender,
            member: governed.me.clone(),
            class,
            created: now(),
            size,
            padded: 0,
            root: [0; 32],
            name: new.name,
            media: new.media,
            recipients,
            ways,
            deliver_now: new.deliver_now,
        };
        let head = self.enclave.begin_document(id).await?;
        let kept = Kept { id, state: State::Uploading, time: now(), file: random(), head, card, bytes: 0 };
        self.keep_document(&kept, None).await?;
        Ok(id)
    }

    /// Puts a whole document that comes in one body. One that breaks off leaves nothing behind: nobody has learned its id.
    pub async fn put_document(self: &Arc<Self>, new: NewDocument, body: Incoming) -> Result<Info, Error> {
        let node = Arc::clone(self);
        to_its_end(async move {
            let declared = new.size;
            let id = node.create_document(new).await?;
            let put = async {
                let mut upload = Upload::open(&node, id, 0, None).await?;
                upload.take(body).await?;
                match declared.filter(|size| *size != upload.at()) {
                    Some(size) => Err(DocumentError::Length(size).into()),
                    None => upload.finish().await,
                }
            };
            if let Err(error) = put.await {
                if let Err(stays) = node.abandon_document(id).await {
                    tracing::warn!(code = %stays.code(), "an upload that broke off stays until it expires");
                }
                return Err(error);
            }
            node.delivered_or_not(id).await?;
            node.document_info(id).await
        })
        .await
    }

    /// Adds to an upload, from `offset` on. `length` declares its size if that was not known before. The last byte completes it.
    ///
    /// Goes on to its end when its caller gives up: what has arrived is durable, and the next part begins behind it.
    pub async fn append_document(
        self: &Arc<Self>,
        id: DocumentId,
        offset: u64,
        length: Option<u64>,
        body: Incoming,
    ) -> Result<Progress, Error> {
        let node = Arc::clone(self);
        to_its_end(async move {
            let mut upload = Upload::open(&node, id, offset, length).await?;
            let taken = upload.take(body).await;
            upload.pause().await?;
            taken?;
            let progress = upload.progress();
            if !progress.complete {
                return Ok(progress);
            }
            upload.finish().await?;
            node.delivered_or_not(id).await?;
            Ok(progress)
        })
        .await
    }

    /// After a document is complete: told to go, or waited for until it is everywhere.
    async fn delivered_or_not(self: &Arc<Self>, id: DocumentId) -> Result<(), Error> {
        let (_, shelf) = self.shelf()?;
        if self.kept_document(&id).await?.card.deliver_now {
            return self.deliver_everywhere(id).await;
        }
        shelf.news.notify_one();
        Ok(())
    }

    /// Shares a document with more recipients. Only whoever put it can: its signature is on what they are told.
    pub async fn share_document(self: &Arc<Self>, id: DocumentId, to: Vec<Address>) -> Result<Info, Error> {
        let (governed, shelf) = self.shelf()?;
        let latch = shelf.latch(&id);
        {
            let _row = latch.row.lock().await;
            let mut kept = self.kept_document(&id).await?;
            if kept.state != State::Here {
                return Err(DocumentError::Unfinished(id).into());
            }
            if kept.card.member != governed.me {
                return Err(DocumentError::NotOurs(id).into());
            }
            let charter = governed.charter();
            governed.own_standing(&charter)?;
            self.judge(&charter, &kept.card.sender, &to, kept.card.class).await?;
            self.own_not_stopped(kept.card.class, &Tags::default(), &[]).await?;
            kept.card.ways = self.add_ways(&charter, std::mem::take(&mut kept.card.ways), &to)?;
            for key in to {
                if !kept.card.recipients.contains(&key) {
                    kept.card.recipients.push(key);
                }
            }
            self.keep_document(&kept, None).await?;
            shelf.attempts.forget(&id);
        }
        shelf.news.notify_one();
        self.document_info(id).await
    }

    /// The members that serve these recipients, joined with the ways that a document has. A Tessera takes no documents.
    fn add_ways(&self, charter: &Charter, mut ways: Vec<Way>, to: &[Address]) -> Result<Vec<Way>, Error> {
        for key in to.iter().filter(|key| !self.directory.is_own(key)) {
            let member = match self.route(charter, key)? {
                Route::Native(address) => address.member,
                Route::Compatible(_) => return Err(DocumentError::Tessera(*key).into()),
            };
            match ways.iter_mut().find(|way| way.member == member) {
                Some(way) => {
                    let is_new = !way.to.contains(key);
                    if is_new {
                        way.to.push(*key);
                    }
                    // Asked for again after a refusal, or for one more of its addresses: it is told again.
                    if is_new || way.state == WayState::Refused {
                        (way.state, way.code) = (WayState::Pending, None);
                    }
                }
                None => ways.push(Way { member, to: vec![*key], state: WayState::Pending, code: None, receipt: None }),
            }
        }
        Ok(ways)
    }
}
