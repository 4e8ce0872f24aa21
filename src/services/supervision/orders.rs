//! Giving, taking and showing orders.

use std::sync::Arc;

use serde::Serialize;

use super::SupervisionError;
use super::judge::{check, is_again, is_of_before};
use super::rows::{LIFT, STOP, put};
use super::stops::Known;
use crate::crypto::hash::sha256;
use crate::crypto::random;
use crate::governance::{Charter, Role};
use crate::services::gossip;
use crate::services::governed::Governed;
use crate::services::happening::{Happening, Kind as What};
use crate::services::native::path;
use crate::services::records::now;
use crate::services::send::to_its_end;
use crate::services::told::Matter;
use crate::services::{Error, Node};
use crate::store::{Event, Write};
use crate::supervision::{Lift, SignedLift, SignedStop, StopDigest, StopNumber, StopOrder, StopScope, is_line};
use crate::types::{Coded as _, MemberId, PayloadId};

/// Orders of one supervisor that stand, and lifts of orders that are not here. What is lifted takes nobody's place.
///
/// Threat: a supervisor fills every member's memory. One that orders and lifts without end is in every journal.
const MOST: usize = 4_096;

/// An order to be given.
#[derive(Clone, Debug)]
pub struct NewStop {
    /// What is stopped.
    pub scope: StopScope,
    /// What it rests on.
    pub authority: String,
    /// What senders are told.
    pub text: String,
}

/// How far an order has come when its supervisor is answered.
#[derive(Clone, Debug, Serialize)]
pub struct Spread {
    /// The order.
    #[serde(flatten)]
    pub order: StopView,
    /// Other members that have it.
    pub told: usize,
    /// Those that could not be told yet: they are told by whoever meets them first.
    pub silent: Vec<MemberId>,
}

/// An order as people see it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct StopView {
    /// Its name.
    pub number: StopNumber,
    /// Whose it is.
    pub supervisor: MemberId,
    /// What it stops.
    pub scope: StopScope,
    /// Payloads that made the contract, where it is one's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub creations: Vec<PayloadId>,
    /// What it rests on.
    pub authority: String,
    /// What it says.
    pub text: String,
    /// When it was given, milliseconds since the Unix epoch.
    pub issued: u64,
    /// What lifted it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifted: Option<LiftView>,
}

/// A lift as people see it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LiftView {
    /// Who lifted it.
    pub by: MemberId,
    /// Why.
    pub text: String,
    /// When, milliseconds since the Unix epoch.
    pub issued: u64,
}

/// An order or a lift, as it crosses: `kind (1) ‖ signed bytes`.
pub(super) enum Order {
    Stop(SignedStop),
    Lift(SignedLift),
}

impl Order {
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, SupervisionError> {
        let bad = |_| SupervisionError::Order("it does not decode");
        match bytes.split_first() {
            Some((&STOP, rest)) => SignedStop::decode(rest).map(Self::Stop).map_err(bad),
            Some((&LIFT, rest)) => SignedLift::decode(rest).map(Self::Lift).map_err(bad),
            _ => Err(SupervisionError::Order("it does not decode")),
        }
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Stop(stop) => [&[STOP], &stop.encode()[..]].concat(),
            Self::Lift(lift) => [&[LIFT], &lift.encode()[..]].concat(),
        }
    }

    fn digest(&self) -> StopDigest {
        match self {
            Self::Stop(stop) => stop.order.digest(),
            Self::Lift(lift) => lift.lift.stop,
        }
    }

    pub(super) fn words(&self) -> (&MemberId, &StopScope, u64) {
        match self {
            Self::Stop(SignedStop { order, .. }) => (&order.supervisor, &order.scope, order.issued),
            Self::Lift(SignedLift { lift, .. }) => (&lift.supervisor, &lift.scope, lift.issued),
        }
    }

    /// Whether there is nothing to do: it is here.
    fn is_known(&self, known: &Known) -> bool {
        let digest = self.digest();
        match self {
            Self::Stop(_) => known.stops.contains_key(&digest),
            Self::Lift(lift) => known.lift_of(&digest).is_some() || known.lifts.get(&digest) == Some(lift),
        }
    }

    fn event(&self) -> Event {
        let (what, number, text, authority) = match self {
            Self::Stop(SignedStop { order, .. }) => (What::StopOrdered, order.number, &order.text, Some(&order.authority)),
            Self::Lift(SignedLift { lift, .. }) => (What::StopLifted, lift.number, &lift.text, None),
        };
        let (supervisor, scope, issued) = self.words();
        let details = serde_json::json!({
            "order": number, "scope": scope, "authority": authority, "issued": issued,
            "digest": data_encoding::HEXLOWER.encode(&self.digest()),
        });
        Happening::now(what).member(supervisor).text(text).details(details).event()
    }
}

