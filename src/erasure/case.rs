//! The life of an erasure at the member that answers for the data.
//!
//! ```text
//! REQUESTED -> ERASING -> UNREADABLE (E1) -> PURGED (E2) -> BACKUP-SAFE (E3) -> CERTIFIED
//!     |            \-> BLOCKED (a hold stands before it) -> ERASING
//!     \-> REFUSED (coded ground, expiry, signature) -> ERASING (decided anew)
//! ```

use serde::{Deserialize, Serialize};

use super::{CaseId, Exception, Ground};
use crate::types::{Code, Coded, MemberId};

/// How far a case is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Asked for; somebody must decide.
    Requested,
    /// Refused, for a time.
    Refused,
    /// Decided: orders are given.
    Erasing,
    /// Holds stand before what is left of it.
    Blocked,
    /// E1 here.
    Unreadable,
    /// E2 here.
    Purged,
    /// E3 here; other holders may still be on their way.
    BackupSafe,
    /// Everybody has answered for good, or cannot answer: the certificate is final.
    Certified,
}

/// What moves a case.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Somebody decides to erase.
    Erase,
    /// Somebody refuses.
    Refuse,
    /// Nothing but held items is left.
    Block,
    /// A hold ended.
    Unblock,
    /// Every item here is punctured, durably.
    Puncture,
    /// Every item is gone from the live files here.
    Purge,
    /// The root that older copies were under is destroyed here.
    Rotate,
    /// Every holder has answered for good.
    Certify,
}

/// A step that a state does not have.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the case is {state:?}: it cannot {step:?} now")]
pub struct Forbidden {
    /// Where the case is.
    pub state: State,
    /// What was asked.
    pub step: Step,
}

impl Coded for Forbidden {
    fn code(&self) -> Code {
        Code(3362)
    }
}

impl State {
    /// Where a step leads.
    pub fn after(self, step: Step) -> Result<Self, Forbidden> {
        match (self, step) {
            (Self::Requested | Self::Refused, Step::Erase) | (Self::Blocked, Step::Unblock) => Ok(Self::Erasing),
            (Self::Requested, Step::Refuse) => Ok(Self::Refused),
            (Self::Erasing, Step::Block) => Ok(Self::Blocked),
            (Self::Erasing, Step::Puncture) => Ok(Self::Unreadable),
            (Self::Unreadable, Step::Purge) => Ok(Self::Purged),
            (Self::Purged, Step::Rotate) => Ok(Self::BackupSafe),
            (Self::BackupSafe, Step::Certify) => Ok(Self::Certified),
            (state, step) => Err(Forbidden { state, step }),
        }
    }

    /// Whether work is left to do without anybody deciding.
    pub const fn is_at_work(self) -> bool {
        !matches!(self, Self::Requested | Self::Refused | Self::Certified)
    }
}

/// What a member runs that holds a copy.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HolderKind {
    /// It takes orders and signs receipts.
    Celosia,
    /// It takes no orders: its copy is named and cannot be certified.
    Tessera,
}

/// A member that has copies, and what came of its orders.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Holder {
    /// Who.
    pub member: MemberId,
    /// What it runs.
    pub kind: HolderKind,
    /// How many items it has.
    pub items: u64,
    /// Orders to it, numbered from 0; none to a Tessera.
    pub orders: u32,
    /// Orders that it answered for good.
    pub done: u32,
    /// Items that a hold stands before, there.
    #[serde(default)]
    pub held: u64,
    /// Lowest level that it has answered, 0 for none.
    pub level: u8,
    /// How often it was asked since it last said something new.
    pub attempts: u32,
    /// When it is asked next, milliseconds since the Unix epoch.
    pub next: u64,
    /// When it last answered; 0: never.
    pub heard: u64,
    /// Code of what went wrong last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Holder {
    /// Whether nothing more is expected of it.
    pub fn is_done(&self) -> bool {
        self.kind == HolderKind::Tessera || self.done == self.orders
    }
}

/// A step that was taken. Signed by its actor where it is a person's decision: the journal has who.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Moved {
    /// When, milliseconds since the Unix epoch.
    pub at: u64,
    /// Which.
    pub step: Step,
    /// Where it led.
    pub to: State,
    /// By whom: a name on the admin surface, `application`, `retention`, or `node`.
    pub by: String,
}

/// Why a case was refused.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Refusal {
    /// The ground.
    pub exception: Exception,
    /// In words.
    pub text: String,
    /// Until when, milliseconds since the Unix epoch.
    pub until: u64,
    /// By whom.
    pub by: String,
    /// The node's signature on [`Refusal::statement`], base64.
    pub signature: String,
}

impl Refusal {
    /// What is signed: `case, exception, until, by, text`, one a line.
    pub fn message(&self, case: CaseId) -> Vec<u8> {
        format!("{case}\n{}\n{}\n{}\n{}\n", self.exception, self.until, self.by, self.text).into_bytes()
    }
}

/// A case as it lies in the store. It names items by number alone: they are in its orders.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Case {
    /// Its name.
    pub id: CaseId,
    /// Why.
    pub ground: Ground,
    /// Kind of the scope, without its words.
    pub scope: String,
    /// Items of it.
    pub items: u64,
    /// When it was asked for, milliseconds since the Unix epoch.
    pub requested: u64,
    /// By when art. 12(3) wants an answer, milliseconds since the Unix epoch.
    pub due: u64,
    /// Why the time was extended (art. 12(3), two further months); empty if it was not.
    #[serde(default)]
    pub extended: String,
    /// Whether the root is rotated for it at once.
    pub urgent: bool,
    /// Whether it was.
    #[serde(default)]
    pub rotated: bool,
    /// How far it is.
    pub state: State,
    /// How it came there.
    pub moves: Vec<Moved>,
    /// Who has copies. This node is the first.
    pub holders: Vec<Holder>,
    /// Why it was refused, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
}

impl Case {
    /// Takes a step at a time, by somebody.
    pub fn step(&mut self, step: Step, at: u64, by: &str) -> Result<(), Forbidden> {
        self.state = self.state.after(step)?;
        self.moves.push(Moved { at, step, to: self.state, by: by.to_owned() });
        Ok(())
    }

    /// Whether art. 12(3)'s time is over and nothing has been decided or done, or a holder has not answered.
    pub fn is_overdue(&self, now: u64) -> bool {
        let is_late = matches!(self.state, State::Requested | State::Erasing);
        now > self.due && (is_late || (self.state.is_at_work() && self.silent().next().is_some()))
    }

    /// Holders that take orders and have not said of all of them that nothing is readable any more, nor that a hold stands before it.
    pub fn silent(&self) -> impl Iterator<Item = &Holder> {
        self.holders.iter().filter(|holder| !holder.is_done() && holder.level == 0 && holder.held == 0)
    }
}

#[cfg(test)]
mod tests;
