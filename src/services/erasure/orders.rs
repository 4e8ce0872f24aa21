//! Orders on their way: each holder is asked until it has answered for good, however long that takes.

use std::sync::Arc;
use std::time::Duration;

use super::error::ErasureError;
use super::rows::{Given, put_given};
use crate::erasure::{Answer, Case, Holder, HolderKind, Level, SignedErasureReceipt, SignedOrder};
use crate::services::governed::{Governed, native_address};
use crate::services::native::path;
use crate::services::records::now;
use crate::services::{Error, Node};
use crate::types::{Coded as _, MemberId};
use crate::wire::native::{ErasureAnswer, Message as _};

/// First pause before a holder is asked again, milliseconds; it doubles.
const FIRST: u64 = 1_000;
/// Longest pause.
const LONGEST: u64 = 10 * 60 * 1_000;
/// One order: the holder erases before it answers.
const BUDGET: Duration = Duration::from_mins(1);

/// When a holder is asked again that was asked `attempts` times in vain.
pub(super) fn next_time(now: u64, attempts: u32) -> u64 {
    now + FIRST.saturating_mul(1 << attempts.min(20)).min(LONGEST)
}

impl Node {
    /// Asks a holder of a case what has become of its orders; what is known of it afterwards.
    pub(super) async fn ask_holder(
        self: &Arc<Self>,
        governed: &Arc<Governed>,
        case: &Case,
        mut holder: Holder,
    ) -> Result<Holder, Error> {
        let (mut done, mut held, mut lowest, mut news) = (0, 0, None::<u8>, false);
        let mut failed = None;
        for page in 0..holder.orders {
            let mut given = self.given(&case.id, page, &holder.member).await?;
            if is_settled(&given) {
                done += 1;
            } else if failed.is_none() {
                match self.ask(governed, &holder.member, &given).await {
                    Ok(answer) => {
                        news |= *answer.receipt != *given.receipt;
                        given.receipt = answer.receipt;
                        (given.record, given.salt, given.proof) = (answer.record, answer.salt, answer.proof);
                        self.store.write(vec![put_given(&case.id, page, &holder.member, &given)], Vec::new()).await?;
                        holder.heard = now();
                        done += u32::from(is_settled(&given));
                    }
                    Err(error) => {
                        tracing::info!(case = %case.id, member = %holder.member, code = %error.code(), "a holder did not answer an order");
                        failed = Some(error.code().to_string());
                    }
                }
            }
            held += held_in(&given);
            // Threat: one order is answered, the next finds a full disk, and the case goes on as if all were.
            let level = if given.receipt.is_empty() { Some(0) } else { level_of(&given) };
            if let Some(level) = level {
                lowest = Some(lowest.map_or(level, |lowest| lowest.min(level)));
            }
        }
        holder.error = failed;
        holder.done = done;
        holder.held = if holder.error.is_some() { holder.held } else { held };
        holder.level = lowest.unwrap_or(holder.level);
        holder.attempts = if news { 0 } else { holder.attempts.saturating_add(1) };
        holder.next = next_time(now(), holder.attempts);
        Ok(holder)
    }

    async fn ask(self: &Arc<Self>, governed: &Arc<Governed>, member: &MemberId, given: &Given) -> Result<ErasureAnswer, Error> {
        let answer = if *member == governed.me {
            self.take_order(member, given.order.to_vec()).await?
        } else {
            let charter = governed.charter();
            let to = charter.members().by_id(member).and_then(native_address).ok_or_else(|| Error::NotAMember(member.clone()))?;
            let bytes = governed.peers.call(&to, path::ERASE, given.order.to_vec().into(), BUDGET).await?;
            ErasureAnswer::from_bytes(&bytes).map_err(|_| ErasureError::Answer(member.clone()))?
        };
        check_answer(governed, member, given, &answer)?;
        Ok(answer)
    }
}

/// Threat: a holder answers with a receipt of something else. Its proof is checked when the certificate is: it comes later.
fn check_answer(governed: &Governed, member: &MemberId, given: &Given, answer: &ErasureAnswer) -> Result<(), Error> {
    let bad = || ErasureError::Answer(member.clone());
    let order = SignedOrder::decode(&given.order).map_err(|_| bad())?;
    let signed = SignedErasureReceipt::decode(&answer.receipt).map_err(|_| bad())?;
    let receipt = &signed.receipt;
    let fits = receipt.member == *member && receipt.order == order.digest() && receipt.network == governed.network;
    // With a key of its date: a holder that replaced its own since gives the receipt of before.
    let is_signed = governed.charter().signing_keys(member, receipt.time).iter().any(|key| signed.verify(key).is_ok());
    if !fits || receipt.answers.len() != order.order.items.len() || !is_signed {
        return Err(bad().into());
    }
    Ok(())
}

/// Whether an order is answered for good, and the holder's journal has shown it.
fn is_settled(given: &Given) -> bool {
    SignedErasureReceipt::decode(&given.receipt).is_ok_and(|signed| signed.receipt.is_final()) && !given.proof.is_empty()
}

/// Items of an order that a hold stands before.
fn held_in(given: &Given) -> u64 {
    let Ok(signed) = SignedErasureReceipt::decode(&given.receipt) else { return 0 };
    // An end of 0: it is not looked at yet.
    signed.receipt.answers.iter().filter(|answer| matches!(answer, Answer::Held { until } if *until > 0)).count() as u64
}

fn level_of(given: &Given) -> Option<u8> {
    SignedErasureReceipt::decode(&given.receipt).ok()?.receipt.level().map(Level::number)
}

/// A holder of a new case.
pub(super) fn holder(member: MemberId, kind: HolderKind, items: u64, orders: u32) -> Holder {
    Holder { member, kind, items, orders, done: 0, held: 0, level: 0, attempts: 0, next: 0, heard: 0, error: None }
}