impl Node {
    /// Gives an order, in the name of this node's member, and tells every other member.
    pub async fn order_stop(self: &Arc<Self>, new: NewStop, actor: &str) -> Result<Spread, Error> {
        let governed = Arc::clone(self.needs_governance()?);
        if !is_line(&new.authority) || !is_line(&new.text) {
            return Err(SupervisionError::Text.into());
        }
        let (network, supervisor) = (governed.network, governed.me.clone());
        let NewStop { scope, authority, text } = new;
        let order = StopOrder { network, number: StopNumber(random()), supervisor, scope, authority, text, issued: now() };
        may_order(&governed.charter(), &order.supervisor, &order.scope)?;
        let signature = self.enclave.sign(order.statement()).await?;
        tracing::warn!(number = %order.number, scope = %order.scope, actor, "an order to stop is given");
        self.give(&governed, Order::Stop(SignedStop { order, signature })).await
    }

    /// Lifts an order, and tells every other member. One that was lifted is lifted again if who lifted it may do so no more: a member that
    /// was away since takes the new lift alone.
    pub async fn lift_stop(self: &Arc<Self>, number: StopNumber, text: String, actor: &str) -> Result<Spread, Error> {
        let governed = Arc::clone(self.needs_governance()?);
        if !is_line(&text) {
            return Err(SupervisionError::Text.into());
        }
        let found = governed.desk.stops.of_number(&number);
        let charter = governed.charter();
        let stop = {
            let known = governed.desk.stops.read();
            let stops = found.iter().filter_map(|digest| Some((known.stops.get(digest)?, known.lift_of(digest))));
            let mut open = stops.filter(|(stop, lift)| lift.is_none_or(|lift| is_of_before(&charter, stop, lift)));
            open.next().map(|(stop, _)| stop.clone())
        };
        let Some(stop) = stop else {
            let missing = if found.is_empty() { SupervisionError::Unknown(number) } else { SupervisionError::Lifted(number) };
            return Err(missing.into());
        };
        let (scope, supervisor) = (stop.order.scope.clone(), governed.me.clone());
        if supervisor != stop.order.supervisor {
            may_order(&charter, &supervisor, &scope)?;
        }
        let lift = Lift { network: governed.network, number, stop: stop.order.digest(), scope, supervisor, text, issued: now() };
        let signature = self.enclave.sign(lift.statement()).await?;
        tracing::warn!(%number, actor, "an order to stop is lifted");
        self.give(&governed, Order::Lift(SignedLift { lift, signature })).await
    }

    /// Goes on to its end when its caller gives up.
    async fn give(self: &Arc<Self>, governed: &Arc<Governed>, order: Order) -> Result<Spread, Error> {
        let (node, governed) = (Arc::clone(self), Arc::clone(governed));
        to_its_end(async move {
            node.keep_order(&governed, &order).await?;
            let (told, silent) = gossip::tell_all(&governed, path::SUPERVISION_TELL, order.encode().into()).await;
            let known = governed.desk.stops.read();
            let digest = order.digest();
            let view = view(&known, &digest).ok_or(SupervisionError::Order("its order is not here"))?;
            Ok(Spread { order: view, told, silent })
        })
        .await
    }

