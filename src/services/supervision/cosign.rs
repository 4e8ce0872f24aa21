//! Co-signatures (mode S4): a supervisor receives the payload first; its word travels with the deliveries to all others, who demand it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use minicbor::bytes::ByteVec;
use minicbor::{CborLen, Decode, Encode};
use serde::Serialize;
use tokio::time::Instant;

use super::places::Extent;
use super::rows::{PAGE, QUEUE, queue_key, waiting_key, waiting_of};
use super::{Concern, SupervisionError};
use crate::governance::{Charter, Policy, Scope, Supervision};
use crate::services::governed::Governed;
use crate::services::happening::{Happening, Kind as What};
use crate::services::records::now;
use crate::services::{Error, Node};
use crate::store::{StoreError, Table, Write};
use crate::supervision::{Cosignature, SignedCosignature, is_line};
use crate::types::{Class, MemberId, PayloadId};
use crate::wire::Header;
use crate::wire::native::{CosignAsked, CosignSaid, Message as _};

/// How long a supervisor's node keeps the question open before it says that it waits.
const OPEN: Duration = Duration::from_secs(2);
/// Payloads of one member that wait at once.
///
/// Threat: a member fills a supervisor's queue, and its people see nothing else.
const MOST_WAITING: usize = 256;

/// What a node is configured to do about co-signatures.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CosignSettings {
    /// As a supervisor: everything is signed without a person.
    pub automatic: bool,
    /// As a sender: how long a send waits.
    pub within: Duration,
}

impl Default for CosignSettings {
    fn default() -> Self {
        Self { automatic: false, within: Duration::from_mins(1) }
    }
}

/// How far a question is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CosignState {
    /// Nobody has answered.
    Waiting,
    /// It may go.
    Approved,
    /// It may not.
    Refused,
    /// Its sender waits no more.
    Ended,
}

impl CosignState {
    const ALL: [Self; 4] = [Self::Waiting, Self::Approved, Self::Refused, Self::Ended];
}

/// A payload that waits for this supervisor, or waited. Its row.
#[derive(Clone, Debug, Decode, Encode, CborLen, Eq, PartialEq)]
struct Kept {
    #[n(0)]
    id: ByteVec,
    /// SHA-256 of its header.
    #[cbor(n(1), with = "minicbor::bytes")]
    header: [u8; 32],
    #[n(2)]
    member: String,
    #[n(3)]
    class: u8,
    #[n(4)]
    since: u64,
    #[n(5)]
    state: u8,
    /// The signed co-signature; empty without one.
    #[n(6)]
    cosignature: ByteVec,
    #[n(7)]
    reason: String,
    #[n(8)]
    by: String,
}

/// A payload in the queue.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Queued {
    /// Which payload.
    pub id: PayloadId,
    /// Whose node sends it.
    pub member: String,
    /// The class, as its sender declares it.
    pub class: Class,
    /// Since when it waits, milliseconds since the Unix epoch.
    pub since: u64,
    /// How far it is.
    pub state: CosignState,
    /// Why it was refused.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Who answered.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub by: String,
}

impl Kept {
    fn state(&self) -> CosignState {
        CosignState::ALL.get(usize::from(self.state)).copied().unwrap_or(CosignState::Ended)
    }

    fn id(&self) -> Result<PayloadId, Error> {
        Ok(PayloadId::try_from(self.id.as_slice()).map_err(|_| StoreError::Corrupt("the queue of co-signatures".into()))?)
    }

    /// Its row, and what says that it waits: that alone is counted when another comes.
    fn rows(&self) -> Result<Vec<Write>, Error> {
        let id = self.id()?;
        let (row, waiting) = (Write::put(Table::Supervision, queue_key(&id), self.to_bytes()), waiting_key(&self.member, &id));
        let waiting = match self.state() {
            CosignState::Waiting => Write::put(Table::Supervision, waiting, Vec::new()),
            _ => Write::delete(Table::Supervision, waiting),
        };
        Ok(vec![row, waiting])
    }

