//! Catching up: a supervisor asks every member for what it was always entitled to, and lacks. In pages; it goes on where it broke off.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::copies::{CopyOf, copy_of_meta};
use super::feed::is_supervisor;
use super::rows::catch_up_key;
use super::{Concern, SupervisionError};
use crate::crypto::hash::sha256;
use crate::enclave::{EnclaveError, Meta, NativeTarget};
use crate::governance::{Charter, Policy, Supervision};
use crate::services::governed::{Governed, native_address};
use crate::services::happening::{Happening, Kind as What};
use crate::services::native::{SUPERVISION, given_of, path};
use crate::services::{Error, NativeAddress, Node, PeerError};
use crate::shred::SealedHead;
use crate::store::{Kind, Table, Write};
use crate::supervision::{Affair, StopScope, SupervisionCopy};
use crate::types::{Class, Coded as _, ItemId, MemberId, PayloadId};
use crate::wire::Header;
use crate::wire::native::{CatchUp, Item, Message as _, Resent};

/// Records looked at for one page, and bytes of one page.
const PAGE: usize = 512;
const PAGE_BYTES: usize = 4 << 20;
/// One page.
const BUDGET: Duration = Duration::from_mins(1);

/// What a catch-up brought.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CaughtUp {
    /// Each member that was asked.
    pub members: Vec<CaughtUpAt>,
}