    /// Takes an order from whoever brings it: its signature, directory and policy decide. True if it is new here.
    ///
    /// Threats: a forged order; one of a supervisor that was expelled or has another scope; one of another network; one that was lifted
    /// brought again (the lift is kept for ever); one dated in days to come.
    pub async fn take_supervision_order(self: &Arc<Self>, from: &MemberId, bytes: &[u8]) -> Result<bool, Error> {
        let governed = Arc::clone(self.needs_governance()?);
        let taken = async {
            let order = Order::decode(bytes)?;
            if order.is_known(&governed.desk.stops.read()) {
                return Ok(None);
            }
            check(&governed, from, &order)?;
            Ok::<_, SupervisionError>(Some(order))
        };
        match taken.await {
            Ok(None) => Ok(false),
            Ok(Some(order)) => {
                if !self.keep_order(&governed, &order).await? {
                    return Ok(false);
                }
                gossip::pass_on(&governed, from, path::SUPERVISION_TELL, order.encode().into());
                Ok(true)
            }
            Err(refusal) => {
                self.refuse_order(&governed, from, bytes, &refusal).await;
                Err(refusal.into())
            }
        }
    }

    async fn refuse_order(&self, governed: &Governed, from: &MemberId, bytes: &[u8], refusal: &SupervisionError) {
        if !governed.told.is_news(Matter::Order, from.as_str(), &[bytes]) {
            return;
        }
        let code = refusal.code();
        tracing::warn!(member = %from, %code, %refusal, "an order of supervision was refused");
        let event = Happening::now(What::Refused).member(from).code(code).text(&refusal.to_string()).event();
        self.note(event).await;
    }

    /// Durable, journalled, then in force. False if it was here.
    async fn keep_order(&self, governed: &Governed, order: &Order) -> Result<bool, Error> {
        let _one = governed.desk.gate.lock().await;
        let digest = order.digest();
        {
            let known = governed.desk.stops.read();
            if order.is_known(&known) && !is_again(governed, &known, order) {
                return Ok(false);
            }
            if let (Order::Lift(lift), Some(stop)) = (order, known.stops.get(&digest))
                && (lift.lift.scope != stop.order.scope || lift.lift.number != stop.order.number)
            {
                return Err(SupervisionError::Order("it lifts an order of another scope").into());
            }
            if !known.has_room(order) {
                return Err(SupervisionError::TooMany(order.words().0.clone()).into());
            }
        }
        let row: Write = match order {
            Order::Stop(stop) => put(STOP, &digest, stop.encode()),
            Order::Lift(lift) => put(LIFT, &digest, lift.encode()),
        };
        self.store.write(vec![row], vec![order.event()]).await?;
        governed.desk.stops.change(|known| known.add(order, digest));
        let (supervisor, scope, _) = order.words();
        tracing::warn!(%supervisor, %scope, lifted = matches!(order, Order::Lift(_)), "an order of supervision is in force");
        Ok(true)
    }

    /// Orders that were taken before this node was started: they are in force before a surface opens. And where the feed goes on.
    pub async fn load_supervision(&self) -> Result<(), Error> {
        let Some(governed) = &self.governed else { return Ok(()) };
        self.load_feed(governed).await?;
        for kind in [STOP, LIFT] {
            for row in self.supervision_rows(kind).await? {
                match Order::decode(&[&[kind], &row[..]].concat()) {
                    Ok(order) => governed.desk.stops.change(|known| known.add(&order, order.digest())),
                    Err(error) => tracing::error!(code = %error.code(), "a kept order of supervision does not decode"),
                }
            }
        }
        Ok(())
    }

    /// All orders, those that are lifted included, the newest first.
    pub fn stops(&self) -> Result<Vec<StopView>, Error> {
        let governed = self.needs_governance()?;
        let known = governed.desk.stops.read();
        let mut all: Vec<StopView> = known.stops.keys().filter_map(|digest| view(&known, digest)).collect();
        all.sort_by_key(|view| std::cmp::Reverse(view.issued));
        Ok(all)
    }
}

