//! Opening a ceremony, taking what officers and other members bring, and letting go of it in the end.

use std::sync::Arc;

use data_encoding::HEXLOWER;

use super::RelayError;
use super::mailbox::{Kept, LIFETIME, Said};
use super::rows::{name, put, remove};
use super::view::Posted;
use crate::ceremony::{Carried, CeremonyId, MAX_PLAN, Message, Opening, Plan};
use crate::crypto::hash::sha256;
use crate::governance::Policy;
use crate::services::gossip;
use crate::services::governed::{Governed, MAX_SKEW};
use crate::services::happening::{Happening, Kind as What};
use crate::services::native::path;
use crate::services::records::now;
use crate::services::send::to_its_end;
use crate::services::told::Matter;
use crate::services::{Error, Node};
use crate::store::Event;
use crate::types::{Coded as _, MemberId};

impl Node {
    /// Opens a ceremony in the name of this node's member, and tells every other member. One that is here stays as it is.
    pub async fn open_ceremony(self: &Arc<Self>, plan: &str, actor: &str) -> Result<Posted, Error> {
        let governed = Arc::clone(self.needs_governance()?);
        if plan.len() > MAX_PLAN {
            return Err(RelayError::Form("a plan is at most 96 KiB long").into());
        }
        let plan = Plan::parse(plan).map_err(RelayError::Ceremony)?;
        let (member, opened) = (governed.me.clone(), now());
        let mut opening = Opening { plan, member, opened, signature: [0; 64] };
        let is_here = governed.mail.known.read().kept(&opening.plan.id()).is_ok();
        if !is_here {
            // Before the key of the node says a word of it.
            check_plan(&governed, &opening)?;
            opening.signature = self.enclave.sign(opening.statement()).await?;
        }
        tracing::info!(ceremony = %opening.plan.id(), actor, "a ceremony is opened");
        self.post(&governed, Carried::Opening(Box::new(opening))).await
    }

    /// Takes an officer's message from somebody who is logged in here, and tells every other member.
    pub async fn say_in_ceremony(self: &Arc<Self>, id: CeremonyId, message: &[u8]) -> Result<Posted, Error> {
        let governed = Arc::clone(self.needs_governance()?);
        let message = Message::parse(message).map_err(|error| RelayError::Refused(error.code()))?;
        if message.ceremony != id {
            return Err(RelayError::Form("the message is of another ceremony").into());
        }
        let carried = Carried::Message(message);
        if let Err(refusal) = check(&governed, &carried) {
            self.counters.ceremony_refused.add();
            return Err(refusal.into());
        }
        self.post(&governed, carried).await
    }

    /// Goes on to its end when its caller gives up.
    async fn post(self: &Arc<Self>, governed: &Arc<Governed>, carried: Carried) -> Result<Posted, Error> {
        let (node, governed) = (Arc::clone(self), Arc::clone(governed));
        to_its_end(async move {
            let ceremony = carried.ceremony();
            let is_new = node.keep_carried(&governed, &carried).await?;
            let (told, silent) = if is_new {
                gossip::tell_all(&governed, path::CEREMONY_TELL, carried.encode().into()).await
            } else {
                (0, Vec::new())
            };
            Ok(Posted { ceremony: ceremony.to_string(), new: is_new, told, silent })
        })
        .await
    }

    /// Takes a plan or a message from whoever brings it: its signatures decide. True if it is new here.
    ///
    /// Threats: what a relay altered or made up; a message of another ceremony or network; the same again and again; openings of one who was
    /// expelled, of another day, or without end.
    pub async fn take_carried(self: &Arc<Self>, from: &MemberId, bytes: &[u8]) -> Result<bool, Error> {
        let governed = Arc::clone(self.needs_governance()?);
        let carried = Carried::decode(bytes).map_err(|error| RelayError::Refused(error.code()));
        let taken = match carried.and_then(|carried| check(&governed, &carried).map(|is_new| is_new.then_some(carried))) {
            Ok(None) => return Ok(false),
            Ok(Some(carried)) => self.keep_carried(&governed, &carried).await.map(|is_new| is_new.then_some(carried)),
            Err(refusal) => Err(refusal.into()),
        };
        match taken {
            Ok(None) => Ok(false),
            Ok(Some(carried)) => {
                gossip::pass_on(&governed, from, path::CEREMONY_TELL, carried.encode().into());
                Ok(true)
            }
            Err(error) => {
                self.refuse_carried(&governed, from, bytes, &error).await;
                Err(error)
            }
        }
    }

    async fn refuse_carried(&self, governed: &Governed, from: &MemberId, bytes: &[u8], error: &Error) {
        let Error::Relay(refusal) = error else { return };
        self.counters.ceremony_refused.add();
        // A message that overtook its plan is nobody's fault.
        if matches!(refusal, RelayError::Unknown(_)) || !governed.told.is_news(Matter::Ceremony, from.as_str(), &[bytes]) {
            return;
        }
        let code = refusal.code();
        tracing::warn!(member = %from, %code, %refusal, "what came for a ceremony was refused");
        self.note(Happening::now(What::Refused).member(from).code(code).text(&refusal.to_string()).event()).await;
    }

