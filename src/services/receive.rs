//! Giving a payload back: at block execution, to an application, to its sender.

use super::happening::{Happening, Kind as What};
use super::records::erased_is_absent;
use super::{Error, Node, Received};
use crate::enclave::Meta;
use crate::store::Kind;
use crate::types::{Address, Class, PayloadId, PrivacyFlag};

impl Node {
    /// Opens a payload; `to` names one of our keys, which must be its sender or a recipient.
    ///
    /// Threat: GoQuorum takes a false "not found" for "not a party" and diverges for ever, and any other error stops it. So "not found" is
    /// said of what is absent, erased or not for `to`; a damaged record or a store in trouble is an error.
    pub async fn receive(&self, id: PayloadId, to: Option<Address>) -> Result<Received, Error> {
        if let Some(governed) = &self.governed {
            governed.may_serve()?;
        }
        let received = self.open_kept(Kind::Payload, id).await;
        let received = match (received, to) {
            (Ok((received, _)), Some(key)) if !received.managed.contains(&key) => Err(Error::NotFound(id)),
            (Ok((received, class)), _) => {
                self.note_read(id, class).await;
                Ok(received)
            }
            (Err(error), _) => Err(error),
        };
        match &received {
            Ok(_) => self.counters.received.add(),
            Err(Error::NotFound(_)) => self.counters.absent.add(),
            Err(_) => {}
        }
        received
    }

    /// Opens a payload that `store_raw` keeps.
    pub async fn receive_raw(&self, id: PayloadId) -> Result<Received, Error> {
        self.open_kept(Kind::Raw, id).await.map(|(received, _)| received).map_err(|error| match error {
            Error::NotFound(id) => Error::RawNotFound(id),
            other => other,
        })
    }

    /// Whether one of our keys sealed it.
    pub async fn is_sender(&self, id: PayloadId) -> Result<bool, Error> {
        let meta = self.meta(id).await?;
        Ok(self.enclave.addresses().contains(&meta.sender) || self.was_sender(&meta))
    }

    /// Its recipients as this node knows them, in stored order.
    pub async fn participants(&self, id: PayloadId) -> Result<Vec<Address>, Error> {
        Ok(self.meta(id).await?.recipients)
    }

    /// Its mandatory recipients.
    pub async fn mandatory(&self, id: PayloadId) -> Result<Vec<Address>, Error> {
        let privacy = self.meta(id).await?.privacy;
        if privacy.flag == PrivacyFlag::MandatoryRecipients { Ok(privacy.mandatory) } else { Err(Error::NotMandatoryType) }
    }

    /// A read is written to the journal by itself where the policy asks for it, before it is answered; else reads are counted.
    async fn note_read(&self, id: PayloadId, class: Class) {
        let Some(governed) = &self.governed else { return };
        if governed.charter().policy().rule(class).log_reads {
            self.note(Happening::now(What::Read).id(id).class(class).surface("node").event()).await;
        }
    }

    /// Whether the member sent it, under a key that it had before.
    fn was_sender(&self, meta: &Meta) -> bool {
        self.governed.as_ref().is_some_and(|governed| match &meta.native {
            Some(native) => native.member == governed.me,
            None => governed.charter().last_owner_of(&meta.sender) == Some(&governed.me),
        })
    }

    /// Our own keys among sender and recipients. What is kept here was for this member: if it names none of our keys any more, because the
    /// member replaced them, it is our default key's.
    fn managed_kept(&self, meta: &Meta) -> Vec<Address> {
        let mut managed = self.managed(&meta.sender, &meta.recipients);
        if managed.is_empty() && self.governed.is_some() {
            managed.extend(self.enclave.addresses().first());
        }
        managed
    }

    async fn open_kept(&self, kind: Kind, id: PayloadId) -> Result<(Received, Class), Error> {
        let record = self.record(kind, &id).await?.ok_or(Error::NotFound(id))?;
        let opened = self.enclave.open(id, &record.head, record.nonce, record.ciphertext).await;
        let opened = opened.map_err(|error| erased_is_absent(error, id))?;
        let managed = self.managed_kept(&opened.meta);
        let class = opened.meta.native.as_ref().map_or(Class::default(), |native| native.class);
        let meta = opened.meta;
        Ok((Received { payload: opened.plaintext, privacy: meta.privacy, sender: meta.sender, managed }, class))
    }
}
