//! Orders that stand, in memory: asked before a payload is sealed, again before its id is told, and by every recipient.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use super::SupervisionError;
use crate::crypto::hash::sha256;
use crate::erasure::Tags;
use crate::governance::Contract;
use crate::services::governed::Governed;
use crate::services::happening::{Happening, Kind as What};
use crate::services::{Error, Node};
use crate::supervision::{Affair, SignedLift, SignedStop, StopDigest, StopNumber};
use crate::types::{Class, Coded as _, MemberId, PayloadId, Privacy};

/// What an order is asked about: a payload, before it is one.
#[derive(Clone, Debug)]
pub(crate) struct Concern {
    pub(crate) sender: MemberId,
    pub(crate) class: Class,
    /// As its sender declares it; a recipient does not know it.
    pub(crate) contract: Option<Contract>,
    pub(crate) affected: Vec<PayloadId>,
}

impl Concern {
    /// Of a payload that this node sends.
    pub(crate) fn own(governed: &Governed, class: Class, tags: &Tags, affected: &[PayloadId]) -> Self {
        let contract = tags.contract.as_ref().and_then(|address| address.parse().ok());
        Self { sender: governed.me.clone(), class, contract, affected: affected.to_vec() }
    }

    /// Of a payload that a member delivers.
    pub(crate) fn of(sender: &MemberId, class: Class, privacy: &Privacy) -> Self {
        let affected = privacy.affected.iter().map(|affected| affected.id).collect();
        Self { sender: sender.clone(), class, contract: None, affected }
    }
}

/// What is known of orders. An order that was lifted stays: it is not taken again.
#[derive(Default)]
pub(crate) struct Stops(RwLock<Known>);

#[derive(Default)]
pub(super) struct Known {
    pub(super) stops: BTreeMap<StopDigest, SignedStop>,
    /// By the order that each lifts.
    pub(super) lifts: BTreeMap<StopDigest, SignedLift>,
}

impl Known {
    /// The lift of an order that is known: one of another scope lifts nothing.
    ///
    /// Threat: a supervisor of a small scope lifts an order of a large one, before that order has arrived here.
    pub(super) fn lift_of(&self, digest: &StopDigest) -> Option<&SignedLift> {
        let stop = self.stops.get(digest)?;
        self.lifts.get(digest).filter(|lift| lift.lift.scope == stop.order.scope)
    }

    pub(super) fn active(&self) -> impl Iterator<Item = (&StopDigest, &SignedStop)> {
        self.stops.iter().filter(|(digest, _)| self.lift_of(digest).is_none())
    }

    /// What two members compare: the same orders, lifted or not, have the same.
    pub(super) fn fingerprint(&self) -> [u8; 32] {
        let stops = self.stops.keys().map(|digest| (digest, u8::from(self.lift_of(digest).is_some())));
        let early = self.lifts.keys().filter(|digest| !self.stops.contains_key(*digest)).map(|digest| (digest, 2));
        let mut all = Vec::with_capacity(33 * self.stops.len());
        for (digest, state) in stops.chain(early) {
            all.extend_from_slice(digest);
            all.push(state);
        }
        sha256(&[b"celosia stops\n", &all])
    }
}

impl Stops {
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether an order stands before a payload.
    pub(crate) fn check(&self, concern: &Concern) -> Result<(), SupervisionError> {
        first_of(self.read().active().map(|(_, stop)| stop), concern)
    }

    /// Whether an order stood before a payload when it was sent (milliseconds since the Unix epoch), by the dates of both.
    pub(crate) fn check_then(&self, concern: &Concern, sent: u64) -> Result<(), SupervisionError> {
        let known = self.read();
        let stood = known.stops.iter().filter(|(digest, stop)| {
            let lifted = known.lift_of(digest).map_or(u64::MAX, |lift| lift.lift.issued);
            (stop.order.issued..lifted).contains(&sent)
        });
        first_of(stood.map(|(_, stop)| stop), concern)
    }

    /// Orders of a number: a number is its supervisor's own choice, so there may be two.
    pub(super) fn of_number(&self, number: &StopNumber) -> Vec<StopDigest> {
        let known = self.read();
        let of = known.stops.iter().filter(|(_, stop)| stop.order.number == *number);
        of.map(|(digest, _)| *digest).collect()
    }
}

/// The first of these orders that holds a payload.
fn first_of<'a>(mut orders: impl Iterator<Item = &'a SignedStop>, concern: &Concern) -> Result<(), SupervisionError> {
    let Concern { sender, class, contract, affected } = concern;
    let affair = Affair { sender, class: *class, contract: contract.as_ref(), affected };
    match orders.find(|stop| stop.order.scope.covers(&affair)) {
        None => Ok(()),
        Some(SignedStop { order, .. }) => Err(SupervisionError::Stopped {
            number: order.number,
            supervisor: order.supervisor.clone(),
            scope: order.scope.clone(),
            text: order.text.clone(),
        }),
    }
}

impl Node {
    /// Whether an order stands before a payload of ours, or of another member. A refusal is journalled.
    pub(crate) async fn not_stopped(&self, governed: &Governed, concern: &Concern) -> Result<(), Error> {
        let Err(stopped) = governed.desk.stops.check(concern) else { return Ok(()) };
        self.counters.stopped.add();
        let event = Happening::now(What::Refused).class(concern.class).member(&concern.sender).code(stopped.code());
        let number = if let SupervisionError::Stopped { number, .. } = &stopped { number.to_string() } else { String::new() };
        self.note(event.details(serde_json::json!({ "order": number })).event()).await;
        Err(stopped.into())
    }

    /// The same outside of a governed network: nothing is stopped there.
    pub(crate) async fn own_not_stopped(&self, class: Class, tags: &Tags, affected: &[PayloadId]) -> Result<(), Error> {
        match &self.governed {
            Some(governed) => self.not_stopped(governed, &Concern::own(governed, class, tags, affected)).await,
            None => Ok(()),
        }
    }

    /// Orders that stand.
    pub fn active_stops(&self) -> u64 {
        self.governed.as_ref().map_or(0, |governed| governed.desk.stops.read().active().count() as u64)
    }
}
