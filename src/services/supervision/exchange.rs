//! How orders reach everybody: told at once by whoever gives or first learns of one, and compared with another member again and again.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::orders::{Order, short_name};
use super::stops::Known;
use crate::services::gossip::{BUDGET, PAGE, PAGE_BYTES, PAGES, one_of, others};
use crate::services::governed::Governed;
use crate::services::native::path;
use crate::services::{Error, NativeAddress, Node};
use crate::types::Coded as _;
use crate::wire::native::{Message as _, OrdersPage, SupervisionAfter};

impl Node {
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
            if let Some(with) = one_of(others(&governed)) {
                self.compare(&governed, &with).await;
            }
        }
    }

    async fn compare(self: &Arc<Self>, governed: &Arc<Governed>, with: &NativeAddress) {
        let mut after = Vec::new();
        for _ in 0..PAGES {
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
            if page.next.is_empty() || page.next.as_slice() <= after.as_slice() {
                return;
            }
            after = page.next.to_vec();
        }
    }
}

fn encoded(known: &Known) -> Vec<Vec<u8>> {
    let stops = known.stops.values().map(|stop| Order::Stop(stop.clone()).encode());
    stops.chain(known.lifts.values().map(|lift| Order::Lift(lift.clone()).encode())).collect()
}
