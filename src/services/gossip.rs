//! How what everybody is to know reaches everybody: told to all by whoever begins it, passed on to a few by each that learns of it, and compared
//! with another member again and again.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;

use super::governed::{Governed, may_be_told, native_address};
use super::{NativeAddress, PeerError};
use crate::crypto::random;
use crate::types::MemberId;

/// One member is told, or asked for a page.
pub(super) const BUDGET: Duration = Duration::from_secs(3);
/// Members that are told by one who learned of it.
const FAN_OUT: usize = 4;
/// Things of one page, and their bytes.
pub(super) const PAGE: usize = 256;
pub(super) const PAGE_BYTES: usize = 512 << 10;
/// Pages of one comparison: more than all members may fill.
///
/// Threat: a member that pages for ever.
pub(super) const PAGES: usize = 4_096;

/// Every other member that runs a Celosia and may be told: suspended ones learn of orders and ceremonies, too.
pub(super) fn others(governed: &Governed) -> Vec<NativeAddress> {
    let charter = governed.charter();
    let others = charter.members().all().iter().filter(|member| may_be_told(member) && member.id != governed.me);
    others.filter_map(native_address).collect()
}

/// One of them, drawn by lot; `None` where there are none.
pub(super) fn one_of(mut others: Vec<NativeAddress>) -> Option<NativeAddress> {
    (!others.is_empty()).then(|| others.swap_remove(below(others.len())))
}

/// Tells every other member; how many have it, and who does not.
pub(super) async fn tell_all(governed: &Governed, path: &'static str, bytes: Bytes) -> (usize, Vec<MemberId>) {
    let others = others(governed);
    let outcomes = join_all(others.iter().map(|to| tell(governed, to, path, bytes.clone()))).await;
    let failed = others.iter().zip(outcomes).filter_map(|(to, outcome)| outcome.err().map(|error| (to, error)));
    let silent: Vec<MemberId> = failed
        .map(|(to, error)| {
            tracing::warn!(member = %to.member, path, error = error.without_words(), "what all members are to know was not told");
            to.member.clone()
        })
        .collect();
    (others.len() - silent.len(), silent)
}

/// A few others hear of it from one who has just learned of it.
pub(super) fn pass_on(governed: &Arc<Governed>, from: &MemberId, path: &'static str, bytes: Bytes) {
    let governed = Arc::clone(governed);
    let mut others = others(&governed);
    others.retain(|to| to.member != *from);
    let tasks = governed.tasks.clone();
    tasks.spawn(async move {
        while others.len() > FAN_OUT {
            others.swap_remove(below(others.len()));
        }
        join_all(others.iter().map(|to| tell(&governed, to, path, bytes.clone()))).await;
    });
}

async fn tell(governed: &Governed, to: &NativeAddress, path: &'static str, bytes: Bytes) -> Result<(), PeerError> {
    governed.peers.call(to, path, bytes, BUDGET).await.map(drop)
}

/// A number below a bound, by lot.
fn below(bound: usize) -> usize {
    let wide = u64::from_le_bytes(random());
    usize::try_from(wide % (bound.max(1) as u64)).unwrap_or_default()
}
