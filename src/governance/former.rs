//! What members were known by before: what they signed and received then stays theirs after a key was replaced.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Delta, Directory, MAX_CHANGES, Signed};
use crate::crypto::sign::VerifyKey;
use crate::translog::note::Note;
use crate::types::{Address, MemberId};

/// Keys and addresses that a newer directory does not name any more, and the directories that show them.
#[derive(Clone, Debug, Default)]
pub(super) struct Former {
    keys: BTreeMap<MemberId, Vec<Ended<VerifyKey>>>,
    addresses: BTreeMap<Address, Vec<Ended<MemberId>>>,
    pub(super) changes: BTreeMap<MemberId, u32>,
    kept: Option<Kept>,
}

/// Something that a member had. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug)]
struct Ended<T> {
    what: T,
    /// When the directory was issued that does not name it any more.
    at: u64,
    /// Until when something made with it may be dated: later than `at`, by the policy's grace.
    taken: u64,
}

/// Directories that a key or an address went with, each followed by the one without it. A network of many members keeps many of them, so
/// the first alone is whole.
#[derive(Clone, Debug)]
struct Kept {
    first: Arc<Signed<Directory>>,
    last: Arc<Signed<Directory>>,
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
struct Step {
    delta: Arc<Delta>,
    /// [`Ended::taken`] of what went with it.
    taken: u64,
}

/// A directory on its way to others.
pub(super) enum Sent {
    /// With all of its entries.
    Whole(Note),
    /// As what changed since the one before.
    Changed(Arc<Delta>),
}

impl Former {
    /// The member whose keys or addresses change too often if one directory follows another: a change, so that nothing kept is ever dropped,
    /// must have an end.
    pub(super) fn too_often<'a>(&self, old: &Directory, new: &'a Directory) -> Option<&'a MemberId> {
        let is_over = |id: &MemberId| self.changes.get(id).is_some_and(|count| *count >= MAX_CHANGES);
        let over = |before: &super::Member| {
            let now = new.member(&before.id).filter(|now| is_over(&now.id))?;
            gone(before, now).is_some().then_some(&now.id)
        };
        old.members.iter().find_map(over)
    }

    /// Notes what goes as one directory follows another. What is made with it may be dated `grace` milliseconds later.
    pub(super) fn note(&mut self, old: &Arc<Signed<Directory>>, new: &Arc<Signed<Directory>>, grace: u64) {
        let at = u64::try_from(new.content.head.issued.as_millisecond()).unwrap_or_default();
        let taken = at.saturating_add(grace);
        let mut is_changed = false;
        for before in &old.content.members {
            let Some((now, (key, addresses))) = new.content.member(&before.id).and_then(|now| Some((now, gone(before, now)?)))
            else {
                continue;
            };
            is_changed = true;
            *self.changes.entry(now.id.clone()).or_default() += 1;
            if let Some(key) = key {
                let keys = self.keys.entry(before.id.clone()).or_default();
                keys.retain(|known| known.what != key);
                keys.push(Ended { what: key, at, taken });
            }
            for address in addresses {
                self.addresses.entry(address).or_default().push(Ended { what: before.id.clone(), at, taken });
            }
        }
        if is_changed {
            self.keep(old, new, taken);
        }
    }

    fn keep(&mut self, old: &Arc<Signed<Directory>>, new: &Arc<Signed<Directory>>, taken: u64) {
        let kept = self.kept.get_or_insert_with(|| Kept { first: Arc::clone(old), last: Arc::clone(old), steps: Vec::new() });
        if kept.last.hash != old.hash {
            kept.steps.push(Step { delta: Arc::new(Delta::between(&kept.last, old)), taken });
        }
        kept.steps.push(Step { delta: Arc::new(Delta::between(old, new)), taken });
        kept.last = Arc::clone(new);
    }

    /// Keys that a member had before and that something of a time may be signed with, the newest first.
    pub(super) fn keys(&self, member: &MemberId, time: u64) -> impl Iterator<Item = VerifyKey> {
        let keys = self.keys.get(member).into_iter().flat_map(|keys| keys.iter().rev());
        keys.filter(move |key| time < key.taken).map(|key| key.what)
    }

    /// Whose an address was at a time: of those that lost it, the first to lose it afterwards.
    pub(super) fn owner(&self, address: &Address, time: u64) -> Option<&MemberId> {
        self.addresses.get(address)?.iter().find(|owner| time < owner.at).map(|owner| &owner.what)
    }

    /// Whose an address was last, and until when something that names it may be dated.
    pub(super) fn last_owner(&self, address: &Address) -> Option<(&MemberId, u64)> {
        self.addresses.get(address)?.last().map(|owner| (&owner.what, owner.taken))
    }

    /// The directories that others need to check what is dated `since` or later, with their versions, and the newest one.
    pub(super) fn directories(&self, since: u64, newest: &Arc<Signed<Directory>>) -> Vec<(u64, Sent)> {
        let whole = |note: Note| Sent::Whole(note);
        let version = newest.content.head.version;
        let Some(Kept { first, last, steps }) = &self.kept else { return vec![(version, whole(newest.note.clone()))] };
        let Some(begin) = steps.iter().position(|step| since < step.taken) else {
            return vec![(version, whole(newest.note.clone()))];
        };
        let (before, after) = steps.split_at(begin);
        let before: Vec<&Delta> = before.iter().map(|step| &*step.delta).collect();
        let at = before.last().map_or(first.content.head.version, |delta| delta.version());
        // Each was made of a directory that stood.
        let Ok(note) = Delta::apply_all(first, &before) else { return vec![(version, whole(newest.note.clone()))] };
        let mut sent = vec![(at, whole(note))];
        sent.extend(after.iter().map(|step| (step.delta.version(), Sent::Changed(Arc::clone(&step.delta)))));
        if last.hash != newest.hash {
            sent.push((version, Sent::Changed(Arc::new(Delta::between(last, newest)))));
        }
        sent
    }
}

/// The signing key and the addresses that an entry had and has no more, if any.
fn gone(before: &super::Member, now: &super::Member) -> Option<(Option<VerifyKey>, Vec<Address>)> {
    let key = before.signing_key.filter(|key| now.signing_key != Some(*key));
    let addresses: Vec<Address> = before.addresses.iter().filter(|address| !now.addresses.contains(address)).copied().collect();
    (key.is_some() || !addresses.is_empty()).then_some((key, addresses))
}

#[cfg(test)]
mod tests;
