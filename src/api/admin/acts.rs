//! Dangerous acts: one person asks, another approves, then it is done, once.
//!
//! Threats: one person in two guises (another name *and* another key or subject are needed); an approval that is used twice (the state is
//! on the disk before the act begins, so a crash leaves an act that nobody runs again); acts that pile up (bounded); a page that makes a
//! browser with a client certificate approve (bodies must be `application/json`, which no foreign page can send unasked).

mod folder;
mod routes;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::{Act, Actor, Refusal, Role};
use crate::disclosure::GrantId;
use crate::erasure::{CaseId, HoldId};
use crate::types::{Coded as _, PayloadId, folded};
use folder::Folder;

pub(super) use routes::{json, json_up_to, routes};

/// Acts that wait for a second person, at most.
const MOST_WAITING: usize = 100;
/// Those of them that one person asked for.
///
/// Threat: one person fills the waiting room, and nobody else can ask for anything for a day.
const MOST_OF_ONE: usize = 10;
/// How long an act that is over is remembered, in seconds: until then a second approval is told so.
const REMEMBERED: u64 = 7 * 24 * 3600;
/// Longest reason, in characters.
const MAX_REASON: usize = 500;

/// What dangerous acts do. The answers are shown to the approver.
#[async_trait]
pub trait Acts: Send + Sync + 'static {
    /// Destroys a payload's keys and buries it.
    async fn erase(&self, id: PayloadId) -> Result<Value, Refusal>;

    /// Decides an erasure case: every holder gets its orders. `actors` are both people.
    async fn erase_case(&self, case: CaseId, actors: &str) -> Result<Value, Refusal>;

    /// Releases a hold before its time. `actors` are both people.
    async fn release_hold(&self, hold: HoldId, actors: &str) -> Result<Value, Refusal>;

    /// Lets a recovery bring back what a grant is for. `actors` are both people.
    async fn recover(&self, grant: GrantId, actors: &str) -> Result<Value, Refusal>;

    /// Lets the node serve again although its log is older than its last cosigned checkpoint. `actors` are both people.
    async fn accept_rollback(&self, actors: &str, reason: &str) -> Result<Value, Refusal>;
}

/// What is asked for, in a form that can be done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Order {
    AcceptRollback,
    Erase(PayloadId),
    EraseCase(CaseId),
    Recover(GrantId),
    ReleaseHold(HoldId),
}

impl Order {
    fn parse(act: Act, arguments: &Value) -> Result<Self, Refusal> {
        let members = arguments.as_object().ok_or_else(|| malformed("`arguments` is not an object"))?;
        match act {
            Act::AcceptRollback if members.is_empty() => Ok(Self::AcceptRollback),
            Act::AcceptRollback => Err(malformed("accept-rollback takes no arguments")),
            Act::Erase if members.len() == 1 => {
                let word = |name: &str| members.get(name).and_then(Value::as_str);
                let payload = word("id").and_then(|id| id.parse().ok()).map(Self::Erase);
                let case = word("case").and_then(|case| case.parse().ok()).map(Self::EraseCase);
                let expected = "erase takes `id`, a payload's id in base64, or `case`, an erasure case that was asked for";
                payload.or(case).ok_or_else(|| malformed(expected))
            }
            Act::Erase => Err(malformed("erase takes `id` or `case`, and nothing else")),
            Act::Recover => {
                let grant = members.get("grant").and_then(Value::as_str).and_then(|grant| grant.parse().ok());
                let grant = grant.filter(|_| members.len() == 1);
                grant.map(Self::Recover).ok_or_else(|| malformed("recover takes `grant`, the name of a grant"))
            }
            Act::ReleaseHold => {
                let hold = members.get("hold").and_then(Value::as_str).and_then(|hold| hold.parse().ok());
                let hold = hold.filter(|_| members.len() == 1);
                hold.map(Self::ReleaseHold).ok_or_else(|| malformed("release-hold takes `hold`, the name of a hold"))
            }
            _ => Err(malformed("this act needs no second person: call its own path")),
        }
    }
}

fn malformed(what: &str) -> Refusal {
    Refusal::ActMalformed(what.to_owned())
}

/// One of the two people.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
struct Person {
    name: String,
    role: Role,
    credential: String,
}

impl Person {
    fn of(actor: &Actor, role: Role) -> Self {
        Self { name: actor.name().to_owned(), role, credential: actor.credential().to_owned() }
    }

    /// Whether an actor may be the same human being. Names are compared as people read them.
    fn may_be(&self, actor: &Actor) -> bool {
        self.credential == actor.credential() || folded(&self.name) == folded(actor.name())
    }
}

