//! Matters that people handle, and what this node notices by itself: kept, journalled, climbing until somebody acknowledges (`docs/cases.md`).

mod indicators;
mod rows;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;

pub use self::indicators::Indicators;
use super::happening::{Happening, Kind as What};
use super::records::now;
use super::{Error, Node};
use crate::crypto::hash::sha256;
use crate::crypto::random;
use crate::matter::{Matter, MatterError, MatterId, MatterKind, MatterState, Step};
use crate::store::Event;
use crate::types::{Code, Coded as _, MemberId};

/// How often what was noticed is written down, and notices are looked at.
const TURN: Duration = Duration::from_secs(2);
/// How often, in turns, all of them are counted although none changed: notices become overdue.
const COUNT_EVERY: u64 = 30;
/// Kinds of violations that wait to be written down: every code of every member of the largest network is far less in two seconds.
const MOST: usize = 4_096;
/// Who opened a matter that nobody did.
const NODE: &str = "node";

/// What matters need in memory.
#[derive(Default)]
pub(crate) struct Matters {
    /// One matter is changed at a time.
    gate: tokio::sync::Mutex<()>,
    noticed: Mutex<BTreeMap<(u16, Option<MemberId>), Noticed>>,
    /// Counted since the last change.
    counted: AtomicBool,
    open: AtomicU64,
    waiting: AtomicU64,
    overdue: AtomicU64,
    climbed: AtomicU64,
}

struct Noticed {
    title: &'static str,
    times: u64,
}

/// A matter that somebody opens.
#[derive(Clone, Debug)]
pub struct NewMatter {
    /// What it is; no violation.
    pub kind: MatterKind,
    /// What it is about.
    pub title: String,
    /// The member that it concerns.
    pub member: Option<MemberId>,
}

/// For the metrics.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct MatterFigures {
    /// Not closed.
    pub open: u64,
    /// Notices that nobody acknowledged.
    pub waiting: u64,
    /// Of those, notices whose time is over at the last level.
    pub overdue: u64,
    /// Notices that climbed since the start.
    pub climbed: u64,
}

impl Node {
    /// Notices a violation: it becomes a matter within seconds, or is counted in the one that is open. Never waits.
    ///
    /// Threat: a member breaks a rule again and again to fill the disk of whoever notices. One code of one member is one matter.
    pub(crate) fn notice(&self, code: Code, member: Option<&MemberId>, title: &'static str) {
        let mut noticed = self.matters.noticed.lock().unwrap_or_else(PoisonError::into_inner);
        if noticed.len() < MOST {
            noticed.entry((code.0, member.cloned())).or_insert(Noticed { title, times: 0 }).times += 1;
        }
    }

    /// Writes down what was noticed and lets notices climb, until it is dropped.
    pub async fn keep_matters(self: Arc<Self>) {
        for turn in 0_u64.. {
            if turn.is_multiple_of(COUNT_EVERY) {
                self.matters.counted.store(false, Ordering::Relaxed);
            }
            if let Err(error) = self.turn_matters().await {
                tracing::warn!(code = %error.code(), "cases are not kept: tried again");
            }
            tokio::time::sleep(TURN).await;
        }
    }

    /// One turn of it.
    pub(crate) async fn turn_matters(&self) -> Result<(), Error> {
        let _one = self.matters.gate.lock().await;
        self.write_noticed().await?;
        self.let_climb(now()).await?;
        if self.matters.counted.swap(true, Ordering::Relaxed) { Ok(()) } else { self.count_matters().await }
    }

    async fn write_noticed(&self) -> Result<(), Error> {
        let noticed = std::mem::take(&mut *self.matters.noticed.lock().unwrap_or_else(PoisonError::into_inner));
        for ((code, member), seen) in noticed {
            let name = rows::violation_name(code, member.as_ref());
            let open = match self.open_violation(&name).await? {
                Some(id) => self.matter_row(&id).await?.filter(|matter| matter.state != MatterState::Closed),
                None => None,
            };
            if let Some(mut matter) = open {
                matter.times += seen.times - 1;
                matter.again(now());
                self.keep_matter(None, &matter, Vec::new()).await?;
                continue;
            }
            let mut matter = self.new_matter(MatterKind::Violation, seen.title, NODE)?;
            (matter.code, matter.member, matter.times) = (Some(Code(code).to_string()), member, seen.times);
            self.store.write(vec![rows::put_violation(&name, &matter.id)], Vec::new()).await?;
            self.keep_matter(None, &matter, vec![told(&matter, "opened", NODE, None)]).await?;
            tracing::warn!(case = %matter.id, code = %Code(code), "a violation was noticed: somebody must acknowledge it (celosia case)");
        }
        Ok(())
    }

