//! Acknowledgements: kept beside the payload under its own key, shown as a receipt that is verified offline.

use std::sync::Arc;
use std::time::Duration;

use super::beside::{ACKS, Beside};
use super::intake::Accepted;
use crate::enclave::EnclaveError;
use crate::services::governed::Governed;
use crate::services::happening::{Happening, Kind as What};
use crate::services::records::{erased_is_absent, now};
use crate::services::{Error, Node};
use crate::shred::SealedHead;
use crate::store::{Event, Kind};
use crate::types::{Coded as _, PayloadId};
use crate::wire::Vouched;
use crate::wire::ack::{Ack, SignedAck};
use crate::wire::header::Header;
use crate::wire::receipt::Receipt;

/// How long acknowledgements wait for others, milliseconds, at most.
const TICK: u64 = 100;

impl Node {
    /// Keeps the acknowledgements of a payload and journals where it is durable. One who passed it over has nothing of it: its word is no
    /// delivery and is not kept. The caller is not held up: an acknowledgement that a crash
    /// loses can be asked for again, its payload cannot.
    pub(super) fn keep_acks(
        &self,
        governed: &Governed,
        id: PayloadId,
        head: SealedHead,
        (acks, words): (Vec<SignedAck>, Vouched),
    ) {
        let acks: Vec<SignedAck> = acks.into_iter().filter(|signed| signed.ack.durable).collect();
        if acks.is_empty() {
            return;
        }
        let event = Happening::now(What::Delivered).id(id).count(acks.len() as u64).event();
        self.keep_later(governed, id, head, Beside { words, ..Beside::acks(acks) }, Some(event));
    }

    /// Keeps what is beside a payload with that of others, behind the answer.
    pub(super) fn keep_later(&self, governed: &Governed, id: PayloadId, head: SealedHead, beside: Beside, event: Option<Event>) {
        let (enclave, store) = (Arc::clone(&self.enclave), Arc::clone(&self.store));
        governed.tasks.spawn(async move {
            // At the ticks of a clock, so that those of many payloads share a write.
            tokio::time::sleep(Duration::from_millis(TICK - now() % TICK)).await;
            let kept = async {
                let sealed = enclave.seal_beside(&head, ACKS, beside.encode()).await?;
                store.put_beside(id, sealed, event).await?;
                Ok::<_, Error>(())
            };
            // Whoever took the payload back, or erased it, took this along.
            if let Err(error) = kept.await
                && !matches!(error, Error::Enclave(EnclaveError::Erased))
            {
                tracing::warn!(%id, code = %error.code(), "what was said of a payload was not kept");
            }
        });
    }

    /// The signed header of a payload of the suite celosia-1, and what its recipients said.
    pub async fn receipt(&self, id: PayloadId) -> Result<Receipt, Error> {
        let head = self.head(Kind::Payload, &id).await?.ok_or(Error::NotFound(id))?;
        let meta = self.enclave.meta(id, &head).await.map_err(|error| erased_is_absent(error, id))?;
        let native = meta.native.ok_or(Error::NoReceipt(id))?;
        let header = Header::decode(&native.header).map_err(|_| Error::NoReceipt(id))?;
        // Of a payload just sent they are on their way to the disk.
        let mut sealed = self.store.beside(&id).await?;
        while sealed.is_none() && self.directory.is_own(&header.sender) && now().abs_diff(header.time) < 20 * TICK {
            tokio::time::sleep(Duration::from_millis(TICK / 2)).await;
            sealed = self.store.beside(&id).await?;
        }
        let acks = match sealed {
            Some(sealed) => {
                Beside::decode(&self.enclave.open_beside(&head, ACKS, sealed).await?).ok_or(Error::NoReceipt(id))?.acks
            }
            None => Vec::new(),
        };
        Ok(Receipt { header, signature: native.signature, acks })
    }
}

impl Governed {
    /// What we acknowledge: a payload that is durable here, or one that was passed over, which is not.
    pub(super) fn ack_of(&self, accepted: &Accepted) -> Ack {
        let Accepted { id, header, ref addresses, passed_over, .. } = *accepted;
        let addresses = addresses.clone();
        Ack { network: self.network, id, header, member: self.me.clone(), addresses, time: now(), durable: !passed_over }
    }
}
