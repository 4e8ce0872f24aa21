//! The sender's side: whom the policy names as supervisors of a payload, and what they are sent of it.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;

use super::rows::put_told;
use super::{Concern, SupervisionError, cosigned_scope};
use crate::crypto::hash::sha256;
use crate::crypto::nacl::Nonce;
use crate::enclave::{Meta, NativeTarget};
use crate::governance::{Charter, Policy, Supervision};
use crate::services::governed::{Governed, MAX_SKEW, native_address};
use crate::services::happening::{Happening, Kind as What};
use crate::services::native::SUPERVISION;
use crate::services::records::now;
use crate::services::withdraw::WithdrawToken;
use crate::services::{Error, NativeAddress, Node, PeerError};
use crate::shred::SealedHead;
use crate::store::{Kind, Write};
use crate::supervision::SupervisionCopy;
use crate::types::{Class, Coded as _, MemberId, PayloadId};
use crate::wire::ack::SignedAck;
use crate::wire::header::day_of;
use crate::wire::native::{Answer, Item};
use crate::wire::{Delivery, EpochKey, Proofs};

/// Copies beyond it are uploaded in parts first.
const INLINE: usize = 1 << 20;

/// Who is sent a copy of a payload.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watchers {
    pub(crate) members: Vec<MemberId>,
    /// Each gets sigma and the ciphertext as well (mode S2).
    with_sigma: bool,
}

impl Watchers {
    /// The same, for headers alone.
    pub(crate) fn of_headers(self) -> Self {
        Self { with_sigma: false, ..self }
    }
}

/// What became of a payload's copies.
#[derive(Default)]
pub(crate) struct Copies {
    /// What each supervisor signed.
    pub(crate) acks: Vec<Vec<u8>>,
    /// How each copy is taken back if the send fails.
    pub(crate) tokens: Vec<(MemberId, WithdrawToken)>,
    /// Why one of them has none.
    pub(crate) failure: Option<Error>,
}

/// A record that copies are made of.
#[derive(Clone, Copy)]
pub(crate) struct CopyOf<'a> {
    pub(crate) id: PayloadId,
    pub(crate) head: &'a SealedHead,
    pub(crate) nonce: Nonce,
    pub(crate) ciphertext: &'a Bytes,
}

/// The supervisors that a policy names for copies of a payload: those of the scope that decides, ourselves aside.
pub(crate) fn copied_to(policy: &Policy, me: &MemberId, concern: &Concern) -> Watchers {
    let scope = policy.supervision(&concern.sender, concern.contract.as_ref(), concern.class);
    let Some(scope) = scope.filter(|scope| matches!(scope.supervision, Supervision::S1 | Supervision::S2)) else {
        return Watchers::default();
    };
    let members = scope.supervisors.iter().filter(|supervisor| *supervisor != me).cloned().collect();
    Watchers { members, with_sigma: scope.supervision == Supervision::S2 }
}

/// The row that names them, for an erasure; none without them.
pub(crate) fn told_row(id: &PayloadId, supervisors: &[MemberId]) -> Option<Write> {
    (!supervisors.is_empty()).then(|| put_told(id, supervisors))
}

impl Node {
    /// Gives its supervisors their copies of a payload that nobody else has yet. With none it says nothing.
    ///
    /// Threat: a sender delivers what its supervisors never hear of. What they acknowledge here travels in front of its deliveries, and nobody
    /// takes them without (`vouched`).
    pub(crate) async fn copy_to_supervisors(
        &self,
        governed: &Arc<Governed>,
        charter: &Charter,
        watchers: &Watchers,
        copy: &SupervisionCopy,
        of: CopyOf<'_>,
    ) -> Copies {
        let supervisors = &watchers.members;
        let tell = supervisors.iter().map(|to| self.copy_to(governed, charter, to, (copy, watchers.with_sigma), of));
        let mut copies = Copies::default();
        for (outcome, supervisor) in join_all(tell).await.into_iter().zip(supervisors) {
            match outcome {
                Ok((ack, token)) => {
                    copies.acks.push(ack);
                    copies.tokens.extend(token.map(|token| (supervisor.clone(), token)));
                }
                Err(error) => {
                    tracing::warn!(%supervisor, code = %error.code(), "a supervisor did not take its copy");
                    let absent = SupervisionError::Absent { supervisor: supervisor.clone(), code: error.code() };
                    copies.failure.get_or_insert(absent.into());
                }
            }
        }
        copies
    }

    /// Writes down that a payload was sent, and its supervisors have their copies.
    pub(crate) async fn note_supervised(&self, id: PayloadId, watchers: &Watchers) {
        let supervisors = &watchers.members;
        if !supervisors.is_empty() {
            let details = serde_json::json!({ "supervisors": supervisors });
            self.note(Happening::now(What::Supervised).id(id).count(supervisors.len() as u64).details(details).event()).await;
        }
    }

    /// Keeps the copy of what has no header of its own beside it: nobody can make the same again, and a supervisor may lose its own.
    pub(crate) async fn keep_copy(&self, id: PayloadId, copy: Vec<u8>) -> Result<(), Error> {
        let head = self.head(Kind::Payload, &id).await?.ok_or(Error::NotFound(id))?;
        let mut beside = self.beside(&id, &head).await?;
        beside.copies.push(copy);
        self.keep_beside(id, &head, &beside).await
    }

