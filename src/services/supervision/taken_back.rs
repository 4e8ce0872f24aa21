//! The supervisor's side of a send that failed elsewhere: it forgets its copy, or the payload, and keeps a record that it had it.
//!
//! Threat: a sender shows its supervisor a payload, has others take it on the supervisor's word, and takes it back at the supervisor. So that
//! asks the recipients first: what one of them has stays here, too, and those that do not have it take it no more.

use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;

use super::SupervisionError;
use super::feed::Entry;
use super::places::{Placed, Whose};
use super::rows::{copy_key, of_key, second_key};
use crate::crypto::hash::sha256;
use crate::services::governed::Governed;
use crate::services::happening::{Happening, Kind as What};
use crate::services::told::Matter;
use crate::services::{Error, Node};
use crate::shred::SealedHead;
use crate::store::{Kind, Table, Write};
use crate::types::{Address, Coded as _, ItemId, PayloadId};
use crate::wire::Header;
use crate::wire::header::SUITE;

/// How long a sender takes to take back what the others have: they are asked afterwards.
const SETTLED: Duration = Duration::from_millis(1_500);

/// What a sender takes back from its supervisor.
pub(crate) struct TakenBack {
    header: Header,
    /// SHA-256 of it.
    digest: [u8; 32],
    /// Everyone whom it was sent to, where this supervisor was told: under S1 and S2.
    recipients: Option<Vec<Address>>,
    place: u64,
    /// What it is sealed under.
    head: SealedHead,
}

impl Node {
    /// What this node supervises of a payload under a head that `is_it`; `None` if there is nothing.
    pub(crate) async fn supervised_here(
        &self,
        id: &PayloadId,
        is_it: impl Fn(&SealedHead) -> bool,
    ) -> Result<Option<TakenBack>, Error> {
        for Placed { place, .. } in self.placed(id).await? {
            let Some(row) = self.store.row(Table::Supervision, &copy_key(place)).await? else { continue };
            let entry = super::feed::entry(&row)?;
            let found = if entry.sealed.is_empty() { self.received_here(id).await? } else { self.copied_here(&entry).await? };
            let Some((head, bytes, recipients)) = found.filter(|(head, ..)| is_it(head)) else { continue };
            let Ok(header) = Header::decode(&bytes) else { continue };
            return Ok(Some(TakenBack { header, digest: sha256(&[&bytes]), recipients, place, head }));
        }
        Ok(None)
    }

    async fn copied_here(&self, entry: &Entry) -> Result<Option<(SealedHead, Vec<u8>, Option<Vec<Address>>)>, Error> {
        let Some(head) = SealedHead::from_bytes(entry.head.to_vec().into()) else { return Ok(None) };
        Ok(self.open_copy(entry).await?.map(|copy| (head, copy.header, Some(copy.recipients))))
    }

    async fn received_here(&self, id: &PayloadId) -> Result<Option<(SealedHead, Vec<u8>, Option<Vec<Address>>)>, Error> {
        let Some(head) = self.head(Kind::Payload, id).await? else { return Ok(None) };
        let native = self.enclave.meta(*id, &head).await?.native;
        Ok(native.map(|native| (head, native.header.to_vec(), None)))
    }

    /// Forgets it, once the others had their time: unless one of them has it.
    pub(crate) fn take_back_later(self: &Arc<Self>, governed: &Arc<Governed>, taken: TakenBack) {
        let (node, governed) = (Arc::clone(self), Arc::clone(governed));
        let tasks = governed.tasks.clone();
        tasks.spawn(async move {
            tokio::time::sleep(SETTLED).await;
            if let Err(error) = node.take_back_now(&governed, &taken).await {
                tracing::warn!(id = %taken.header.id, code = %error.code(), "what a sender takes back stays at its supervisor");
            }
        });
    }

    async fn take_back_now(&self, governed: &Governed, taken: &TakenBack) -> Result<(), Error> {
        let TakenBack { header, digest, recipients, place, head } = taken;
        if self.held_until(&ItemId::Payload(header.id)).await?.is_some() {
            return Ok(());
        }
        // Threat: who signed two headers takes the first one back, and with it what shows that there were two.
        let second = second_key(&header.id, Whose::of(&header.member));
        if self.store.row(Table::Supervision, &second).await?.is_some() {
            return Err(SupervisionError::SecondHeader(header.id).into());
        }
        // Threat: a member has this node ask the whole network, again and again. Beyond a few in an hour it keeps what it has.
        let may_ask =
            recipients.is_some() || governed.told.is_news(Matter::TakenBack, header.member.as_str(), &[header.id.as_bytes()]);
        let is_held = !may_ask || governed.has_anybody(header, *digest, recipients.as_deref()).await;
        // Not as an event of the payload: the record outlasts it.
        let is_copy = recipients.is_some();
        let details = serde_json::json!({ "payload": header.id, "header": HEXLOWER.encode(digest), "copy": is_copy });
        let record = |what| Happening::now(what).class(header.class).member(&header.member).details(details.clone());
        if is_held {
            let kept = SupervisionError::KeptByOthers(header.id);
            // In Tessera's suite a recipient may have it of an earlier send.
            if may_ask && header.suite == SUITE {
                self.notice(kept.code(), Some(&header.member), "a member takes back at its supervisor what recipients have");
            }
            self.note(record(What::Refused).code(kept.code()).event()).await;
            return Err(kept.into());
        }
        if !is_copy && !self.forget(header.id, head.clone()).await? {
            return Ok(());
        }
        let out_of_feed = [copy_key(*place), of_key(&header.id, *place)].map(|key| Write::delete(Table::Supervision, key));
        self.store.write(out_of_feed.into(), vec![record(What::Withdrawn).event()]).await?;
        if is_copy {
            self.enclave.erase(vec![head.leaf()]).await?;
        }
        self.counters.withdrawn.add();
        Ok(())
    }
}
