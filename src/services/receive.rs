//! Giving a payload back: at block execution, to an application, to its sender.

use super::records::erased_is_absent;
use super::{Error, Node, Received};
use crate::store::Kind;
use crate::types::{Address, PayloadId, PrivacyFlag};

impl Node {
    /// Opens a payload; `to` names one of our keys, which must be its sender or a recipient.
    ///
    /// Threat: GoQuorum takes a false "not found" for "not a party" and diverges for ever, and any other error stops it. So "not found" is
    /// said of what is absent, erased or not for `to`; a damaged record or a store in trouble is an error.
    pub async fn receive(&self, id: PayloadId, to: Option<Address>) -> Result<Received, Error> {
        let received = self.open_kept(Kind::Payload, id).await;
        let received = match (received, to) {
            (Ok(received), Some(key)) if !received.managed.contains(&key) => Err(Error::NotFound(id)),
            (other, _) => other,
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
        self.open_kept(Kind::Raw, id).await.map_err(|error| match error {
            Error::NotFound(id) => Error::RawNotFound(id),
            other => other,
        })
    }

    /// Whether one of our keys sealed it.
    pub async fn is_sender(&self, id: PayloadId) -> Result<bool, Error> {
        let sender = self.meta(id).await?.sender;
        Ok(self.enclave.addresses().contains(&sender))
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

    async fn open_kept(&self, kind: Kind, id: PayloadId) -> Result<Received, Error> {
        let record = self.record(kind, &id).await?.ok_or(Error::NotFound(id))?;
        let opened = self.enclave.open(id, &record.head, record.nonce, record.ciphertext).await;
        let opened = opened.map_err(|error| erased_is_absent(error, id))?;
        let managed = self.managed(&opened.meta.sender, &opened.meta.recipients);
        Ok(Received { payload: opened.plaintext, privacy: opened.meta.privacy, sender: opened.meta.sender, managed })
    }
}