    async fn let_climb(&self, now: u64) -> Result<(), Error> {
        let within = self.within();
        for id in self.notices_before(now).await? {
            let Some(mut matter) = self.matter_row(&id).await? else { continue };
            let before = rows::notice_key(&matter);
            if !matter.notice.climb(now, within) {
                continue;
            }
            self.matters.climbed.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(case = %matter.id, level = %matter.notice.level, "nobody acknowledged a notice: it goes to the next level");
            self.keep_matter(Some(before), &matter, vec![told(&matter, "climbed", NODE, None)]).await?;
        }
        Ok(())
    }

    async fn count_matters(&self) -> Result<(), Error> {
        let (all, now) = (self.all_matters().await?, now());
        let count = |fits: &dyn Fn(&Matter) -> bool| all.iter().filter(|matter| fits(matter)).count() as u64;
        let figures = &self.matters;
        figures.open.store(count(&|matter| matter.state != MatterState::Closed), Ordering::Relaxed);
        figures.waiting.store(count(&|matter| matter.notice.is_open()), Ordering::Relaxed);
        figures.overdue.store(count(&|matter| matter.notice.is_overdue(now)), Ordering::Relaxed);
        Ok(())
    }

    /// Figures of the last turn.
    pub fn matter_figures(&self) -> MatterFigures {
        let figures = &self.matters;
        let value = |of: &AtomicU64| of.load(Ordering::Relaxed);
        let (open, waiting) = (value(&figures.open), value(&figures.waiting));
        MatterFigures { open, waiting, overdue: value(&figures.overdue), climbed: value(&figures.climbed) }
    }

    /// Opens a matter.
    pub async fn open_matter(&self, new: NewMatter, by: &str) -> Result<Matter, Error> {
        if new.kind == MatterKind::Violation {
            return Err(MatterError::Violation.into());
        }
        let _one = self.matters.gate.lock().await;
        let mut matter = self.new_matter(new.kind, &new.title, by)?;
        matter.member = new.member;
        self.keep_matter(None, &matter, vec![told(&matter, "opened", by, None)]).await?;
        Ok(matter)
    }

    /// Takes a step in a matter. `now` is the node's clock; the journal has who did what, and digests of what was written.
    pub async fn step_matter(&self, id: MatterId, step: Step, by: &str) -> Result<Matter, Error> {
        let _one = self.matters.gate.lock().await;
        let mut matter = self.matter(id).await?;
        let before = rows::notice_key(&matter);
        let (name, about) = (step.name(), digest_of(&step));
        matter.step(step, by, now())?;
        self.keep_matter(Some(before), &matter, vec![told(&matter, name, by, about)]).await?;
        Ok(matter)
    }

    /// Writes a matter and what the journal has of it. `before`: where its notice waited.
    async fn keep_matter(&self, before: Option<Bytes>, matter: &Matter, events: Vec<Event>) -> Result<(), Error> {
        let mut written: Vec<_> = before.map(rows::forget).into_iter().collect();
        written.extend(rows::put(matter));
        self.store.write(written, events).await?;
        self.matters.counted.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// A matter.
    pub async fn matter(&self, id: MatterId) -> Result<Matter, Error> {
        Ok(self.matter_row(&id).await?.ok_or(MatterError::Unknown(id))?)
    }

    /// Matters in the order of their names, closed ones included, after one.
    pub async fn matters_after(&self, after: Option<MatterId>, limit: usize) -> Result<Vec<Matter>, Error> {
        self.matter_rows(after.as_ref(), limit).await
    }

    fn new_matter(&self, kind: MatterKind, title: &str, by: &str) -> Result<Matter, MatterError> {
        Matter::open(MatterId(random()), kind, title, by, now(), self.within())
    }

    fn within(&self) -> u64 {
        u64::try_from(self.settings.acknowledge_within.as_millis()).unwrap_or(u64::MAX)
    }
}

/// What the journal has of a step: no line that somebody wrote, but its digest, so that it can be proved and be erased.
fn digest_of(step: &Step) -> Option<String> {
    let hex = |text: &str| data_encoding::HEXLOWER.encode(&sha256(&[text.as_bytes()]));
    match step {
        Step::Attach(file) => Some(file.sha256.clone()),
        Step::Assign(text) | Step::Decide(_, text) | Step::Reopen(text) => Some(hex(text.trim())),
        Step::Close | Step::Acknowledge(_) => None,
    }
}

fn told(matter: &Matter, step: &str, by: &str, sha256: Option<String>) -> Event {
    let mut details = serde_json::json!({
        "case": matter.id, "kind": matter.kind, "step": step, "state": matter.state, "level": matter.notice.level,
    });
    if let Some(digest) = sha256 {
        details["sha256"] = digest.into();
    }
    if let Some(decision) = &matter.decision {
        details["outcome"] = decision.outcome.name().into();
    }
    if let Some(code) = &matter.code {
        details["code"] = code.clone().into();
    }
    let mut happening = Happening::now(What::Case).actor(by, "case").details(details);
    if let Some(member) = &matter.member {
        happening = happening.member(member);
    }
    happening.event()
}

#[cfg(test)]
mod tests;
