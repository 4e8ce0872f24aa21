//! How every member comes to have every message: told at once by whoever takes one, and compared with another member again and again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::mailbox::Known;
use super::rows::names;
use crate::ceremony::CeremonyId;
use crate::services::gossip::{BUDGET, PAGE, PAGE_BYTES, PAGES, one_of, others};
use crate::services::governed::Governed;
use crate::services::native::path;
use crate::services::records::now;
use crate::services::{Error, NativeAddress, Node};
use crate::types::Coded as _;
use crate::wire::native::{CeremoniesAfter, CeremonyPage, Message as _};

impl Node {
    /// A page of what a member does not know: of ceremonies of which it knows the same as we, nothing.
    pub async fn ceremonies_after(&self, asked: &CeremoniesAfter) -> Result<CeremonyPage, Error> {
        let governed = self.needs_governance()?;
        let names = unknown_to(&governed.mail.known.read(), asked, now());
        let (mut items, mut bytes, mut last) = (Vec::new(), 0, Vec::new());
        let count = names.len();
        let mut looked = 0;
        for name in names.into_iter().take(PAGE) {
            if let Some(carried) = self.carried(&name).await? {
                bytes += carried.len();
                items.push(carried.to_vec().into());
            }
            (looked, last) = (looked + 1, name);
            if bytes > PAGE_BYTES {
                break;
            }
        }
        let next = if looked < count { last } else { Vec::new() };
        Ok(CeremonyPage { items, next: next.into() })
    }

    /// Compares ceremonies with every other member once, then with one drawn by lot at every interval, until it is dropped. Lets go of what
    /// is over.
    pub async fn keep_ceremonies(self: Arc<Self>, interval: Duration) {
        let Some(governed) = self.governed.clone() else { return };
        let all = others(&governed);
        join_all(all.iter().map(|to| self.compare_ceremonies(&governed, to))).await;
        loop {
            tokio::time::sleep(interval).await;
            if let Err(error) = self.end_ceremonies(&governed).await {
                tracing::warn!(%error, code = %error.code(), "a ceremony that is over stays");
            }
            if let Some(with) = one_of(others(&governed)) {
                self.compare_ceremonies(&governed, &with).await;
            }
        }
    }

    async fn compare_ceremonies(self: &Arc<Self>, governed: &Arc<Governed>, with: &NativeAddress) {
        let mut after = Vec::new();
        for _ in 0..PAGES {
            let known = governed.mail.known.read().fingerprints();
            let asked = CeremoniesAfter { known: known.into(), after: after.clone().into() };
            let answer = governed.peers.call(with, path::CEREMONY_COMPARE, asked.to_bytes().into(), BUDGET).await;
            let page = match answer.map(|bytes| CeremonyPage::from_bytes(&bytes)) {
                Ok(Ok(page)) => page,
                Ok(Err(_)) => return tracing::debug!(member = %with.member, "a page of ceremonies does not decode"),
                Err(error) => {
                    return tracing::debug!(member = %with.member, error = error.without_words(), "ceremonies are not compared");
                }
            };
            for item in page.items.iter().take(PAGE) {
                if let Err(error) = self.take_carried(&with.member, item).await {
                    tracing::debug!(member = %with.member, code = %error.code(), "a word of a ceremony is not taken");
                }
            }
            if page.next.is_empty() || page.next.as_slice() <= after.as_slice() {
                return;
            }
            after = page.next.to_vec();
        }
    }
}

/// Names of what a member lacks, or may lack, behind the place where its last page ended.
fn unknown_to(known: &Known, asked: &CeremoniesAfter, now: u64) -> Vec<Vec<u8>> {
    let theirs: HashMap<&[u8], &[u8]> = asked.known.chunks_exact(64).map(|pair| pair.split_at(32)).collect();
    let ours = known.fingerprints();
    let differs = |id: &CeremonyId, own: &[u8]| theirs.get(&id.0[..]).is_none_or(|theirs| *theirs != own);
    let wanted = known.0.iter().zip(ours.chunks_exact(64)).filter(|((id, kept), own)| {
        let is_reached = id.0[..] >= asked.after[..asked.after.len().min(32)];
        is_reached && kept.is_young(now) && differs(id, &own[32..])
    });
    let all = wanted.flat_map(|((id, kept), _)| names(id, kept));
    all.filter(|name| name.as_slice() > asked.after.as_slice()).take(PAGE + 1).collect()
}
