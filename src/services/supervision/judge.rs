//! Whether an order is taken: what directory and policy say of it, now and on the day that it was given.

use super::SupervisionError;
use super::orders::{Order, may_order};
use super::stops::Known;
use crate::governance::{Charter, State};
use crate::services::governed::{Governed, MAX_SKEW};
use crate::services::records::now;
use crate::supervision::{SignedLift, SignedStop, StopOrder};
use crate::types::MemberId;

/// How long an order of a policy that was superseded is still heard for the first time, milliseconds from the policy that followed.
const HEARD_LATE: u64 = 7 * 86_400_000;

fn skew() -> u64 {
    MAX_SKEW.unsigned_abs() * 1000
}

/// Judges an order that somebody brings.
pub(super) fn check(governed: &Governed, from: &MemberId, order: &Order) -> Result<(), SupervisionError> {
    let charter = governed.charter();
    let (supervisor, scope, issued) = order.words();
    let network = match order {
        Order::Stop(stop) => stop.order.network,
        Order::Lift(lift) => lift.lift.network,
    };
    if network != governed.network {
        return Err(SupervisionError::Order("it is of another network"));
    }
    if let Err(refusal) = may_order(&charter, supervisor, scope) {
        let is_taken = match order {
            Order::Stop(stop) => {
                matches!(refusal, SupervisionError::NotGiven { .. }) && was_given(&charter, from, &stop.order, now())
            }
            Order::Lift(lift) => is_its_own(&governed.desk.stops.read(), lift),
        };
        if !is_taken {
            return Err(refusal);
        }
    }
    let key = charter.members().by_id(supervisor).and_then(|member| member.signing_key);
    let key = key.ok_or_else(|| SupervisionError::NotASupervisor(supervisor.clone()))?;
    let verified = match order {
        Order::Stop(stop) => stop.verify(&key),
        Order::Lift(lift) => lift.verify(&key),
    };
    verified.map_err(|_| SupervisionError::Order("its signature does not verify"))?;
    if issued > now() + skew() {
        return Err(SupervisionError::Order("it is dated in time to come"));
    }
    Ok(())
}

/// Whether a supervisor lifts what it ordered itself, and what stands here: that is taken whatever became of it since. It widens what is
/// allowed, by its own word; a member that was away would stay stopped for ever without.
fn is_its_own(known: &Known, lift: &SignedLift) -> bool {
    known.stops.get(&lift.lift.stop).is_some_and(|stop| stop.order.supervisor == lift.lift.supervisor)
}

/// Whether a policy that was in force on an order's day gave it, for a member that was away while another followed.
///
/// A policy's date is that of its writing; it is told later. So an order of the days between is taken too.
///
/// Threat: a supervisor that lost a scope orders anew, or dates orders back. The policy that gave it was superseded a week ago at most, and
/// another member who takes part brings the order: one that heard it in its time. **Together with a member it may, for that week;** the
/// directory is today's in any case: who is expelled orders nothing.
fn was_given(charter: &Charter, from: &MemberId, order: &StopOrder, now: u64) -> bool {
    let is_other = *from != order.supervisor && charter.members().by_id(from).is_some_and(|from| from.state == State::Active);
    let policies: Vec<_> = charter.policies().map(|signed| &signed.content).collect();
    let begins = |at: usize| u64::try_from(policies[at].head.issued.as_millisecond()).unwrap_or_default();
    let was = |at: usize| {
        let is_late = begins(at) <= order.issued + skew() && now <= begins(at + 1) + HEARD_LATE;
        is_late && order.scope.is_given(policies[at], &order.supervisor)
    };
    is_other && (0..policies.len().saturating_sub(1)).any(was)
}

/// Whether a lift is by somebody who may lift its order no more: who was away since then does not take it.
/// The order's own supervisor may for ever.
pub(super) fn is_of_before(charter: &Charter, stop: &SignedStop, SignedLift { lift, .. }: &SignedLift) -> bool {
    lift.supervisor != stop.order.supervisor && may_order(charter, &lift.supervisor, &lift.scope).is_err()
}

/// Whether this node's own lift takes the place of one of before.
pub(super) fn is_again(governed: &Governed, known: &Known, order: &Order) -> bool {
    let Order::Lift(new) = order else { return false };
    let (stop, kept) = (known.stops.get(&new.lift.stop), known.lift_of(&new.lift.stop));
    let of_before = stop.zip(kept).is_some_and(|(stop, kept)| is_of_before(&governed.charter(), stop, kept));
    of_before && new.lift.supervisor == governed.me
}
