use std::collections::HashSet;
use std::hash::Hash;

use serde::Deserialize;

use super::document::{DocumentError, is_printable};
use super::member::NAME;
use super::{MAX_OFFICERS, MAX_VERSION, Purpose, Refusal, print};
use crate::crypto::hpke::BoxKey;
use crate::crypto::sign::VerifyKey;
use crate::crypto::threshold::{GroupKey, is_shared};
use crate::types::folded;

/// One of a committee: a person with a share of its key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Officer {
    /// Where the share stands: the x-coordinate, from 1.
    pub index: u16,
    /// The person's name.
    pub name: String,
    /// The legal entity that the person answers to.
    pub entity: String,
    /// Signs approvals.
    pub signing_key: VerifyKey,
    /// What is for the officer alone is sealed to it.
    pub box_key: BoxKey,
    /// The share's public half: what partial decryptions are verified with.
    pub share: GroupKey,
}

/// Officers who hold a key together: `threshold` of them use it, fewer cannot. It stands whole in the policy, so a policy is all that
/// anybody needs to check approvals and shares.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Committee {
    /// What its key is for.
    pub purpose: Purpose,
    /// Which key of the purpose, from 1. The highest is used for what is new; the older ones still open.
    pub epoch: u64,
    /// Which shares of the key, from 1: a refresh or a handover adds one.
    pub generation: u64,
    /// Officers needed.
    pub threshold: u64,
    /// The public key; nobody holds the private one.
    pub key: GroupKey,
    /// Sorted by index.
    pub officers: Vec<Officer>,
}

impl Committee {
    /// The officer of an index.
    pub fn officer(&self, index: u16) -> Option<&Officer> {
        self.officers.iter().find(|officer| officer.index == index)
    }

    /// The officer who signs with a key.
    pub fn signer(&self, key: &VerifyKey) -> Option<&Officer> {
        self.officers.iter().find(|officer| officer.signing_key == *key)
    }

    /// Its table, as it stands in a policy: what a key generation writes for the governors.
    pub fn to_toml(&self) -> String {
        print::committee(self)
    }

    /// `escrow 1`: how it is told to people.
    pub fn title(&self) -> String {
        format!("{} {}", self.purpose, self.epoch)
    }

    /// The rules of a committee by itself, those that a policy is held to.
    pub fn verify(&self) -> Result<(), DocumentError> {
        check(std::slice::from_ref(self))
    }

    fn is(&self, other: &Self) -> bool {
        (self.purpose, self.epoch) == (other.purpose, other.epoch)
    }

    /// Rules of the committee at a place, counted from 0.
    fn check(&self, at: usize) -> Result<(), DocumentError> {
        let wrong = |field: &str, reason: &str| Err(DocumentError::value(format!("committees[{at}].{field}"), reason));
        for (field, number) in [("epoch", self.epoch), ("generation", self.generation)] {
            if !(1..=MAX_VERSION).contains(&number) {
                return wrong(field, "1 to 1000000000");
            }
        }
        if self.officers.len() > MAX_OFFICERS {
            return wrong("officers", "too many: at most 32");
        }
        for (of, officer) in self.officers.iter().enumerate() {
            for (field, text) in [("name", &officer.name), ("entity", &officer.entity)] {
                if !is_printable(text) {
                    return wrong(&format!("officers[{of}].{field}"), NAME);
                }
            }
            if officer.index == 0 {
                return wrong(&format!("officers[{of}].index"), "1 to 65535: at 0 lies the key itself");
            }
        }
        self.check_distinct()?;
        self.check_quorum()?;
        let shares: Vec<_> = self.officers.iter().map(|officer| (officer.index, officer.share)).collect();
        let threshold = usize::try_from(self.threshold).unwrap_or(usize::MAX);
        // Threat: a share that belongs to another key. Its owner would approve, and nothing would open.
        if is_shared(&self.key, threshold, &shares) { Ok(()) } else { Err(DocumentError::Shares { committee: self.title() }) }
    }

    /// Threat: one person signs, or holds a share, for two.
    fn check_distinct(&self) -> Result<(), DocumentError> {
        distinct("officer index", &self.officers, |officer| officer.index)?;
        distinct("officer name", &self.officers, |officer| officer.name.as_str())?;
        distinct("officer signing key", &self.officers, |officer| officer.signing_key)?;
        distinct("officer box key", &self.officers, |officer| officer.box_key)?;
        distinct("officer share", &self.officers, |officer| officer.share)
    }

    /// Threat: k officers of one house, whose name is written in two ways. k of them come from k entities, or nobody can approve.
    fn check_quorum(&self) -> Result<(), DocumentError> {
        let entities: HashSet<String> = self.officers.iter().map(|officer| folded(&officer.entity)).collect();
        let (threshold, of, entities) = (self.threshold, self.officers.len() as u64, entities.len() as u64);
        if threshold < 2 || threshold > of || threshold > entities {
            return Err(DocumentError::Committee { committee: self.title(), threshold, of, entities });
        }
        Ok(())
    }
}

fn distinct<'a, T: Eq + Hash>(
    what: &'static str,
    officers: &'a [Officer],
    word: impl Fn(&'a Officer) -> T,
) -> Result<(), DocumentError> {
    let mut seen = HashSet::new();
    let Some(second) = officers.iter().find(|officer| !seen.insert(word(officer))) else { return Ok(()) };
    let first = officers.iter().find(|officer| word(officer) == word(second)).unwrap_or(second);
    Err(DocumentError::Duplicate { what, first: first.name.clone(), second: second.name.clone() })
}

/// Rules of all committees of a policy by itself.
pub(super) fn check(committees: &[Committee]) -> Result<(), DocumentError> {
    let (mut places, mut keys) = (HashSet::new(), HashSet::new());
    for (at, committee) in committees.iter().enumerate() {
        let twice = |what, is_first: &dyn Fn(&Committee) -> bool| {
            let first = committees.iter().find(|other| is_first(other)).unwrap_or(committee);
            Err(DocumentError::Duplicate { what, first: first.title(), second: committee.title() })
        };
        if !places.insert((committee.purpose, committee.epoch)) {
            return twice("purpose and epoch", &|other| other.is(committee));
        }
        // Threat: an old key under a new epoch, so that a rotation changes nothing.
        if !keys.insert(committee.key) {
            return twice("committee key", &|other| other.key == committee.key);
        }
        committee.check(at)?;
    }
    Ok(())
}

/// Rules from one policy to the next. `version` is the next one's.
///
/// Threat: governors who lower a threshold, or put a key that they hold in the place of the officers', under the epoch that people know. What
/// is there stays there: a new key is a new epoch, for everybody to see.
pub(super) fn check_change(version: u64, before: &[Committee], after: &[Committee]) -> Result<(), Refusal> {
    for old in before {
        let Some(new) = after.iter().find(|new| new.is(old)) else {
            return Err(Refusal::CommitteeRemoved { version, committee: old.title() });
        };
        let what = if new.key != old.key {
            "its key"
        } else if new.threshold < old.threshold {
            "its threshold, to a lower one"
        } else if new.generation < old.generation {
            "its generation, to an earlier one"
        } else if new.generation == old.generation && new != old {
            "its officers or threshold within one generation"
        } else {
            continue;
        };
        return Err(Refusal::CommitteeChanged { version, committee: old.title(), what });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
