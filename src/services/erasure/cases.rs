//! Cases: asked for, decided, carried on until everybody has answered.

use std::sync::Arc;

use data_encoding::BASE64;
use futures_util::future::join_all;
use serde::Serialize;

use super::error::ErasureError;
use super::holder::Presence;
use super::orders::holder;
use super::plan::{Holders, kind_of};
use super::rows::{Given, put_case, put_given, put_items, put_plan};
use crate::crypto::random;
use crate::crypto::sign::statement;
use crate::erasure::answer_due;
use crate::erasure::{
    Case, CaseId, Exception, Ground, Holder, HolderKind, Level, MAX_ITEMS, MAX_TEXT, Order, Refusal, Scope, SignedOrder, State,
    Step,
};
use crate::services::governed::Governed;
use crate::services::happening::{Happening, Kind as What};
use crate::services::records::now;
use crate::services::send::to_its_end;
use crate::services::{Error, Node};
use crate::types::{Coded as _, ItemId, MemberId};

/// What the signature of a refusal is for.
const REFUSAL_PURPOSE: &str = "celosia erasure-refusal 1";

/// A case to open.
#[derive(Clone, Debug)]
pub struct NewCase {
    /// What.
    pub scope: Scope,
    /// Why.
    pub ground: Ground,
    /// Whether the root is rotated for it at once, not at its next time.
    pub urgent: bool,
}

/// What an erasure would reach, at whom.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Reach {
    /// Items here.
    pub items: Vec<ItemId>,
    /// Holders, this node first.
    pub holders: Vec<Reached>,
}

/// One holder of it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Reached {
    /// Who.
    pub member: MemberId,
    /// Its legal name, as the directory has it.
    pub legal_name: String,
    /// What it runs: a Tessera takes no orders.
    pub kind: HolderKind,
    /// How many of the items it has.
    pub items: u64,
}

impl Node {
    /// What a scope reaches, and at whom: nothing is changed.
    pub async fn reach(&self, scope: &Scope) -> Result<Reach, Error> {
        let governed = self.needs_governance()?;
        let items = self.resolve(scope).await?;
        let holders = in_order(governed, self.holders(governed, &items).await?);
        let charter = governed.charter();
        let holders = holders.into_iter().map(|(member, (kind, items))| Reached {
            legal_name: charter.members().by_id(&member).map_or_else(String::new, |member| member.legal_name.clone()),
            member,
            kind,
            items: items.len() as u64,
        });
        Ok(Reach { holders: holders.collect(), items })
    }

    /// Opens a case: asked for by somebody, and waiting for a decision. Art. 12(3)'s month begins.
    pub async fn request_erasure(&self, new: NewCase, by: &str) -> Result<Case, Error> {
        let governed = self.needs_governance()?;
        let items = self.resolve(&new.scope).await?;
        if items.is_empty() {
            return Err(ErasureError::Nothing.into());
        }
        let mut unreadable = 0;
        for item in &items {
            unreadable += u64::from(self.presence(item).await? != Presence::Here);
        }
        if unreadable > 0 {
            return Err(ErasureError::Blocked(unreadable).into());
        }
        let requested = now();
        let case = Case {
            id: CaseId(random()),
            ground: new.ground,
            scope: new.scope.kind().to_owned(),
            items: items.len() as u64,
            requested,
            due: answer_due(requested, false),
            extended: String::new(),
            urgent: new.urgent,
            rotated: false,
            state: State::Requested,
            moves: Vec::new(),
            holders: Vec::new(),
            refusal: None,
        };
        for (page, items) in (0..).zip(items.chunks(MAX_ITEMS)) {
            self.store.write(vec![put_items(&case.id, page, items)], Vec::new()).await?;
        }
        // Threat: by the time of the decision the items are erased by another case, or blocked, and nobody can read any more who has them.
        for (member, (_, items)) in self.holders(governed, &items).await? {
            for (page, items) in (0..).zip(items.chunks(MAX_ITEMS)) {
                self.store.write(vec![put_plan(&case.id, page, &member, items)], Vec::new()).await?;
            }
        }
        self.keep_audiences(governed, &case.id, &items).await?;
        self.keep_case(&case, What::ErasureRequest, by).await?;
        tracing::info!(case = %case.id, items = case.items, ground = %case.ground, "an erasure was asked for");
        Ok(case)
    }

