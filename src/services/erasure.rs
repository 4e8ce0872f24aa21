//! Erasure that reaches every holder: cases at the member that answers for the data, orders to the others, receipts from them, and the
//! certificate that joins all of it. Specified in `docs/erasure.md`.
//!
//! The controller is a holder like the others: it gives itself an order, too, and answers it with a receipt.

mod audiences;
mod cases;
mod certify;
mod error;
mod guards;
mod holder;
mod orders;
mod plan;
mod replay;
mod retention;
mod rows;
mod settle;

use std::sync::Arc;
use std::time::Duration;

pub use cases::{NewCase, Reach, Reached};
pub use error::ErasureError;

pub(crate) use holder::Presence;

use super::Node;
use crate::types::Coded as _;

/// How often cases and orders are looked at.
const TURN: Duration = Duration::from_secs(1);

impl Node {
    /// Carries orders out, asks holders again, raises levels and closes cases, until it is dropped. What a crash interrupted goes on here.
    pub async fn keep_erasures(self: Arc<Self>) {
        if self.governed.is_none() {
            return;
        }
        let counted = {
            let _one = self.orders.lock().await;
            self.count_guards().await
        };
        if let Err(error) = counted {
            tracing::warn!(code = %error.code(), "what was ordered before it came is not counted: tried again with the next order");
        }
        loop {
            tokio::time::sleep(TURN).await;
            if let Err(error) = self.settle_orders().await {
                tracing::warn!(code = %error.code(), "an erasure does not go on: tried again");
            }
            if let Err(error) = self.run_cases().await {
                tracing::warn!(code = %error.code(), "a case does not go on: tried again");
            }
        }
    }
}
