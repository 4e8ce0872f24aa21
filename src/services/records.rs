//! Looking up records: one answer for absent, erased and unreadable.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{Error, Node};
use crate::enclave::{AffectedRecord, EnclaveError, Meta};
use crate::shred::SealedHead;
use crate::store::{Kind, Lookup, Record};
use crate::types::{Address, PayloadId};

impl Node {
    /// A record, or `None` where it is absent or erased.
    pub(crate) async fn record(&self, kind: Kind, id: &PayloadId) -> Result<Option<Record>, Error> {
        match self.store.get(kind, id).await? {
            Lookup::Found(record) => Ok(Some(record)),
            Lookup::Absent | Lookup::Erased(_) => Ok(None),
        }
    }

    /// The sealed head of a payload, or `None` where it is absent or erased.
    pub(crate) async fn head(&self, kind: Kind, id: &PayloadId) -> Result<Option<SealedHead>, Error> {
        match self.store.head(kind, id).await? {
            Lookup::Found(head) => Ok(Some(head)),
            Lookup::Absent | Lookup::Erased(_) => Ok(None),
        }
    }

    /// The words of a payload's head. A punctured one is as absent as any.
    pub(crate) async fn meta(&self, id: PayloadId) -> Result<Meta, Error> {
        let head = self.head(Kind::Payload, &id).await?.ok_or(Error::NotFound(id))?;
        self.enclave.meta(id, &head).await.map_err(|error| erased_is_absent(error, id))
    }

    /// The affected transactions that are here, with their words, in the order asked.
    pub(crate) async fn affected(&self, ids: &[PayloadId]) -> Result<Vec<(AffectedRecord, Meta)>, Error> {
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(record) = self.record(Kind::Payload, id).await? else { continue };
            match self.enclave.meta(*id, &record.head).await {
                Ok(meta) => {
                    found.push((AffectedRecord { id: *id, head: record.head, ciphertext: record.ciphertext }, meta));
                }
                Err(EnclaveError::Erased) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(found)
    }

    /// Our own keys among `keys`, in our order.
    pub(crate) fn managed(&self, sender: &Address, recipients: &[Address]) -> Vec<Address> {
        let ours = self.enclave.addresses();
        ours.iter().filter(|key| *key == sender || recipients.contains(key)).copied().collect()
    }
}

/// An erased payload is "not found" and nothing else.
pub(crate) fn erased_is_absent(error: EnclaveError, id: PayloadId) -> Error {
    match error {
        EnclaveError::Erased => Error::NotFound(id),
        other => other.into(),
    }
}

/// Milliseconds since the Unix epoch.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
