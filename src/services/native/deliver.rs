//! One payload to one member: uploaded first if it is large, then told in a batch, and acknowledged with a signature.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::join_all;

use super::send::Outgoing;
use super::{NativeAddress, Outbox, path};
use crate::crypto::random;
use crate::crypto::sign::VerifyKey;
use crate::governance::{Charter, Delivery as Pace, Span};
use crate::services::governed::{Governed, MAX_SKEW, Route, native_address};
use crate::services::records::now;
use crate::services::withdraw::WithdrawToken;
use crate::services::{Error, Node, PeerError};
use crate::types::{Class, Codec, MemberId, PayloadId};
use crate::wire::ack::SignedAck;
use crate::wire::delivery::Delivery;
use crate::wire::native::{Answer, Answers, Batch, Item, Message as _, Part, PartTaken, UploadId, Withdraw};
use crate::wire::{EncodedPayload, Vouched};

/// Ciphertexts beyond it are uploaded in parts of this size: none holds up the small ones, and a broken connection costs one part.
const PART: usize = 1 << 20;
/// Longest that taking back may add to a failed send.
const WITHDRAW_BUDGET: Duration = Duration::from_secs(1);
/// Most that quiet delivery may add: GoQuorum waits five seconds for a send.
const MAX_QUIET: Duration = Duration::from_secs(2);
/// Signed roots of acknowledgements that are remembered as verified.
const VERIFIED: usize = 32;
/// Suites of an item.
pub(super) const NACL: u8 = 0;
pub(crate) const CELOSIA_1: u8 = 1;
/// Not a payload: a privacy group.
pub(super) const GROUP: u8 = 2;
/// Nor this: the offer of a document.
pub(crate) const DOCUMENT: u8 = 3;
/// Nor this: a copy for a supervisor.
pub(crate) const SUPERVISION: u8 = 4;
/// A delivery of celosia-1 behind the words of its supervisors ([`Vouched`]). 5 was one behind a co-signature alone.
pub(super) const SUPERVISED: u8 = 6;
/// A payload in Tessera's suite behind the words of its supervisors.
pub(super) const NACL_SUPERVISED: u8 = 7;
/// What was delivered before, with what shows that it was: [`crate::wire::GivenBack`]. In pages that were asked for alone.
pub(super) const GIVEN_BACK: u8 = 9;

/// A delivery that a member took: durable there, or passed over, as its acknowledgement says.
pub(crate) struct Taken {
    pub(crate) ack: SignedAck,
    pub(crate) withdraw: Option<WithdrawToken>,
}

impl Node {
    /// Delivers one member's copy. If its epoch key has changed, the box is made again for the new one, once.
    pub(super) async fn deliver_native(
        &self,
        out: &Outgoing<'_>,
        to: &MemberId,
        delivery: &Delivery,
        words: &Vouched,
    ) -> Result<Taken, Error> {
        let address = out.charter.members().by_id(to).and_then(native_address).ok_or_else(|| Error::NotAMember(to.clone()))?;
        let work = async {
            out.pace(!words.is_empty()).await;
            let mut copy = delivery.clone();
            for again in [true, false] {
                let mut item = self.item(out.governed, &address, CELOSIA_1, &mut copy).await?;
                if !words.is_empty() {
                    (item.suite, item.body) = (SUPERVISED, words.before(&item.body).into());
                }
                match self.tell(out.governed, &address, item).await? {
                    Answer::Taken { ack, withdraw } => {
                        let ack = out.governed.checked_ack(out.charter, to, &ack, out.sealed.id, out.sealed.header)?;
                        let withdraw = <[u8; 16]>::try_from(withdraw.as_slice()).ok().map(WithdrawToken);
                        return Ok(Taken { ack, withdraw });
                    }
                    Answer::Refused { status, text, .. } => return Err(refused(&address, status, &text).into()),
                    Answer::AnotherEpoch { epoch } if again => {
                        let epoch = out.governed.learn_epoch(out.charter, to, &epoch)?;
                        let target = crate::enclave::NativeTarget { member: to.clone(), epoch, shown: out.imposed.clone() };
                        let sealed = out.sealed;
                        copy = self
                            .enclave
                            .rebox_native(sealed.id, &sealed.head, sealed.nonce, sealed.ciphertext.clone(), target)
                            .await?;
                    }
                    Answer::AnotherEpoch { .. } | Answer::Wanted { .. } => break,
                }
            }
            Err(PeerError::Malformed(address.endpoint.clone()).into())
        };
        let outcome = match tokio::time::timeout(self.settings.peer_budget, work).await {
            Ok(outcome) => outcome,
            Err(_) => Err(PeerError::Offline(address.endpoint.clone()).into()),
        };
        match &outcome {
            Ok(_) => self.counters.delivered.add(),
            Err(error) => {
                self.counters.delivery_failed.add();
                tracing::warn!(member = %to, code = %crate::types::Coded::code(error), "a delivery failed");
            }
        }
        outcome
    }

