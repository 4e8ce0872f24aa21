//! What supervision asks of a payload here: whose key its capsule is for, who receives it besides, and what is refused before it is acknowledged.

use super::happening::{Happening, Kind};
use super::{Error, Node};
use crate::enclave::{EscrowTerms, Meta};
use crate::erasure::Tags;
use crate::governance::{Charter, Contract, Policy, Purpose, Supervised, Supervision, Violation};
use crate::seal::escrow::{Carried, EscrowKey};
use crate::types::{Address, Class, Code, Coded as _, MemberId};
use crate::wire::{Header, Proofs};

/// The keys of a policy's escrow committees: what capsules may be made for.
pub(crate) fn keys(policy: &Policy) -> Vec<EscrowKey> {
    let escrows = policy.committees.iter().filter(|committee| committee.purpose == Purpose::Escrow);
    escrows.map(|committee| EscrowKey { epoch: committee.epoch, key: committee.key }).collect()
}

/// Those of every policy that was in force: what capsules were made for.
pub(crate) fn keys_ever(charter: &Charter) -> Vec<EscrowKey> {
    let mut all: Vec<EscrowKey> = Vec::new();
    for key in charter.policies().flat_map(|signed| keys(&signed.content)) {
        if !all.contains(&key) {
            all.push(key);
        }
    }
    all
}

/// The key that a payload's capsule is made for, if the policy asks for one.
pub(crate) fn key(policy: &Policy, sender: &MemberId, class: Class) -> Option<EscrowKey> {
    policy.escrow_of(sender, class).map(|committee| EscrowKey { epoch: committee.epoch, key: committee.key })
}

/// The contract that was declared.
pub(crate) fn contract(tags: &Tags) -> Option<Contract> {
    tags.contract.as_deref()?.parse().ok()
}

/// Whether a refusal is about a capsule.
pub(crate) fn is_of_capsule(code: Code) -> bool {
    matches!(code.0, 5029..=5032 | 6043 | 6044)
}

impl Node {
    /// The terms of our own copy of a payload in Tessera's suite. `declared`: its class, as our application says; what comes from another says
    /// nothing of it, so a capsule is made if any class asks for one.
    pub(crate) fn escrow_terms(&self, sender: &Address, declared: Option<Class>) -> Option<EscrowTerms> {
        let charter = self.governed.as_ref()?.charter();
        let member = charter.members().by_address(sender)?.id.clone();
        let policy = charter.policy();
        let asks = |class| key(policy, &member, class);
        let key = match declared {
            Some(class) => asks(class),
            None => Class::ALL.into_iter().find_map(asks),
        }?;
        self.counters.capsules_made.add();
        Some(EscrowTerms { key, policy: charter.policy_version(), class: declared.unwrap_or_default(), member: Some(member) })
    }

    /// The addresses that receive a payload because the policy says so. A refusal is journalled.
    pub(crate) async fn imposed(
        &self,
        charter: &Charter,
        sender: &Address,
        tags: &Tags,
        class: Class,
    ) -> Result<Vec<Address>, Error> {
        let members = charter.members();
        let from = members.by_address(sender).ok_or(Error::NotInDirectory(*sender))?;
        match charter.policy().supervisors(members, &from.id, contract(tags).as_ref(), class) {
            Ok((Supervision::S3 | Supervision::S4, supervisors)) => {
                let others = supervisors.iter().filter(|member| member.id != from.id);
                Ok(others.filter_map(|member| member.addresses.first().copied()).collect())
            }
            Ok(_) => Ok(Vec::new()),
            Err(violation) => Err(self.forbidden(charter, class, violation).await),
        }
    }

    /// Whether a payload of ours may go in Tessera's suite. A refusal is journalled.
    pub(crate) async fn may_be_unproved(
        &self,
        charter: &Charter,
        sender: &Address,
        tags: &Tags,
        class: Class,
    ) -> Result<(), Error> {
        let from = charter.members().by_address(sender).ok_or(Error::NotInDirectory(*sender))?;
        match charter.policy().check_unproved(&from.id, contract(tags).as_ref(), class) {
            Ok(()) => Ok(()),
            Err(violation) => Err(self.forbidden(charter, class, violation).await),
        }
    }

    /// Counts and journals what the policy does not let through, and opens a case.
    pub(crate) async fn forbidden(&self, charter: &Charter, class: Class, violation: Violation) -> Error {
        self.counters.policy_refused.add();
        let event = Happening::now(Kind::Refused).class(class).version(charter.policy_version()).code(violation.code()).event();
        self.note(event).await;
        let me = self.governed.as_ref().map(|governed| &governed.me);
        self.notice(violation.code(), me, "the policy refused a send of this node");
        Error::Policy(violation)
    }
}

/// The same of what is given back: addresses that supervisors had when it was sent are theirs.
pub(crate) fn check_supervised_then(charter: &Charter, header: &Header, meta: &Meta) -> Result<(), Error> {
    let owners = proved(meta).into_iter().filter_map(|address| charter.members().by_id(charter.owner_of(&address, header.time)?));
    let addresses = owners.flat_map(|owner| owner.addresses.iter().copied()).collect();
    demanded(charter, header, addresses)
}

/// What supervision demands of a header that was taken from its sender, under the policy that it names: what a sender knew when it sent.
///
/// Threat: a sender names an older policy to evade the new one. It can for the grace of the new one, and no longer.
pub(crate) fn check_supervised(charter: &Charter, header: &Header, meta: &Meta) -> Result<(), Error> {
    demanded(charter, header, proved(meta))
}

fn proved(meta: &Meta) -> Vec<Address> {
    match meta.native.as_ref().map(|native| &native.proofs) {
        Some(Proofs::Received(openings)) => openings.iter().map(|opening| opening.address).collect(),
        _ => Vec::new(),
    }
}

fn demanded(charter: &Charter, header: &Header, proved: Vec<Address>) -> Result<(), Error> {
    let Some(policy) = charter.policy_of(header.policy) else { return Ok(()) };
    // The enclave has made the capsule again: its epoch is all that is asked here.
    let capsule = header.escrow.as_deref().and_then(Carried::epoch_of);
    let payload = Supervised { sender: &header.member, class: header.class, capsule, proved: &proved };
    policy.content.check_supervised(charter.members(), &payload).map_err(Error::Policy)
}
