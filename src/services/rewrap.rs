//! After a key of this node was replaced: what was boxed under the old one is boxed under the new one from now on (`docs/operations.md`).

use serde::Serialize;

use super::happening::{Happening, Kind as What};
use super::{Error, Node, ReturnError};
use crate::enclave::{EnclaveError, Meta};
use crate::shred::SealedHead;
use crate::store::{Kind, Lookup};
use crate::types::{Address, PayloadId};

/// Heads read at once.
const PAGE: usize = 1_000;

/// What was written anew.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Rewrapped {
    /// Records in Tessera's suite that name the new key now.
    pub rewritten: u64,
    /// Records of the suite celosia-1, which need nothing: their boxes are for keys of the day.
    pub native: u64,
    /// Records that cannot be read, because they are erased or blocked.
    pub unread: u64,
}

impl Node {
    /// Writes the heads of Tessera's suite that name `old` anew, for `new`, which must be a key of ours. Safe to repeat. The old private key
    /// is not needed: heads lie under leaves.
    pub async fn rewrap(&self, old: Address, new: Address, by: &str) -> Result<Rewrapped, Error> {
        let is_formerly_ours = self.directory.is_own(&old)
            || self.governed.as_ref().is_none_or(|governed| governed.charter().last_owner_of(&old) == Some(&governed.me));
        if old == new || !self.directory.is_own(&new) || !is_formerly_ours {
            return Err(ReturnError::Keys.into());
        }
        let mut done = Rewrapped::default();
        for kind in [Kind::Payload, Kind::Raw] {
            let mut after = None;
            loop {
                let page = self.store.heads(kind, after, PAGE).await?;
                let Some((last, ..)) = page.last() else { break };
                after = Some(*last);
                for (id, _, head) in page {
                    self.rewrap_one(kind, id, head, (old, new), &mut done).await?;
                }
            }
        }
        let details = serde_json::json!({ "old": old, "new": new });
        let event = Happening::now(What::Rewrapped).actor(by, "operator").count(done.rewritten).details(details).event();
        self.store.write(Vec::new(), vec![event]).await?;
        Ok(done)
    }

    async fn rewrap_one(
        &self,
        kind: Kind,
        id: PayloadId,
        mut head: SealedHead,
        (old, new): (Address, Address),
        done: &mut Rewrapped,
    ) -> Result<(), Error> {
        loop {
            let meta = match self.enclave.meta(id, &head).await {
                Ok(meta) if meta.native.is_some() => {
                    done.native += 1;
                    return Ok(());
                }
                Ok(meta) => meta,
                Err(EnclaveError::Erased) => {
                    done.unread += 1;
                    return Ok(());
                }
                Err(error) => return Err(error.into()),
            };
            let Some(renamed) = renamed(meta, old, new) else { return Ok(()) };
            let written = match self.enclave.rewrite(id, &head, renamed).await {
                Err(EnclaveError::Erased) => {
                    done.unread += 1;
                    return Ok(());
                }
                other => other?,
            };
            if self.store.replace_head(kind, id, head, written).await? {
                done.rewritten += 1;
                return Ok(());
            }
            // Somebody wrote it anew meanwhile, or it is gone.
            let Lookup::Found(newer) = self.store.head(kind, &id).await? else { return Ok(()) };
            head = newer;
        }
    }
}

/// The words with one key in the place of another; nothing if they do not name it.
fn renamed(mut meta: Meta, old: Address, new: Address) -> Option<Meta> {
    let before = meta.clone();
    if meta.sender == old {
        meta.sender = new;
    }
    for list in [&mut meta.recipients, &mut meta.privacy.mandatory] {
        let has_new = list.contains(&new);
        list.retain(|key| *key != old || !has_new);
        list.iter_mut().filter(|key| **key == old).for_each(|key| *key = new);
    }
    (meta != before).then_some(meta)
}
