//! Taking native deliveries: the directory and the policy are asked here, too, whatever the sender thought of them.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;

use super::deliver::{CELOSIA_1, DOCUMENT, GROUP, NACL, NACL_SUPERVISED, SUPERVISED, SUPERVISION};
use super::judged::{Fresh, Opened, check_header, check_key_of};
use super::supervised::split;
use crate::enclave::{EnclaveError, Meta, NativeIngest};
use crate::erasure::Tags;
use crate::governance::Charter;
use crate::services::documents::{Offered, Wanted};
use crate::services::escrow;
use crate::services::governed::Governed;
use crate::services::happening::{Happening, Kind as What};
use crate::services::records::now;
use crate::services::supervision::{Concern, Demanded};
use crate::services::withdraw::WithdrawToken;
use crate::services::{DocumentError, Error, Node, SupervisionError};
use crate::store::{Inserted, Kind, Record};
use crate::types::{Address, Class, Code, Coded as _, ItemId, MemberId, PayloadId};
use crate::wire::ack::{self, Ack};
use crate::wire::delivery::Delivery;
use crate::wire::header::Header;
use crate::wire::native::{Answer, Answers, Batch, Item, Part, PartTaken};
use crate::wire::{Manifest, Vouched};

/// A payload that was taken, and under what.
pub(super) struct Accepted {
    pub(super) id: PayloadId,
    pub(super) header: [u8; 32],
    pub(super) addresses: Vec<Address>,
    pub(super) withdraw: Option<WithdrawToken>,
    /// Nothing was kept: what it builds on is not here.
    pub(super) passed_over: bool,
}

/// What became of one delivery, before it is acknowledged.
enum Outcome {
    Taken(Accepted),
    Said(Answer),
}

