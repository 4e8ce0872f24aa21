//! A node as the post of a ceremony: its plan, what the others said, and where what this officer says goes.

use serde_json::{Value, json};

use super::coded;
use crate::ceremony::{Card, CeremonyId, Plan};
use crate::cli::Failure;
use crate::cli::admin::Door;
use crate::cli::http::block_on;
use crate::officer::{Folder, OfficerError, Relayed};
use crate::types::Coded as _;

/// Which of a node's ceremonies a command is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    /// A new key.
    Key,
    /// New shares of an old key.
    Shares,
}

/// A ceremony that a node knows.
struct Known {
    plan: Plan,
    /// The node says that somebody cheated.
    is_troubled: bool,
}

/// Gives a plan to a node, which tells all others.
pub(super) fn open(door: &Door, plan: &Plan) -> Result<(), Failure> {
    let body = json!({ "plan": plan.to_toml() });
    let posted = block_on(async { door.post("/ceremonies", &body).await?.json() })?;
    say!("ceremony {} is open; {} other member(s) have it", plan.id(), posted["told"]);
    silent(&posted);
    Ok(())
}

fn silent(posted: &Value) {
    let members: Vec<&str> = posted["silent"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if !members.is_empty() {
        eprintln!("not reached now, and told later: {}", members.join(", "));
    }
}

/// The plan of a ceremony, by its number.
///
/// Threat: a node that shows another plan under a number that the officers have compared.
pub(super) fn plan(door: &Door, id: &CeremonyId) -> Result<Plan, Failure> {
    known(door, id).map(|known| known.plan)
}

fn known(door: &Door, id: &CeremonyId) -> Result<Known, Failure> {
    let shown = block_on(async { door.get(&format!("/ceremonies/{id}")).await?.json() })?;
    let plan = Plan::parse(shown["plan"].as_str().unwrap_or_default()).map_err(super::ceremony)?;
    if plan.id() == *id {
        Ok(Known { plan, is_troubled: !shown["trouble"].is_null() })
    } else {
        Err(coded(OfficerError::OtherPlan(*id)))
    }
}

/// The plan of the one ceremony that waits for an officer. Those in which somebody cheated, and those that are complete in its folder, are
/// looked at only where there is no other.
pub(super) fn find(door: &Door, folder: &std::path::Path, card: &Card, kind: Kind) -> Result<Plan, Failure> {
    let mut own = Vec::new();
    for entry in list(door)? {
        let is_kind = (entry["generation"].as_u64() == Some(1)) == (kind == Kind::Key);
        let Some(id) = entry["ceremony"].as_str().and_then(|id| id.parse::<CeremonyId>().ok()).filter(|_| is_kind) else {
            continue;
        };
        let known = known(door, &id)?;
        if known.plan.has(&card.signing_key) {
            own.push(known);
        }
    }
    let complete = Folder::committees_of(folder).map_err(coded)?;
    let is_complete = |known: &Known| complete.iter().any(|file| file.ceremony == known.plan.id());
    let mut waiting: Vec<&Known> = own.iter().filter(|known| !known.is_troubled && !is_complete(known)).collect();
    let mut begun = Vec::new();
    for known in &waiting {
        if Folder::has_begun(folder, &known.plan.id()).map_err(coded)? {
            begun.push(*known);
        }
    }
    if let [_] = begun[..] {
        waiting = begun;
    }
    match (&waiting[..], own.first()) {
        ([one], _) => Ok(one.plan.clone()),
        // The newest: it is complete, or tells who cheated.
        ([], Some(newest)) => Ok(newest.plan.clone()),
        ([], None) => Err(coded(OfficerError::NoneOpen)),
        (several, _) => {
            let told = several.iter().map(|known| format!("{} ({})", known.plan.id(), known.plan.title()));
            Err(coded(OfficerError::Several(told.collect::<Vec<_>>().join(", "))))
        }
    }
}

/// All ceremonies that a node knows, the newest first.
pub(super) fn list(door: &Door) -> Result<Vec<Value>, Failure> {
    let shown = block_on(async { door.get("/ceremonies").await?.json() })?;
    Ok(shown.as_array().cloned().unwrap_or_default())
}

/// Lays what the node has into the folder of the ceremony. What is refused is told.
pub(super) fn fetch(door: &Door, relayed: &mut Relayed) -> Result<(), Failure> {
    let mut after = 0;
    loop {
        let path = format!("/ceremonies/{}/messages?after={after}", relayed.id());
        let page = block_on(async { door.get(&path).await?.json() })?;
        for text in page["messages"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            match relayed.take(text) {
                Err(OfficerError::Ceremony(error)) => {
                    eprintln!("refused: from {}: error[{}]: {error}", door.place(), error.code());
                }
                other => other.map_err(coded)?,
            }
        }
        let next = page["next"].as_u64().unwrap_or_default();
        if page["more"] != true || next <= after {
            return Ok(());
        }
        after = next;
    }
}

/// Hands in what this officer has said and the node does not have.
pub(super) fn hand_in(door: &Door, relayed: &mut Relayed, card: &Card) -> Result<(), Failure> {
    for message in relayed.unsaid(&card.signing_key).map_err(coded)? {
        let (path, body) = (format!("/ceremonies/{}/messages", relayed.id()), json!({ "message": message.to_json() }));
        let posted = block_on(async { door.post(&path, &body).await?.json() })?;
        relayed.said(&message);
        silent(&posted);
    }
    Ok(())
}
