//! After a restore: the erasures that this node has forgotten are carried out again before it serves.
//!
//! Threat: a backup of the store brings back what was erased since, or takes away the tombstone that kept it from coming back. The key trees
//! (never in that backup) know the first; the members that gave or got the orders know both.

use std::sync::Arc;
use std::time::Duration;

use minicbor::bytes::ByteVec;

use super::error::ErasureError;
use super::holder::extent_of;
use super::rows::{GIVEN, Given, Kept, TAKEN};
use crate::enclave::EnclaveError;
use crate::erasure::SignedOrder;
use crate::governance::{Member, Software};
use crate::services::governed::{Governed, native_address};
use crate::services::native::path;
use crate::services::supervision::Extent;
use crate::services::{Error, Node};
use crate::store::{Kind, Table, Write};
use crate::types::{Coded as _, ItemId, MemberId, PayloadId};
use crate::wire::native::{Message as _, OrdersAfter, OrdersPage};

/// Rows that are looked at for one page.
const LOOKED_AT: usize = 512;
/// Bytes of orders in one page.
const PAGE: usize = 4 << 20;
/// Records read at once.
const RECORDS: usize = 256;
const BUDGET: Duration = Duration::from_secs(20);
/// Where it is written down that a restore was replayed: the number of the log that began with it.
const REPLAYED: &[u8] = b"replayed";

impl Node {
    /// Replays erasures after operators accepted that this node was put back; `log` is the number of the log that began with it. Does
    /// nothing where that was done. An error names the members that have not answered: it is to be called again.
    pub async fn replay_erasures(self: &Arc<Self>, log: u64) -> Result<u64, Error> {
        let governed = Arc::clone(self.needs_governance()?);
        if !self.needs_replay(log).await? {
            return Ok(0);
        }
        let mut replayed = self.bury_unreadable().await? + self.bury_unreadable_copies().await?;
        replayed += self.end_unreadable_documents().await?;
        let (orders, silent) = self.replay_from_all(&governed).await?;
        replayed += orders;
        if !silent.is_empty() {
            return Err(ErasureError::Replay(silent).into());
        }
        self.store.write(vec![Write::put(Table::State, REPLAYED, log.to_be_bytes().to_vec())], Vec::new()).await?;
        tracing::info!(replayed, "erasures were replayed after a restore");
        Ok(replayed)
    }

    /// Carries out what every member shows of orders that it gave or took: how many, and the members that did not answer.
    pub(crate) async fn replay_from_all(self: &Arc<Self>, governed: &Arc<Governed>) -> Result<(u64, Vec<MemberId>), Error> {
        let (mut replayed, mut silent) = (0, Vec::new());
        let charter = governed.charter();
        let asked = |member: &&Member| member.id != governed.me && member.is_active() && member.software == Software::Celosia;
        for member in charter.members().all().iter().filter(asked) {
            match self.replay_from(governed, member).await {
                Ok(orders) => replayed += orders,
                Err(error) => {
                    // The code alone: the words of a peer may name a recipient.
                    tracing::warn!(member = %member.id, code = %error.code(), "a member was not asked for its orders");
                    silent.push(member.id.clone());
                }
            }
        }
        Ok((replayed, silent))
    }

    /// Whether the restore with which a log began is still to be replayed.
    pub async fn needs_replay(&self, log: u64) -> Result<bool, Error> {
        let done = self.store.row(Table::State, REPLAYED).await?;
        let done = done.and_then(|row| row.as_ref().try_into().ok().map(u64::from_be_bytes)).unwrap_or(1);
        Ok(done < log)
    }

    /// Buries records whose leaf is punctured: the backup had them, the key trees know better.
    async fn bury_unreadable(&self) -> Result<u64, Error> {
        let mut buried = 0;
        for kind in [Kind::Payload, Kind::Raw] {
            let mut after = None;
            loop {
                let page = self.store.scan(kind, after, RECORDS).await?;
                let Some((last, _)) = page.last() else { break };
                after = Some(*last);
                let mut dead: Vec<PayloadId> = Vec::new();
                for (id, record) in &page {
                    match self.enclave.meta(*id, &record.head).await {
                        Err(EnclaveError::Erased) => {
                            // What is blocked is unreadable, and kept.
                            if self.held_until(&ItemId::Payload(*id)).await?.is_none() {
                                dead.push(*id);
                            }
                        }
                        Ok(_) => {}
                        Err(error) => return Err(error.into()),
                    }
                }
                buried += dead.len() as u64;
                self.erase_within(&dead, Extent::Record).await?;
            }
        }
        Ok(buried)
    }

