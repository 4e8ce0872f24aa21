//! From unreadable to purged to backup-safe, for the orders that this node took.

use std::sync::Arc;

use super::rows::{Kept, Mark, put_kept};
use crate::erasure::{Level, SignedOrder};
use crate::services::governed::Governed;
use crate::services::records::now;
use crate::services::{Error, Node};

/// What whoever keeps the root says, for receipts.
pub(super) struct RootWords {
    /// `file`, `vault` or `pkcs11`.
    pub(super) kind: String,
    /// What was said of the destruction of the last root.
    pub(super) word: String,
    /// The newest generation that a completed rotation destroyed, 0 for none.
    pub(super) gone: u32,
    /// When the next is due.
    pub(super) next: Option<u64>,
}

impl Node {
    /// What keeps the root, and what it said of the last rotation.
    pub(super) async fn root_words(&self) -> Result<RootWords, Error> {
        let status = self.root_status().await?;
        let words: Vec<&str> = status.last.iter().flat_map(|last| &last.destroyed).map(|gone| gone.word.as_str()).collect();
        let (kind, word) = (status.kind.name().to_owned(), words.join("; "));
        Ok(RootWords { kind, word, gone: status.last.as_ref().map_or(0, |last| last.from), next: self.next_rotation() })
    }

    /// Takes each open order as far as it can go now.
    ///
    /// The second level waits for the node's own cache of payloads (five minutes), and is reached by a purge that *began* after the last
    /// item was punctured; the third by a rotation that did.
    pub(super) async fn settle_orders(self: &Arc<Self>) -> Result<(), Error> {
        let governed = self.needs_governance()?;
        let mut purge_wanted = false;
        let open = self.open_orders().await?;
        for digest in &open {
            let _one = self.orders.lock().await;
            let Some(mut kept) = self.kept(digest).await? else { continue };
            let Ok(signed) = SignedOrder::decode(&kept.order) else { continue };
            if kept.marks.iter().any(|mark| matches!(Mark::of(*mark), Mark::Pending | Mark::Held))
                && self.may_go_on(&signed, &kept).await?
            {
                self.carry_out(governed, &signed, &mut kept).await?;
            }
            self.raise(governed, &signed, &mut kept).await?;
            purge_wanted |= kept.level == Level::E1.number() && self.is_cold(&kept);
        }
        if purge_wanted {
            self.purge_for(&open).await?;
        }
        Ok(())
    }

    /// Whether something is left to do: an item without an answer, or one whose hold is over.
    async fn may_go_on(&self, signed: &SignedOrder, kept: &Kept) -> Result<bool, Error> {
        for (mark, item) in kept.marks.iter().zip(&signed.order.items) {
            match Mark::of(*mark) {
                Mark::Pending => return Ok(true),
                Mark::Held if self.held_until(item).await?.is_none() => return Ok(true),
                _ => {}
            }
        }
        Ok(false)
    }

    /// Whether the node's cache cannot hold it any more.
    fn is_cold(&self, kept: &Kept) -> bool {
        let wait = u64::try_from(self.settings.node_cache.as_millis()).unwrap_or(u64::MAX);
        kept.erased > 0 && now() >= kept.erased.saturating_add(wait)
    }

    /// Purges the live files once for all orders that wait for it, and writes down that it was done for them.
    async fn purge_for(self: &Arc<Self>, open: &[[u8; 32]]) -> Result<(), Error> {
        // Those that were unreadable, for long enough, when the purge began; and are what they were when it ends.
        let mut waiting = Vec::new();
        for digest in open {
            let kept = self.kept(digest).await?;
            waiting.extend(kept.filter(|kept| kept.level == Level::E1.number() && self.is_cold(kept)).map(|kept| (digest, kept)));
        }
        let started = now();
        self.purge().await?;
        for (digest, before) in waiting {
            let _one = self.orders.lock().await;
            let Some(mut kept) = self.kept(digest).await? else { continue };
            if kept == before {
                kept.purged = started.max(1);
                self.store.write(put_kept(digest, &kept, true), Vec::new()).await?;
            }
        }
        Ok(())
    }

    async fn raise(&self, governed: &Governed, signed: &SignedOrder, kept: &mut Kept) -> Result<(), Error> {
        let mut level = kept.level;
        if level == Level::E1.number() && kept.purged > 0 {
            level = Level::E2.number();
        }
        if level == Level::E2.number() && kept.generation > 0 && self.root_words().await?.gone >= kept.generation {
            level = Level::E3.number();
        }
        if level != kept.level {
            kept.level = level;
            self.sign_receipt(governed, signed, kept).await?;
        }
        Ok(())
    }
}
