//! What a supervisor sees, as it comes.

use super::SupervisionError;
use super::feed::{Seen, is_supervisor};
use super::rows::{COPY, copy_key, place};
use crate::services::{Error, Node};
use crate::store::Table;

/// Rows looked at for one page.
const PAGE: usize = 256;

/// A page of the feed.
#[derive(Clone, Debug)]
pub struct Watched {
    /// What may be seen, in its order.
    pub seen: Vec<Seen>,
    /// The place to go on from. There is more now if it is behind the one that was asked for.
    pub next: u64,
}

impl Node {
    /// Whether this node's member is a supervisor.
    pub fn may_watch(&self) -> Result<(), Error> {
        let governed = self.needs_governance()?;
        if is_supervisor(&governed.charter(), &governed.me) {
            return Ok(());
        }
        Err(SupervisionError::NotASupervisor(governed.me.clone()).into())
    }

    /// A page of what this supervisor sees, from a place on. The scopes of the policy in force decide, at every page anew.
    pub async fn watch(&self, from: u64) -> Result<Watched, Error> {
        self.may_watch()?;
        let governed = self.needs_governance()?;
        let charter = governed.charter();
        let until = governed.desk.feed.shown_until();
        let after = from.checked_sub(1).map(copy_key);
        let rows = self.store.rows(Table::Supervision, &[COPY], after.as_deref(), PAGE).await?;
        let is_full = rows.len() == PAGE;
        let (mut seen, mut next) = (Vec::new(), from);
        for (key, row) in rows {
            let Some(at) = place(&key).filter(|at| *at < until) else { break };
            next = at + 1;
            seen.extend(self.seen(&charter, &governed.me, at, &row).await?);
        }
        // What was erased leaves gaps: the end of the feed is known without a row.
        if !is_full && next < until {
            next = until;
        }
        Ok(Watched { seen, next })
    }

    /// Resolves when something stands in the feed from a place on.
    pub async fn watch_for(&self, from: u64) {
        let Some(governed) = &self.governed else { return std::future::pending().await };
        loop {
            let news = governed.desk.feed.news.notified();
            if governed.desk.feed.shown_until() > from {
                return;
            }
            news.await;
        }
    }
}