    fn view(self) -> Result<Queued, Error> {
        let (id, state) = (self.id()?, self.state());
        let class = Class::from_number(self.class).unwrap_or_default();
        let Self { member, since, reason, by, .. } = self;
        Ok(Queued { id, member, class, since, state, reason, by })
    }
}

/// The scope under which a payload needs a co-signature.
pub(crate) fn cosigned_scope<'a>(policy: &'a Policy, concern: &Concern) -> Option<&'a Scope> {
    let scope = policy.supervision(&concern.sender, concern.contract.as_ref(), concern.class);
    scope.filter(|scope| scope.supervision == Supervision::S4)
}

impl Node {
    /// A payload under S4 that this supervisor has received: it waits, or is signed at once.
    pub(crate) async fn queue_cosignature(&self, governed: &Governed, header: &Header, digest: [u8; 32]) -> Result<(), Error> {
        let _one = governed.desk.queue_gate.lock().await;
        if self.queued(&header.id).await?.is_some() {
            return Ok(());
        }
        let member = header.member.as_str().to_owned();
        let waiting = self.store.rows(Table::Supervision, &waiting_of(Some(&member)), None, MOST_WAITING).await?;
        if waiting.len() >= MOST_WAITING {
            return Err(SupervisionError::QueueFull(header.member.clone()).into());
        }
        let kept = Kept {
            id: header.id.as_bytes().to_vec().into(),
            header: digest,
            member,
            class: header.class.number(),
            since: now(),
            state: CosignState::Waiting as u8,
            cosignature: Vec::new().into(),
            reason: String::new(),
            by: String::new(),
        };
        let details = serde_json::json!({ "payload": header.id });
        let event = Happening::now(What::CosignAsked).class(header.class).member(&header.member).details(details).event();
        self.store.write(kept.rows()?, vec![event]).await?;
        if self.settings.cosign.automatic {
            self.answer_kept(governed, kept, None, "automatic").await?;
        }
        governed.desk.answers.notify_waiters();
        Ok(())
    }

    /// Answers a sender that asks: at once if there is an answer, after a while if there is none. Only who sent the payload may ask.
    pub async fn cosign_said(self: &Arc<Self>, from: &MemberId, asked: &CosignAsked) -> Result<CosignSaid, Error> {
        let governed = Arc::clone(self.needs_governance()?);
        let id = PayloadId::try_from(asked.id.as_slice()).map_err(|_| Error::Message("an id of another length"))?;
        let until = Instant::now() + OPEN;
        loop {
            let news = governed.desk.answers.notified();
            let kept = self.queued(&id).await?;
            let kept = kept.filter(|kept| kept.member == from.as_str() && kept.header[..] == asked.header[..]);
            let kept = kept.ok_or(SupervisionError::NotQueued(id))?;
            if asked.end {
                self.end_kept(&governed, kept).await?;
                return Ok(CosignSaid { cosignature: None, refused: None });
            }
            match kept.state() {
                CosignState::Approved => return Ok(CosignSaid { cosignature: Some(kept.cosignature), refused: None }),
                CosignState::Refused => return Ok(CosignSaid { cosignature: None, refused: Some(kept.reason) }),
                CosignState::Ended => return Ok(CosignSaid { cosignature: None, refused: Some("it was ended".into()) }),
                CosignState::Waiting => {}
            }
            if tokio::time::timeout_at(until, news).await.is_err() {
                return Ok(CosignSaid { cosignature: None, refused: None });
            }
        }
    }

