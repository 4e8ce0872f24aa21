//! What members were known by before: what they signed and received then stays theirs after a key was replaced.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Directory, Signed};
use crate::crypto::sign::VerifyKey;
use crate::types::{Address, MemberId};

/// Superseded directories that are kept whole, so that others can check what they say: the newest of those that a key or address went with.
const MOST: usize = 64;

/// Keys and addresses that a newer directory does not name any more.
#[derive(Clone, Debug, Default)]
pub(super) struct Former {
    keys: BTreeMap<MemberId, Vec<VerifyKey>>,
    addresses: BTreeMap<Address, MemberId>,
    directories: Vec<Arc<Signed<Directory>>>,
}

impl Former {
    /// Notes what goes as one directory follows another.
    pub(super) fn note(&mut self, old: &Arc<Signed<Directory>>, new: &Directory) {
        let mut is_changed = false;
        for before in &old.content.members {
            let Some(now) = new.member(&before.id) else { continue };
            if let Some(key) = before.signing_key.filter(|key| now.signing_key != Some(*key)) {
                let keys = self.keys.entry(before.id.clone()).or_default();
                keys.retain(|known| *known != key);
                keys.push(key);
                is_changed = true;
            }
            for address in before.addresses.iter().filter(|address| !now.addresses.contains(address)) {
                self.addresses.insert(*address, before.id.clone());
                is_changed = true;
            }
        }
        if is_changed {
            self.directories.push(Arc::clone(old));
            if self.directories.len() > MOST {
                self.directories.remove(0);
            }
        }
    }

    /// Keys that a member signed with before, the newest first.
    pub(super) fn keys(&self, member: &MemberId) -> impl Iterator<Item = VerifyKey> {
        self.keys.get(member).into_iter().flat_map(|keys| keys.iter().rev().copied())
    }

    /// Whose an address was last.
    pub(super) fn owner(&self, address: &Address) -> Option<&MemberId> {
        self.addresses.get(address)
    }

    /// The superseded directories.
    pub(super) fn directories(&self) -> &[Arc<Signed<Directory>>] {
        &self.directories
    }
}