    /// Opens a case about an item of ours that is about to be erased here alone (`DELETE /transaction/{id}`), if others have it.
    ///
    /// Threat: with our copy goes what says who has the others; nobody could order those to be erased any more.
    pub(crate) async fn remember_holders(&self, item: ItemId) -> Result<(), Error> {
        let Some(governed) = &self.governed else { return Ok(()) };
        if self.holders(governed, &[item]).await?.len() > 1 {
            let new = NewCase { scope: Scope::Items(vec![item]), ground: Ground::ControllerDecision, urgent: false };
            self.request_erasure(new, "node").await?;
        }
        Ok(())
    }

    /// Decides to erase: every holder gets its orders, and this node carries out its own at once.
    pub async fn decide_erasure(self: &Arc<Self>, id: CaseId, by: &str) -> Result<Case, Error> {
        let (node, by) = (Arc::clone(self), by.to_owned());
        to_its_end(async move { node.decide_now(id, &by).await }).await
    }

    async fn decide_now(self: &Arc<Self>, id: CaseId, by: &str) -> Result<Case, Error> {
        let governed = Arc::clone(self.needs_governance()?);
        let mut case = {
            let _one = self.cases.lock().await;
            let mut case = self.case(&id).await?.ok_or(ErasureError::Unknown(id))?;
            case.step(Step::Erase, now(), by).map_err(ErasureError::from)?;
            let mut items = Vec::new();
            for page in 0..u32::try_from(case.items.div_ceil(MAX_ITEMS as u64)).unwrap_or(u32::MAX) {
                items.extend(self.case_items(&id, page).await?);
            }
            let mut holders = self.holders(&governed, &items).await?;
            let charter = governed.charter();
            for (member, planned) in self.planned(&id).await? {
                let kind = kind_of(&charter, &member);
                let (_, had) = holders.entry(member).or_insert((kind, Vec::new()));
                had.extend(planned);
                had.sort_unstable();
                had.dedup();
            }
            for (member, (kind, items)) in in_order(&governed, holders) {
                let orders =
                    if kind == HolderKind::Celosia { self.give_orders(&governed, &case, &member, &items).await? } else { 0 };
                case.holders.push(holder(member, kind, items.len() as u64, orders));
            }
            self.keep_case(&case, What::ErasureDecision, by).await?;
            // Once for all of them: an index key is replaced for every row that stays under it.
            self.unindex(&items).await?;
            case
        };
        match self.run_case(&governed, &id).await {
            Ok(()) => case = self.case(&id).await?.unwrap_or(case),
            Err(error) => tracing::warn!(case = %id, code = %error.code(), "a case goes on later"),
        }
        Ok(case)
    }

    async fn give_orders(&self, governed: &Governed, case: &Case, to: &MemberId, items: &[ItemId]) -> Result<u32, Error> {
        let mut pages = 0;
        for items in items.chunks(MAX_ITEMS) {
            let order = Order {
                network: governed.network,
                case: case.id,
                page: pages,
                controller: governed.me.clone(),
                holder: to.clone(),
                ground: case.ground,
                time: now(),
                deadline: case.due,
                items: items.to_vec(),
            };
            let signature = self.enclave.sign(order.statement()).await?;
            let order = SignedOrder { order, signature }.encode();
            let empty = || Vec::new().into();
            let given = Given { order: order.into(), receipt: empty(), record: empty(), salt: empty(), proof: String::new() };
            self.store.write(vec![put_given(&case.id, pages, to, &given)], Vec::new()).await?;
            pages += 1;
        }
        Ok(pages)
    }

    /// Refuses, for a time: a ground of art. 17(3), in words, signed.
    pub async fn refuse_erasure(
        &self,
        id: CaseId,
        exception: Exception,
        text: &str,
        until: u64,
        by: &str,
    ) -> Result<Case, Error> {
        let governed = self.needs_governance()?;
        let text = line(text)?;
        if until <= now() {
            return Err(ErasureError::Past.into());
        }
        let _one = self.cases.lock().await;
        let mut case = self.case(&id).await?.ok_or(ErasureError::Unknown(id))?;
        case.step(Step::Refuse, now(), by).map_err(ErasureError::from)?;
        let mut refusal = Refusal { exception, text, until, by: by.to_owned(), signature: String::new() };
        let signature = self.enclave.sign(statement(REFUSAL_PURPOSE, &governed.network, &refusal.message(id))).await?;
        refusal.signature = BASE64.encode(&signature);
        case.refusal = Some(refusal);
        self.keep_case(&case, What::ErasureRefusal, by).await?;
        Ok(case)
    }

