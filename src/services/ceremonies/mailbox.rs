//! Which ceremonies are here, and who said what in them: a digest for each word.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::RelayError;
use crate::ceremony::{CeremonyId, Message, Opening, Plan};
use crate::crypto::hash::sha256;
use crate::crypto::sign::VerifyKey;
use crate::types::MemberId;

/// How long a ceremony is heard of for the first time after it was opened, and how long a node keeps it, milliseconds.
pub(super) const LIFETIME: u64 = 30 * 86_400_000;
/// Ceremonies of one member that a node keeps. As each is kept for 30 days, also the most that it opens in 30 days.
const MOST: usize = 16;
/// Room of one member, bytes.
const MEMBER_BYTES: usize = 16 << 20;
/// Room of all members, bytes: of more than 64 each has its part.
const TOTAL_BYTES: usize = 1 << 30;
/// Different words of one officer in one round: two show that it cheats, and who they are from.
const WORDS: usize = 2;
const ROUNDS: usize = 3;

/// What is known.
#[derive(Default)]
pub(super) struct Mailbox(RwLock<Known>);

/// Ceremonies by their number.
#[derive(Default)]
pub(super) struct Known(pub(super) BTreeMap<CeremonyId, Kept>);

/// One ceremony.
pub(super) struct Kept {
    pub(super) opening: Opening,
    /// When it came here, milliseconds since the Unix epoch.
    pub(super) taken: u64,
    pub(super) said: BTreeMap<(u8, VerifyKey), Vec<Said>>,
    /// Words that came so far.
    places: u64,
}

/// One word.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Said {
    pub(super) digest: [u8; 32],
    /// In the order of their coming, from 1.
    pub(super) place: u64,
}

impl Mailbox {
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Known {
    /// Whether a member's ceremony finds a place. The room for all that its officers may say is set aside at once.
    ///
    /// Threat: one member opens ceremonies without end, or officers of its making talk without end, and others find no room for theirs.
    pub(super) fn has_room(&self, member: &MemberId, plan: &Plan, members: usize) -> Result<(), RelayError> {
        let own: Vec<&Kept> = self.0.values().filter(|kept| kept.opening.member == *member).collect();
        let taken: usize = own.iter().map(|kept| room(&kept.opening.plan)).sum();
        let share = MEMBER_BYTES.min(TOTAL_BYTES / members.max(1));
        if own.len() < MOST && taken + room(plan) <= share { Ok(()) } else { Err(RelayError::Full(member.clone())) }
    }

    pub(super) fn kept(&self, id: &CeremonyId) -> Result<&Kept, RelayError> {
        self.0.get(id).ok_or(RelayError::Unknown(*id))
    }

    pub(super) fn open(&mut self, opening: Opening, taken: u64) {
        let id = opening.plan.id();
        self.0.entry(id).or_insert(Kept { opening, taken, said: BTreeMap::new(), places: 0 });
    }

    /// What two members compare: `ceremony (32) ‖ fingerprint (32)` of each.
    pub(super) fn fingerprints(&self) -> Vec<u8> {
        self.0.iter().flat_map(|(id, kept)| [id.0, kept.fingerprint()].concat()).collect()
    }

    /// Ceremonies whose time here is over.
    pub(super) fn over(&self, now: u64) -> Vec<CeremonyId> {
        let over = self.0.iter().filter(|(_, kept)| kept.taken.saturating_add(LIFETIME) < now);
        over.map(|(id, _)| *id).collect()
    }
}

impl Kept {
    /// Whether a word is news: false if it is here.
    ///
    /// Threat: the first word of an officer hides that it said another to others. So two are kept, and everybody sees both.
    pub(super) fn is_news(&self, message: &Message, length: usize) -> Result<bool, RelayError> {
        let longest = self.opening.plan.longest();
        if length > longest {
            return Err(RelayError::Long(longest));
        }
        let said = self.said.get(&(message.round, message.from)).map_or(&[][..], Vec::as_slice);
        if said.iter().any(|said| said.digest == message.digest()) {
            return Ok(false);
        }
        if said.len() < WORDS { Ok(true) } else { Err(RelayError::Third) }
    }

    /// The place of the next word.
    pub(super) fn next(&self) -> u64 {
        self.places + 1
    }

    pub(super) fn add(&mut self, round: u8, from: VerifyKey, said: Said) {
        self.said.entry((round, from)).or_default().push(said);
        self.places = self.places.max(said.place);
    }

    /// The same at two nodes that know the same. Of one who said two things, that is what counts, not which two of more.
    fn fingerprint(&self) -> [u8; 32] {
        let mut all = Vec::with_capacity(65 * self.said.len());
        for ((round, from), said) in &self.said {
            all.push(*round);
            all.extend_from_slice(from.as_bytes());
            match &said[..] {
                [one] => all.extend_from_slice(&one.digest),
                _ => all.extend_from_slice(b"two"),
            }
        }
        sha256(&[b"celosia ceremony\n", &all])
    }

    /// Whether another node may still hear of it for the first time.
    pub(super) fn is_young(&self, now: u64) -> bool {
        self.opening.opened.saturating_add(LIFETIME) > now
    }

    /// Who has not spoken in a round, by name.
    pub(super) fn missing(&self, round: u8) -> Vec<String> {
        let speakers = self.opening.plan.speakers(round).into_iter();
        speakers.filter(|(key, _)| !self.said.contains_key(&(round, *key))).map(|(_, name)| name).collect()
    }

    /// Who said two different things in one round, by name.
    pub(super) fn two_tongued(&self) -> Vec<String> {
        let is_one = |key: &VerifyKey| (1..=3).any(|round| self.said.get(&(round, *key)).is_some_and(|said| said.len() > 1));
        let speakers = self.opening.plan.speakers(3).into_iter();
        speakers.filter(|(key, _)| is_one(key)).map(|(_, name)| name).collect()
    }

    /// `open` until all have spoken in the last round.
    pub(super) fn is_done(&self) -> bool {
        self.missing(3).is_empty()
    }
}

/// All that a ceremony can come to, bytes.
fn room(plan: &Plan) -> usize {
    plan.to_toml().len() + plan.speakers(3).len() * ROUNDS * WORDS * plan.longest()
}

#[cfg(test)]
mod tests;