/// How far an act is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum State {
    Waiting,
    Running,
    Done,
    Failed,
    /// The process ended while it ran: what it did is to be looked at.
    Interrupted,
    /// Taken back before anybody approved it.
    Withdrawn,
}

/// An act, as it lies on the disk. Times are Unix seconds.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Pending {
    id: String,
    act: Act,
    arguments: Value,
    reason: String,
    requested_by: Person,
    requested_at: u64,
    expires_at: u64,
    state: State,
    approved_by: Option<Person>,
    approved_at: Option<u64>,
    /// The code of what went wrong.
    error: Option<String>,
}

impl Pending {
    fn status(&self, now: u64) -> &'static str {
        match self.state {
            State::Waiting if now >= self.expires_at => "expired",
            State::Waiting => "waiting",
            State::Running => "running",
            State::Done => "done",
            State::Failed => "failed",
            State::Interrupted => "interrupted",
            State::Withdrawn => "withdrawn",
        }
    }

    /// What people see: no credentials.
    fn view(&self, now: u64) -> Value {
        let person = |person: &Person| json!({ "name": person.name, "role": person.role });
        json!({
            "id": self.id,
            "act": self.act,
            "arguments": self.arguments,
            "reason": self.reason,
            "state": self.status(now),
            "requested-by": person(&self.requested_by),
            "requested-at": self.requested_at,
            "expires-at": self.expires_at,
            "waits-for": self.act.rule().second.unwrap_or_default(),
            "approved-by": self.approved_by.as_ref().map(person),
            "approved-at": self.approved_at,
            "error": self.error,
        })
    }

    fn details(&self) -> Value {
        json!({ "id": self.id, "arguments": self.arguments, "reason": self.reason, "requested-by": self.requested_by.name })
    }
}

/// The acts that wait, and those that were done lately. They survive a restart.
pub struct PendingActs {
    folder: Folder,
    acts: Mutex<BTreeMap<String, Pending>>,
    runner: Arc<dyn Acts>,
    within: Duration,
}

impl PendingActs {
    /// Reads the folder, made (0700) if missing. `within`: how long an act may wait. What ran when the process ended is marked so.
    pub fn open(folder: &Path, runner: Arc<dyn Acts>, within: Duration) -> Result<Arc<Self>, Refusal> {
        let folder = Folder::open(folder).map_err(Refusal::Folder)?;
        let mut acts = folder.read().map_err(Refusal::Folder)?;
        for act in acts.values_mut().filter(|act| act.state == State::Running) {
            tracing::warn!(id = act.id, act = %act.act, "an act was interrupted: look at what it did before it is asked for again");
            act.state = State::Interrupted;
            folder.write(act).map_err(Refusal::Folder)?;
        }
        Ok(Arc::new(Self { folder, acts: Mutex::new(acts), runner, within }))
    }

    async fn list(&self) -> Value {
        let now = now();
        self.acts.lock().await.values().map(|act| act.view(now)).collect()
    }

    /// Keeps a request, on the disk when this returns.
    async fn request(&self, actor: &Actor, act: Act, arguments: Value, reason: &str) -> Result<Value, Refusal> {
        Order::parse(act, &arguments)?;
        let reason = reason.trim();
        if reason.is_empty() || reason.chars().count() > MAX_REASON || reason.chars().any(char::is_control) {
            return Err(malformed("`reason` says in one line why, in at most 500 characters"));
        }
        let role = actor.among(act, act.rule().roles, json!({ "arguments": arguments, "reason": reason })).await?;
        let now = now();
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(|error| Refusal::Folder(std::io::Error::other(error)))?;
        let pending = Pending {
            id: HEXLOWER.encode(&id),
            act,
            arguments,
            reason: reason.to_owned(),
            requested_by: Person::of(actor, role),
            requested_at: now,
            expires_at: now + self.within.as_secs(),
            state: State::Waiting,
            approved_by: None,
            approved_at: None,
            error: None,
        };
        let mut acts = self.acts.lock().await;
        self.forget_old(&mut acts, now);
        let waiting = || acts.values().filter(|act| act.status(now) == "waiting");
        if waiting().count() >= MOST_WAITING {
            return Err(Refusal::TooManyActs);
        }
        if waiting().filter(|act| act.requested_by.may_be(actor)).count() >= MOST_OF_ONE {
            return Err(Refusal::TooManyOfOne);
        }
        self.folder.write(&pending).map_err(Refusal::Folder)?;
        let view = pending.view(now);
        let details = pending.details();
        acts.insert(pending.id.clone(), pending);
        drop(acts);
        actor.tell(role, act, "requested", details).await;
        Ok(view)
    }