    /// Two further months (art. 12(3)), with the reason that the person is told.
    pub async fn extend_erasure(&self, id: CaseId, text: &str, by: &str) -> Result<Case, Error> {
        let text = line(text)?;
        let _one = self.cases.lock().await;
        let mut case = self.case(&id).await?.ok_or(ErasureError::Unknown(id))?;
        if now() > case.due {
            return Err(ErasureError::Late.into());
        }
        if case.extended.is_empty() {
            case.due = answer_due(case.requested, true);
        }
        case.extended = text;
        self.keep_case(&case, What::ErasureExtension, by).await?;
        Ok(case)
    }

    /// A case.
    pub async fn erasure(&self, id: CaseId) -> Result<Case, Error> {
        self.case(&id).await?.ok_or_else(|| ErasureError::Unknown(id).into())
    }

    /// Cases in the order of their names, after one.
    pub async fn erasures(&self, after: Option<CaseId>, limit: usize) -> Result<Vec<Case>, Error> {
        self.cases_after(after.as_ref(), limit).await
    }

    /// Takes every case that is at work one step further.
    pub(super) async fn run_cases(self: &Arc<Self>) -> Result<(), Error> {
        let governed = Arc::clone(self.needs_governance()?);
        for id in self.cases_at_work().await? {
            if let Err(error) = self.run_case(&governed, &id).await {
                tracing::warn!(case = %id, code = %error.code(), "a case does not go on: tried again");
            }
        }
        Ok(())
    }

    /// Asks whoever is due, then takes what steps the answers allow. The case is not held while others are asked: one of them may be slow.
    async fn run_case(self: &Arc<Self>, governed: &Arc<Governed>, id: &CaseId) -> Result<(), Error> {
        let Some(case) = self.case(id).await?.filter(|case| case.state.is_at_work()) else { return Ok(()) };
        // This node is asked in every turn: it costs nothing.
        let due = |holder: &&Holder| !holder.is_done() && (holder.next <= now() || holder.member == governed.me);
        let asked =
            join_all(case.holders.iter().filter(due).map(|holder| self.ask_holder(governed, &case, holder.clone()))).await;
        let _one = self.cases.lock().await;
        let Some(mut case) = self.case(id).await?.filter(|case| case.state.is_at_work()) else { return Ok(()) };
        let before = case.clone();
        for asked in asked {
            let asked = asked?;
            case.holders.iter_mut().filter(|holder| holder.member == asked.member).for_each(|holder| *holder = asked.clone());
        }
        while let Some(step) = next_step(&case) {
            case.step(step, now(), "node").map_err(ErasureError::from)?;
            self.keep_case(&case, What::ErasureStep, "node").await?;
        }
        if case.urgent && case.state == State::Purged && !case.rotated {
            self.rotate_root("celosia", "erasure").await?;
            case.rotated = true;
        }
        if case != before {
            self.store.write(put_case(&case), Vec::new()).await?;
        }
        Ok(())
    }

    async fn keep_case(&self, case: &Case, what: What, by: &str) -> Result<(), Error> {
        let details = serde_json::json!({
            "case": case.id, "state": case.state, "ground": case.ground, "items": case.items, "scope": case.scope,
            "refusal": case.refusal.as_ref().map(|refusal| refusal.exception),
        });
        let event = Happening::now(what).actor(by, "erasure").details(details).event();
        Ok(self.store.write(put_case(case), vec![event]).await?)
    }
}

/// Where a case goes by what its holders have said: this node is the first of them.
fn next_step(case: &Case) -> Option<Step> {
    let own = case.holders.first()?;
    let level = Level::from_number(own.level);
    match case.state {
        State::Erasing if own.held > 0 => Some(Step::Block),
        State::Blocked if own.held == 0 => Some(Step::Unblock),
        State::Erasing if level >= Some(Level::E1) => Some(Step::Puncture),
        State::Unreadable if level >= Some(Level::E2) => Some(Step::Purge),
        State::Purged if level >= Some(Level::E3) => Some(Step::Rotate),
        State::BackupSafe if case.holders.iter().all(Holder::is_done) => Some(Step::Certify),
        _ => None,
    }
}

/// Holders with this node first.
fn in_order(governed: &Governed, mut holders: Holders) -> Vec<(MemberId, (HolderKind, Vec<ItemId>))> {
    let own = holders.remove(&governed.me).map(|own| (governed.me.clone(), own));
    own.into_iter().chain(holders).collect()
}

/// One line of text.
fn line(text: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MAX_TEXT || text.chars().any(char::is_control) {
        return Err(ErasureError::Text.into());
    }
    Ok(text.to_owned())
}
