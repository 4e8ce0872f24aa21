//! What supervision asks of a payload, at its sender and at each recipient.
//!
//! A contract is declared by the sender's application and travels in no header: recipients do not know it. So a capsule is asked for where *any*
//! contract could need one: it costs a tenth of a millisecond and opens for a mandate alone, and nobody escapes it by naming another contract.
//! Supervisors that receive payloads are those of the declared contract; recipients demand those of scopes for all contracts.

use super::{Committee, Contract, Member, Members, Policy, Role, Scope, Software, Supervision, Violation};
use crate::types::{Address, Class, MemberId};

/// A received payload as far as supervision looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Supervised<'a> {
    /// Who sends.
    pub sender: &'a MemberId,
    /// What it holds.
    pub class: Class,
    /// Epoch of the key that its capsule is for.
    pub capsule: Option<u64>,
    /// Addresses that are proved to be recipients.
    pub proved: &'a [Address],
}

/// Supervisors whose word on a payload its recipients demand: that of each, or under S4 of one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Demand<'a> {
    /// How it is supervised.
    pub mode: Supervision,
    /// By whom.
    pub supervisors: Vec<&'a MemberId>,
}

impl Policy {
    /// The committee that a payload carries a capsule for, whichever contract it is of.
    pub fn escrow_of(&self, sender: &MemberId, class: Class) -> Option<&Committee> {
        let asks = self.possible(sender, class).any(|scope| scope.supervision.has_capsule());
        self.escrow().filter(|_| asks)
    }

    /// The supervisors of a payload that is about to be sent, in the mode that decides: all of them active, or it is not sent.
    pub fn supervisors<'m>(
        &self,
        members: &'m Members,
        sender: &MemberId,
        contract: Option<&Contract>,
        class: Class,
    ) -> Result<(Supervision, Vec<&'m Member>), Violation> {
        let Some(scope) = self.supervision(sender, contract, class) else { return Ok((Supervision::S0, Vec::new())) };
        let find = |id: &MemberId| {
            let found = members.by_id(id).filter(|member| supervises(member));
            found.ok_or_else(|| Violation::Supervisor { member: id.clone() })
        };
        let all = scope.supervisors.iter().map(find);
        let all = if scope.supervision.names_supervisors() {
            all.collect::<Result<_, _>>()?
        } else {
            all.filter_map(Result::ok).collect()
        };
        Ok((scope.supervision, all))
    }

    /// Whether a payload may go in Tessera's suite, which proves nothing of its other recipients.
    ///
    /// Threat: a member evades a supervisor by sending what the supervisor is to receive in a suite in which recipients cannot see whether
    /// it does. They refuse it.
    pub fn check_unproved(&self, sender: &MemberId, contract: Option<&Contract>, class: Class) -> Result<(), Violation> {
        match self.supervision(sender, contract, class).map(|scope| scope.supervision) {
            Some(mode @ (Supervision::S3 | Supervision::S4)) => Err(Violation::Unproved { class, mode }),
            _ => Ok(()),
        }
    }

    /// What a recipient demands of a payload before it acknowledges it. The policy is the one that the header names.
    pub fn check_supervised(&self, members: &Members, payload: &Supervised<'_>) -> Result<(), Violation> {
        let Supervised { sender, class, capsule, proved } = *payload;
        if let Some(committee) = self.escrow_of(sender, class) {
            match capsule {
                None => return Err(Violation::NoCapsule { class }),
                Some(got) if got != committee.epoch => {
                    return Err(Violation::CapsuleEpoch { got, wanted: committee.epoch });
                }
                Some(_) => {}
            }
        }
        let Some(scope) = self.supervision(sender, None, class).filter(|scope| scope.supervision == Supervision::S3) else {
            return Ok(());
        };
        for id in scope.supervisors.iter().filter(|id| *id != sender) {
            let missing = || Violation::Unsupervised { class, supervisor: id.clone() };
            let supervisor = members.by_id(id).ok_or_else(missing)?;
            if !supervisor.addresses.iter().any(|address| proved.contains(address)) {
                return Err(missing());
            }
        }
        Ok(())
    }

    /// Whose acknowledgements a recipient demands under S1 to S3, before it acknowledges: those of one of these. Empty: nobody's.
    ///
    /// The contract is not known to it. Where the scope for all contracts wants supervisors, and a scope for some contracts stands before it,
    /// the word of either will do; and none, where that one wants none. Under S3 the scope for all contracts decides, as of who is addressed.
    ///
    /// Threat: a supervisor is suspended, and a sender sends past it. Where the mode means nothing without supervisors, nothing is taken.
    pub fn demanded(&self, members: &Members, sender: &MemberId, class: Class) -> Vec<Demand<'_>> {
        let Some(decisive) = self.supervision(sender, None, class) else { return Vec::new() };
        let all: Option<Vec<Demand<'_>>> = match decisive.supervision {
            Supervision::S4 => None,
            Supervision::S3 => demand_of(decisive, members, sender).map(|demand| vec![demand]),
            _ => self.possible(sender, class).map(|scope| demand_of(scope, members, sender)).collect(),
        };
        all.unwrap_or_default()
    }

    /// The scopes that may decide, whichever contract it is: up to the first that is for all contracts.
    fn possible(&self, sender: &MemberId, class: Class) -> impl Iterator<Item = &Scope> {
        let decisive = self.scopes.iter().position(|scope| scope.covers(sender, None, class));
        let until = decisive.map_or(self.scopes.len(), |at| at + 1);
        self.scopes[..until].iter().filter(move |scope| scope.may_cover(sender, class))
    }
}

/// What a scope demands; `None` if nobody's word.
fn demand_of<'a>(scope: &'a Scope, members: &Members, sender: &MemberId) -> Option<Demand<'a>> {
    let mode = scope.supervision;
    let counts = |id: &&MemberId| *id != sender && (mode.names_supervisors() || members.by_id(id).is_some_and(supervises));
    let supervisors: Vec<&MemberId> = scope.supervisors.iter().filter(counts).collect();
    (mode != Supervision::S0 && !supervisors.is_empty()).then_some(Demand { mode, supervisors })
}

/// Whether a member can do a supervisor's part: it is active, has the role, an address, and a Celosia that proofs reach.
fn supervises(member: &Member) -> bool {
    member.is_active()
        && member.has_role(Role::Supervisor)
        && member.software == Software::Celosia
        && !member.addresses.is_empty()
}

#[cfg(test)]
mod tests;