    /// Approves an act and does it. It goes on to its end when the caller hangs up.
    async fn approve(self: &Arc<Self>, actor: &Actor, id: &str) -> Result<Value, Refusal> {
        let (pending, order, role) = self.begin(actor, id).await?;
        let (this, actor) = (Arc::clone(self), actor.clone());
        let run = async move {
            actor.tell(role, pending.act, "approved", pending.details()).await;
            let actors = format!("{} and {}", pending.requested_by.name, actor.name());
            let result = match order {
                Order::AcceptRollback => this.runner.accept_rollback(&actors, &pending.reason).await,
                Order::Erase(id) => this.runner.erase(id).await,
                Order::EraseCase(case) => this.runner.erase_case(case, &actors).await,
                Order::Recover(grant) => this.runner.recover(grant, &actors).await,
                Order::ReleaseHold(hold) => this.runner.release_hold(hold, &actors).await,
            };
            let error = result.as_ref().err().map(|error| error.code().to_string());
            let view = this.finish(&pending.id, error.clone()).await;
            let mut details = pending.details();
            details["error"] = json!(error);
            actor.tell(role, pending.act, if error.is_none() { "done" } else { "failed" }, details).await;
            let mut view = view?;
            view["result"] = result?;
            Ok(view)
        };
        tokio::spawn(run).await.unwrap_or(Err(Refusal::NotApplicable("the act stopped in the middle")))
    }

    /// Checks an approval and writes down that the act begins.
    async fn begin(&self, actor: &Actor, id: &str) -> Result<(Pending, Order, Role), Refusal> {
        let mut acts = self.acts.lock().await;
        let pending = acts.get_mut(id).ok_or(Refusal::ActUnknown)?;
        let refuse = |why: &str| {
            let mut details = pending.details();
            details["why"] = json!(why);
            details
        };
        let second = pending.act.rule().second.unwrap_or_default();
        let role = actor.among(pending.act, second, refuse("role")).await?;
        if pending.requested_by.may_be(actor) {
            actor.tell(role, pending.act, "refused", refuse("same person")).await;
            return Err(Refusal::SamePerson);
        }
        let now = now();
        match pending.status(now) {
            "waiting" => {}
            "expired" => {
                actor.tell(role, pending.act, "refused", refuse("expired")).await;
                return Err(Refusal::ActExpired);
            }
            over => {
                actor.tell(role, pending.act, "refused", refuse(over)).await;
                return Err(Refusal::ActOver(over));
            }
        }
        let order = Order::parse(pending.act, &pending.arguments)?;
        let mut running = pending.clone();
        running.state = State::Running;
        running.approved_by = Some(Person::of(actor, role));
        running.approved_at = Some(now);
        self.folder.write(&running).map_err(Refusal::Folder)?;
        *pending = running.clone();
        Ok((running, order, role))
    }

    /// Takes back an act that waits: whoever asked for it, or anybody with a role that may ask for it or approve it.
    async fn withdraw(&self, actor: &Actor, id: &str) -> Result<Value, Refusal> {
        let mut acts = self.acts.lock().await;
        let pending = acts.get_mut(id).ok_or(Refusal::ActUnknown)?;
        let rule = pending.act.rule();
        let roles = [rule.roles, rule.second.unwrap_or_default()].concat();
        let role = actor.among(pending.act, &roles, pending.details()).await?;
        let now = now();
        match pending.status(now) {
            "waiting" | "expired" => {}
            over => return Err(Refusal::ActOver(over)),
        }
        let mut withdrawn = pending.clone();
        withdrawn.state = State::Withdrawn;
        self.folder.write(&withdrawn).map_err(Refusal::Folder)?;
        *pending = withdrawn;
        let (view, act, details) = (pending.view(now), pending.act, pending.details());
        drop(acts);
        actor.tell(role, act, "withdrawn", details).await;
        Ok(view)
    }

    async fn finish(&self, id: &str, error: Option<String>) -> Result<Value, Refusal> {
        let mut acts = self.acts.lock().await;
        let pending = acts.get_mut(id).ok_or(Refusal::ActUnknown)?;
        pending.state = if error.is_none() { State::Done } else { State::Failed };
        pending.error = error;
        self.folder.write(pending).map_err(Refusal::Folder)?;
        Ok(pending.view(now()))
    }

    fn forget_old(&self, acts: &mut BTreeMap<String, Pending>, now: u64) {
        acts.retain(|id, act| {
            let is_young = now < act.expires_at.saturating_add(REMEMBERED) || act.state == State::Running;
            if !is_young {
                self.folder.remove(id);
            }
            is_young
        });
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

#[cfg(test)]
mod tests;
