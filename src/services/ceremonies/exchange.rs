//! How every member comes to have every message: told at once by whoever takes one, and compared with another member again and again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::mailbox::Known;
use super::rows::names;
use crate::ceremony::{Carried, CeremonyId};
use crate::services::governed::Governed;
use crate::services::native::path;
use crate::services::records::now;
use crate::services::supervision::{below, others};
use crate::services::{Error, NativeAddress, Node, PeerError};
use crate::types::{Coded as _, MemberId};
use crate::wire::native::{CeremoniesAfter, CeremonyPage, Message as _};

/// One member is told, or asked for a page.
const BUDGET: Duration = Duration::from_secs(3);
/// Members that are told by one who learned of it.
const FAN_OUT: usize = 4;
/// Things of one page, and their bytes.
const PAGE: usize = 256;
const PAGE_BYTES: usize = 512 << 10;
/// Pages of one comparison: more than all members may fill.
///
/// Threat: a member that pages for ever.
const PAGES: usize = 4_096;

impl Node {
    /// Tells every other member; how many have it, and who does not.
    pub(super) async fn tell_of_ceremony(&self, governed: &Arc<Governed>, carried: &Carried) -> (usize, Vec<MemberId>) {
        let others = others(governed);
        let bytes = carried.encode();
        let outcomes = join_all(others.iter().map(|to| tell(governed, to, &bytes))).await;
        let failed = others.iter().zip(outcomes).filter_map(|(to, outcome)| outcome.err().map(|error| (to, error)));
        let silent: Vec<MemberId> = failed
            .map(|(to, error)| {
                tracing::debug!(member = %to.member, error = error.without_words(), "a word of a ceremony was not told");
                to.member.clone()
            })
            .collect();
        (others.len() - silent.len(), silent)
    }

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
            let others = others(&governed);
            if !others.is_empty() {
                self.compare_ceremonies(&governed, &others[below(others.len())]).await;
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

impl Governed {
    /// A few others hear of it from one who has just learned of it.
    pub(super) fn pass_ceremony_on(self: &Arc<Self>, from: &MemberId, carried: &Carried) {
        let (governed, bytes) = (Arc::clone(self), carried.encode());
        let mut others = others(&governed);
        others.retain(|to| to.member != *from);
        let tasks = governed.tasks.clone();
        tasks.spawn(async move {
            while others.len() > FAN_OUT {
                others.swap_remove(below(others.len()));
            }
            join_all(others.iter().map(|to| tell(&governed, to, &bytes))).await;
        });
    }
}

async fn tell(governed: &Governed, to: &NativeAddress, carried: &[u8]) -> Result<(), PeerError> {
    governed.peers.call(to, path::CEREMONY_TELL, carried.to_vec().into(), BUDGET).await.map(drop)
}
