//! Words that a supervisor no longer stands by, for what they were of is taken back from it: recipients take nothing on them any more, and say
//! what they have.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::{StreamExt as _, stream};

use super::SupervisionError;
use super::feed::is_supervisor;
use crate::governance::Charter;
use crate::services::governed::{Governed, MAX_SKEW, native_address};
use crate::services::native::path;
use crate::services::{Error, NativeAddress, Node};
use crate::types::{Address, MemberId, PayloadId};
use crate::wire::Header;
use crate::wire::native::{HeldAsked, HeldSaid, Message as _};

/// How long a word could be used: as old as clocks may be apart, on both sides.
const LIFETIME: Duration = Duration::from_secs(2 * MAX_SKEW.unsigned_abs());
/// Words that are remembered. Beyond them a supervisor hears that it is here, and forgets nothing.
///
/// Threat: a sender takes back so much that the word is forgotten that it wants to use.
const CAPACITY: usize = 16_384;
/// One question.
const BUDGET: Duration = Duration::from_secs(3);
/// Members that are asked where the recipients are not known.
const MOST_ASKED: usize = 256;
/// Questions under way at once.
const AT_ONCE: usize = 32;

type Word = (PayloadId, [u8; 32]);

/// Words that do not count any more.
#[derive(Default)]
pub(crate) struct Revoked(Mutex<Words>);

#[derive(Default)]
struct Words {
    by_word: BTreeMap<Word, Vec<MemberId>>,
    by_age: VecDeque<(Instant, Word, MemberId)>,
}

impl Revoked {
    /// False if there is no room to remember it.
    fn add(&self, supervisor: &MemberId, word: Word) -> bool {
        let mut words = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        words.expire(Instant::now());
        if words.by_word.get(&word).is_some_and(|by| by.contains(supervisor)) {
            return true;
        }
        if words.by_age.len() >= CAPACITY {
            return false;
        }
        words.by_word.entry(word).or_default().push(supervisor.clone());
        words.by_age.push_back((Instant::now(), word, supervisor.clone()));
        true
    }

    /// Whose word on a payload under a header does not count.
    fn by(&self, word: &Word) -> Vec<MemberId> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).by_word.get(word).cloned().unwrap_or_default()
    }
}

impl Words {
    fn expire(&mut self, now: Instant) {
        while self.by_age.front().is_some_and(|(since, ..)| now.duration_since(*since) >= LIFETIME) {
            let Some((_, word, supervisor)) = self.by_age.pop_front() else { break };
            if let Some(by) = self.by_word.get_mut(&word) {
                by.retain(|one| *one != supervisor);
                if by.is_empty() {
                    self.by_word.remove(&word);
                }
            }
        }
    }
}

impl Governed {
    /// Refuses what a supervisor of it was told to forget.
    ///
    /// Threat: a sender takes a payload back from its supervisor, and delivers it to others with the word that it has already.
    pub(crate) fn not_revoked(&self, charter: &Charter, header: &Header, digest: [u8; 32]) -> Result<(), SupervisionError> {
        let policy = charter.policy_under(header.policy);
        let scopes = || policy.scopes.iter().filter(|scope| scope.may_cover(&header.member, header.class));
        let revoked = self.desk.revoked.by(&(header.id, digest));
        let by = revoked.into_iter().find(|supervisor| scopes().any(|scope| scope.supervisors.contains(supervisor)));
        by.map_or(Ok(()), |supervisor| Err(SupervisionError::Revoked(supervisor)))
    }

