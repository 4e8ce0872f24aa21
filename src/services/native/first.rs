//! Supervisors first: what they say of a payload travels in front of its deliveries to the others.

use super::deliver::Taken;
use super::send::{Outgoing, at_recipient, failed};
use crate::enclave::NativeSealed;
use crate::governance::{Charter, Policy, Supervision};
use crate::services::supervision::{Concern, Copies, CopyOf};
use crate::services::withdraw::WithdrawToken;
use crate::services::{Error, Node, SupervisionError};
use crate::types::{Address, Coded as _, MemberId};
use crate::wire::{Delivery, Vouched};

/// Supervisors that receive the payload itself, and before the others.
pub(super) struct Receivers {
    pub(super) members: Vec<MemberId>,
    mode: Supervision,
}

impl Receivers {
    /// Those that a policy names: under S3 and S4.
    pub(super) fn of(policy: &Policy, concern: &Concern) -> Self {
        let scope = policy.supervision(&concern.sender, concern.contract.as_ref(), concern.class);
        match scope.filter(|scope| matches!(scope.supervision, Supervision::S3 | Supervision::S4)) {
            Some(scope) => Self { members: scope.supervisors.clone(), mode: scope.supervision },
            None => Self { members: Vec::new(), mode: Supervision::S0 },
        }
    }

    /// A failure at one of them, in the name of the supervisor. Under S4 it stays as it is: another's word may do.
    pub(super) fn named(&self, error: Error, charter: &Charter, member: &MemberId, recipients: &[Address]) -> Error {
        if self.mode == Supervision::S3 && self.members.contains(member) {
            return SupervisionError::Absent { supervisor: member.clone(), code: error.code() }.into();
        }
        at_recipient(error, charter, member, recipients)
    }
}

/// What supervisors have of a payload, and what they said.
#[derive(Default)]
pub(super) struct First {
    pub(super) words: Vouched,
    /// Deliveries to supervisors.
    pub(super) delivered: Vec<(MemberId, Result<Taken, Error>)>,
    /// Copies at supervisors, as long as they can be taken back.
    pub(super) copies: Vec<(MemberId, WithdrawToken)>,
    /// Why the others are sent nothing.
    pub(super) failure: Option<Error>,
}

impl Node {
    /// Gives the supervisors of a payload what is theirs, before anybody else has it. Nothing is done where there are none.
    pub(super) async fn supervisors_first(
        &self,
        out: &Outgoing<'_>,
        ways: &[(&MemberId, &Delivery)],
        recipients: &[Address],
    ) -> First {
        let mut first = First::default();
        if !out.supervisors.members.is_empty() {
            let Copies { acks, tokens, failure } = self.copies_first(out).await;
            (first.words.acks, first.copies, first.failure) = (acks, tokens, failure);
        }
        if first.failure.is_some() || out.receivers.mode == Supervision::S0 {
            return first;
        }
        first.delivered = self.deliver_to(out, ways, &Vouched::default()).await;
        first.failure = failed(out, &first.delivered, recipients);
        if first.failure.is_some() {
            return first;
        }
        if out.receivers.mode == Supervision::S4 {
            let supervisors: Vec<MemberId> = ways.iter().map(|(member, _)| (*member).clone()).collect();
            let of = (out.sealed.id, out.sealed.header);
            match self.await_cosignature(out.governed, out.charter, &supervisors, of).await {
                Ok(signed) => first.words.cosignature = Some(signed),
                Err(error) => first.failure = Some(error),
            }
            return first;
        }
        for (member, outcome) in &first.delivered {
            let Ok(taken) = outcome else { continue };
            if !taken.ack.ack.durable {
                first.failure = Some(SupervisionError::PassedOver(member.clone()).into());
            }
            first.words.acks.push(taken.ack.encode());
        }
        first
    }

    async fn copies_first(&self, out: &Outgoing<'_>) -> Copies {
        let NativeSealed { id, head, nonce, ciphertext, .. } = out.sealed;
        // Who watches the network sees a copy leave as little as a delivery.
        out.pace(false).await;
        match self.copy_of(*id, head).await {
            Ok(copy) => {
                let of = CopyOf { id: *id, head, nonce: *nonce, ciphertext };
                self.copy_to_supervisors(out.governed, out.charter, &out.supervisors, &copy, of).await
            }
            Err(error) => Copies { failure: Some(error), ..Copies::default() },
        }
    }
}