    /// The item of a delivery; a large ciphertext goes ahead of it.
    async fn item(&self, governed: &Governed, to: &NativeAddress, suite: u8, delivery: &mut Delivery) -> Result<Item, Error> {
        if delivery.ciphertext.len() <= PART {
            return Ok(Item { suite, body: delivery.encode().to_vec().into(), upload: None });
        }
        let ciphertext = std::mem::take(&mut delivery.ciphertext);
        let upload = governed.upload(to, &ciphertext, self.settings.peer_budget).await?;
        let item = Item { suite, body: delivery.encode().to_vec().into(), upload: Some(upload) };
        delivery.ciphertext = ciphertext;
        Ok(item)
    }

    /// Puts an item into the member's queue and waits for its answer.
    pub(crate) async fn tell(&self, governed: &Arc<Governed>, to: &NativeAddress, item: Item) -> Result<Answer, PeerError> {
        let (enclave, budget) = (Arc::clone(&self.enclave), self.settings.peer_budget);
        let outbox = governed.outbox(to, || {
            let (governed, address) = (Arc::downgrade(governed), to.clone());
            let send = move |items: Vec<Item>| {
                let (governed, enclave, to) = (governed.upgrade(), Arc::clone(&enclave), address.clone());
                async move {
                    let offline = || PeerError::Offline(to.endpoint.clone());
                    let governed = governed.ok_or_else(offline)?;
                    let epoch = enclave.epoch_key().await.map_err(|_| offline())?.encode();
                    let count = items.len();
                    let batch = Batch { epoch: epoch.into(), items, filler: Vec::new().into() };
                    let answer = governed.peers.call(&to, path::DELIVER, batch.to_bytes().into(), budget).await?;
                    let answers = Answers::from_bytes(&answer).map_err(|_| PeerError::Malformed(to.endpoint.clone()))?;
                    if answers.items.len() == count { Ok(answers.items) } else { Err(PeerError::Malformed(to.endpoint.clone())) }
                }
                .boxed()
            };
            Outbox::new(to.endpoint.clone(), Arc::new(send))
        });
        outbox.deliver(item).await
    }

    /// A payload in Tessera's suite to a Celosia.
    pub(crate) async fn tell_nacl(
        &self,
        to: &NativeAddress,
        copy: &EncodedPayload,
        words: &Vouched,
    ) -> Result<Option<WithdrawToken>, PeerError> {
        let malformed = || PeerError::Malformed(to.endpoint.clone());
        let governed = self.governed.as_ref().ok_or_else(malformed)?;
        let body = copy.encode(Codec::Cbor);
        let mut item = if body.len() <= PART {
            Item { suite: NACL, body: body.to_vec().into(), upload: None }
        } else {
            let upload = governed.upload(to, &body, self.settings.peer_budget).await?;
            Item { suite: NACL, body: Vec::new().into(), upload: Some(upload) }
        };
        if !words.is_empty() {
            (item.suite, item.body) = (NACL_SUPERVISED, words.before(&item.body).into());
        }
        match self.tell(governed, to, item).await? {
            Answer::Taken { withdraw, .. } => Ok(<[u8; 16]>::try_from(withdraw.as_slice()).ok().map(WithdrawToken)),
            Answer::Refused { status, text, .. } => Err(refused(to, status, &text)),
            Answer::AnotherEpoch { .. } | Answer::Wanted { .. } => Err(malformed()),
        }
    }

