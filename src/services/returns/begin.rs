//! A recovery begins: what may come is told, and which key it comes under.

use std::sync::Arc;

use serde::Serialize;

use super::{Listed, ReturnError};
use crate::crypto::hpke::BoxKey;
use crate::disclosure::{By, GrantId, SignedDocket, SignedRequest};
use crate::services::happening::{Happening, Kind as What};
use crate::services::records::now;
use crate::services::send::to_its_end;
use crate::services::{Error, Node};
use crate::store::{Table, Write};
use crate::translog::hash::Hash;

/// How long the word of a second person counts, in milliseconds.
const PERMITTED: u64 = 7 * 24 * 60 * 60 * 1000;
/// Where it lies among the rows of disclosures.
const PERMIT: u8 = 0x70;

/// A recovery that began.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Begun {
    /// Under which grant.
    pub grant: GrantId,
    /// What comes back is sealed to it.
    pub key: BoxKey,
    /// Orders to erase that other members showed, and that were carried out first.
    pub replayed: u64,
}

/// What a recovery begins with.
#[derive(Clone, Debug)]
pub struct Parts {
    /// Our request.
    pub request: SignedRequest,
    /// What it resolved to at the holder.
    pub docket: SignedDocket,
    /// Leaves of the whole list.
    pub leaves: Vec<Hash>,
    /// Nothing is to be kept.
    pub is_drill: bool,
}

fn permit(grant: &GrantId) -> Vec<u8> {
    [&[PERMIT], &grant.0[..]].concat()
}

impl Node {
    /// Two people want the recovery under a grant. `actors` are both.
    pub async fn permit_recovery(&self, grant: GrantId, actors: &str) -> Result<serde_json::Value, Error> {
        self.needs_governance()?;
        let until = now().saturating_add(PERMITTED);
        let details = serde_json::json!({ "grant": grant, "until": until });
        let event = Happening::now(What::RecoveryPermitted).actor(actors, "operator").details(details.clone()).event();
        let row = Write::put(Table::Disclosure, permit(&grant), until.to_be_bytes().to_vec());
        self.store.write(vec![row], vec![event]).await?;
        Ok(details)
    }

    /// Whether they want it still.
    pub async fn is_permitted(&self, grant: GrantId) -> Result<(), Error> {
        let row = self.store.row(Table::Disclosure, &permit(&grant)).await?;
        let until = row.and_then(|row| row.as_ref().try_into().ok().map(u64::from_be_bytes));
        if until.is_some_and(|until| now() < until) { Ok(()) } else { Err(ReturnError::NotPermitted(grant).into()) }
    }

    /// Begins, or begins again: takes the request, what it resolved to and the list, and asks every member for orders to erase that this node
    /// forgot with its disk. A drill keeps nothing, and asks nobody.
    ///
    /// Threats: what was erased comes back because the tombstone was lost; a list of somebody else's request.
    pub async fn begin_recovery(self: &Arc<Self>, parts: Parts, despite_silent: bool) -> Result<Begun, Error> {
        let node = Arc::clone(self);
        to_its_end(async move { node.begin(parts, despite_silent).await }).await
    }

    async fn begin(self: &Arc<Self>, parts: Parts, despite_silent: bool) -> Result<Begun, Error> {
        let governed = Arc::clone(self.needs_governance()?);
        governed.may_serve()?;
        let charter = governed.charter();
        let Parts { request, docket, leaves, is_drill } = parts;
        let asked = request.verify(&governed.network)?;
        let me = charter.members().by_id(&governed.me).ok_or_else(|| Error::NotAMember(governed.me.clone()))?;
        if me.signing_key != Some(asked.key) {
            return Err(ReturnError::NotOurs.into());
        }
        let holder = docket.docket.member.clone();
        docket.verify_by(&request, &charter)?;
        docket.is_of(&leaves)?;
        let mut replayed = 0;
        if !is_drill {
            let (orders, silent) = self.replay_from_all(&governed).await?;
            if !silent.is_empty() && !despite_silent {
                return Err(ReturnError::Silent(silent).into());
            }
            replayed = orders;
        }
        let is_ours = matches!(&asked.scope.by, By::Party(member) if *member == governed.me);
        let (grant, items) = (asked.grant, leaves.len());
        self.returns.put(grant, Listed { leaves: leaves.into_iter().collect(), is_ours, is_drill, holder });
        tracing::info!(%grant, items, replayed, "a recovery began");
        Ok(Begun { grant, key: self.enclave.return_key().await?, replayed })
    }
}
