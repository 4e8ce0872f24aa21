//! Getting back from other members what this node lost. A payload of the suite celosia-1 comes in a box for today's epoch key, and only to those
//! whom its sender addressed, or to its sender.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _};

use super::deliver::NACL;
use super::given::given_of;
use super::{NativeAddress, path};
use crate::crypto::hash::payload_id;
use crate::enclave::{EnclaveError, NativeTarget};
use crate::governance::Charter;
use crate::services::governed::{Governed, native_address};
use crate::services::{Error, Node, PeerError, ReturnError};
use crate::store::Kind;
use crate::types::{Codec, Coded as _, MemberId, PayloadId};
use crate::wire::delivery::Delivery;
use crate::wire::native::{Item, Message as _, Resend, Resent};
use crate::wire::{EncodedPayload, GivenBack};

/// Records looked at for one page, and bytes of one page.
const PAGE: usize = 256;
const PAGE_BYTES: usize = 8 << 20;
/// One page.
const BUDGET: Duration = Duration::from_mins(1);
/// Bytes of an id.
const ID: usize = 64;
/// Members that are asked at once.
const AT_ONCE: usize = 8;
/// Longest that one member is asked without giving anything of ours; and at all.
const MOST_IDLE: Duration = Duration::from_hours(1);
const MOST_TIME: Duration = Duration::from_hours(24);
/// Bytes that one member may give for nothing.
const MOST_REFUSED: u64 = 4 << 30;

impl Node {
    /// A page of what the caller takes part in.
    pub async fn native_resend(&self, from: &MemberId, asked: &Resend) -> Result<Resent, Error> {
        let governed = self.needs_governance()?;
        let charter = governed.charter();
        let epoch = governed.learn_epoch(&charter, from, &asked.epoch)?;
        let after = match asked.after.as_slice() {
            [] => None,
            id => Some(PayloadId::try_from(id).map_err(|_| Error::Message("an id of another length"))?),
        };
        let page = self.store.scan(Kind::Payload, after, PAGE).await?;
        let target = NativeTarget { member: from.clone(), epoch, shown: Vec::new() };
        let (mut items, mut bytes, mut next) = (Vec::new(), 0, Vec::new());
        for (id, record) in page {
            next = id.as_bytes().to_vec();
            for item in self.given_back(&charter, from, id, record, &target).await? {
                self.counters.resent.add();
                bytes += item.body.len();
                items.push(item);
            }
            if bytes > PAGE_BYTES {
                break;
            }
        }
        let epoch = self.enclave.epoch_key().await?.encode();
        Ok(Resent { epoch: epoch.into(), items, next: next.into() })
    }

    /// Asks every member for everything: those that did not serve, and payloads that build on what is nowhere.
    ///
    /// Threat: a member that gives pages without end keeps those behind it from being asked. Several are asked at once, and each has an end
    /// ([`Way`]).
    pub(crate) async fn recover_native(&self, governed: &Arc<Governed>) -> Result<(usize, usize), Error> {
        let charter = governed.charter();
        let others = charter.members().all().iter().filter(|member| member.id != governed.me && member.is_active());
        let charter = &charter;
        let asked = stream::iter(others.filter_map(native_address)).map(async |to| {
            let mut later = Vec::new();
            let outcome = self.fetch_all(governed, charter, &to, &mut later).await;
            (to.member, outcome, later)
        });
        let mut asked = std::pin::pin!(asked.buffer_unordered(AT_ONCE));
        let (mut failed, mut later) = (0, Vec::new());
        while let Some((member, outcome, waiting)) = asked.next().await {
            later.extend(waiting.into_iter().map(|given| (member.clone(), given)));
            match outcome {
                Ok(Fetched { total, refused }) => tracing::info!(%member, total, refused, "member resent"),
                Err(error @ (Error::Store(_) | Error::Enclave(_))) => return Err(error),
                Err(error) => {
                    failed += 1;
                    tracing::warn!(%member, code = %error.code(), "member did not resend");
                }
            }
        }
        // What builds on others waits until they are here.
        loop {
            let before = later.len();
            let mut still = Vec::new();
            for (from, given) in later {
                let taken = self.take_given_back(governed, charter, &from, &given).await;
                if taken.is_ok_and(|taken| taken.is_some_and(|taken| taken.passed_over)) {
                    still.push((from, given));
                }
            }
            if still.len() == before || still.is_empty() {
                return Ok((failed, still.len()));
            }
            later = still;
        }
    }