    /// A privacy group to the peer of a member.
    pub(crate) async fn tell_group(&self, route: &Route, group: &Bytes) -> Result<(), PeerError> {
        match (route, &self.governed) {
            (Route::Native(to), Some(governed)) => {
                let item = Item { suite: GROUP, body: group.to_vec().into(), upload: None };
                match self.tell(governed, to, item).await? {
                    Answer::Taken { .. } => Ok(()),
                    Answer::Refused { status, text, .. } => Err(refused(to, status, &text)),
                    Answer::AnotherEpoch { .. } | Answer::Wanted { .. } => Err(PeerError::Malformed(to.endpoint.clone())),
                }
            }
            _ => self.peers.push_group(route.url(), group.clone()).await,
        }
    }

    /// Takes back a delivery wherever it went.
    pub(crate) async fn withdraw_at(&self, route: &Route, id: PayloadId, token: WithdrawToken) -> Result<(), PeerError> {
        match (route, &self.governed) {
            (Route::Native(to), Some(governed)) => governed.withdraw(&governed.charter(), &to.member, id, token).await,
            _ => self.peers.withdraw(route.url(), &id, token).await,
        }
    }

    /// After a failed send nobody keeps what nobody will refer to.
    pub(super) async fn take_back_native(&self, out: &Outgoing<'_>, tokens: Vec<(MemberId, WithdrawToken)>, own: bool) {
        let id = out.sealed.id;
        let withdrawals = join_all(tokens.iter().map(|(member, token)| out.governed.withdraw(out.charter, member, id, *token)));
        match tokio::time::timeout(WITHDRAW_BUDGET, withdrawals).await {
            Ok(outcomes) => {
                for ((member, _), error) in tokens.iter().zip(outcomes).filter_map(|(to, outcome)| Some((to, outcome.err()?))) {
                    tracing::warn!(%id, %member, error = error.without_words(), "a delivery of a failed send could not be taken back");
                }
            }
            Err(_) => tracing::warn!(%id, "deliveries of a failed send could not be taken back in time"),
        }
        if own && let Err(error) = self.forget(id, out.sealed.head.clone()).await {
            tracing::warn!(%id, code = %crate::types::Coded::code(&error), "our own copy of a failed send stays");
        }
        if own && !out.supervisors.members.is_empty() {
            self.forget_told(&id).await;
        }
    }
}

impl Governed {
    /// Whether an acknowledgement is signed. Those that were signed together are verified once.
    pub(crate) fn verifies(&self, signed: &SignedAck, key: &VerifyKey) -> bool {
        let Ok(root) = signed.root() else { return false };
        let known = (*key, root, signed.signature);
        if self.verified.lock().unwrap_or_else(PoisonError::into_inner).contains(&known) {
            return true;
        }
        if signed.verify(key).is_err() {
            return false;
        }
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        verified.push_front(known);
        verified.truncate(VERIFIED);
        true
    }

    /// A member's acknowledgement of a payload under a header.
    pub(crate) fn checked_ack(
        &self,
        charter: &Charter,
        from: &MemberId,
        bytes: &[u8],
        id: PayloadId,
        header: [u8; 32],
    ) -> Result<SignedAck, Error> {
        let bad = || Error::BadAck(from.clone());
        let signed = SignedAck::decode(bytes).map_err(|_| bad())?;
        let ack = &signed.ack;
        let member = charter.members().by_id(from).ok_or_else(bad)?;
        let key = member.signing_key.ok_or_else(bad)?;
        // Threat: an acknowledgement in the name of another's address, of none, or of thousands, which we then keep as evidence.
        let each_once: BTreeSet<_> = ack.addresses.iter().collect();
        let are_its_own =
            each_once.len() == ack.addresses.len() && each_once.iter().all(|address| member.addresses.contains(address));
        if !are_its_own || ack.durable == ack.addresses.is_empty() || ack.time.abs_diff(now()) > MAX_SKEW.unsigned_abs() * 1000 {
            return Err(bad());
        }
        let is_ours = ack.network == self.network && ack.id == id && ack.member == *from;
        if is_ours && ack.header == header && self.verifies(&signed, &key) { Ok(signed) } else { Err(bad()) }
    }