/// What one member gave.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CaughtUpAt {
    /// Who.
    pub member: MemberId,
    /// What was new here.
    pub taken: u64,
    /// What was here before.
    pub known: u64,
    /// What was given and not taken.
    pub refused: u64,
    /// The code of what went wrong: asked again, it goes on from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Node {
    /// A page of what a supervisor was entitled to of ours, by the policy under which each payload was sent.
    pub async fn supervision_page(&self, from: &MemberId, asked: &CatchUp) -> Result<Resent, Error> {
        let governed = self.needs_governance()?;
        let charter = governed.charter();
        let malformed = || SupervisionError::Copy("a scope or a place that is none");
        let scope: StopScope = asked.scope.parse().map_err(|_| malformed())?;
        let after = match asked.after.as_slice() {
            [] => None,
            id => Some(PayloadId::try_from(id).map_err(|_| malformed())?),
        };
        if !is_supervisor(&charter, from) {
            return Err(SupervisionError::NotASupervisor(from.clone()).into());
        }
        let target =
            NativeTarget { member: from.clone(), epoch: governed.learn_epoch(&charter, from, &asked.epoch)?, shown: Vec::new() };
        let (mut items, mut bytes, mut next) = (Vec::new(), 0, Vec::new());
        for (id, time, head) in self.store.heads(Kind::Payload, after, PAGE).await? {
            next = id.as_bytes().to_vec();
            if time < asked.since {
                continue;
            }
            let of_it = self.entitled(governed, &charter, &scope, (id, &head), &target).await?;
            bytes += of_it.iter().map(|item| item.body.len()).sum::<usize>();
            items.extend(of_it);
            if bytes > PAGE_BYTES {
                break;
            }
        }
        // Threat: a supervisor that begins in the middle and leaves no record. Whatever is given is on record here, page by page.
        if after.is_none() || !items.is_empty() {
            let details = serde_json::json!({ "scope": scope, "since": asked.since, "items": items.len() });
            // What cannot be put on record is not given.
            self.store.note(Happening::now(What::CaughtUp).member(from).details(details).event()).await?;
        }
        let epoch = self.enclave.epoch_key().await?.encode();
        Ok(Resent { epoch: epoch.into(), items, next: next.into() })
    }

    /// What a supervisor may have of a record: a copy, or the payload where it was its recipient. Of what was sent in Tessera's suite the
    /// copies of its day.
    async fn entitled(
        &self,
        governed: &Governed,
        charter: &Charter,
        scope: &StopScope,
        (id, head): (PayloadId, &SealedHead),
        target: &NativeTarget,
    ) -> Result<Vec<Item>, Error> {
        let meta = match self.enclave.meta(id, head).await {
            Ok(meta) => meta,
            Err(EnclaveError::Erased) => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        if !self.directory.is_own(&meta.sender) {
            return Ok(Vec::new());
        }
        let tags = self.tags_under(ItemId::Payload(id), head).await?.unwrap_or_default();
        let affected: Vec<PayloadId> = meta.privacy.affected.iter().map(|affected| affected.id).collect();
        let mode_of = |policy: u64, class: Class| {
            let concern = Concern::own(governed, class, &tags, &affected);
            mode_for(&charter.policy_of(policy)?.content, &target.member, scope, &concern)
        };
        let Some(native) = &meta.native else {
            let mut items = Vec::new();
            for bytes in self.beside(&id, head).await?.copies {
                let header = SupervisionCopy::decode(&bytes).ok().and_then(|copy| Header::decode(&copy.header).ok());
                let mode = header.and_then(|header| mode_of(header.policy, header.class));
                if matches!(mode, Some(Supervision::S1 | Supervision::S2)) {
                    items.push(Item { suite: SUPERVISION, body: bytes.into(), upload: None });
                }
            }
            return Ok(items);
        };
        let item = match mode_of(native.policy, native.class) {
            None | Some(Supervision::S0) => None,
            Some(mode @ (Supervision::S1 | Supervision::S2)) => {
                self.copy_again((id, head), &meta, target, mode == Supervision::S2).await?
            }
            Some(Supervision::S3 | Supervision::S4) => match self.record(Kind::Payload, &id).await? {
                Some(record) => self.give_native(charter, id, record, &meta, target).await?,
                None => None,
            },
        };
        Ok(item.into_iter().collect())
    }

    async fn copy_again(
        &self,
        (id, head): (PayloadId, &SealedHead),
        meta: &Meta,
        target: &NativeTarget,
        with_sigma: bool,
    ) -> Result<Option<Item>, Error> {
        let Some(mut copy) = copy_of_meta(meta) else { return Ok(None) };
        if with_sigma {
            let Some(record) = self.record(Kind::Payload, &id).await? else { return Ok(None) };
            let of = CopyOf { id, head, nonce: record.nonce, ciphertext: &record.ciphertext };
            copy.sealed = self.sealed_copy(&target.member, target.epoch.clone(), of).await?.encode().to_vec();
        }
        Ok(Some(Item { suite: SUPERVISION, body: copy.encode().into(), upload: None }))
    }

    /// Asks every other member for what this supervisor lacks of a scope since a time (milliseconds since the Unix epoch).
    pub async fn catch_up(self: &Arc<Self>, scope: StopScope, since: u64, actor: &str) -> Result<CaughtUp, Error> {
        let governed = Arc::clone(self.needs_governance()?);
        let charter = governed.charter();
        if !is_supervisor(&charter, &governed.me) {
            return Err(SupervisionError::NotASupervisor(governed.me.clone()).into());
        }
        let details = serde_json::json!({ "scope": scope, "since": since });
        // Threat: a supervisor fills its own journal, or its disk, and looks without a record.
        self.store.note(Happening::now(What::CaughtUp).actor(actor, "supervisor").details(details).event()).await?;
        let others = charter.members().all().iter().filter(|member| member.id != governed.me && member.is_active());
        let mut members = Vec::new();
        for to in others.filter_map(native_address) {
            let mut at = CaughtUpAt { member: to.member.clone(), taken: 0, known: 0, refused: 0, error: None };
            if let Err(error) = self.catch_up_with(&governed, &charter, &to, (&scope, since), &mut at).await {
                tracing::warn!(member = %to.member, code = %error.code(), "a catch-up broke off: asked again, it goes on from there");
                at.error = Some(error.code().to_string());
            }
            members.push(at);
        }
        Ok(CaughtUp { members })
    }

    async fn catch_up_with(
        self: &Arc<Self>,
        governed: &Arc<Governed>,
        charter: &Charter,
        with: &NativeAddress,
        (scope, since): (&StopScope, u64),
        at: &mut CaughtUpAt,
    ) -> Result<(), Error> {
        let name = sha256(&[with.member.as_str().as_bytes(), b"\n", scope.to_string().as_bytes(), &since.to_be_bytes()]);
        let key = catch_up_key(&name);
        let mut after = self.store.row(Table::Supervision, &key).await?.unwrap_or_default().to_vec();
        loop {
            let epoch = self.enclave.epoch_key().await?.encode();
            let asked = CatchUp { epoch: epoch.into(), scope: scope.to_string(), since, after: after.clone().into() };
            let answer = governed.peers.call(with, path::SUPERVISION_CATCH_UP, asked.to_bytes().into(), BUDGET).await?;
            let page = Resent::from_bytes(&answer).map_err(|_| PeerError::Malformed(with.endpoint.clone()))?;
            governed.learn_epoch(charter, &with.member, &page.epoch)?;
            for item in page.items {
                self.take_caught(governed, charter, &with.member, item, at).await?;
            }
            if page.next.is_empty() || page.next.as_slice() <= after.as_slice() {
                // Done: asked for again, it begins anew.
                self.store.write(vec![Write::delete(Table::Supervision, key)], Vec::new()).await?;
                return Ok(());
            }
            after = page.next.to_vec();
            self.store.write(vec![Write::put(Table::Supervision, key.clone(), after.clone())], Vec::new()).await?;
        }
    }

    async fn take_caught(
        self: &Arc<Self>,
        governed: &Governed,
        charter: &Charter,
        from: &MemberId,
        item: Item,
        at: &mut CaughtUpAt,
    ) -> Result<(), Error> {
        let taken = match item.suite {
            SUPERVISION => match self.take_copy(governed, charter, from, &item.body, false).await {
                Ok(taken) => taken.map(|(_, _, new)| new.is_some()).ok_or_else(|| Error::EpochKey(from.clone())),
                Err(error) => Err(error),
            },
            _ => match given_of(item) {
                Some(given) => self.native_given_back(governed, charter, from, &given).await,
                None => Err(SupervisionError::Copy("it does not decode, or is of a suite that this node does not know").into()),
            },
        };
        match taken {
            Ok(true) => at.taken += 1,
            Ok(false) => at.known += 1,
            Err(error @ (Error::Store(_) | Error::Enclave(EnclaveError::Unavailable(_)))) => return Err(error),
            Err(error) => {
                tracing::info!(member = %from, code = %error.code(), "something that was given is not taken");
                at.refused += 1;
            }
        }
        Ok(())
    }
}

/// How a supervisor sees what lies in the scope that it asks for, by the policy of its day; `None` if it does not.
fn mode_for(policy: &Policy, supervisor: &MemberId, asked: &StopScope, concern: &Concern) -> Option<Supervision> {
    let Concern { sender, class, contract, affected } = concern;
    let affair = Affair { sender, class: *class, contract: contract.as_ref(), affected };
    let decides = policy.supervision(sender, contract.as_ref(), *class)?;
    let is_its = decides.supervisors.contains(supervisor) && asked.covers(&affair);
    is_its.then_some(decides.supervision)
}
