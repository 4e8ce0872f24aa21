//! The end of retention: what is due is erased, in a case like any other.

use std::sync::Arc;
use std::time::Duration;

use super::NewCase;
use crate::erasure::{Ground, MAX_ITEMS, Scope};
use crate::services::records::now;
use crate::services::{Error, Node};
use crate::types::{Coded as _, ItemId, PayloadId};

/// How often it is looked for.
const EVERY: Duration = Duration::from_mins(1);
/// Who decided, in the journal.
const RETENTION: &str = "retention";

impl Node {
    /// Erases what is due, until it is dropped.
    pub async fn keep_retention(self: Arc<Self>) {
        loop {
            if let Err(error) = self.erase_due().await {
                tracing::warn!(code = %error.code(), "what is due is not erased: tried again");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Erases what is due now; how many items. A hold stands before it.
    async fn erase_due(self: &Arc<Self>) -> Result<usize, Error> {
        let mut items = Vec::new();
        for item in self.due(now(), MAX_ITEMS).await? {
            if self.held_until(&item).await?.is_none() {
                items.push(item);
            }
        }
        if items.is_empty() {
            return Ok(0);
        }
        let count = items.len();
        if self.governed.is_some() {
            let new = NewCase { scope: Scope::Items(items), ground: Ground::Retention, urgent: false };
            let case = self.request_erasure(new, RETENTION).await?;
            self.decide_erasure(case.id, RETENTION).await?;
        } else {
            let payloads: Vec<PayloadId> = items
                .iter()
                .filter_map(|item| match item {
                    ItemId::Payload(id) => Some(*id),
                    ItemId::Document(_) => None,
                })
                .collect();
            self.erase_all(&payloads).await?;
        }
        tracing::info!(count, "what was due was erased");
        Ok(count)
    }
}