    async fn fetch_all(
        &self,
        governed: &Arc<Governed>,
        charter: &Charter,
        from: &NativeAddress,
        later: &mut Vec<GivenBack>,
    ) -> Result<Fetched, Error> {
        let mut way = Way::begin(from.member.clone(), Instant::now());
        let mut fetched = Fetched::default();
        loop {
            let epoch = self.enclave.epoch_key().await?.encode();
            let asked = Resend { epoch: epoch.into(), after: way.after.clone().into() };
            let answer = governed.peers.call(from, path::RESEND, asked.to_bytes().into(), BUDGET).await?;
            let page = Resent::from_bytes(&answer).map_err(|_| PeerError::Malformed(from.endpoint.clone()))?;
            governed.learn_epoch(charter, &from.member, &page.epoch)?;
            let is_last = page.next.is_empty();
            way.turn(&page.next, Instant::now())?;
            for item in page.items {
                let bytes = item.body.len();
                match self.take_item(governed, charter, (&from.member, &way), item, later).await? {
                    Some(Took::Ours) => {
                        fetched.total += 1;
                        way.brought(Instant::now());
                    }
                    Some(Took::Refused) => {
                        fetched.refused += 1;
                        way.refused(bytes)?;
                    }
                    None => return Err(ReturnError::NoProgress(from.member.clone()).into()),
                }
            }
            if is_last {
                return Ok(fetched);
            }
        }
    }

    /// What became of one item; `None` if it is not of its page.
    async fn take_item(
        &self,
        governed: &Governed,
        charter: &Charter,
        (from, way): (&MemberId, &Way),
        item: Item,
        later: &mut Vec<GivenBack>,
    ) -> Result<Option<Took>, Error> {
        if item.suite == NACL {
            let bytes = bytes::Bytes::from(Vec::from(item.body));
            let Ok(payload) = EncodedPayload::decode(Codec::Cbor, &bytes) else { return Ok(Some(Took::Refused)) };
            if !way.holds(&payload_id(&payload.ciphertext)) {
                return Ok(None);
            }
            if !self.is_ready(&payload).await? {
                self.staging.push(payload);
            } else if !self.take_recovered(payload).await? {
                return Ok(Some(Took::Refused));
            }
            return Ok(Some(Took::Ours));
        }
        let Some(given) = given_of(item) else { return Ok(Some(Took::Refused)) };
        let Ok(delivery) = Delivery::decode(&given.delivery) else { return Ok(Some(Took::Refused)) };
        if !way.holds(&payload_id(&delivery.ciphertext)) {
            return Ok(None);
        }
        match self.take_given_back(governed, charter, from, &given).await {
            Ok(Some(taken)) if taken.passed_over => later.push(given),
            Ok(_) => {}
            Err(error @ (Error::Store(_) | Error::Enclave(EnclaveError::Unavailable(_)))) => return Err(error),
            Err(error) => {
                tracing::warn!(code = %error.code(), "a resent payload was not taken");
                return Ok(Some(Took::Refused));
            }
        }
        Ok(Some(Took::Ours))
    }
}

/// What one member gave.
#[derive(Default)]
struct Fetched {
    total: u64,
    refused: u64,
}

/// What became of an item.
enum Took {
    /// It is here, or waits for what it builds on.
    Ours,
    Refused,
}