    /// The send failed: nobody will refer to the payload, and it is forgotten here, unless it is held.
    async fn end_kept(self: &Arc<Self>, governed: &Governed, kept: Kept) -> Result<(), Error> {
        let _one = governed.desk.queue_gate.lock().await;
        let id = kept.id()?;
        let Some(mut kept) = self.queued(&id).await?.filter(|kept| kept.state() != CosignState::Approved) else { return Ok(()) };
        if kept.state() == CosignState::Waiting {
            kept.state = CosignState::Ended as u8;
            self.store.write(kept.rows()?, Vec::new()).await?;
        }
        governed.desk.answers.notify_waiters();
        if self.held_until(&crate::types::ItemId::Payload(id)).await?.is_none() {
            let sender: MemberId = kept.member.parse().map_err(|_| SupervisionError::NotQueued(id))?;
            self.erase_within(&[id], Extent::Of(&sender)).await?;
        }
        Ok(())
    }

    /// A person's answer. `reason`: it is refused, and the sender is told why.
    pub async fn answer_cosign(&self, id: PayloadId, reason: Option<String>, actor: &str) -> Result<Queued, Error> {
        let governed = self.needs_governance()?;
        if reason.as_ref().is_some_and(|reason| !is_line(reason)) {
            return Err(SupervisionError::Text.into());
        }
        let _one = governed.desk.queue_gate.lock().await;
        let kept = self.queued(&id).await?.ok_or(SupervisionError::NotQueued(id))?;
        if kept.state() != CosignState::Waiting {
            return Err(SupervisionError::Answered(id).into());
        }
        let kept = self.answer_kept(governed, kept, reason, actor).await?;
        governed.desk.answers.notify_waiters();
        kept.view()
    }

    async fn answer_kept(&self, governed: &Governed, mut kept: Kept, reason: Option<String>, by: &str) -> Result<Kept, Error> {
        let id = kept.id()?;
        by.clone_into(&mut kept.by);
        let what = match reason {
            Some(reason) => {
                (kept.state, kept.reason) = (CosignState::Refused as u8, reason);
                What::CosignRefused
            }
            None => {
                let (network, supervisor) = (governed.network, governed.me.clone());
                let cosignature = Cosignature { network, supervisor, id, header: kept.header, time: now() };
                let signature = self.enclave.sign(cosignature.statement()).await?;
                kept.state = CosignState::Approved as u8;
                kept.cosignature = SignedCosignature { cosignature, signature }.encode().into();
                What::Cosigned
            }
        };
        let member: Option<MemberId> = kept.member.parse().ok();
        // Not as an event of the payload: the record of what a supervisor did outlasts it.
        let mut event = Happening::now(what).actor(by, "supervisor").details(serde_json::json!({ "payload": id }));
        event = if let Some(member) = &member { event.member(member) } else { event };
        event = if kept.reason.is_empty() { event } else { event.text(&kept.reason) };
        self.store.write(kept.rows()?, vec![event.event()]).await?;
        Ok(kept)
    }

    /// What waits for this supervisor, the oldest first.
    pub async fn cosign_waiting(&self) -> Result<Vec<Queued>, Error> {
        self.needs_governance()?;
        let mut all = Vec::new();
        for id in self.waiting_ids().await? {
            all.extend(self.queued(&id).await?.filter(|kept| kept.state() == CosignState::Waiting));
        }
        all.sort_by_key(|kept| kept.since);
        all.into_iter().map(Kept::view).collect()
    }

    /// What waits, or waited, behind `after`: a page of at most 1,024, by their ids. An empty one is behind the last.
    pub async fn cosign_queue(&self, after: Option<PayloadId>) -> Result<Vec<Queued>, Error> {
        self.needs_governance()?;
        let after = after.map(|after| queue_key(&after));
        let rows = self.store.rows(Table::Supervision, &[QUEUE], after.as_deref(), PAGE).await?;
        rows.iter().map(|(_, row)| read(row)?.view()).collect()
    }

    async fn queued(&self, id: &PayloadId) -> Result<Option<Kept>, Error> {
        self.store.row(Table::Supervision, &queue_key(id)).await?.map(|row| read(&row)).transpose()
    }
}