    /// Whether a member has what this supervisor is to forget: those of some addresses are asked, or all. Too many are not asked: one may.
    pub(super) async fn has_anybody(&self, of: &Header, digest: [u8; 32], recipients: Option<&[Address]>) -> bool {
        let charter = self.charter();
        let members = charter.members();
        let is_asked = |member: &&crate::governance::Member| {
            let is_named = |all: &[Address]| all.iter().any(|address| member.addresses.contains(address));
            member.is_active() && member.id != self.me && member.id != of.member && recipients.is_none_or(is_named)
        };
        let asked: Vec<NativeAddress> = members.all().iter().filter(is_asked).filter_map(native_address).collect();
        if recipients.is_none() && asked.len() > MOST_ASKED {
            return true;
        }
        let question = HeldAsked { id: of.id.as_bytes().to_vec().into(), header: digest.to_vec().into() }.to_bytes();
        let ask = |to: NativeAddress| {
            let question = question.clone();
            async move {
                let answer = self.peers.call(&to, path::SUPERVISION_HELD, question.into(), BUDGET).await;
                matches!(answer.map(|bytes| HeldSaid::from_bytes(&bytes)), Ok(Ok(HeldSaid { held: true })))
            }
        };
        stream::iter(asked.into_iter().map(ask)).buffer_unordered(AT_ONCE).any(async |held| held).await
    }
}

impl Node {
    /// Answers a supervisor that is to forget a payload: from now on nothing is taken on its word, and it learns whether it is here already.
    ///
    /// Threat: a supervisor asks who has what. It must know the header's digest, which those concerned know alone, or, in Tessera's suite,
    /// supervise what the sender sends.
    pub async fn supervision_held(&self, from: &MemberId, asked: &HeldAsked) -> Result<HeldSaid, Error> {
        let governed = self.needs_governance()?;
        let charter = governed.charter();
        if !is_supervisor(&charter, from) {
            return Err(SupervisionError::NotASupervisor(from.clone()).into());
        }
        let id = PayloadId::try_from(asked.id.as_slice()).map_err(|_| Error::Message("an id of another length"))?;
        let digest = <[u8; 32]>::try_from(asked.header.as_slice()).map_err(|_| Error::Message("a digest of another length"))?;
        // First: what is being taken in this moment looks for it afterwards.
        if !governed.desk.revoked.add(from, (id, digest)) {
            return Ok(HeldSaid { held: true });
        }
        let meta = match self.meta(id).await {
            Ok(meta) => meta,
            Err(Error::NotFound(_)) => return Ok(HeldSaid { held: false }),
            Err(error) => return Err(error),
        };
        let held = match &meta.native {
            Some(native) => crate::crypto::hash::sha256(&[&native.header]) == digest,
            None => charter.members().by_address(&meta.sender).is_some_and(|sender| {
                let scopes = charter.policy().scopes.iter().filter(|scope| scope.supervisors.contains(from));
                scopes.into_iter().any(|scope| scope.members.is_empty() || scope.members.contains(&sender.id))
            }),
        };
        Ok(HeldSaid { held })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_remembered_for_as_long_as_they_could_be_used_and_bounded() {
        let revoked = Revoked::default();
        let word = |at: u64| (PayloadId::new([7; 64]), crate::crypto::hash::sha256(&[&at.to_be_bytes()]));
        let cnmv: MemberId = "cnmv".parse().expect("a name");
        assert!(revoked.add(&cnmv, word(0)) && revoked.add(&cnmv, word(0)));
        assert_eq!((revoked.by(&word(0)), revoked.by(&word(1))), (vec![cnmv.clone()], Vec::new()));
        assert_eq!(revoked.0.lock().expect("a lock").by_age.len(), 1);
        assert!((1..CAPACITY as u64).all(|at| revoked.add(&cnmv, word(at))));
        assert!(!revoked.add(&cnmv, word(CAPACITY as u64)), "no room: what could still be used is not forgotten for it");
        assert_eq!(revoked.by(&word(0)), vec![cnmv.clone()]);
        let mut words = revoked.0.lock().expect("a lock");
        assert!(words.by_age.len() == CAPACITY && words.by_word.len() == CAPACITY);
        words.expire(Instant::now() + LIFETIME);
        assert!(words.by_word.is_empty());
    }
}