    async fn replay_from(self: &Arc<Self>, governed: &Arc<Governed>, member: &Member) -> Result<u64, Error> {
        let to = native_address(member).ok_or_else(|| Error::NotAMember(member.id.clone()))?;
        let (mut after, mut count) = (ByteVec::from(Vec::new()), 0);
        loop {
            let asked = OrdersAfter { after };
            let answer = governed.peers.call(&to, path::ORDERS, asked.to_bytes().into(), BUDGET).await?;
            let page = OrdersPage::from_bytes(&answer).map_err(|_| Error::Message("orders that do not decode"))?;
            for order in &page.orders {
                self.replay(governed, &member.id, order).await?;
                count += 1;
            }
            if page.next.is_empty() {
                return Ok(count);
            }
            after = page.next;
        }
    }

    /// One order once more: of the member that shows it, or of our own that it took.
    async fn replay(self: &Arc<Self>, governed: &Arc<Governed>, shown_by: &MemberId, bytes: &[u8]) -> Result<(), Error> {
        let signed = SignedOrder::decode(bytes).map_err(|_| ErasureError::Order("it does not decode"))?;
        if signed.order.controller == *shown_by {
            return self.take_order(shown_by, bytes.to_vec()).await.map(drop);
        }
        let key = self.enclave.verify_key().ok_or(Error::NotGoverned)?;
        let is_ours = signed.order.controller == governed.me && signed.order.network == governed.network;
        if !is_ours || signed.verify(&key).is_err() {
            return Err(ErasureError::Order("it is neither the member's nor ours").into());
        }
        {
            let _one = self.orders.lock().await;
            self.guard(&governed.me, &signed.order.items).await?;
        }
        let mut doomed = Vec::with_capacity(signed.order.items.len());
        for item in &signed.order.items {
            if self.held_until(item).await?.is_none() {
                doomed.push(*item);
            }
        }
        self.erase_items(&doomed, extent_of(governed, &signed.order)).await
    }

    /// Orders that we gave to a member, and those of its own that we took: what it needs after a restore.
    pub async fn orders_with(&self, member: &MemberId, asked: &OrdersAfter) -> Result<OrdersPage, Error> {
        self.needs_governance()?;
        let (mut table, mut after) = match asked.after.split_first() {
            Some((1, key)) => (Table::Order, key.to_vec()),
            Some((_, key)) => (Table::Case, key.to_vec()),
            None => (Table::Case, Vec::new()),
        };
        let (mut orders, mut bytes) = (Vec::new(), 0);
        loop {
            let prefix = if table == Table::Case { [GIVEN] } else { [TAKEN] };
            let rows = self.store.rows(table, &prefix, (!after.is_empty()).then_some(&after[..]), LOOKED_AT).await?;
            let is_last = rows.len() < LOOKED_AT;
            for (key, row) in rows {
                after = key.to_vec();
                let order = match table {
                    Table::Case => Given::from_bytes(&row).ok().map(|given| given.order),
                    _ => Kept::from_bytes(&row).ok().map(|kept| kept.order),
                };
                let concerns = |order: &ByteVec| {
                    SignedOrder::decode(order).is_ok_and(|signed| match table {
                        Table::Case => signed.order.holder == *member,
                        _ => signed.order.controller == *member,
                    })
                };
                if let Some(order) = order.filter(concerns) {
                    bytes += order.len();
                    orders.push(order);
                }
                if bytes > PAGE {
                    return Ok(OrdersPage { orders, next: cursor(table, &after).into() });
                }
            }
            match (is_last, table) {
                (false, _) => {}
                (true, Table::Case) => (table, after) = (Table::Order, Vec::new()),
                (true, _) => return Ok(OrdersPage { orders, next: Vec::new().into() }),
            }
        }
    }
}

fn cursor(table: Table, after: &[u8]) -> Vec<u8> {
    [&[u8::from(table != Table::Case)], after].concat()
}