    /// Uploads a ciphertext in parts; goes on where a broken connection left it.
    pub(crate) async fn upload(&self, to: &NativeAddress, ciphertext: &Bytes, budget: Duration) -> Result<UploadId, PeerError> {
        let upload = UploadId(random());
        let total = ciphertext.len() as u64;
        let (mut next, mut failures) = (0_u64, 0);
        while next < total {
            let from = usize::try_from(next).unwrap_or(usize::MAX).min(ciphertext.len());
            let bytes = ciphertext[from..ciphertext.len().min(from + PART)].to_vec();
            let part = Part { upload, offset: next, total, bytes: bytes.into() };
            match self.peers.call(to, path::PART, part.to_bytes().into(), budget).await {
                Ok(answer) => {
                    let taken = PartTaken::from_bytes(&answer).map_err(|_| PeerError::Malformed(to.endpoint.clone()))?;
                    failures = if taken.next > next { 0 } else { failures + 1 };
                    next = taken.next.min(total);
                }
                Err(PeerError::Offline(_)) => {
                    failures += 1;
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                Err(error) => return Err(error),
            }
            if failures > 5 {
                return Err(PeerError::Offline(to.endpoint.clone()));
            }
        }
        Ok(upload)
    }

    pub(crate) async fn withdraw(
        &self,
        charter: &Charter,
        from: &MemberId,
        id: PayloadId,
        token: WithdrawToken,
    ) -> Result<(), PeerError> {
        let Some(to) = charter.members().by_id(from).and_then(native_address) else { return Ok(()) };
        let request = Withdraw { id: id.as_bytes().to_vec().into(), token: token.0.to_vec().into() };
        self.peers.call(&to, path::WITHDRAW, request.to_bytes().into(), WITHDRAW_BUDGET).await.map(drop)
    }
}

impl Outgoing<'_> {
    /// Quiet delivery: payloads leave at the ticks of a clock that all members share, each copy with a delay of its own, so that an observer of
    /// the network sees neither when a payload was made nor that several copies are of one. `is_under_way`: its supervisors' were at a tick.
    pub(super) async fn pace(&self, is_under_way: bool) {
        let wait = if is_under_way { jitter(self.charter, self.class) } else { quiet_wait(self.charter, self.class) };
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }
}

/// How long a copy waits under the policy's profile.
pub(crate) fn quiet_wait(charter: &Charter, class: Class) -> Duration {
    let rule = charter.policy().rule(class);
    if rule.delivery == Pace::Prompt {
        return Duration::ZERO;
    }
    let batch = bounded_millis(rule.batch);
    let to_tick = if batch == 0 { 0 } else { batch - now() % batch };
    Duration::from_millis(to_tick) + jitter(charter, class)
}

/// The random part of it.
fn jitter(charter: &Charter, class: Class) -> Duration {
    let rule = charter.policy().rule(class);
    let most = if rule.delivery == Pace::Prompt { 0 } else { bounded_millis(rule.jitter) };
    Duration::from_millis(if most == 0 { 0 } else { u64::from_le_bytes(random()) % most })
}

fn bounded_millis(span: Option<Span>) -> u64 {
    let bounded = span.map_or(Duration::ZERO, Span::duration).min(MAX_QUIET / 2);
    u64::try_from(bounded.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn refused(to: &NativeAddress, status: u16, text: &str) -> PeerError {
    let text = text.chars().filter(|c| !c.is_control()).take(400).collect();
    PeerError::Declined { url: to.endpoint.clone(), status, text }
}
