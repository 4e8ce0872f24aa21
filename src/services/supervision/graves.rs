//! What remains of erased copies: a row for each payload and member, so that what one member had erased is not taken from it again, and what
//! others give of the same id is.

use std::collections::BTreeMap;

use bytes::Bytes;
use minicbor::{CborLen, Decode, Encode};

use super::feed::entry;
use super::places::{Extent, Placed, Seat, Whose};
use super::rows::{COPY, GRAVE, copy_key, grave_key, of_key, place, second_key};
use crate::services::records::now;
use crate::services::{Error, Node};
use crate::store::{Event, Kind, Lookup, StoreError, Table, Write};
use crate::types::{MemberId, PayloadId};
use crate::wire::native::Message as _;

/// Rows of copies that are looked at together: each may hold a ciphertext.
const TOGETHER: usize = 16;

fn corrupt() -> StoreError {
    StoreError::Corrupt("what remains of a supervision copy".into())
}

/// What remains of erased copies of a payload of one member, for ever.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
pub(super) struct Grave {
    /// When, milliseconds since the Unix epoch.
    #[n(0)]
    pub(super) time: u64,
    /// The payload itself was this member's: the tombstone of its id says nothing of what others give.
    #[n(1)]
    pub(super) is_senders: bool,
    /// Leaves that were punctured: tree and index.
    #[n(2)]
    pub(super) leaves: Vec<(u32, u32)>,
}

impl Node {
    /// Whether a member's copies of a payload were erased, or the payload that it sent: no copy of its is taken any more.
    ///
    /// Threat: another member gives the same id and has it erased, so that this member's copy is refused.
    pub(crate) async fn is_buried(&self, id: &PayloadId, member: &MemberId) -> Result<bool, Error> {
        if self.has_grave(id, member).await? {
            return Ok(true);
        }
        if !matches!(self.store.head(Kind::Payload, id).await?, Lookup::Erased(_)) {
            return Ok(false);
        }
        // Without a word on whose payload it was, it may have been this member's.
        Ok(!self.graves(id).await?.iter().any(|(_, grave)| grave.is_senders))
    }

    /// Whether what one member gave of a payload was erased here, by its order or by this node.
    pub(crate) async fn has_grave(&self, id: &PayloadId, member: &MemberId) -> Result<bool, Error> {
        Ok(self.store.row(Table::Supervision, &grave_key(id, Whose::of(member))).await?.is_some())
    }

    async fn graves(&self, id: &PayloadId) -> Result<Vec<(Bytes, Grave)>, Error> {
        let prefix = [&[GRAVE], &id.as_bytes()[..]].concat();
        let rows = self.store.rows(Table::Supervision, &prefix, None, usize::MAX).await?;
        let grave = |(key, row): (Bytes, Bytes)| match Grave::from_bytes(&row) {
            Ok(grave) => Ok((key, grave)),
            Err(_) => Err(corrupt().into()),
        };
        rows.into_iter().map(grave).collect()
    }

    /// Buries copies whose leaf is punctured: a backup had them, the key trees know better. How many.
    pub(crate) async fn bury_unreadable_copies(&self) -> Result<u64, Error> {
        let (mut buried, mut after) = (0, None::<Bytes>);
        loop {
            let rows = self.store.rows(Table::Supervision, &[COPY], after.as_deref(), TOGETHER).await?;
            let Some((last, _)) = rows.last() else { return Ok(buried) };
            after = Some(last.clone());
            for (key, row) in &rows {
                let (entry, Some(place)) = (entry(row)?, place(key)) else { continue };
                if entry.sealed.is_empty() || self.opened(&entry).await?.is_some() {
                    continue;
                }
                let id =
                    PayloadId::try_from(entry.id.as_slice()).map_err(|_| StoreError::Corrupt("a place of the feed".into()))?;
                let placed = self.placed(&id).await?;
                let at = placed.iter().find(|at| at.place == place);
                let mut rows = vec![
                    Write::delete(Table::Supervision, copy_key(place)),
                    Write::delete(Table::Supervision, of_key(&id, place)),
                ];
                if let Some(Seat::Copy { whose: Some(whose), leaf, .. }) = at.map(|at| at.kind) {
                    let grave = Grave { time: now(), is_senders: false, leaves: vec![(leaf.tree, leaf.leaf)] };
                    rows.push(Write::delete(Table::Supervision, second_key(&id, whose)));
                    rows.push(self.put_grave(&id, whose, grave).await?);
                }
                self.store.write(rows, Vec::new()).await?;
                buried += 1;
            }
        }
    }

    /// The row of a grave, with what was known of it before.
    async fn put_grave(&self, id: &PayloadId, whose: Whose, mut grave: Grave) -> Result<Write, Error> {
        let key = grave_key(id, whose);
        if let Some(known) = self.store.row(Table::Supervision, &key).await? {
            let known = Grave::from_bytes(&known).map_err(|_| corrupt())?;
            grave.is_senders |= known.is_senders;
            grave.leaves.extend(known.leaves);
        }
        Ok(Write::put(Table::Supervision, key, grave.to_bytes()))
    }

    /// When copies of a payload were erased here, if nothing of it is left; the last time.
    pub(crate) async fn copies_erased(&self, id: &PayloadId) -> Result<Option<u64>, Error> {
        Ok(self.graves(id).await?.into_iter().map(|(_, grave)| grave.time).max())
    }

    /// Takes what an erasure reached out of the feed, and writes down whose it was; false if there was no copy. `with_record`: the payload
    /// itself was erased, too; `sender`: whose it was. `ended` says it in the journal: whether nothing of the id is left in the feed.
    pub(crate) async fn drop_copies(
        &self,
        id: &PayloadId,
        extent: Extent<'_>,
        (with_record, sender): (bool, Option<&MemberId>),
        ended: impl FnOnce(bool) -> Vec<Event>,
    ) -> Result<bool, Error> {
        let all = self.placed(id).await?;
        let (gone, left): (Vec<&Placed>, Vec<&Placed>) = all.iter().partition(|at| extent.covers(at, with_record));
        let (mut rows, mut graves) = (Vec::new(), BTreeMap::<Whose, Grave>::new());
        let time = now();
        let empty = || Grave { time, is_senders: false, leaves: Vec::new() };
        for at in &gone {
            rows.push(Write::delete(Table::Supervision, copy_key(at.place)));
            rows.push(Write::delete(Table::Supervision, of_key(id, at.place)));
            if let Seat::Copy { whose: Some(whose), leaf, .. } = at.kind {
                graves.entry(whose).or_insert_with(empty).leaves.push((leaf.tree, leaf.leaf));
            }
        }
        let had_copies = gone.iter().any(|at| at.kind != Seat::Received);
        if let Some(sender) = sender {
            graves.entry(Whose::of(sender)).or_insert_with(empty).is_senders = true;
        }
        for (whose, grave) in graves {
            rows.push(Write::delete(Table::Supervision, second_key(id, whose)));
            rows.push(self.put_grave(id, whose, grave).await?);
        }
        if !rows.is_empty() {
            let events = if had_copies { ended(left.is_empty()) } else { Vec::new() };
            self.store.write(rows, events).await?;
        }
        Ok(had_copies)
    }
}
