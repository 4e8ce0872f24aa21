//! Rows of supervision (`docs/store-format.md`). `Table::Supervision`: 0 ‖ digest → a signed order to stop; 1 ‖ digest of the order → a signed
//! lift; 2 ‖ place → a copy, or a payload that is supervised, in the order of their coming; 3 ‖ payload ‖ place → whose copy
//! stands there, and under which leaf (nothing in rows of before); 4 ‖ payload → the
//! supervisors that this node sent a copy to; 5 ‖ payload → what waits for a co-signature, or waited; 6 ‖ digest → how far a catch-up is; 7 ‖
//! SHA-256 of the sender's name ‖ payload → nothing: what waits for a co-signature; 8 ‖ payload ‖ digest of a member's name → what remains of
//! that member's erased copies; 9 ‖ payload ‖ digest of a member's name → a second header that it signed for the payload.

use bytes::Bytes;

use super::places::Whose;
use crate::crypto::hash::sha256;
use crate::services::{Error, Node};
use crate::store::{Table, Write};
use crate::supervision::StopDigest;
use crate::types::{MemberId, PayloadId};

pub(super) const STOP: u8 = 0;
pub(super) const LIFT: u8 = 1;
pub(super) const COPY: u8 = 2;
pub(super) const OF: u8 = 3;
const TOLD: u8 = 4;
pub(super) const QUEUE: u8 = 5;
const CATCH_UP: u8 = 6;
const WAITING: u8 = 7;
pub(super) const GRAVE: u8 = 8;
const SECOND: u8 = 9;
const TAKEN_BACK: u8 = 10;

/// Rows read at once.
pub(super) const PAGE: usize = 1_024;

pub(super) fn put(kind: u8, digest: &StopDigest, bytes: Vec<u8>) -> Write {
    Write::put(Table::Supervision, [&[kind], &digest[..]].concat(), bytes)
}

pub(super) fn copy_key(place: u64) -> Vec<u8> {
    [&[COPY], &place.to_be_bytes()[..]].concat()
}

/// The place of a row of the feed.
pub(super) fn place(key: &[u8]) -> Option<u64> {
    key.strip_prefix(&[COPY])?.try_into().ok().map(u64::from_be_bytes)
}

pub(super) fn of_key(id: &PayloadId, place: u64) -> Vec<u8> {
    [&of_id(id), &place.to_be_bytes()[..]].concat()
}

/// What keys of a payload's places begin with.
pub(super) fn of_id(id: &PayloadId) -> Vec<u8> {
    [&[OF], &id.as_bytes()[..]].concat()
}

/// The payload that such a key names.
pub(super) fn id_of(key: &[u8]) -> Option<PayloadId> {
    key.get(1..).and_then(|rest| rest.first_chunk::<64>()).map(|id| PayloadId::new(*id))
}

/// The place that such a key ends with.
pub(super) fn place_of(key: &[u8]) -> Option<u64> {
    key.last_chunk::<8>().map(|place| u64::from_be_bytes(*place))
}

pub(super) fn grave_key(id: &PayloadId, whose: Whose) -> Vec<u8> {
    [&[GRAVE], &id.as_bytes()[..], &whose.0].concat()
}

pub(super) fn second_key(id: &PayloadId, whose: Whose) -> Vec<u8> {
    [&[SECOND], &id.as_bytes()[..], &whose.0].concat()
}

/// That a payload under a header was taken back here by its sender.
fn taken_back_key(id: &PayloadId, header: &[u8; 32]) -> Vec<u8> {
    [&[TAKEN_BACK], &id.as_bytes()[..], &header[..]].concat()
}

pub(super) fn queue_key(id: &PayloadId) -> Vec<u8> {
    [&[QUEUE], &id.as_bytes()[..]].concat()
}

/// What waits of one member; of all with `None`.
pub(super) fn waiting_of(member: Option<&str>) -> Vec<u8> {
    let member = member.map(|member| sha256(&[member.as_bytes()]));
    [&[WAITING][..], member.as_ref().map_or(&[], |member| &member[..])].concat()
}

pub(super) fn waiting_key(member: &str, id: &PayloadId) -> Vec<u8> {
    [&waiting_of(Some(member)), &id.as_bytes()[..]].concat()
}

