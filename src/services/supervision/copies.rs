//! The sender's side: whom the policy names as supervisors of a payload, and what they are sent of it.

use std::sync::Arc;

use futures_util::future::join_all;

use super::rows::put_told;
use super::{Concern, SupervisionError, cosigned_scope};
use crate::crypto::hash::sha256;
use crate::crypto::random;
use crate::crypto::secret::Secret;
use crate::enclave::{Meta, Sealed};
use crate::governance::{Charter, Policy, Supervision};
use crate::services::governed::{Governed, MAX_SKEW, native_address};
use crate::services::happening::{Happening, Kind as What};
use crate::services::native::SUPERVISION;
use crate::services::records::now;
use crate::services::{Error, Node, PeerError};
use crate::shred::SealedHead;
use crate::store::Write;
use crate::supervision::SupervisionCopy;
use crate::types::{Class, Coded as _, MemberId, PayloadId};
use crate::wire::ack::SignedAck;
use crate::wire::header::{Header, day_of, signed};
use crate::wire::native::{Answer, Item};
use crate::wire::{Audience, Proofs};

/// Copies beyond it are uploaded in parts first.
const INLINE: usize = 1 << 20;

/// Suite of the header of a payload that was sent in Tessera's suite: it is made for supervisors alone, and no recipient takes it.
const NACL_SUITE: u8 = 0;

/// The supervisors that a policy names for copies of a payload: those of the scope that decides, ourselves aside.
pub(crate) fn copied_to(policy: &Policy, me: &MemberId, concern: &Concern) -> Vec<MemberId> {
    let scope = policy.supervision(&concern.sender, concern.contract.as_ref(), concern.class);
    let scope = scope.filter(|scope| matches!(scope.supervision, Supervision::S1 | Supervision::S2));
    let supervisors = scope.map(|scope| scope.supervisors.clone()).unwrap_or_default();
    supervisors.into_iter().filter(|supervisor| supervisor != me).collect()
}

/// The row that names them, for an erasure; none without them.
pub(crate) fn told_row(id: &PayloadId, supervisors: &[MemberId]) -> Option<Write> {
    (!supervisors.is_empty()).then(|| put_told(id, supervisors))
}

impl Node {
    /// Sends a payload that was delivered to its supervisors; an error if one of them does not have it durably.
    ///
    /// Threat: a sender delivers what its supervisors never hear of. Its own node is what it trusts, so this is as strong as the sender's
    /// honesty under S1 and S2; under S3 and S4 the recipients see to it.
    pub(crate) async fn copy_to_supervisors(
        &self,
        governed: &Arc<Governed>,
        charter: &Charter,
        supervisors: &[MemberId],
        copy: impl Future<Output = Result<SupervisionCopy, Error>>,
        id: PayloadId,
    ) -> Result<(), Error> {
        if supervisors.is_empty() {
            return Ok(());
        }
        let copy = copy.await?;
        let bytes = copy.encode();
        let digest = sha256(&[&copy.header]);
        let tell = supervisors.iter().map(|to| self.copy_to(governed, charter, to, &bytes, (id, digest)));
        for (outcome, supervisor) in join_all(tell).await.into_iter().zip(supervisors) {
            if let Err(error) = outcome {
                tracing::warn!(%supervisor, code = %error.code(), "a supervisor did not take its copy");
                return Err(SupervisionError::Absent { supervisor: supervisor.clone(), code: error.code() }.into());
            }
        }
        let details = serde_json::json!({ "supervisors": supervisors });
        self.note(Happening::now(What::Supervised).id(id).count(supervisors.len() as u64).details(details).event()).await;
        Ok(())
    }

    async fn copy_to(
        &self,
        governed: &Arc<Governed>,
        charter: &Charter,
        to: &MemberId,
        bytes: &[u8],
        of: (PayloadId, [u8; 32]),
    ) -> Result<(), Error> {
        let address = charter.members().by_id(to).and_then(native_address).ok_or_else(|| Error::NotAMember(to.clone()))?;
        let work = async {
            let item = if bytes.len() <= INLINE {
                Item { suite: SUPERVISION, body: bytes.to_vec().into(), upload: None }
            } else {
                let upload = governed.upload(&address, &bytes.to_vec().into(), self.settings.peer_budget).await?;
                Item { suite: SUPERVISION, body: Vec::new().into(), upload: Some(upload) }
            };
            match self.tell(governed, &address, item).await? {
                Answer::Taken { ack, .. } => governed.check_copy_ack(charter, to, &ack, of),
                Answer::Refused { status, text, .. } => Err(crate::services::native::refused(&address, status, &text).into()),
                Answer::AnotherEpoch { .. } | Answer::Wanted { .. } => Err(PeerError::Malformed(address.endpoint.clone()).into()),
            }
        };
        let outcome = tokio::time::timeout(self.settings.peer_budget, work).await;
        outcome.unwrap_or_else(|_| Err(PeerError::Offline(address.endpoint.clone()).into()))
    }

    /// The copy of a record of ours.
    pub(crate) async fn copy_of(&self, id: PayloadId, head: &SealedHead) -> Result<SupervisionCopy, Error> {
        copy_of_meta(&self.enclave.meta(id, head).await?).ok_or(SupervisionError::Copy("this node did not send it").into())
    }

    /// The copy of a payload in Tessera's suite, which has no header: one is made, for supervisors alone.
    pub(crate) async fn copy_of_nacl(
        &self,
        governed: &Governed,
        charter: &Charter,
        sealed: &Sealed,
        class: Class,
    ) -> Result<SupervisionCopy, Error> {
        let seed: [u8; 32] = random();
        let recipients = sealed.payload.recipients.clone();
        let secret = Secret::from_slice(&seed);
        let audience = secret.and_then(|seed| Audience::new(&seed, recipients.iter()));
        let audience = audience.ok_or(SupervisionError::Copy("it has too many recipients"))?;
        let privacy = sealed.payload.privacy.clone();
        let is_told = privacy.flag == crate::types::PrivacyFlag::StateValidation;
        let header = Header {
            network: governed.network,
            suite: NACL_SUITE,
            policy: charter.policy_version(),
            day: day_of(now()),
            class,
            time: now(),
            sender: sealed.payload.sender,
            member: governed.me.clone(),
            id: sealed.id,
            privacy,
            recipients: is_told.then(|| recipients.clone()),
            audience: audience.root(),
            escrow: None,
        };
        let header = header.encode();
        let signature = self.enclave.sign(signed(&governed.network, &header)).await?;
        Ok(SupervisionCopy { header, signature, seed, recipients, sealed: Vec::new() })
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
