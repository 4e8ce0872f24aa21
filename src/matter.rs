//! Matters that people handle: violations, exceptions, grievances, reviews; opened, assigned, decided, closed (`docs/cases.md`).
//!
//! Rules are kept by people, not by programs alone: what a node notices becomes a matter that somebody must look at, and a notice that
//! nobody acknowledges climbs to the next level.

mod notice;
mod words;

use serde::{Deserialize, Serialize};

pub use self::notice::{Level, Notice};
pub use self::words::{MatterId, MatterKind, MatterState, Outcome, UnknownWord};
use crate::types::{Code, Coded, MemberId};

/// Longest line of a matter, in characters.
pub const MAX_LINE: usize = 500;
/// Attachments of one matter.
pub const MAX_ATTACHMENTS: usize = 256;
/// Longest name of an attachment, in characters.
pub const MAX_NAME: usize = 128;

/// A file that belongs to a matter. The node keeps its digest, not the file: that stays with the people.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Attachment {
    /// What it is called, without a path.
    pub name: String,
    /// How long it is, bytes.
    pub bytes: u64,
    /// SHA-256 of it, 64 hexadecimal digits.
    pub sha256: String,
    /// When it was attached, milliseconds since the Unix epoch.
    pub at: u64,
    /// By whom.
    pub by: String,
}

/// What was decided.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Decision {
    /// How it ended.
    pub outcome: Outcome,
    /// Why, one line.
    pub text: String,
    /// When, milliseconds since the Unix epoch.
    pub at: u64,
    /// By whom.
    pub by: String,
}

/// A matter, as it is kept and shown.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Matter {
    /// Its name.
    pub id: MatterId,
    /// What it is.
    pub kind: MatterKind,
    /// How far it is.
    pub state: MatterState,
    /// What it is about, one line, without names of people.
    pub title: String,
    /// The error code of a violation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The member that it concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<MemberId>,
    /// How often it happened: the same violation once more opens no second matter.
    pub times: u64,
    /// When it was opened, milliseconds since the Unix epoch.
    pub opened: u64,
    /// By whom; `node` where it was the node itself.
    pub by: String,
    /// When it last happened or changed, milliseconds since the Unix epoch.
    pub changed: u64,
    /// Who looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned: Option<String>,
    /// Who must be told, and whether somebody said that they were.
    pub notice: Notice,
    /// What belongs to it.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// What was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
}

/// Why a matter does not change.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MatterError {
    /// No matter of this name here.
    #[error("there is no case {0} here")]
    Unknown(MatterId),
    /// A step that a state does not have.
    #[error("the case is {0}: it cannot be {1} now")]
    State(MatterState, &'static str),
    /// A line that is none.
    #[error("{0} must be one line of 1 to 500 characters, without control characters")]
    Line(&'static str),
    /// An attachment that is none.
    #[error(
        "an attachment has a name of at most 128 characters without a path, a length, and a SHA-256 of 64 hexadecimal digits"
    )]
    Attachment,
    /// More attachments than one matter has.
    #[error("a case has at most 256 attachments")]
    TooMany,
    /// Acknowledged before.
    #[error("the notice was acknowledged before, by {0}")]
    Acknowledged(String),
    /// Somebody of a lower level.
    #[error("the notice has climbed to level {0}: somebody of that level must acknowledge it")]
    Level(Level),
    /// Matters that only a node opens.
    #[error("a violation is opened by the node that notices it: open an exception, a grievance or a review")]
    Violation,
}

impl Coded for MatterError {
    fn code(&self) -> Code {
        match self {
            Self::Unknown(_) => Code(7300),
            Self::State(..) => Code(7301),
            Self::Line(_) => Code(7302),
            Self::Attachment => Code(7303),
            Self::TooMany => Code(7304),
            Self::Acknowledged(_) => Code(7305),
            Self::Level(_) => Code(7306),
            Self::Violation => Code(7307),
        }
    }
}

/// What somebody does to a matter.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// Somebody looks after it from now on.
    Assign(String),
    /// A file belongs to it.
    Attach(Attachment),
    /// It is decided.
    Decide(Outcome, String),
    /// Nothing is left to do.
    Close,
    /// It was not the end.
    Reopen(String),
    /// Whoever must be told says so.
    Acknowledge(Level),
}

impl Step {
    /// Its name in the journal.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Assign(_) => "assigned",
            Self::Attach(_) => "attached",
            Self::Decide(..) => "decided",
            Self::Close => "closed",
            Self::Reopen(_) => "reopened",
            Self::Acknowledge(_) => "acknowledged",
        }
    }
}

impl Matter {
    /// A matter as it begins. `within`: milliseconds until its notice climbs.
    pub fn open(id: MatterId, kind: MatterKind, title: &str, by: &str, now: u64, within: u64) -> Result<Self, MatterError> {
        let title = line("the title", title)?;
        let notice = Notice::new(kind.first_told(), now, within);
        Ok(Self {
            id,
            kind,
            state: MatterState::Opened,
            title,
            code: None,
            member: None,
            times: 1,
            opened: now,
            by: by.to_owned(),
            changed: now,
            assigned: None,
            notice,
            attachments: Vec::new(),
            decision: None,
        })
    }

    /// Takes a step. A refused one changes nothing.
    pub fn step(&mut self, step: Step, by: &str, now: u64) -> Result<(), MatterError> {
        use MatterState as S;
        let wrong = MatterError::State(self.state, step.name());
        match (step, self.state) {
            (Step::Assign(to), S::Opened | S::Assigned) => {
                self.assigned = Some(line("the name", &to)?);
                self.state = S::Assigned;
            }
            (Step::Attach(file), S::Opened | S::Assigned | S::Decided) => {
                if self.attachments.len() >= MAX_ATTACHMENTS {
                    return Err(MatterError::TooMany);
                }
                file.check()?;
                self.attachments.push(Attachment { at: now, by: by.to_owned(), ..file });
            }
            (Step::Decide(outcome, text), S::Assigned) => {
                let text = line("the reason", &text)?;
                self.decision = Some(Decision { outcome, text, at: now, by: by.to_owned() });
                self.state = S::Decided;
            }
            (Step::Close, S::Decided) => self.state = S::Closed,
            (Step::Reopen(why), S::Decided | S::Closed) => {
                line("the reason", &why)?;
                // What was decided before stands in the journal.
                (self.decision, self.state) = (None, if self.assigned.is_some() { S::Assigned } else { S::Opened });
            }
            (Step::Acknowledge(level), _) => self.notice.acknowledge(level, by, now)?,
            _ => return Err(wrong),
        }
        self.changed = now;
        Ok(())
    }

    /// The same happened once more: whoever said that they know is told again only after it was closed.
    pub fn again(&mut self, now: u64) {
        self.times += 1;
        self.changed = now;
    }
}

impl Attachment {
    fn check(&self) -> Result<(), MatterError> {
        let is_name = !self.name.is_empty()
            && self.name.chars().count() <= MAX_NAME
            && !self.name.chars().any(|sign| sign.is_control() || matches!(sign, '/' | '\\'));
        let is_digest = self.sha256.len() == 64 && self.sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if is_name && is_digest { Ok(()) } else { Err(MatterError::Attachment) }
    }
}

fn line(what: &'static str, text: &str) -> Result<String, MatterError> {
    let text = text.trim();
    let is_line = !text.is_empty() && text.chars().count() <= MAX_LINE && !text.chars().any(char::is_control);
    if is_line { Ok(text.to_owned()) } else { Err(MatterError::Line(what)) }
}

#[cfg(test)]
mod tests;
