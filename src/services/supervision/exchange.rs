//! How orders reach everybody: told at once by whoever gives or first learns of one, and compared with another member again and again.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::orders::{Order, short_name};
use super::stops::Known;
use crate::crypto::random;
use crate::services::governed::{Governed, may_be_told, native_address};
use crate::services::native::path;
use crate::services::{Error, NativeAddress, Node, PeerError};
use crate::types::{Coded as _, MemberId};
use crate::wire::native::{Message as _, OrdersPage, SupervisionAfter};

/// One member is told, or asked for a page.
const BUDGET: Duration = Duration::from_secs(3);
/// Members that are told of an order by one who learned of it.
const FAN_OUT: usize = 4;
/// Orders of one page, and their bytes.
const PAGE: usize = 256;
const PAGE_BYTES: usize = 512 << 10;

impl Node {
    /// Tells every other member of an order; how many have it, and who does not.
    pub(super) async fn tell_everybody(&self, governed: &Arc<Governed>, order: &Order) -> (usize, Vec<MemberId>) {
        let others = others(governed);
        let bytes = order.encode();
        let outcomes = join_all(others.iter().map(|to| tell(governed, to, &bytes))).await;
        let failed = others.iter().zip(outcomes).filter_map(|(to, outcome)| outcome.err().map(|error| (to, error)));
        let silent: Vec<MemberId> = failed
            .map(|(to, error)| {
                tracing::warn!(member = %to.member, error = error.without_words(), "an order of supervision was not told");
                to.member.clone()
            })
            .collect();
        (others.len() - silent.len(), silent)
    }

    /// A page of orders for a member that knows others than we do; nothing for one that knows the same.
    pub fn supervision_orders(&self, asked: &SupervisionAfter) -> Result<OrdersPage, Error> {
        let governed = self.needs_governance()?;
        let known = governed.desk.stops.read();
        if known.fingerprint()[..] == asked.known[..] {
            return Ok(OrdersPage { orders: Vec::new(), next: Vec::new().into() });
        }
        let at = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_be_bytes);
        let from = usize::try_from(at(&asked.after)).unwrap_or(usize::MAX);
        let all = encoded(&known);
        let (mut orders, mut bytes) = (Vec::new(), 0);
        for order in all.iter().skip(from).take(PAGE) {
            bytes += order.len();
            orders.push(order.clone().into());
            if bytes > PAGE_BYTES {
                break;
            }
        }
        let end = from.saturating_add(orders.len());
        let next = if end < all.len() { (end as u64).to_be_bytes().to_vec() } else { Vec::new() };
        Ok(OrdersPage { orders, next: next.into() })
    }

    /// Asks every other member once, so that a node that was away knows what is stopped before it serves.
    pub async fn ask_for_stops(self: &Arc<Self>) {
        let Some(governed) = self.governed.clone() else { return };
        let others = others(&governed);
        join_all(others.iter().map(|to| self.compare(&governed, to))).await;
    }

    /// Compares orders with a member drawn by lot at every interval, until it is dropped.
    pub async fn keep_supervision(self: Arc<Self>, interval: Duration) {
        let Some(governed) = self.governed.clone() else { return };
        loop {
            tokio::time::sleep(interval).await;
            let others = others(&governed);
            if !others.is_empty() {
                self.compare(&governed, &others[below(others.len())]).await;
            }
        }
    }

    async fn compare(self: &Arc<Self>, governed: &Arc<Governed>, with: &NativeAddress) {
        let mut after = Vec::new();
        loop {
            let known = governed.desk.stops.read().fingerprint().to_vec();
            let asked = SupervisionAfter { known: known.into(), after: after.clone().into() };
            let answer = governed.peers.call(with, path::SUPERVISION_ORDERS, asked.to_bytes().into(), BUDGET).await;
            let page = match answer.map(|bytes| OrdersPage::from_bytes(&bytes)) {
                Ok(Ok(page)) => page,
                Ok(Err(_)) => return tracing::debug!(member = %with.member, "a page of orders does not decode"),
                Err(error) => {
                    return tracing::debug!(member = %with.member, error = error.without_words(), "orders are not compared");
                }
            };
            for order in page.orders.iter().take(PAGE) {
                if let Err(error) = self.take_supervision_order(&with.member, order).await {
                    tracing::debug!(member = %with.member, code = %error.code(), order = short_name(order), "an order is not taken");
                }
            }
            // Threat: a member that pages for ever.
            if page.next.is_empty() || page.next.as_slice() <= after.as_slice() {
                return;
            }
            after = page.next.to_vec();
        }
    }
}

impl Governed {
    /// A few others hear of an order from one who has just learned of it.
    pub(super) fn pass_on(self: &Arc<Self>, from: &MemberId, order: Order) {
        let (governed, from) = (Arc::clone(self), from.clone());
        let mut others = others(&governed);
        others.retain(|to| to.member != from);
        let tasks = governed.tasks.clone();
        tasks.spawn(async move {
            let bytes = order.encode();
            while others.len() > FAN_OUT {
                others.swap_remove(below(others.len()));
            }
            join_all(others.iter().map(|to| tell(&governed, to, &bytes))).await;
        });
    }
}

async fn tell(governed: &Governed, to: &NativeAddress, order: &[u8]) -> Result<(), PeerError> {
    governed.peers.call(to, path::SUPERVISION_TELL, order.to_vec().into(), BUDGET).await.map(drop)
}

/// Every other member that runs a Celosia and may be told: suspended ones learn of orders, too.
pub(crate) fn others(governed: &Governed) -> Vec<NativeAddress> {
    let charter = governed.charter();
    let others = charter.members().all().iter().filter(|member| may_be_told(member) && member.id != governed.me);
    others.filter_map(native_address).collect()
}

fn encoded(known: &Known) -> Vec<Vec<u8>> {
    let stops = known.stops.values().map(|stop| Order::Stop(stop.clone()).encode());
    stops.chain(known.lifts.values().map(|lift| Order::Lift(lift.clone()).encode())).collect()
}

/// A number below a bound, by lot.
pub(crate) fn below(bound: usize) -> usize {
    let wide = u64::from_le_bytes(random());
    usize::try_from(wide % (bound.max(1) as u64)).unwrap_or_default()
}