    async fn copy_to(
        &self,
        governed: &Arc<Governed>,
        charter: &Charter,
        to: &MemberId,
        (copy, with_sigma): (&SupervisionCopy, bool),
        of: CopyOf<'_>,
    ) -> Result<(Vec<u8>, Option<WithdrawToken>), Error> {
        let address = charter.members().by_id(to).and_then(native_address).ok_or_else(|| Error::NotAMember(to.clone()))?;
        let malformed = || PeerError::Malformed(address.endpoint.clone());
        let budget = self.settings.peer_budget;
        let work = async {
            let mut epoch = None;
            for _ in 0..2 {
                let mut copy = copy.clone();
                if with_sigma {
                    let known = match epoch.take() {
                        Some(epoch) => epoch,
                        None => governed.epoch_of(charter, &address, day_of(now()), budget / 3).await?,
                    };
                    copy.sealed = self.sealed_copy(to, known, of).await?.encode().to_vec();
                }
                let item = self.copy_item(governed, &address, copy.encode()).await?;
                match self.tell(governed, &address, item).await? {
                    Answer::Taken { ack, withdraw } => {
                        governed.check_copy_ack(charter, to, &ack, (of.id, sha256(&[&copy.header])))?;
                        return Ok((ack.into(), <[u8; 16]>::try_from(withdraw.as_slice()).ok().map(WithdrawToken)));
                    }
                    Answer::Refused { status, text, .. } => {
                        return Err(crate::services::native::refused(&address, status, &text).into());
                    }
                    Answer::AnotherEpoch { epoch: key } => epoch = Some(governed.learn_epoch(charter, to, &key)?),
                    Answer::Wanted { .. } => break,
                }
            }
            Err(malformed().into())
        };
        let outcome = tokio::time::timeout(budget, work).await;
        outcome.unwrap_or_else(|_| Err(PeerError::Offline(address.endpoint.clone()).into()))
    }

    /// Sigma in a box for a supervisor, with the ciphertext.
    pub(super) async fn sealed_copy(&self, to: &MemberId, epoch: EpochKey, of: CopyOf<'_>) -> Result<Delivery, Error> {
        let target = NativeTarget { member: to.clone(), epoch, shown: Vec::new() };
        Ok(self.enclave.copy_native(of.id, of.head, of.nonce, of.ciphertext.clone(), target).await?)
    }

    async fn copy_item(&self, governed: &Governed, to: &NativeAddress, bytes: Vec<u8>) -> Result<Item, PeerError> {
        if bytes.len() <= INLINE {
            return Ok(Item { suite: SUPERVISION, body: bytes.into(), upload: None });
        }
        let upload = governed.upload(to, &bytes.into(), self.settings.peer_budget).await?;
        Ok(Item { suite: SUPERVISION, body: Vec::new().into(), upload: Some(upload) })
    }

    /// The copy of a record of ours.
    pub(crate) async fn copy_of(&self, id: PayloadId, head: &SealedHead) -> Result<SupervisionCopy, Error> {
        copy_of_meta(&self.enclave.meta(id, head).await?).ok_or(SupervisionError::Copy("this node did not send it").into())
    }
}

/// The copy of a record, from its head. `None` if we did not send it, or it has no header.
pub(super) fn copy_of_meta(meta: &Meta) -> Option<SupervisionCopy> {
    let native = meta.native.as_ref()?;
    let Proofs::Sent { seed, recipients } = &native.proofs else { return None };
    let recipients = recipients.iter().map(|(address, _)| *address).collect();
    Some(SupervisionCopy {
        header: native.header.to_vec(),
        signature: native.signature,
        seed: *seed,
        recipients,
        sealed: Vec::new(),
    })
}

impl Governed {
    /// Documents carry no co-signature: nothing that needs one goes as a document.
    pub(crate) fn no_document_cosigned(&self, charter: &Charter, class: Class) -> Result<(), SupervisionError> {
        let concern = Concern { sender: self.me.clone(), class, contract: None, affected: Vec::new() };
        if cosigned_scope(charter.policy(), &concern).is_some() { Err(SupervisionError::CosignDocument) } else { Ok(()) }
    }

    /// A supervisor's acknowledgement of a copy: signed as any, and of no address, for it received nothing that opens.
    fn check_copy_ack(&self, charter: &Charter, from: &MemberId, bytes: &[u8], of: (PayloadId, [u8; 32])) -> Result<(), Error> {
        let bad = || Error::BadAck(from.clone());
        let signed = SignedAck::decode(bytes).map_err(|_| bad())?;
        let ack = &signed.ack;
        let key = charter.members().by_id(from).and_then(|member| member.signing_key).ok_or_else(bad)?;
        let is_ours = ack.network == self.network && ack.member == *from && (ack.id, ack.header) == of;
        let is_now = ack.time.abs_diff(now()) <= MAX_SKEW.unsigned_abs() * 1000;
        if is_ours && is_now && ack.durable && ack.addresses.is_empty() && signed.verify(&key).is_ok() {
            Ok(())
        } else {
            Err(bad())
        }
    }
}
