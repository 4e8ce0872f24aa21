use super::{CeremonyError, CeremonyId, Message, Plan};
use crate::crypto::sign::{Signature, VerifyKey, statement};
use crate::types::MemberId;
use crate::wire::strict::{Fields, Form, canonical};

const FORMAT: &str = "celosia ceremony opening 1";
/// Longest plan that nodes relay, in bytes of its file: 32 officers, and a committee before with the signatures of 64.
pub const MAX_PLAN: usize = 96 * 1024;
const OPENING: u8 = 0;
const MESSAGE: u8 = 1;

/// A plan that a member's node gives to the others: from then on they keep what its officers say.
#[derive(Clone, Debug)]
pub struct Opening {
    /// The plan.
    pub plan: Plan,
    /// Whose node opened it: the room that its messages take is this member's.
    pub member: MemberId,
    /// When, milliseconds since the Unix epoch.
    pub opened: u64,
    /// The member's on [`Opening::statement`].
    pub signature: Signature,
}

impl Opening {
    /// What is signed. The plan's network is the statement's.
    pub fn statement(&self) -> Vec<u8> {
        let form = Form::of(3, 128).bytes(&self.plan.id().0).text(self.member.as_str()).number(self.opened);
        statement(FORMAT, &self.plan.network, &form.finish())
    }

    /// Whether the signature is the member's. The caller compares the network, and asks the directory whether it takes part.
    pub fn is_signed(&self, key: &VerifyKey) -> bool {
        key.verify(&self.statement(), &self.signature).is_ok()
    }

    /// `[plan, member, opened, signature]`.
    fn encode(&self) -> Vec<u8> {
        let plan = self.plan.to_toml();
        let form = Form::of(4, plan.len() + 128).text(&plan).text(self.member.as_str()).number(self.opened);
        form.bytes(&self.signature).finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, CeremonyError> {
        let malformed = |_| CeremonyError::Message("an opening is not of the form");
        let mut fields = Fields::of(bytes, "opening", 4).map_err(malformed)?;
        let plan = fields.word::<String>("plan").map_err(malformed)?;
        if plan.len() > MAX_PLAN {
            return Err(CeremonyError::Message("its plan is longer than 96 KiB"));
        }
        let member = fields.word("member").map_err(malformed)?;
        let opened = fields.number("opened").map_err(malformed)?;
        let signature = fields.array("signature").map_err(malformed)?;
        let opening = Self { plan: Plan::parse(&plan)?, member, opened, signature };
        canonical(bytes, &opening.encode(), "opening").map_err(malformed)?;
        Ok(opening)
    }
}

/// What crosses between nodes of a ceremony: `kind (1) ‖ bytes`. A node that relays reads form and signatures, and no secret.
#[derive(Clone, Debug)]
pub enum Carried {
    /// 0: the plan.
    Opening(Box<Opening>),
    /// 1: what an officer says, as in its file.
    Message(Message),
}

impl Carried {
    /// Reads it. Total, bounded; of each thing one form.
    ///
    /// Threat: one message in a thousand spellings, each a row at every node.
    pub fn decode(bytes: &[u8]) -> Result<Self, CeremonyError> {
        match bytes.split_first() {
            Some((&OPENING, rest)) => Opening::decode(rest).map(|opening| Self::Opening(Box::new(opening))),
            Some((&MESSAGE, rest)) => {
                let message = Message::parse(rest)?;
                if message.to_json().as_bytes() != rest {
                    return Err(CeremonyError::Message("it is not written as officers write it"));
                }
                Ok(Self::Message(message))
            }
            _ => Err(CeremonyError::Message("neither a plan nor a message")),
        }
    }

    /// The bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Opening(opening) => [&[OPENING], &opening.encode()[..]].concat(),
            Self::Message(message) => [&[MESSAGE], message.to_json().as_bytes()].concat(),
        }
    }

    /// Of which ceremony.
    pub fn ceremony(&self) -> CeremonyId {
        match self {
            Self::Opening(opening) => opening.plan.id(),
            Self::Message(message) => message.ceremony,
        }
    }
}

impl Plan {
    /// Longest message of an officer that nodes relay, in bytes of its file: what the second round takes, which grows with those who take part.
    pub(crate) fn longest(&self) -> usize {
        1024 + 256 * self.parties().len()
    }

    /// Who speaks in a round: keys and names.
    pub(crate) fn speakers(&self, round: u8) -> Vec<(VerifyKey, String)> {
        let speaks = self.parties().into_iter().filter(|party| round > 1 || party.deals.is_some());
        speaks.map(|party| (party.key, party.name)).collect()
    }

    /// Whether a key speaks in any round.
    pub fn has(&self, key: &VerifyKey) -> bool {
        self.parties().iter().any(|party| party.key == *key)
    }

    /// The name of a message's author, who takes part in its round and signed it.
    pub(crate) fn author(&self, message: &Message) -> Result<String, CeremonyError> {
        if message.ceremony != self.id() {
            return Err(CeremonyError::OtherCeremony);
        }
        let party = self.parties().into_iter().find(|party| party.key == message.from);
        let party = party.filter(|party| message.round > 1 || party.deals.is_some()).ok_or(CeremonyError::Stranger)?;
        if message.is_signed(&self.network) { Ok(party.name) } else { Err(CeremonyError::Signature(party.name)) }
    }
}

#[cfg(test)]
mod tests;