pub(super) fn catch_up_key(digest: &[u8; 32]) -> Vec<u8> {
    [&[CATCH_UP], &digest[..]].concat()
}

fn told_key(id: &PayloadId) -> Vec<u8> {
    [&[TOLD], &id.as_bytes()[..]].concat()
}

pub(super) fn put_told(id: &PayloadId, supervisors: &[MemberId]) -> Write {
    let names: Vec<&str> = supervisors.iter().map(MemberId::as_str).collect();
    Write::put(Table::Supervision, told_key(id), names.join("\n").into_bytes())
}

impl Node {
    /// Every row of a kind.
    pub(super) async fn supervision_rows(&self, kind: u8) -> Result<Vec<Bytes>, Error> {
        let (mut all, mut after) = (Vec::new(), None::<Bytes>);
        loop {
            let rows = self.store.rows(Table::Supervision, &[kind], after.as_deref(), PAGE).await?;
            let Some((last, _)) = rows.last() else { return Ok(all) };
            after = Some(last.clone());
            all.extend(rows.into_iter().map(|(_, value)| value));
        }
    }

    /// Payloads that wait for a co-signature, of all members.
    pub(super) async fn waiting_ids(&self) -> Result<Vec<PayloadId>, Error> {
        let (mut all, mut after, prefix) = (Vec::new(), None::<Bytes>, waiting_of(None));
        loop {
            let rows = self.store.rows(Table::Supervision, &prefix, after.as_deref(), PAGE).await?;
            let Some((last, _)) = rows.last() else { return Ok(all) };
            after = Some(last.clone());
            all.extend(rows.iter().filter_map(|(key, _)| key.last_chunk::<64>().map(|id| PayloadId::new(*id))));
        }
    }

    /// Whether anything stands in the feed behind a place.
    async fn is_behind(&self, place: u64) -> Result<bool, Error> {
        Ok(!self.store.rows(Table::Supervision, &[COPY], Some(&copy_key(place)), 1).await?.is_empty())
    }

    /// The place behind the last one of the feed. Looked for by halves: there may be millions.
    pub(super) async fn end_of_feed(&self) -> Result<u64, Error> {
        if self.store.rows(Table::Supervision, &[COPY], None, 1).await?.is_empty() {
            return Ok(0);
        }
        let mut high = 1;
        while self.is_behind(high).await? {
            high *= 2;
        }
        let mut low = 0;
        while low < high {
            let middle = low + (high - low) / 2;
            if self.is_behind(middle).await? { low = middle + 1 } else { high = middle }
        }
        Ok(low + 1)
    }

    /// The supervisors that this node sent copies of a payload to.
    pub(crate) async fn supervisors_told(&self, id: &PayloadId) -> Result<Vec<MemberId>, Error> {
        let Some(row) = self.store.row(Table::Supervision, &told_key(id)).await? else { return Ok(Vec::new()) };
        let names = String::from_utf8_lossy(&row);
        Ok(names.lines().filter_map(|name| name.parse().ok()).collect())
    }

    /// Writes down, for ever, that a sender took back here what it had sent under a header.
    ///
    /// Threat: it takes back what its supervisor then forgets, and gives it back in a recovery, with what both had signed.
    pub(crate) async fn note_taken_back(&self, id: &PayloadId, header: &[u8; 32]) -> Result<(), Error> {
        let row = Write::put(Table::Supervision, taken_back_key(id, header), Vec::new());
        Ok(self.store.write(vec![row], Vec::new()).await?)
    }

    /// Whether it was.
    pub(crate) async fn was_taken_back(&self, id: &PayloadId, header: &[u8; 32]) -> Result<bool, Error> {
        Ok(self.store.row(Table::Supervision, &taken_back_key(id, header)).await?.is_some())
    }

    /// After a failed send.
    pub(crate) async fn forget_told(&self, id: &PayloadId) {
        if let Err(error) = self.store.write(vec![Write::delete(Table::Supervision, told_key(id))], Vec::new()).await {
            tracing::warn!(%id, %error, "who was told of a failed send stays written down");
        }
    }
}
