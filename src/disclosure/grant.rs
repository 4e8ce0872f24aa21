//! Whether enough officers approved: k of k entities for every key that the list is under, none of them the requester's.

use std::collections::{BTreeMap, HashSet};

use super::request::Request;
use super::{Epochs, Refused, SignedVerdict};
use crate::crypto::sign::VerifyKey;
use crate::governance::{Charter, Committee, Officer, Policy, Purpose};
use crate::types::folded;

/// An officer who approved or refused.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Approver {
    /// The person's name.
    pub name: String,
    /// The legal entity.
    pub entity: String,
    /// The signing key.
    pub key: VerifyKey,
    /// When, milliseconds since the Unix epoch.
    pub time: u64,
    /// Until when, milliseconds since the Unix epoch.
    pub until: u64,
    /// Why.
    pub text: String,
}

/// How a request stands with the officers.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Approvals that count.
    pub approvals: Vec<Approver>,
    /// Refusals.
    pub refusals: Vec<Approver>,
    /// For each epoch: approvals of its officers, and how many are needed.
    pub needs: BTreeMap<u64, (usize, usize)>,
    /// Whether there can still be enough.
    pub is_possible: bool,
}

impl Tally {
    /// That there are enough, for every key.
    ///
    /// Threat: where no committee is asked, nobody would be missing.
    pub fn is_enough(&self) -> Result<(), Refused> {
        if self.needs.is_empty() {
            return Err(Refused::NoApproval);
        }
        let short = self.needs.iter().find(|(_, (have, need))| have < need);
        short.map_or(Ok(()), |(epoch, (have, need))| Err(Refused::TooFew { have: *have, need: *need, epoch: *epoch }))
    }

    /// Whether an officer's word counts in it.
    pub fn has(&self, officer: &VerifyKey) -> bool {
        self.approvals.iter().chain(&self.refusals).any(|approver| approver.key == *officer)
    }

    /// Until when they stand together, milliseconds since the Unix epoch.
    pub fn until(&self) -> u64 {
        self.approvals.iter().map(|approver| approver.until).min().unwrap_or_default()
    }
}

/// The escrow committee of an epoch, as it was in force at a time (milliseconds since the Unix epoch).
pub fn committee_at(charter: &Charter, epoch: u64, time: u64) -> Result<&Committee, Refused> {
    let then = charter.policies().map(|signed| &signed.content).filter(|policy| issued(policy) <= time).last();
    let committees = then.map_or(&[][..], |policy| &policy.committees);
    let of_epoch = committees.iter().find(|committee| (committee.purpose, committee.epoch) == (Purpose::Escrow, epoch));
    of_epoch.ok_or(Refused::NoCommittee(epoch))
}

fn issued(policy: &Policy) -> u64 {
    u64::try_from(policy.head.issued.as_millisecond()).unwrap_or_default()
}

/// Approvals that a committee must give: its threshold, and one more to keep from people what is done with their data, as far as it has officers.
fn needed(committee: &Committee, request: &Request) -> usize {
    let threshold = usize::try_from(committee.threshold).unwrap_or(usize::MAX);
    if request.secrecy.is_none() { threshold } else { (threshold + 1).min(eligible(committee, request).len()).max(threshold) }
}

/// Entities of a committee that may approve.
fn eligible(committee: &Committee, request: &Request) -> std::collections::BTreeSet<String> {
    let own = folded(&request.entity);
    committee.officers.iter().map(|officer| folded(&officer.entity)).filter(|entity| *entity != own).collect()
}

/// Counts verdicts as of a time (milliseconds since the Unix epoch). A verdict that must not be there is refused by name, not passed over.
/// What was right when it was given and is over counts for nothing and spoils nothing: an approval that has ended, which its officer may give
/// anew, and the word of an officer who has left the committee.
///
/// Threats: the requester approves itself, by another of its people; one entity approves twice; one officer hands in so many verdicts that
/// nobody can be told of them; an approval of another list; a signer that
/// never was an officer; a refusal that the relay leaves out, which is the relay's lie and changes no count.
pub fn tally(
    charter: &Charter,
    request: &Request,
    epochs: &Epochs,
    case: &[u8; 32],
    verdicts: &[SignedVerdict],
    time: u64,
) -> Result<Tally, Refused> {
    let committees = epochs.iter().map(|epoch| committee_at(charter, *epoch, time)).collect::<Result<Vec<_>, _>>()?;
    let (mut tally, mut spoke) = (Tally { is_possible: true, ..Tally::default() }, HashSet::new());
    for signed in verdicts {
        let verdict = &signed.verdict;
        if verdict.network != request.network {
            return Err(Refused::Network("verdict"));
        }
        if verdict.case != *case {
            return Err(Refused::OtherCase("verdict"));
        }
        signed.verify()?;
        let Some(officer) = committees.iter().find_map(|committee| committee.signer(&verdict.officer)) else {
            if was_officer(charter, epochs, &verdict.officer) {
                continue;
            }
            return Err(Refused::NotOfficer);
        };
        let approver = approver(officer, signed);
        if !verdict.approves {
            if !spoke.insert(verdict.officer) {
                return Err(Refused::SecondVerdict(officer.name.clone()));
            }
            tally.refusals.push(approver);
            continue;
        }
        let entity = folded(&officer.entity);
        if entity == folded(&request.entity) {
            return Err(Refused::OwnEntity(officer.entity.clone()));
        }
        if !(verdict.time..verdict.until).contains(&time) {
            continue;
        }
        let is_first = spoke.insert(verdict.officer);
        if tally.approvals.iter().any(|other| folded(&other.entity) == entity) {
            return Err(Refused::SameEntity(officer.entity.clone()));
        }
        if !is_first {
            return Err(Refused::SecondVerdict(officer.name.clone()));
        }
        tally.approvals.push(approver);
    }
    for committee in committees {
        let approved = tally.approvals.iter().filter(|approver| committee.signer(&approver.key).is_some()).count();
        let (need, may) = (needed(committee, request), eligible(committee, request));
        let refused = may.iter().filter(|entity| is_refused(&tally, committee, entity)).count();
        tally.needs.insert(committee.epoch, (approved, need));
        tally.is_possible &= may.len() - refused >= need;
    }
    Ok(tally)
}

/// Whether a key was an officer's of one of these epochs under any policy.
fn was_officer(charter: &Charter, epochs: &Epochs, key: &VerifyKey) -> bool {
    let mut all = charter.policies().flat_map(|signed| &signed.content.committees);
    all.any(|committee| {
        committee.purpose == Purpose::Escrow && epochs.contains(&committee.epoch) && committee.signer(key).is_some()
    })
}

/// Whether every officer of an entity refused, and none approved.
fn is_refused(tally: &Tally, committee: &Committee, entity: &str) -> bool {
    let mut officers = committee.officers.iter().filter(|officer| folded(&officer.entity) == entity);
    officers.all(|officer| tally.refusals.iter().any(|refusal| refusal.key == officer.signing_key))
}

fn approver(officer: &Officer, signed: &SignedVerdict) -> Approver {
    let verdict = &signed.verdict;
    Approver {
        name: officer.name.clone(),
        entity: officer.entity.clone(),
        key: verdict.officer,
        time: verdict.time,
        until: verdict.until,
        text: verdict.text.clone(),
    }
}