impl Known {
    /// Whether a supervisor's order finds a place. A lift of what stands always does.
    fn has_room(&self, order: &Order) -> bool {
        let (supervisor, ..) = order.words();
        let taken = match order {
            Order::Lift(lift) if self.stops.contains_key(&lift.lift.stop) => return true,
            Order::Stop(_) => self.active().filter(|(_, stop)| stop.order.supervisor == *supervisor).count(),
            Order::Lift(_) => {
                let early = self.lifts.iter().filter(|(digest, _)| !self.stops.contains_key(*digest));
                early.filter(|(_, lift)| lift.lift.supervisor == *supervisor).count()
            }
        };
        taken < MOST
    }

    fn add(&mut self, order: &Order, digest: StopDigest) {
        match order {
            Order::Stop(stop) => drop(self.stops.insert(digest, stop.clone())),
            Order::Lift(lift) => drop(self.lifts.insert(digest, lift.clone())),
        }
    }
}

fn view(known: &Known, digest: &StopDigest) -> Option<StopView> {
    let StopOrder { number, supervisor, scope, authority, text, issued, .. } = known.stops.get(digest)?.order.clone();
    let lifted = known.lift_of(digest).map(|SignedLift { lift, .. }| LiftView {
        by: lift.supervisor.clone(),
        text: lift.text.clone(),
        issued: lift.issued,
    });
    let creations = if let StopScope::Contract { creations, .. } = &scope { creations.clone() } else { Vec::new() };
    Some(StopView { number, supervisor, scope, creations, authority, text, issued, lifted })
}

/// What directory and policy say of who gives an order, or lifts one.
pub(super) fn may_order(charter: &Charter, supervisor: &MemberId, scope: &StopScope) -> Result<(), SupervisionError> {
    let member = charter.members().by_id(supervisor).filter(|member| member.is_active() && member.has_role(Role::Supervisor));
    if member.is_none() {
        return Err(SupervisionError::NotASupervisor(supervisor.clone()));
    }
    if scope.is_given(charter.policy(), supervisor) {
        return Ok(());
    }
    Err(SupervisionError::NotGiven { supervisor: supervisor.clone(), scope: scope.clone() })
}

/// The name of an order in logs of the exchange.
pub(super) fn short_name(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&sha256(&[bytes])[..8])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::NetworkId;

    #[test]
    fn what_is_lifted_takes_no_place_and_what_stands_is_always_lifted() {
        let (network, supervisor) = (NetworkId::new([1; 32]), "cnmv".parse::<MemberId>().expect("an id"));
        let stop = |number: usize| {
            let number = StopNumber((number as u128).to_be_bytes());
            let (supervisor, scope, text) = (supervisor.clone(), StopScope::All, "stopped".to_owned());
            let order = StopOrder { network, number, supervisor, scope, authority: text.clone(), text, issued: 1 };
            SignedStop { order, signature: [0; 64] }
        };
        let lift = |SignedStop { order, .. }: &SignedStop| {
            let StopOrder { network, number, supervisor, scope, text, issued, .. } = order.clone();
            let lift = Lift { network, number, stop: order.digest(), scope, supervisor, text, issued };
            Order::Lift(SignedLift { lift, signature: [0; 64] })
        };
        let mut known = Known::default();
        for number in 0..MOST {
            let order = Order::Stop(stop(number));
            assert!(known.has_room(&order), "{number}");
            known.add(&order, order.digest());
        }
        let next = Order::Stop(stop(MOST));
        assert!(!known.has_room(&next));
        for number in 0..MOST {
            let order = lift(&stop(number));
            assert!(known.has_room(&order), "{number}");
            known.add(&order, order.digest());
        }
        assert!(known.has_room(&next), "lifted orders take places");
        for number in MOST..2 * MOST {
            let order = lift(&stop(number));
            known.add(&order, order.digest());
        }
        assert!(!known.has_room(&lift(&stop(2 * MOST))), "lifts of what is not here have no limit");
    }
}
