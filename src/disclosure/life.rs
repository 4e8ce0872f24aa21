//! The life of a grant: what may follow what. One small machine, asked before every act, so that no path forgets a rule.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Refused;

/// Where a grant stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Asked for; the officers have not decided.
    Requested,
    /// k officers of k entities approved.
    Granted,
    /// It cannot be approved any more.
    Refused,
    /// Approved, and taken back.
    Revoked,
    /// Its window, or that of its approvals, is over.
    Expired,
}

impl State {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Granted => "granted",
            Self::Refused => "refused",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }

    /// Whether nothing follows it.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Refused | Self::Revoked | Self::Expired)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What happens to a grant.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// A verdict was counted: whether there are enough, until when they stand, and whether there can be enough.
    Counted {
        /// k of k entities.
        enough: bool,
        /// Until when, milliseconds since the Unix epoch.
        until: u64,
        /// Whether there can still be enough.
        possible: bool,
    },
    /// It is taken back.
    Revoke,
    /// The whole is to be released once.
    View,
}

/// A grant's state, its window, and how often it was used.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Life {
    /// Where it stands.
    pub state: State,
    /// From when it may be used, milliseconds since the Unix epoch.
    pub from: u64,
    /// Until when, milliseconds since the Unix epoch.
    pub until: u64,
    /// Views that were recorded.
    pub used: u32,
    /// Views that it has.
    pub views: u32,
}

impl Life {
    /// A request's.
    pub const fn begin(from: u64, until: u64, views: u32) -> Self {
        Self { state: State::Requested, from, until, used: 0, views }
    }

    /// The same, as the clock has it.
    #[must_use]
    pub fn at(self, now: u64) -> Self {
        if !self.state.is_over() && now >= self.until { Self { state: State::Expired, ..self } } else { self }
    }

    /// What it is after a step at a time (milliseconds since the Unix epoch), or why the step is not taken.
    pub fn step(self, step: Step, now: u64) -> Result<Self, Refused> {
        let life = self.at(now);
        match (life.state, step) {
            (State::Expired, _) => Err(Refused::Expired),
            (State::Revoked, _) => Err(Refused::Revoked),
            (State::Refused, _) => Err(Refused::State("refused", "ask anew")),
            (_, Step::Revoke) => Ok(Self { state: State::Revoked, ..life }),
            (State::Requested, Step::Counted { enough: true, until, .. }) => {
                Ok(Self { state: State::Granted, until: life.until.min(until), ..life })
            }
            (State::Requested, Step::Counted { possible: false, .. }) => Ok(Self { state: State::Refused, ..life }),
            (State::Requested, Step::Counted { .. }) => Ok(life),
            (State::Granted, Step::Counted { .. }) => Err(Refused::State("granted", "what was approved is not counted again")),
            (State::Requested, Step::View) => Err(Refused::State("requested", "the officers have not approved it")),
            (State::Granted, Step::View) if now < life.from => Err(Refused::Window("its window has not begun")),
            (State::Granted, Step::View) if life.used >= life.views => Err(Refused::Views),
            (State::Granted, Step::View) => Ok(Self { used: life.used + 1, ..life }),
        }
    }
}