impl Node {
    /// Takes a batch of deliveries from a member; each is answered for itself.
    pub async fn native_batch(self: &Arc<Self>, from: &MemberId, batch: Batch) -> Result<Answers, Error> {
        let governed = self.needs_governance()?;
        governed.may_serve()?;
        let charter = governed.charter();
        governed.learn_epoch(&charter, from, &batch.epoch)?;
        let items = batch.items.into_iter().map(|item| self.native_item(governed, &charter, from, item));
        let outcomes = join_all(items).await;
        let mut refused = outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Said(Answer::Refused { code, .. }) => Some(Code(*code)),
            Outcome::Said(_) | Outcome::Taken(_) => None,
        });
        if let Some(code) = refused.next() {
            let count = 1 + refused.count();
            tracing::info!(member = %from, %code, count, "native deliveries were refused; the code is the first one's");
        }
        Ok(Answers { items: self.acknowledged(governed, outcomes).await })
    }

    async fn native_item(self: &Arc<Self>, governed: &Arc<Governed>, charter: &Charter, from: &MemberId, item: Item) -> Outcome {
        let outcome = match item.suite {
            NACL | NACL_SUPERVISED => self.take_nacl(governed, charter, from, item).await.map(Some),
            CELOSIA_1 | SUPERVISED => self.take_celosia_1(governed, charter, from, item).await,
            GROUP => return Outcome::Said(self.take_group(item).await),
            SUPERVISION => self.take_supervised(governed, charter, from, item).await,
            DOCUMENT => match self.take_document(governed, charter, from, item).await {
                Ok(Some(outcome)) => return outcome,
                Ok(None) => Ok(None),
                Err(error) => Err(error),
            },
            _ => Err(Error::Message("a suite that this node does not know: it runs an older version")),
        };
        let another = match outcome {
            Ok(Some(accepted)) => return Outcome::Taken(accepted),
            Ok(None) => self.enclave.epoch_key().await.map_err(Error::from),
            Err(error) => Err(error),
        };
        if let Err(error) = &another
            && escrow::is_of_capsule(error.code())
        {
            self.counters.capsules_refused.add();
        }
        let said = another.map(|key| Answer::AnotherEpoch { epoch: key.encode().into() });
        Outcome::Said(said.unwrap_or_else(|error| {
            self.counters.push_refused.add();
            // A fault of the member's, not of this node's disk.
            if matches!(status(&error), 400 | 403) {
                self.notice(error.code(), Some(from), "a delivery of this member was refused");
            }
            Answer::Refused { code: error.code().0, status: status(&error), text: text(&error) }
        }))
    }

    /// Signs what was taken, all of it at once.
    async fn acknowledged(&self, governed: &Governed, outcomes: Vec<Outcome>) -> Vec<Answer> {
        let acks = outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Taken(accepted) => Some(governed.ack_of(accepted)),
            Outcome::Said(_) => None,
        });
        let acks: Vec<Ack> = acks.collect();
        let root = ack::root(&acks);
        let signed = match self.enclave.sign(ack::root_statement(&governed.network, &root)).await {
            Ok(signature) => Ok(ack::join(acks, &root, signature)),
            Err(error) => Err(Error::from(error)),
        };
        let mut signed = signed.map(Vec::into_iter);
        let answer = |outcome| match (outcome, &mut signed) {
            (Outcome::Said(answer), _) => answer,
            (Outcome::Taken(accepted), Ok(signed)) => {
                let ack = signed.next().map(|ack| ack.encode()).unwrap_or_default();
                let withdraw = accepted.withdraw.map_or_else(Vec::new, |token| token.0.to_vec());
                Answer::Taken { ack: ack.into(), withdraw: withdraw.into() }
            }
            (Outcome::Taken(_), Err(error)) => Answer::Refused { code: error.code().0, status: status(error), text: text(error) },
        };
        outcomes.into_iter().map(answer).collect()
    }

    async fn take_group(&self, item: Item) -> Answer {
        match self.group_pushed(Bytes::from(Vec::from(item.body))).await {
            Ok(()) => Answer::Taken { ack: Vec::new().into(), withdraw: Vec::new().into() },
            Err(error) => Answer::Refused { code: error.code().0, status: status(&error), text: text(&error) },
        }
    }

    /// `None`: the box is for an epoch key that is no more.
    async fn take_celosia_1(
        &self,
        governed: &Governed,
        charter: &Charter,
        from: &MemberId,
        item: Item,
    ) -> Result<Option<Accepted>, Error> {
        let bytes = Bytes::from(Vec::from(item.body));
        let (words, bytes) = if item.suite == SUPERVISED { split(&bytes)? } else { (Vouched::default(), bytes) };
        let mut delivery = Delivery::decode(&bytes).map_err(|_| Error::Message("not a delivery"))?;
        if let Some(upload) = item.upload {
            delivery.ciphertext = governed.take_upload(from, upload)?;
        }
        if delivery.member != *from {
            return Err(Error::NotItsOwn { from: from.clone(), sender: delivery.member });
        }
        let taken = self.take_delivery(governed, charter, from, &delivery, Fresh::Yes(&words)).await?;
        if taken.as_ref().is_some_and(|taken| taken.withdraw.is_some()) {
            self.counters.pushed.add();
            self.counters.pushed_native.add();
        }
        Ok(taken)
    }

    /// The offer of a document. `None`: the box is for an epoch key that is no more.
    async fn take_document(
        self: &Arc<Self>,
        governed: &Governed,
        charter: &Charter,
        from: &MemberId,
        item: Item,
    ) -> Result<Option<Outcome>, Error> {
        let delivery = Delivery::decode(&Bytes::from(Vec::from(item.body))).map_err(|_| Error::Message("not a delivery"))?;
        if delivery.member != *from {
            return Err(Error::NotItsOwn { from: from.clone(), sender: delivery.member });
        }
        let NativeIngest::Mine { id, head, meta } = self.open_delivery(governed, charter, from, &delivery, true).await? else {
            return Ok(None);
        };
        let native = meta.native.as_ref().ok_or(Error::Message("a delivery without a header"))?;
        let header = Header::decode(&native.header).map_err(|_| Error::Message("a header that does not decode"))?;
        let digest = crate::crypto::hash::sha256(&[&native.header]);
        check_header(governed, charter, &header)?;
        escrow::check_supervised(charter, &header, &meta)?;
        self.not_stopped(governed, &Concern::of(&header.member, header.class, &header.privacy)).await?;
        if governed.cosigned(charter, &header, digest, None)? == Demanded::OurWord {
            return Err(SupervisionError::CosignDocument.into());
        }
        let opened = self.enclave.open(id, &head, delivery.nonce, delivery.ciphertext.clone()).await?;
        let manifest = Manifest::decode(&opened.plaintext).map_err(|_| DocumentError::Manifest("it is no manifest"))?;
        let head = self.enclave.adopt_document(id, &head, manifest.document).await?;
        let addresses = self.managed(&Address::new([0; 32]), &meta.recipients);
        let offered = Offered { manifest, header, head, recipients: addresses.clone() };
        Ok(Some(match self.document_offered(from, offered).await? {
            Wanted::From(next) => Outcome::Said(Answer::Wanted { next }),
            Wanted::Nothing => Outcome::Taken(Accepted { id, header: digest, addresses, withdraw: None, passed_over: false }),
        }))
    }

    /// Opens, checks and keeps a delivery.
    pub(super) async fn take_delivery(
        &self,
        governed: &Governed,
        charter: &Charter,
        from: &MemberId,
        delivery: &Delivery,
        fresh: Fresh<'_>,
    ) -> Result<Option<Accepted>, Error> {
        let opened = self.open_delivery(governed, charter, from, delivery, fresh.is_fresh()).await?;
        let NativeIngest::Mine { id, mut head, mut meta } = opened else { return Ok(None) };
        let native = meta.native.as_ref().ok_or(Error::Message("a delivery without a header"))?;
        let header = Header::decode(&native.header).map_err(|_| Error::Message("a header that does not decode"))?;
        let digest = crate::crypto::hash::sha256(&[&native.header]);
        let opened = Opened { header: &header, digest, meta: &meta };
        let demanded = self.judge_delivery(governed, charter, opened, fresh).await?;
        let before = meta.privacy.clone();
        let recipients = meta.recipients.clone();
        if let Some(reason) = self.check_affected(&mut meta.privacy, &header.sender, &recipients, &delivery.ciphertext).await? {
            tracing::info!(%id, reason, "a delivery was passed over");
            return Ok(Some(Accepted { id, header: digest, addresses: Vec::new(), withdraw: None, passed_over: true }));
        }
        if meta.privacy != before {
            head = self.enclave.rewrite(id, &head, meta.clone()).await?;
        }
        let addresses = self.managed(&Address::new([0; 32]), &meta.recipients);
        let withdraw = self.keep_received(id, head.clone(), &meta, delivery, header.class).await?;
        if withdraw.is_some() {
            self.keep_words(governed, id, &head, fresh.words()).await?;
            // Its supervisor may have been told to forget it meanwhile, and have heard that it is not here.
            if fresh.is_fresh() {
                self.or_forget(governed.not_revoked(charter, &header, digest), id, &head).await?;
            }
        }
        self.enter_received(governed, charter, &header).await?;
        if demanded == Demanded::OurWord
            && let Err(full) = self.queue_cosignature(governed, &header, digest).await
        {
            self.forget(id, head).await?;
            return Err(full);
        }
        Ok(Some(Accepted { id, header: digest, addresses, withdraw, passed_over: false }))
    }

    async fn keep_received(
        &self,
        id: PayloadId,
        head: crate::shred::SealedHead,
        meta: &Meta,
        delivery: &Delivery,
        class: Class,
    ) -> Result<Option<WithdrawToken>, Error> {
        loop {
            let record =
                Record { time: now(), nonce: delivery.nonce, head: head.clone(), ciphertext: delivery.ciphertext.clone() };
            let event = Happening::now(What::Received).id(id).class(class).event();
            let due = self.declared(ItemId::Payload(id), &head, record.time, class, &Tags::default()).await?.rows;
            match self.store.insert_with(Kind::Payload, id, record, Some(event), due).await? {
                Inserted::New => {
                    if let Some(native) = &meta.native {
                        self.refuse_guarded(id, &native.member).await?;
                    }
                    return Ok(Some(self.withdrawals.offer(id, &head)));
                }
                Inserted::Buried => return Err(Error::Erased(id)),
                Inserted::Exists if self.merge_meta(id, &head, meta).await? => return Ok(None),
                // It was withdrawn meanwhile: this delivery stands on its own.
                Inserted::Exists => {}
            }
        }
    }

    /// Opens a delivery. Its header is signed by the deliverer; what is given back to us may be what we signed ourselves.
    async fn open_delivery(
        &self,
        governed: &Governed,
        charter: &Charter,
        from: &MemberId,
        delivery: &Delivery,
        is_fresh: bool,
    ) -> Result<NativeIngest, Error> {
        let escrows = if is_fresh { escrow::keys(charter.policy()) } else { escrow::keys_ever(charter) };
        let newest = *charter.signing_keys(from, u64::MAX).first().ok_or_else(|| Error::NotAMember(from.clone()))?;
        let mut outcome = self.enclave.ingest_native(delivery, newest, &escrows).await;
        if !is_fresh {
            // With a key of its time: members replace theirs. The header shows its date when it is open.
            let known = [charter.signing_keys(from, 0), charter.signing_keys(&governed.me, 0)].concat();
            for key in known.into_iter().filter(|key| *key != newest) {
                if outcome.is_ok() {
                    break;
                }
                outcome = self.enclave.ingest_native(delivery, key, &escrows).await;
                if let Ok(NativeIngest::Mine { meta, .. }) = &outcome {
                    check_key_of(charter, meta, &key)?;
                }
            }
        }
        Ok(outcome?)
    }

    pub(super) fn body(&self, from: &MemberId, item: &Item) -> Result<Bytes, Error> {
        match item.upload {
            Some(upload) => self.needs_governance()?.take_upload(from, upload),
            None => Ok(Bytes::copy_from_slice(&item.body)),
        }
    }

    /// A part of a large ciphertext.
    pub async fn native_part(&self, from: &MemberId, part: Part) -> Result<PartTaken, Error> {
        let governed = Arc::clone(self.needs_governance()?);
        let from = from.clone();
        let taken = tokio::task::spawn_blocking(move || governed.uploads.take(&from, &part)).await;
        let next = taken.map_err(|_| Error::Upload)?.map_err(|error| Error::Disk(error.to_string()))?.ok_or(Error::Upload)?;
        Ok(PartTaken { next })
    }

    /// Takes back a delivery of a send that failed elsewhere.
    pub async fn native_withdraw(self: &Arc<Self>, message: &crate::wire::native::Withdraw) -> Result<(), Error> {
        let id = PayloadId::try_from(message.id.as_slice()).map_err(|_| Error::Message("an id of another length"))?;
        let token = <[u8; 16]>::try_from(message.token.as_slice()).map_err(|_| Error::WithdrawRefused)?;
        self.withdraw(id, WithdrawToken(token)).await
    }
}

