//! The supervisor's side of a send that failed elsewhere: it forgets its copy, or the payload, and keeps a record that it had it.
//!
//! Threat: a sender shows its supervisor a payload, sends it to others with the supervisor's word, and takes it back at the supervisor. It can,
//! for as long as a token lives, and the journal says whose it was, of which class, under which id and which header: an id on the ledger that
//! was taken back here was sent past its supervisor.

use data_encoding::HEXLOWER;

use super::feed::Entry;
use super::rows::{copy_key, of_key};
use crate::crypto::hash::sha256;
use crate::services::happening::{Happening, Kind as What};
use crate::services::{Error, Node};
use crate::shred::SealedHead;
use crate::store::{Event, Table, Write};
use crate::types::PayloadId;
use crate::wire::Header;

impl Node {
    /// Forgets one copy, the one whose head `is_it`; its key is punctured. False if it is not here.
    pub(crate) async fn forget_copy(&self, id: &PayloadId, is_it: impl Fn(&SealedHead) -> bool) -> Result<bool, Error> {
        for (place, entry) in self.placed(id).await? {
            let head = SealedHead::from_bytes(entry.head.to_vec().into());
            let Some(head) = head.filter(|head| !entry.sealed.is_empty() && is_it(head)) else { continue };
            let Some(copy) = self.copy_at(&entry).await? else { return Ok(false) };
            let Ok(header) = Header::decode(&copy.header) else { return Ok(false) };
            let event = taken_back(&header, &copy.header, true);
            self.store.write(out_of_feed(id, place), vec![event]).await?;
            self.enclave.erase(vec![head.leaf()]).await?;
            return Ok(true);
        }
        Ok(false)
    }

    /// What this supervisor will remember of a payload that it received and is about to forget; nothing if it does not supervise it.
    pub(crate) async fn memory_of(&self, id: &PayloadId) -> Result<Option<Event>, Error> {
        if !self.placed(id).await?.iter().any(|(_, entry)| entry.sealed.is_empty()) {
            return Ok(None);
        }
        let native = self.meta(*id).await?.native;
        let header = native.and_then(|native| Some((Header::decode(&native.header).ok()?, native.header)));
        Ok(header.map(|(header, bytes)| taken_back(&header, &bytes, false)))
    }

    /// Takes a payload that was received, and is here no more, out of the feed.
    pub(crate) async fn forget_received(&self, id: &PayloadId, memory: Event) -> Result<(), Error> {
        let received = self.placed(id).await?.into_iter().filter(|(_, entry)| entry.sealed.is_empty());
        let rows = received.flat_map(|(place, _)| out_of_feed(id, place)).collect();
        Ok(self.store.write(rows, vec![memory]).await?)
    }

    async fn placed(&self, id: &PayloadId) -> Result<Vec<(u64, Entry)>, Error> {
        let mut found = Vec::new();
        for place in self.places_of(id).await? {
            if let Some(row) = self.store.row(Table::Supervision, &copy_key(place)).await? {
                found.push((place, super::feed::entry(&row)?));
            }
        }
        Ok(found)
    }
}

fn out_of_feed(id: &PayloadId, place: u64) -> Vec<Write> {
    vec![Write::delete(Table::Supervision, copy_key(place)), Write::delete(Table::Supervision, of_key(id, place))]
}

/// Not as an event of the payload: the record outlasts it.
fn taken_back(header: &Header, bytes: &[u8], is_copy: bool) -> Event {
    let details = serde_json::json!({ "payload": header.id, "header": HEXLOWER.encode(&sha256(&[bytes])), "copy": is_copy });
    Happening::now(What::Withdrawn).class(header.class).member(&header.member).details(details).event()
}
