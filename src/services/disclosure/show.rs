//! How grants are shown to people and tools.

use std::collections::BTreeMap;
use std::sync::Arc;

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::rows::Dossier;
use crate::disclosure::GrantId;
use crate::services::records::now;
use crate::services::{Error, Node};

/// Dossiers read at once.
const PAGE: usize = 256;
/// What stands for the purpose of a disclosure that nobody may know of yet.
const SECRET: &str = "under a secrecy order";

impl Node {
    /// A grant.
    pub async fn disclosure(&self, grant: GrantId) -> Result<Value, Error> {
        self.shown_disclosure(&self.dossier(&grant).await?).await
    }

    /// Grants in the order of their names, after one.
    pub async fn disclosures(self: &Arc<Self>, after: Option<GrantId>, limit: usize) -> Result<Vec<Value>, Error> {
        let mut shown = Vec::new();
        for dossier in self.dossiers(after.as_ref(), limit).await? {
            shown.push(self.shown_disclosure(&dossier).await?);
        }
        Ok(shown)
    }

    /// How many were asked for, by purpose. Whoever reads figures learns of a secrecy order that there is one, and no purpose.
    pub(crate) async fn disclosures_by_purpose(&self) -> Result<BTreeMap<String, u64>, Error> {
        let (mut counted, mut after) = (BTreeMap::new(), None);
        loop {
            let page = self.dossier_rows(after.as_ref(), PAGE).await?;
            let Some((last, _)) = page.last() else { return Ok(counted) };
            after = Some(*last);
            for request in page.into_iter().filter_map(|(_, dossier)| dossier.ok()?.request().ok()) {
                let is_secret = request.request.secret_until().is_some_and(|until| until > now());
                let purpose = if is_secret { SECRET.to_owned() } else { request.request.purpose };
                *counted.entry(purpose).or_default() += 1;
            }
        }
    }

    pub(super) async fn shown_disclosure(&self, dossier: &Dossier) -> Result<Value, Error> {
        let (signed, docket, verdicts) = (dossier.request()?, dossier.docket()?, dossier.verdicts()?);
        let (request, life) = (&signed.request, dossier.life.at(now()));
        let shares = self.shares_of(&request.grant).await?;
        let shares: Vec<Value> = shares.iter().map(|shares| json!({ "epoch": shares.epoch, "index": shares.index })).collect();
        let verdicts: Vec<Value> = verdicts
            .iter()
            .map(|signed| {
                let verdict = &signed.verdict;
                json!({
                    "officer": verdict.officer, "approves": verdict.approves, "text": verdict.text, "time": verdict.time,
                    "until": verdict.until,
                })
            })
            .collect();
        Ok(json!({
            "grant": request.grant, "state": life.state, "ended": dossier.ended, "by": dossier.by,
            "name": request.name, "entity": request.entity, "mandate": request.mandate, "purpose": request.purpose,
            "basis": request.basis, "scope": request.scope.to_string(), "from": life.from, "until": life.until,
            "secret-until": request.secret_until(), "renews": request.renews,
            "items": docket.docket.items, "epochs": dossier.epochs, "verdicts": verdicts, "shares": shares,
            "views": json!({ "of": life.views, "recorded": life.used, "released": dossier.released }),
            "request": BASE64.encode(&signed.encode()),
        }))
    }
}
