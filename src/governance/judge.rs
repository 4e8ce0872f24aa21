use jiff::{SignedDuration, Timestamp};

use super::{CLOCK_SKEW, Charter, Member, Policy, Region, Software, State, Supervision};
use crate::types::{Class, Code, Coded, MemberId};

/// A payload as far as the policy looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// Who sends.
    pub sender: &'a Member,
    /// Who receives.
    pub recipients: &'a [&'a Member],
    /// What it holds.
    pub class: Class,
}

/// What the policy does not let through.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The sender does not take part.
    #[error("the sender {member} is {state}: it sends nothing until the governors admit it again")]
    Sender {
        /// Who.
        member: MemberId,
        /// Its state.
        state: State,
    },
    /// A recipient does not take part.
    #[error("the recipient {member} is {state}: it receives nothing until the governors admit it again")]
    Recipient {
        /// Who.
        member: MemberId,
        /// Its state.
        state: State,
    },
    /// The class may not go to a Tessera.
    #[error("{member} runs Tessera, and the policy sends no payload of class {class} there")]
    Tessera {
        /// Who.
        member: MemberId,
        /// The class.
        class: Class,
    },
    /// A payload without the capsule that the policy asks for.
    #[error("the policy asks for an escrow capsule in payloads of class {class}, and this one has none")]
    NoCapsule {
        /// The class.
        class: Class,
    },
    /// A capsule for a key that is no longer used for new payloads.
    #[error("the escrow capsule is for the committee's key of epoch {got}, and new ones are made for epoch {wanted}")]
    CapsuleEpoch {
        /// The capsule's.
        got: u64,
        /// The policy's.
        wanted: u64,
    },
    /// A supervisor that cannot do its part.
    #[error("{member} is to supervise it, and is no active member in the role supervisor with a Celosia and an address")]
    Supervisor {
        /// Who.
        member: MemberId,
    },
    /// A payload that does not prove that a supervisor receives it.
    #[error("the policy makes {supervisor} a recipient of payloads of class {class}, and this one does not prove that it is")]
    Unsupervised {
        /// The class.
        class: Class,
        /// Who is to receive it.
        supervisor: MemberId,
    },
    /// A suite without proofs where proofs are asked for.
    #[error(
        "supervision {mode} of payloads of class {class} cannot be proved in Tessera's suite: send it to Celosias alone, and not as a raw payload"
    )]
    Unproved {
        /// The class.
        class: Class,
        /// The mode.
        mode: Supervision,
    },
    /// The class may not go to the region.
    #[error("{member} keeps its data in {region}, and the policy sends no payload of class {class} there")]
    Region {
        /// Who.
        member: MemberId,
        /// Where.
        region: Region,
        /// The class.
        class: Class,
    },
}

impl Coded for Violation {
    fn code(&self) -> Code {
        match self {
            Self::Sender { .. } => Code(6030),
            Self::Recipient { .. } => Code(6031),
            Self::Tessera { .. } => Code(6032),
            Self::Region { .. } => Code(6033),
            Self::NoCapsule { .. } => Code(6043),
            Self::CapsuleEpoch { .. } => Code(6044),
            Self::Supervisor { .. } => Code(6045),
            Self::Unsupervised { .. } => Code(6046),
            Self::Unproved { .. } => Code(6047),
        }
    }
}

impl Policy {
    /// Whether a payload may go from its sender to its recipients. The first reason why not.
    pub fn judge(&self, judged: &Judged<'_>) -> Result<(), Violation> {
        let Judged { sender, recipients, class } = *judged;
        if !sender.is_active() {
            return Err(Violation::Sender { member: sender.id.clone(), state: sender.state });
        }
        let rule = self.rule(class);
        for recipient in recipients {
            let member = recipient.id.clone();
            if !recipient.is_active() {
                return Err(Violation::Recipient { member, state: recipient.state });
            }
            if recipient.software == Software::Tessera && !rule.tessera {
                return Err(Violation::Tessera { member, class });
            }
            if !rule.regions.permits(&recipient.region) {
                return Err(Violation::Region { member, region: recipient.region.clone(), class });
            }
        }
        Ok(())
    }
}

/// Why a header's policy version is not taken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyAge {
    /// Superseded, and its grace is over.
    #[error(
        "policy version {named} was superseded by version {by}, and its grace is over: the sender must come to version {current}"
    )]
    Superseded {
        /// The header's.
        named: u64,
        /// What superseded it.
        by: u64,
        /// The one in force.
        current: u64,
    },
    /// Not known here.
    #[error(
        "policy version {named} is not known here, version {current} is in force: this node lacks a document, or the sender made it up"
    )]
    Unknown {
        /// The header's.
        named: u64,
        /// The one in force.
        current: u64,
    },
    /// A header of the future.
    #[error("the header is dated {by:#} in the future: this clock or the sender's is wrong")]
    Future {
        /// How far.
        by: SignedDuration,
    },
}

impl Coded for PolicyAge {
    fn code(&self) -> Code {
        match self {
            Self::Superseded { .. } => Code(6034),
            Self::Unknown { .. } => Code(6035),
            Self::Future { .. } => Code(6036),
        }
    }
}

impl Charter {
    /// Whether a header under a policy version, dated `dated`, is taken at `now`: the policy in force, or one superseded less than `grace`
    /// ago. The grace is that of the policy that superseded it and counts from when that one was issued.
    ///
    /// Who resends an old payload asks with `now` = the time at which it was first accepted.
    pub fn policy_acceptable(&self, named: u64, dated: Timestamp, now: Timestamp) -> Result<(), PolicyAge> {
        let by = dated.duration_since(now);
        if by > SignedDuration::from_secs(CLOCK_SKEW) {
            return Err(PolicyAge::Future { by: SignedDuration::from_secs(by.as_secs()) });
        }
        let current = self.policy_version();
        if self.policy_of(named).is_none() {
            return Err(PolicyAge::Unknown { named, current });
        }
        let Some(successor) = self.policies().map(|signed| &signed.content).find(|policy| policy.head.version > named) else {
            return Ok(());
        };
        let grace = i64::try_from(successor.grace.duration().as_secs()).unwrap_or(i64::MAX);
        if now.duration_since(successor.head.issued) < SignedDuration::from_secs(grace) {
            return Ok(());
        }
        Err(PolicyAge::Superseded { named, by: successor.head.version, current })
    }
}

#[cfg(test)]
mod tests;