impl Governed {
    fn take_upload(&self, from: &MemberId, upload: crate::wire::native::UploadId) -> Result<Bytes, Error> {
        let whole = self.uploads.finish(from, upload).map_err(|error| Error::Disk(error.to_string()))?;
        whole.ok_or(Error::Upload)
    }
}

/// The status that the compatible surface gives for it.
fn status(error: &Error) -> u16 {
    match error {
        Error::Erased(_) | Error::Kept(DocumentError::Erased(_)) => 410,
        Error::Kept(DocumentError::TooLarge(_)) => 413,
        Error::Kept(DocumentError::Full(_)) => 507,
        Error::NotForUs(_)
        | Error::Message(_)
        | Error::Upload
        | Error::Kept(DocumentError::Manifest(_) | DocumentError::NotOffered)
        | Error::Enclave(EnclaveError::Broken | EnclaveError::Refused(_)) => 400,
        Error::Store(_) | Error::Enclave(_) | Error::Disk(_) | Error::RolledBack(_) => 503,
        Error::Conflict(_)
        | Error::Kept(DocumentError::Conflict(_))
        | Error::Supervision(SupervisionError::SecondHeader(_) | SupervisionError::ManyCopies(_)) => 409,
        Error::Supervision(SupervisionError::Stopped { .. }) => 451,
        _ => 403,
    }
}

/// What the deliverer is told: with the code, which it passes on to whoever asked it to send.
fn text(error: &Error) -> String {
    match error {
        Error::Enclave(EnclaveError::Broken | EnclaveError::Refused(_)) => format!("{error} ({})", error.code()),
        Error::Store(_) | Error::Enclave(_) | Error::Disk(_) => format!("it cannot be kept now ({})", error.code()),
        other => format!("{other} ({})", other.code()),
    }
}