impl Governed {
    /// What a recipient demands of a fresh delivery under S4. A supervisor of the scope is asked for its word instead.
    ///
    /// Threat: a sender goes past its supervisor. Nobody takes what no supervisor signed.
    pub(crate) fn cosigned(
        &self,
        charter: &Charter,
        header: &Header,
        digest: [u8; 32],
        cosignature: Option<&[u8]>,
    ) -> Result<Demanded, Error> {
        let concern = Concern::of(&header.member, header.class, &header.privacy);
        // The policy that the header names, as for all that supervision asks.
        let policy = charter.policy_under(header.policy);
        let Some(scope) = cosigned_scope(policy, &concern) else { return Ok(Demanded::Nothing) };
        if scope.supervisors.contains(&self.me) {
            return Ok(Demanded::OurWord);
        }
        let wanted = || SupervisionError::NotCosigned;
        let bytes = cosignature.ok_or_else(wanted)?;
        check_cosignature(self, charter, &scope.supervisors, bytes, (header.id, digest))?;
        Ok(Demanded::Nothing)
    }
}

impl Governed {
    /// The same of what was sent before and is given back: under a key that a supervisor of its policy had, whatever has become of it since.
    pub(crate) fn cosigned_then(
        &self,
        charter: &Charter,
        header: &Header,
        digest: [u8; 32],
        cosignature: Option<&[u8]>,
    ) -> Result<(), SupervisionError> {
        let concern = Concern::of(&header.member, header.class, &header.privacy);
        let policy = charter.policy_under(header.policy);
        let Some(scope) = cosigned_scope(policy, &concern) else { return Ok(()) };
        if scope.supervisors.contains(&self.me) {
            return Ok(());
        }
        self.was_cosigned(charter, &scope.supervisors, cosignature, (header.id, digest))
    }

    /// Whether one of these supervisors co-signed a payload, with a key that it has or had.
    pub(super) fn was_cosigned(
        &self,
        charter: &Charter,
        supervisors: &[MemberId],
        cosignature: Option<&[u8]>,
        of: (PayloadId, [u8; 32]),
    ) -> Result<(), SupervisionError> {
        let signed = cosignature.and_then(|bytes| SignedCosignature::decode(bytes).ok());
        let holds = signed.is_some_and(|signed| {
            let Cosignature { network, supervisor, id, header, time } = &signed.cosignature;
            let is_of_this = *network == self.network && (*id, *header) == of;
            let mut keys = charter.signing_keys(supervisor, *time).into_iter();
            is_of_this && supervisors.contains(supervisor) && keys.any(|key| signed.verify(&key).is_ok())
        });
        if holds { Ok(()) } else { Err(SupervisionError::NotCosigned) }
    }
}

/// What is still to be done of a delivery: under `OurWord` this node is its supervisor, and it stands in the queue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Demanded {
    Nothing,
    OurWord,
}

fn read(row: &[u8]) -> Result<Kept, Error> {
    Ok(Kept::from_bytes(row).map_err(|_| StoreError::Corrupt("the queue of co-signatures".into()))?)
}

/// Whether a co-signature is of this payload under this header, by one of these supervisors, who take part.
pub(super) fn check_cosignature(
    governed: &Governed,
    charter: &Charter,
    supervisors: &[MemberId],
    bytes: &[u8],
    (id, header): (PayloadId, [u8; 32]),
) -> Result<(), SupervisionError> {
    let bad = || SupervisionError::NotCosigned;
    let signed = SignedCosignature::decode(bytes).map_err(|_| bad())?;
    let Cosignature { network, supervisor, .. } = &signed.cosignature;
    let known: BTreeSet<&MemberId> = supervisors.iter().collect();
    let is_of_this = *network == governed.network && signed.cosignature.id == id && signed.cosignature.header == header;
    if !is_of_this || !known.contains(supervisor) || !super::feed::is_supervisor(charter, supervisor) {
        return Err(bad());
    }
    let key = charter.members().by_id(supervisor).and_then(|member| member.signing_key).ok_or_else(bad)?;
    signed.verify(&key).map_err(|_| bad())
}