/// The way through one member's pages, which goes on and ends.
///
/// Threat: a member whose pages have no end keeps a recovery running for ever. Each page leads on, what it holds lies between it and the page
/// before, so nothing is given twice; and there is an end of what brings nothing.
struct Way {
    member: MemberId,
    /// Where the page before began, and where the next one does.
    before: Vec<u8>,
    after: Vec<u8>,
    begun: Instant,
    /// When something of ours came last.
    brought: Instant,
    refused: u64,
}

impl Way {
    fn begin(member: MemberId, now: Instant) -> Self {
        Self { member, before: Vec::new(), after: Vec::new(), begun: now, brought: now, refused: 0 }
    }

    /// Goes on behind a page.
    fn turn(&mut self, next: &[u8], now: Instant) -> Result<(), ReturnError> {
        if !next.is_empty() && (next.len() != ID || next <= self.after.as_slice()) {
            return Err(ReturnError::NoProgress(self.member.clone()));
        }
        self.before = std::mem::replace(&mut self.after, next.to_vec());
        let of = |what| Err(ReturnError::Endless { member: self.member.clone(), what });
        if now.duration_since(self.brought) > MOST_IDLE {
            return of("it gave nothing of ours for an hour");
        }
        if now.duration_since(self.begun) > MOST_TIME { of("it took a day") } else { Ok(()) }
    }

    /// Whether an id is of the page that was turned to.
    fn holds(&self, id: &PayloadId) -> bool {
        let id = id.as_bytes().as_slice();
        id > self.before.as_slice() && (self.after.is_empty() || id <= self.after.as_slice())
    }

    const fn brought(&mut self, now: Instant) {
        self.brought = now;
    }

    fn refused(&mut self, bytes: usize) -> Result<(), ReturnError> {
        self.refused += bytes as u64;
        let what = "it gave too much that is not taken";
        if self.refused > MOST_REFUSED { Err(ReturnError::Endless { member: self.member.clone(), what }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn way() -> (Way, Instant) {
        let now = Instant::now();
        (Way::begin("b".parse().expect("an id"), now), now)
    }

    #[test]
    fn pages_lead_on_and_hold_what_lies_between() {
        let (mut way, now) = way();
        let id = |first: u8| PayloadId::new([first; 64]);
        way.turn(&[3; 64], now).expect("the first");
        assert!(way.holds(&id(1)) && way.holds(&id(3)) && !way.holds(&id(4)));
        for stuck in [[3; 64], [2; 64]] {
            assert_eq!(way.turn(&stuck, now).expect_err("it does not go on").code().0, 7351);
        }
        assert_eq!(way.turn(&[9; 65], now).expect_err("no id").code().0, 7351);
        way.turn(&[5; 64], now).expect("the second");
        assert!(!way.holds(&id(3)) && way.holds(&id(4)));
        way.turn(&[], now).expect("the last");
        assert!(!way.holds(&id(5)) && way.holds(&id(255)));
    }

    #[test]
    fn what_brings_nothing_ends() {
        let (mut idle, now) = way();
        idle.turn(&[1; 64], now + MOST_IDLE).expect("in time");
        assert_eq!(idle.turn(&[2; 64], now + MOST_IDLE * 2).expect_err("idle").code().0, 7352);
        let (mut busy, now) = way();
        for hour in 0..30_u8 {
            let at = now + MOST_IDLE * u32::from(hour);
            busy.brought(at);
            let turned = busy.turn(&[hour + 1; 64], at);
            assert_eq!(turned.is_err(), at.duration_since(now) > MOST_TIME, "{hour}");
            if turned.is_err() {
                break;
            }
        }
        let (mut full, _) = way();
        full.refused(usize::try_from(MOST_REFUSED).expect("64 bits")).expect("as much as may");
        assert_eq!(full.refused(1).expect_err("too much").code().0, 7352);
    }
}