    /// Durable and journalled, then known. False if it was here.
    async fn keep_carried(&self, governed: &Governed, carried: &Carried) -> Result<bool, Error> {
        let _one = governed.mail.gate.lock().await;
        if !check(governed, carried)? {
            return Ok(false);
        }
        let id = carried.ceremony();
        match carried {
            Carried::Opening(opening) => {
                let taken = now();
                self.store.write(vec![put(&name(&id, None), taken, carried)], vec![told_opening(opening)]).await?;
                governed.mail.known.change(|known| known.open((**opening).clone(), taken));
            }
            Carried::Message(message) => {
                let place = governed.mail.known.read().kept(&id).map(Kept::next)?;
                let said = Said { digest: message.digest(), place };
                let row = put(&name(&id, Some((message.round, &message.from, &said.digest))), place, carried);
                self.store.write(vec![row], vec![told_message(message)]).await?;
                governed.mail.known.change(|known| {
                    if let Some(kept) = known.0.get_mut(&id) {
                        kept.add(message.round, message.from, said);
                    }
                });
                self.counters.ceremony_messages.add();
            }
        }
        Ok(true)
    }

    /// What was kept before this node was started.
    pub async fn load_ceremonies(&self) -> Result<(), Error> {
        let Some(governed) = &self.governed else { return Ok(()) };
        let read = self.read_ceremonies().await?;
        governed.mail.known.change(|known| *known = read);
        Ok(())
    }

    /// Lets go of ceremonies whose time is over.
    pub(super) async fn end_ceremonies(&self, governed: &Governed) -> Result<(), Error> {
        let _one = governed.mail.gate.lock().await;
        let over = governed.mail.known.read().over(now());
        for id in over {
            let rows = governed.mail.known.read().kept(&id).map(|kept| remove(&id, kept))?;
            let details = serde_json::json!({ "ceremony": id.to_string() });
            self.store.write(rows, vec![Happening::now(What::CeremonyEnded).details(details).event()]).await?;
            governed.mail.known.change(|known| known.0.remove(&id));
        }
        Ok(())
    }

    /// Ceremonies that are here and not done.
    pub fn open_ceremonies(&self) -> u64 {
        let count = |governed: &Arc<Governed>| governed.mail.known.read().0.values().filter(|kept| !kept.is_done()).count();
        self.governed.as_ref().map_or(0, count) as u64
    }
}

/// Judges what somebody brings. False if it is here.
fn check(governed: &Governed, carried: &Carried) -> Result<bool, RelayError> {
    let known = governed.mail.known.read();
    match carried {
        Carried::Opening(opening) => {
            if known.kept(&opening.plan.id()).is_ok() {
                return Ok(false);
            }
            drop(known);
            check_plan(governed, opening)?;
            check_opener(governed, opening).map(|()| true)
        }
        Carried::Message(message) => {
            let kept = known.kept(&message.ceremony)?;
            if !kept.is_news(message, message.to_json().len())? {
                return Ok(false);
            }
            kept.opening.plan.author(message).map(|_| true).map_err(|error| RelayError::Refused(error.code()))
        }
    }
}

fn check_plan(governed: &Governed, opening: &Opening) -> Result<(), RelayError> {
    let charter = governed.charter();
    if opening.plan.network != governed.network {
        return Err(RelayError::Form("the plan is of another network"));
    }
    is_ahead(charter.policy(), &opening.plan)?;
    let members = charter.members().all().len();
    governed.mail.known.read().has_room(&opening.member, &opening.plan, members)
}

/// Threat: new shares of a committee that is past, which fewer people or others have kept; a key in the place of one that is in force.
fn is_ahead(policy: &Policy, plan: &Plan) -> Result<(), RelayError> {
    let Some(current) = policy.committee(plan.purpose, plan.epoch) else { return Ok(()) };
    let is_same_key = plan.previous.as_ref().is_none_or(|previous| previous.file.committee.key == current.key);
    if is_same_key && plan.generation >= current.generation { Ok(()) } else { Err(RelayError::Past) }
}

fn check_opener(governed: &Governed, opening: &Opening) -> Result<(), RelayError> {
    let skew = MAX_SKEW.unsigned_abs() * 1000;
    let charter = governed.charter();
    let member = charter.members().by_id(&opening.member).filter(|member| member.is_active());
    let key = member.and_then(|member| member.signing_key);
    if key.is_none_or(|key| !opening.is_signed(&key)) {
        return Err(RelayError::Opener(opening.member.clone()));
    }
    if opening.opened > now() + skew {
        return Err(RelayError::Form("it is dated in time to come"));
    }
    // Threat: what was let go of comes back from a member that kept it.
    if opening.opened.saturating_add(LIFETIME) <= now() { Err(RelayError::Form("it is older than 30 days")) } else { Ok(()) }
}

fn told_opening(opening: &Opening) -> Event {
    let details = serde_json::json!({ "ceremony": opening.plan.id().to_string(), "opened": opening.opened });
    Happening::now(What::CeremonyOpened).member(&opening.member).details(details).event()
}

/// Threat: the journal, which all keep, names people. It has the digest of what was said: whoever has the message finds it.
fn told_message(message: &Message) -> Event {
    let digest = HEXLOWER.encode(&sha256(&[message.to_json().as_bytes()]));
    let details = serde_json::json!({ "ceremony": message.ceremony.to_string(), "round": message.round, "digest": digest });
    Happening::now(What::CeremonyMessage).details(details).event()
}
