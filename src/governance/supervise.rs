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
        for id in &scope.supervisors {
            let missing = || Violation::Unsupervised { class, supervisor: id.clone() };
            let supervisor = members.by_id(id).ok_or_else(missing)?;
            if !supervisor.addresses.iter().any(|address| proved.contains(address)) {
                return Err(missing());
            }
        }
        Ok(())
    }

    /// The scopes that may decide, whichever contract it is: up to the first that is for all contracts.
    fn possible(&self, sender: &MemberId, class: Class) -> impl Iterator<Item = &Scope> {
        let decisive = self.scopes.iter().position(|scope| scope.covers(sender, None, class));
        let until = decisive.map_or(self.scopes.len(), |at| at + 1);
        self.scopes[..until].iter().filter(move |scope| scope.may_cover(sender, class))
    }
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
